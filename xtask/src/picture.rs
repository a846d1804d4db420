//! `cargo xtask picture`: a session of the real binary on the sandbox, as the picture in the README. Nothing of it is
//! written by hand: what the terminal showed is what the picture shows.

mod svg;

use std::{
    io::Read as _,
    num::NonZero,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use svg::{Line, Run};

use crate::{demo, sandbox};

/// `cargo xtask picture`
#[derive(Args)]
pub struct PictureArgs {}

/// Where the picture is.
const PICTURE: &str = "docs/picture/session.svg";

/// Size of the terminal. No command prints more rows than it has.
const COLUMNS: NonZero<u16> = NonZero::new(108).expect("it is not 0");
const ROWS: NonZero<u16> = NonZero::new(60).expect("it is not 0");

/// What is typed, and the exit code that must come of it.
const SESSION: [(&str, i32); 4] = [
    ("up --pr 12 --image registry.test/testapp:1", 0),
    ("up --pr 12 --image registry.test/testapp:2", 0),
    ("up --pr 12 --image registry.test/testapp:3", 6),
    ("down --pr 12", 0),
];

const CONFIG: &str = "\
projectId: shop
services:
  web: {port: 8080, public: true, dependsOn: [redis]}
databases: {redis: true}
";

const NAMESPACE: &str = "shop-pr-12";

impl PictureArgs {
    /// Records the session and writes the picture.
    ///
    /// # Errors
    /// The sandbox does not start, somebody else has such an environment, or a command does not end as it should.
    pub fn run(self) -> Result<ExitCode> {
        if !sandbox::is_up() {
            sandbox::ensure_up()?;
            sandbox::ensure_all_images()?;
        }
        let binary = demo::build()?;
        let (ingress, _) = sandbox::endpoints()?;
        let dir = tempfile::Builder::new()
            .prefix("k8s-ee-picture-")
            .tempdir()?;
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text);
        write("k8s-ee.yaml", CONFIG)?;
        write(
            "sandbox.yaml",
            &demo::platform_settings(&ingress, &demo::ALL),
        )?;
        ensure!(
            !is_there()?,
            "there is a namespace {NAMESPACE} already\nhint: cargo xtask sandbox enter kubectl delete namespace {NAMESPACE}"
        );
        let recorded = record_all(&binary, dir.path());
        if recorded.is_err() && is_there()? {
            terminal(&binary, dir.path(), "down --pr 12")?;
        }
        let caption = format!(
            "recorded by `cargo xtask picture` on {}, k8s-ee {} (debug build), on the cluster of sandbox/",
            today()?,
            env!("CARGO_PKG_VERSION")
        );
        let picture = svg::picture(&recorded?, COLUMNS.get().into(), &caption);
        let path = Path::new(PICTURE);
        std::fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        std::fs::write(path, &picture)?;
        println!("{PICTURE}: {} KiB", picture.len() / 1024);
        Ok(ExitCode::SUCCESS)
    }
}

fn record_all(binary: &Path, dir: &Path) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (typed, expected) in SESSION {
        let typed = match typed.starts_with("up") {
            true => format!("{typed} --platform sandbox.yaml"),
            false => typed.to_owned(),
        };
        println!("$ k8s-ee {typed}");
        let (code, screen) = terminal(binary, dir, &typed)?;
        ensure!(
            code == expected,
            "`k8s-ee {typed}` ended with {code} in place of {expected}:\n{}",
            screen.contents()
        );
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.push(vec![Run::dim("$ "), Run::bold(&format!("k8s-ee {typed}"))]);
        lines.extend(shown(&screen));
    }
    Ok(lines)
}

/// Runs a command in a terminal, and returns its exit code and what stands on the screen in the end.
fn terminal(binary: &Path, dir: &Path, typed: &str) -> Result<(i32, vt100::Screen)> {
    let line = format!(
        "stty rows {ROWS} cols {COLUMNS}; exec {} {typed}",
        binary.display()
    );
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(dir)
        .env("TERM", "xterm-256color");
    for variable in ["CI", "NO_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS"] {
        script.env_remove(variable);
    }
    let mut inside = sandbox::enter(script)?;
    inside
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = inside
        .spawn()
        .context("cannot run `script` of util-linux")?;
    // Open until the end: its end would be typed as Ctrl-D.
    let keys = child.stdin.take();
    let mut bytes = Vec::new();
    let mut screen = child.stdout.take().context("nothing is shown")?;
    screen.read_to_end(&mut bytes)?;
    let status = child.wait()?;
    drop(keys);
    let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
    parser.process(&bytes);
    let code = status.code().context("a signal ended it")?;
    Ok((code, parser.screen().clone()))
}

/// The rows of a screen down to the last one with anything on it, as runs of the same looks.
fn shown(screen: &vt100::Screen) -> Vec<Line> {
    let mut lines: Vec<Line> = (0..ROWS.get()).map(|row| line(screen, row)).collect();
    let used = lines.iter().rposition(|line| !line.is_empty());
    lines.truncate(used.map_or(0, |last| last + 1));
    lines
}

fn line(screen: &vt100::Screen, row: u16) -> Line {
    let mut line = Line::new();
    for column in 0..COLUMNS.get() {
        let Some(cell) = screen.cell(row, column) else {
            continue;
        };
        let text = match cell.contents() {
            "" => " ",
            text => text,
        };
        let color = match cell.fgcolor() {
            vt100::Color::Idx(color) => Some(color),
            _ => None,
        };
        match line.last_mut() {
            Some(run) if run.color == color && run.bold == cell.bold() => run.text.push_str(text),
            _ => line.push(Run {
                text: text.to_owned(),
                color,
                bold: cell.bold(),
                dim: false,
            }),
        }
    }
    if let Some(last) = line.last_mut() {
        last.text.truncate(last.text.trim_end().len());
    }
    line.retain(|run| !run.text.is_empty());
    line
}

fn is_there() -> Result<bool> {
    let mut kubectl = Command::new("kubectl");
    kubectl.args([
        "get",
        "namespace",
        NAMESPACE,
        "--ignore-not-found",
        "--output=name",
    ]);
    let found = sandbox::enter(kubectl)?
        .output()
        .context("cannot run kubectl")?;
    ensure!(found.status.success(), "`kubectl get namespace` failed");
    Ok(!found.stdout.is_empty())
}

fn today() -> Result<String> {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output()?;
    Ok(String::from_utf8(date.stdout)?.trim().to_owned())
}
