//! `cargo xtask stamp`: one version everywhere it stands, in one step. What is stamped is what is checked.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

/// `cargo xtask stamp VERSION`
#[derive(Args)]
pub struct StampArgs {
    /// The version, such as `1.2.3` or `1.2.3-rc.1`.
    version: String,
    /// Change nothing; fail where another version stands.
    #[arg(long)]
    check: bool,
    /// Day of the release in the changelog, as `2026-11-28`; today when left out.
    #[arg(long)]
    date: Option<String>,
    /// Only write the digests of released archives into the actions: a file as `sha256sum` writes it.
    #[arg(long, conflicts_with_all = ["check", "date"])]
    archives: Option<PathBuf>,
}

/// Pages and files in which versions of ours stand only as these words: before the version, and after it.
const WORDS: &[(&str, &str)] = &[
    ("koder-cat/k8s-ee/action/", "@v"),
    ("charts/k8s-ee-platform", "--version "),
    ("charts/k8s-ee-app", "--version "),
    ("ghcr.io/koder-cat/k8s-ee", ":"),
    ("ghcr.io/koder-cat/charts/", ":"),
    ("K8S_EE_VERSION", ": "),
];

/// What the actions install, by digest.
const INSTALLED: &str = "action/setup/versions";

impl StampArgs {
    /// Stamps or checks.
    ///
    /// # Errors
    /// It is no version, or a file is not as it is known here.
    pub fn run(self) -> Result<ExitCode> {
        ensure!(
            is_version(&self.version),
            "`{}` is no version such as 1.2.3 or 1.2.3-rc.1",
            self.version
        );
        let root = Path::new(".");
        if let Some(sums) = &self.archives {
            let sums = fs::read_to_string(sums)
                .with_context(|| format!("cannot read {}", sums.display()))?;
            edit(&root.join(INSTALLED), |text| {
                with_archives(text, &self.version, &sums)
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.check {
            let wrong = places_of_another(root, &self.version)?;
            ensure!(
                wrong.is_empty(),
                "not of version {}:\n{}\nrun: cargo xtask stamp {0}",
                self.version,
                wrong.join("\n")
            );
            println!("everything is of version {}", self.version);
            return Ok(ExitCode::SUCCESS);
        }
        let date = match self.date {
            Some(date) => date,
            None => today()?,
        };
        for file in stamp(root, &self.version, &date)? {
            println!("{}", file.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The version of this repository.
///
/// # Errors
/// It is run elsewhere.
pub fn current() -> Result<String> {
    version_of(Path::new("."))
}

fn version_of(root: &Path) -> Result<String> {
    let text = read(&root.join("Cargo.toml"))?;
    let manifest: toml::Table = toml::from_str(&text).context("in Cargo.toml")?;
    let version = manifest["workspace"]["package"]["version"].as_str();
    Ok(version.context("Cargo.toml has no version")?.to_owned())
}

/// Writes the version everywhere; returns the files that have changed.
fn stamp(root: &Path, version: &str, date: &str) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for (file, kind) in places(root)? {
        let path = root.join(&file);
        let stamped = edit(&path, |text| Ok(kind.stamp(text, version)))?;
        if stamped {
            changed.push(file);
        }
    }
    let changelog = root.join("CHANGELOG.md");
    if edit(&changelog, |text| released(text, version, date))? {
        changed.push("CHANGELOG.md".into());
    }
    Ok(changed)
}

/// Where another version stands, with its line.
fn places_of_another(root: &Path, version: &str) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (file, kind) in places(root)? {
        let text = read(&root.join(&file))?;
        let stamped = kind.stamp(&text, version);
        let lines = text.lines().zip(stamped.lines()).enumerate();
        for (index, (line, _)) in lines.filter(|(_, (line, right))| line != right) {
            wrong.push(format!("{}:{}: {}", file.display(), index + 1, line.trim()));
        }
    }
    let changelog = read(&root.join("CHANGELOG.md"))?;
    if !changelog.contains(&format!("\n## [{version}]")) {
        wrong.push(format!("CHANGELOG.md: no section of {version}"));
    }
    Ok(wrong)
}

/// How a version stands in a file.
enum Kind {
    /// `version = "…"` of the workspace.
    Workspace,
    /// `version = "…"` of these packages.
    Lock(BTreeSet<String>),
    /// The chart's own, its application's when that is ours, and those of the charts beside it.
    Chart,
    /// Among other words.
    Words,
}

/// Every file with our version in it, relative to the root.
fn places(root: &Path) -> Result<Vec<(PathBuf, Kind)>> {
    let mut places = vec![
        ("Cargo.toml".into(), Kind::Workspace),
        ("Cargo.lock".into(), Kind::Lock(members(root)?)),
    ];
    for folder in folders(&root.join("charts"))? {
        let file = folder.join("Chart.yaml");
        if file.is_file() {
            places.push((file.strip_prefix(root)?.to_owned(), Kind::Chart));
        }
    }
    let mut pages = vec![PathBuf::from("README.md")];
    for folder in ["docs", "action", "workflows"] {
        collect(root, Path::new(folder), &mut pages)?;
    }
    places.extend(pages.into_iter().map(|page| (page, Kind::Words)));
    Ok(places)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        found.push(entry?.path());
    }
    found.sort();
    Ok(found)
}

/// Pages and workflows below a folder. Decisions are of their time and stay.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let place = root.join(folder);
    if !place.is_dir() || folder == Path::new("docs/adr") {
        return Ok(());
    }
    for path in folders(&place)? {
        let relative = path.strip_prefix(root)?.to_owned();
        if path.is_dir() {
            collect(root, &relative, files)?;
        } else if path
            .extension()
            .is_some_and(|end| end == "md" || end == "yml" || end == "yaml")
        {
            files.push(relative);
        }
    }
    Ok(())
}

/// The packages that share the workspace's version.
fn members(root: &Path) -> Result<BTreeSet<String>> {
    let manifest: toml::Table = toml::from_str(&read(&root.join("Cargo.toml"))?)?;
    let members = manifest["workspace"]["members"].as_array();
    let folders = members
        .into_iter()
        .flatten()
        .filter_map(|member| member.as_str())
        .chain(["."]);
    let mut names = BTreeSet::new();
    for folder in folders {
        let file = root.join(folder).join("Cargo.toml");
        let manifest: toml::Table =
            toml::from_str(&read(&file)?).with_context(|| format!("in {}", file.display()))?;
        let package = &manifest["package"];
        let shared = package["version"].get("workspace").is_some();
        if let (true, Some(name)) = (shared, package["name"].as_str()) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

impl Kind {
    /// The text with this version in place of whichever stands there.
    fn stamp(&self, text: &str, version: &str) -> String {
        let mut section = String::new();
        let mut name = String::new();
        let mut stamped = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let (body, end) = match line.strip_suffix('\n') {
                Some(body) => (body, "\n"),
                None => (line, ""),
            };
            let trimmed = body.trim_start();
            let indent = &body[..body.len() - trimmed.len()];
            let line = match self {
                Self::Workspace | Self::Lock(_) => {
                    if trimmed.starts_with('[') {
                        trimmed.clone_into(&mut section);
                        name.clear();
                    }
                    if let Some(value) = trimmed.strip_prefix("name = ") {
                        value.trim_matches('"').clone_into(&mut name);
                    }
                    let meant = match self {
                        Self::Lock(members) => members.contains(&name),
                        _ => section == "[workspace.package]",
                    };
                    if meant && trimmed.starts_with("version = \"") {
                        format!("{indent}version = \"{version}\"")
                    } else {
                        body.to_owned()
                    }
                }
                // The version of somebody else's application is a string, in quotes.
                Self::Chart => match trimmed.split_once(": ") {
                    Some((key @ ("version" | "appVersion"), value)) if is_version(value) => {
                        format!("{indent}{key}: {version}")
                    }
                    _ => body.to_owned(),
                },
                Self::Words => in_words(body, version),
            };
            stamped.push_str(&line);
            stamped.push_str(end);
        }
        stamped
    }
}

/// A line of a page with this version where one of ours stands.
fn in_words(line: &str, version: &str) -> String {
    let mut line = line.to_owned();
    for (subject, before) in WORDS {
        let Some(at) = line.find(subject) else {
            continue;
        };
        let rest = at + subject.len();
        let Some(found) = line[rest..].find(before) else {
            continue;
        };
        let start = rest + found + before.len();
        let length = line[start..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)))
            .unwrap_or(line.len() - start);
        if is_version(&line[start..start + length]) {
            line.replace_range(start..start + length, version);
        }
    }
    line
}

/// The changelog in which what was not released yet is this version's.
fn released(text: &str, version: &str, date: &str) -> Result<String> {
    const UNRELEASED: &str = "## [Unreleased]\n";
    if text.contains(&format!("\n## [{version}]")) {
        return Ok(text.to_owned());
    }
    let (before, after) = text
        .split_once(UNRELEASED)
        .context("CHANGELOG.md has no section `## [Unreleased]`")?;
    let section = after.split("\n## ").next().unwrap_or_default();
    ensure!(
        !section.trim().is_empty(),
        "CHANGELOG.md says nothing under `## [Unreleased]`: what is new in {version}?"
    );
    Ok(format!(
        "{before}{UNRELEASED}\n## [{version}] - {date}\n{after}"
    ))
}

/// What the actions install, with the archives of this version in place of those of the one before.
fn with_archives(text: &str, version: &str, sums: &str) -> Result<String> {
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with("k8s-ee "))
        .map(str::to_owned)
        .collect();
    let mut found = 0;
    for sum in sums.lines() {
        let (digest, file) = sum
            .split_once(char::is_whitespace)
            .with_context(|| format!("`{sum}` is no line of sha256sum"))?;
        let file = file.trim_start_matches([' ', '*']);
        let Some(platform) = file
            .strip_prefix(&format!("k8s-ee-v{version}-"))
            .and_then(|rest| rest.strip_suffix(".tar.gz"))
        else {
            continue;
        };
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        ensure!(is_digest, "`{digest}` is no SHA-256");
        lines.push(format!(
            "k8s-ee v{version} {platform} {digest} {}/releases/download/v{version}/{file}",
            env!("CARGO_PKG_REPOSITORY")
        ));
        found += 1;
    }
    if found == 0 {
        bail!("no archive of version {version} is named there");
    }
    Ok(lines.join("\n") + "\n")
}

/// Whether it is a version as Cargo and Helm both take it, without build metadata, which a registry's tags do not.
fn is_version(text: &str) -> bool {
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text, None),
    };
    let is_number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    parts.len() == 3
        && parts.into_iter().all(is_number)
        && pre.is_none_or(|pre| {
            pre.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
        })
}

fn today() -> Result<String> {
    let output = Command::new("date").args(["-u", "+%F"]).output()?;
    ensure!(output.status.success(), "`date` failed");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Changes a file; `false` when it was so already.
fn edit(path: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<bool> {
    let text = read(path)?;
    let changed = change(&text).with_context(|| format!("in {}", path.display()))?;
    if changed == text {
        return Ok(false);
    }
    fs::write(path, changed).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests;
