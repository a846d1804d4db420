//! What the pages say: links lead somewhere, YAML is valid, tables are complete.

use std::{collections::BTreeSet, path::Path};

use clap::Parser as _;
use k8s_ee::{
    cli::Cli,
    config::{Config, Source},
    diagnose::{Cause, CauseCode, Fix, report},
    doctor::{self, Finding, Status},
    model::settings::PlatformSettings,
};
use serde_json::Value;

use crate::common::{collect, pages, read, root};

/// The fenced blocks of a page whose info string is `language`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, Vec<&str>)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info == language, Vec::new())),
            (Some((wanted, lines)), Some("")) => {
                if *wanted {
                    blocks.push(lines.join("\n") + "\n");
                }
                open = None;
            }
            (Some((_, lines)), _) => lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for path in pages() {
        let page = read(&path.display().to_string());
        for part in page.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().unwrap_or(Path::new(""));
            let file = if file.is_empty() {
                path.clone()
            } else {
                folder.join(file)
            };
            assert!(
                root().join(&file).exists(),
                "{}: {target} leads nowhere",
                path.display()
            );
            if !anchor.is_empty() {
                let there = anchors(&read(&file.display().to_string()));
                assert!(
                    there.contains(anchor),
                    "{}: {target} has no such heading",
                    path.display()
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} links found");
}

#[test]
fn configurations_in_pages_are_valid() {
    let mut checked = 0;
    for path in pages() {
        let name = path.display().to_string();
        for block in blocks(&read(&name), "yaml") {
            if block.contains("projectId:") {
                let parsed = Config::parse(Source::new(name.as_str(), block.as_str()));
                parsed.unwrap_or_else(|invalid| panic!("{name}: {:?}\n{block}", invalid.problems));
                checked += 1;
            }
        }
    }
    assert!(checked >= 2, "only {checked} configurations found");
}

#[test]
fn documented_platform_settings_are_the_defaults() {
    let page = read("docs/reference/platform-settings.md");
    let blocks = blocks(&page, "yaml");
    let written: Value =
        serde_saphyr::from_str(&blocks[0]).expect("the settings of the page are YAML");
    let defaults =
        serde_json::to_value(PlatformSettings::default()).expect("the settings are JSON");
    // Key by key, so that none is left out and none is made up.
    assert_eq!(sorted(&written), sorted(&defaults));
    let read: PlatformSettings =
        serde_saphyr::from_str(&blocks[0]).expect("the settings of the page are settings");
    assert_eq!(read, PlatformSettings::default());
}

/// As text, with keys in order: what differs is then easy to see.
fn sorted(value: &Value) -> String {
    fn sort(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut keys: Vec<&String> = members.keys().collect();
                keys.sort();
                keys.into_iter()
                    .map(|key| (key.clone(), sort(&members[key])))
                    .collect()
            }
            Value::Array(items) => items.iter().map(sort).collect(),
            other => other.clone(),
        }
    }
    format!("{:#}", sort(value))
}

/// The rows of a page's tables: the first cell of each, without its backticks.
fn first_cells(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.filter_map(|line| line.split('|').nth(1))
        .map(|cell| cell.trim().trim_matches('`').to_owned())
        .collect()
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let source = read("src/exit.rs");
    let codes: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .map(|(_, code)| code)
        .collect();
    assert!(codes.len() >= 13, "{codes:?}");
    let mut documented = first_cells(&read("docs/reference/exit-codes.md"));
    documented.retain(|cell| cell.parse::<u8>().is_ok());
    assert_eq!(documented, codes);
}

#[test]
fn every_environment_variable_is_documented() {
    let page = read("docs/reference/cli.md");
    let mut sources = Vec::new();
    collect(Path::new("src"), "rs", &mut sources);
    let mut found = BTreeSet::new();
    for source in sources {
        let text = read(&source.display().to_string());
        for call in ["env::var(\"", "env::var_os(\""] {
            let names = text
                .split(call)
                .skip(1)
                .filter_map(|rest| rest.split('"').next());
            found.extend(names.map(str::to_owned));
        }
    }
    // Set by Kubernetes in every pod, not by people.
    found.remove("KUBERNETES_SERVICE_HOST");
    // Only tests look at it.
    found.remove("UPDATE_GENERATED");
    assert!(found.len() >= 4, "{found:?}");
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/reference/cli.md does not name {missing:?}"
    );
}

#[test]
fn every_cause_is_explained() {
    let source = read("src/diagnose/cause.rs");
    let start = source
        .find("pub enum CauseCode {")
        .expect("the causes are an enum");
    let body = &source[start..source[start..].find("\n}").expect("the enum ends") + start];
    let codes: BTreeSet<String> = body
        .lines()
        .skip(1)
        .map(str::trim)
        .filter(|line| line.starts_with(char::is_uppercase))
        .map(|line| kebab(line.trim_end_matches(',')))
        .collect();
    assert!(codes.len() > 40, "{codes:?}");
    let documented = first_cells(&read("docs/guides/troubleshooting.md"));
    let documented: BTreeSet<String> = documented
        .into_iter()
        .filter(|cell| codes.contains(cell))
        .collect();
    let missing: Vec<&String> = codes.difference(&documented).collect();
    assert!(
        missing.is_empty(),
        "docs/guides/troubleshooting.md does not explain {missing:?}"
    );
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The `k8s-ee` commands of a block of shell commands, word by word.
fn commands(block: &str) -> Vec<Vec<String>> {
    let joined = block.replace("\\\n", " ");
    let parts = joined.lines().flat_map(|line| line.split("&&"));
    let parts = parts.map(|part| part.split(['|', '>', '#']).next().unwrap_or_default());
    parts
        .map(|part| {
            part.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|words| words.first().is_some_and(|word| word == "k8s-ee"))
        .collect()
}

#[test]
fn commands_that_need_a_cluster_are_commands() {
    let mut checked = 0;
    for path in pages() {
        let name = path.display().to_string();
        for block in blocks(&read(&name), "sh") {
            for words in commands(&block) {
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{name}: {}\n{error}", words.join(" "));
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 20, "only {checked} commands found");
}

/// What `up -o json` prints is only printed where there is a cluster, so its members are taken from the source.
#[test]
fn every_member_of_what_up_prints_is_documented() {
    let source = read("src/commands/up.rs");
    let object = source.split("json!({").nth(1).expect("`up` prints JSON");
    let object = object.split("})").next().unwrap_or_default();
    let mut printed: Vec<&str> = object
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .filter(|member| *member != "version")
        .collect();
    let page = read("docs/reference/json.md");
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("up\n"))
        .expect("docs/reference/json.md has a section up");
    let mut documented = first_cells(section);
    documented.retain(|cell| cell != "member");
    printed.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, printed);
}

/// The causes of an `up` that failed, as the reference shows them.
#[test]
fn causes_have_the_documented_shape() {
    let cause = Cause {
        code: CauseCode::PortClosed,
        component: Some("api".to_owned()),
        summary: "`api` does not listen on port 3000".to_owned(),
        evidence: vec!["Startup probe failed: connect: connection refused".to_owned()],
        fix: Fix {
            text: "set the port that it listens on".to_owned(),
            pointer: Some("/services/api/port".to_owned()),
            change: Some("port: 8080".to_owned()),
            command: None,
        },
    };
    let locate = |pointer: &str| Some(format!("k8s-ee.yaml:{}", pointer.len()));
    let json = serde_json::json!({
        "version": 1,
        "namespace": "shop-pr-7",
        "causes": report::json(&[cause], &locate),
        "requests": {"reads": 31, "writes": 14},
    });
    assert_documented("up that fails", &json);
}

#[test]
fn findings_have_the_documented_shape() {
    let finding = Finding {
        check: "ingress",
        status: Status::Broken,
        summary: "the cluster has no ingress class `nginx`, so that no URL will answer".to_owned(),
        evidence: Vec::new(),
        hint: Some("set `ingress.className` in the platform settings to one of traefik".to_owned()),
    };
    let mut json = doctor::report::json(&[finding], None);
    json["causes"] = report::json(&[], &|_| None);
    assert_documented("doctor", &json);
}

/// The picture in the guide is what the command prints.
#[test]
fn the_picture_of_who_reaches_whom_is_up_to_date() {
    let file = read("examples/three-services/k8s-ee.yaml");
    let args = ["plan", "--pr", "12", "--offline", "--reachability=svg"];
    let printed = crate::common::k8s_ee(&args)
        .file("k8s-ee.yaml", &file)
        .exits(0);
    crate::common::check_generated("docs/guides/reachability.svg", &printed.stdout);
}

/// Asserts that `docs/reference/json.md` shows this JSON in the section of the verb.
pub(crate) fn assert_documented(verb: &str, json: &Value) {
    let page = read("docs/reference/json.md");
    let heading = format!("\n## {verb}\n");
    let start = page
        .find(&heading)
        .unwrap_or_else(|| panic!("docs/reference/json.md has no section {verb}"));
    let section = &page[start + 1..];
    let section = &section[..section[1..]
        .find("\n## ")
        .map_or(section.len(), |end| end + 1)];
    let shown = blocks(section, "json");
    let shown: Value =
        serde_json::from_str(&shown[0]).unwrap_or_else(|error| panic!("{verb}: {error}"));
    assert_eq!(
        sorted(&shown),
        sorted(&first_items(json)),
        "docs/reference/json.md, section {verb}"
    );
}

/// Lists cut to their first item, which is all that the reference shows of them.
fn first_items(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), first_items(member)))
            .collect(),
        Value::Array(items) => items.iter().take(1).map(first_items).collect(),
        other => other.clone(),
    }
}
