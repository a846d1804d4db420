//! The actions as files: their READMEs, the rules they keep, and their shell, which runs here with programs that only write
//! down how they were called. `tests/actions` runs them as a whole.

mod build;
mod numbers;
mod setup;
mod shell;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::common::{check_generated, read, root};

/// The composite actions, by their folder.
pub(crate) const ACTIONS: [&str; 11] = [
    "setup", "pr", "validate", "prepare", "build", "push", "deploy", "destroy", "preserve",
    "sweep", "comment",
];

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files below these folders of the repository that end so.
fn below(folders: &[&str], end: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                todo.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                let path = path.strip_prefix(root()).expect("it is below");
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// A text in one cell of a table.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('|', "\\|")
}

fn tables(action: &Value) -> String {
    let mut text = String::from("## Inputs\n\n| input | default | |\n|---|---|---|\n");
    for (name, input) in action["inputs"].as_object().into_iter().flatten() {
        let default = match (input["required"].as_bool(), input["default"].as_str()) {
            (Some(true), _) => "required".to_owned(),
            (_, None | Some("")) => String::new(),
            (_, Some(default)) => format!("`{default}`"),
        };
        let about = cell(input["description"].as_str().unwrap_or_default());
        let _ = writeln!(text, "| `{name}` | {default} | {about} |");
    }
    let outputs = action["outputs"].as_object();
    if let Some(outputs) = outputs {
        text.push_str("\n## Outputs\n\n| output | |\n|---|---|\n");
        for (name, output) in outputs {
            let about = cell(output["description"].as_str().unwrap_or_default());
            let _ = writeln!(text, "| `{name}` | {about} |");
        }
    }
    text
}

#[test]
fn readmes() {
    const BEGIN: &str = "<!-- Generated from action.yml: UPDATE_GENERATED=1 cargo test --test integration actions -->\n";
    const END: &str = "<!-- end -->";
    let folders = ACTIONS.map(|action| format!("action/{action}"));
    for folder in folders.iter().map(String::as_str).chain(["action"]) {
        let action = yaml(&format!("{folder}/action.yml"));
        let path = format!("{folder}/README.md");
        let page = read(&path);
        let (before, rest) = page
            .split_once(BEGIN)
            .unwrap_or_else(|| panic!("{path} has no line `{}`", BEGIN.trim()));
        let (_, after) = rest
            .split_once(END)
            .unwrap_or_else(|| panic!("{path} has no line `{END}`"));
        check_generated(
            &path,
            &format!("{before}{BEGIN}\n{}\n{END}{after}", tables(&action)),
        );
        for wanted in ["## Permissions\n", "## Example\n"] {
            assert!(page.contains(wanted), "{path} has no `{}`", wanted.trim());
        }
    }
}

#[test]
fn nothing_from_outside_is_part_of_a_script() {
    let mut scripts = 0;
    for path in below(&["action", ".github/workflows", "workflows"], ".yml") {
        if path.ends_with("gitlab-ci.yml") {
            continue;
        }
        visit(&yaml(&path), &mut |step| {
            if let Some(script) = step["run"].as_str() {
                assert!(!script.contains("${{"), "{path}: {script}");
                scripts += 1;
            }
        });
    }
    assert!(scripts > 20, "{scripts}");
}

/// Calls with everything that is a map.
fn visit(value: &Value, found: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            found(value);
            members.values().for_each(|member| visit(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
        _ => {}
    }
}

#[test]
fn actions_of_others_are_pinned() {
    let mut pinned = 0;
    for path in below(&["action", ".github/workflows"], ".yml") {
        for line in read(&path).lines() {
            let step = line.trim_start().trim_start_matches("- ");
            let Some(used) = step.strip_prefix("uses: ") else {
                continue;
            };
            if used.starts_with("./") || used.starts_with("$/") {
                continue;
            }
            let (_, commit) = used
                .split_once('@')
                .unwrap_or_else(|| panic!("{path}: {used}"));
            let (commit, version) = commit
                .split_once(" # v")
                .unwrap_or_else(|| panic!("{path}: {used}"));
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(
                is_commit && version.split('.').count() == 3,
                "{path}: {used}"
            );
            pinned += 1;
        }
    }
    assert!(pinned > 5, "{pinned}");
}

#[test]
fn every_input_reaches_its_script_and_no_other() {
    for action in ACTIONS {
        let document = yaml(&format!("action/{action}/action.yml"));
        let declared: BTreeSet<&str> = keys(&document["inputs"]);
        let mut handed = BTreeSet::new();
        visit(&document["runs"], &mut |step| {
            for (variable, value) in step["env"].as_object().into_iter().flatten() {
                let name = variable
                    .strip_prefix("K8S_EE_INPUT_")
                    .unwrap_or_else(|| panic!("{action}: {variable}"));
                let name = name.to_lowercase().replace('_', "-");
                // One of the inputs, or what a step before has made.
                let value = value.as_str().expect("a text");
                let is_input = value == format!("${{{{ inputs.{name} }}}}");
                assert!(
                    is_input || value.contains("steps."),
                    "{action}: {variable}: {value}"
                );
                handed.insert(name);
            }
        });
        let handed: BTreeSet<&str> = handed.iter().map(String::as_str).collect();
        assert!(
            handed.is_superset(&declared),
            "{action}: {declared:?} {handed:?}"
        );
        // And the scripts ask for what they are handed.
        let scripts: String = below(&[&format!("action/{action}"), "action/build"], ".sh")
            .iter()
            .map(|path| read(path))
            .collect::<String>()
            + &read("action/lib.sh")
            + &read("action/setup/install.sh");
        for name in handed {
            let asked = [
                "option", "options", "needed", "choice", "matching", "flag", "input",
            ]
            .iter()
            .any(|verb| {
                let call = format!("{verb} {name}");
                scripts.match_indices(&call).any(|(at, _)| {
                    !scripts[at + call.len()..]
                        .starts_with(|c: char| c.is_alphanumeric() || c == '-')
                })
            });
            assert!(asked, "{action}: no script asks for `{name}`");
        }
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(key, _)| key.as_str()).collect()
}

#[test]
fn inputs_of_the_old_workflow_are_taken() {
    let workflow = yaml(".github/workflows/pr-environment-reusable.yml");
    let inputs = &workflow["on"]["workflow_call"]["inputs"];
    for (name, kind, default) in [
        ("pr-number", "number", None),
        ("pr-action", "string", Some("")),
        ("head-sha", "string", Some("")),
        ("head-ref", "string", Some("")),
        ("repository", "string", Some("")),
        ("config-path", "string", Some("k8s-ee.yaml")),
        // The platform's domain was its owner's; it is the platform settings' now.
        ("preview-domain", "string", Some("")),
        ("kubectl-version", "string", Some("v1.31.0")),
        ("helm-version", "string", Some("v3.16.0")),
        ("k8s-api-ip", "string", Some("10.0.0.39")),
        ("chart-version", "string", Some("1.0.0")),
    ] {
        let input = &inputs[name];
        assert_eq!(input["type"], kind, "{name}");
        assert_eq!(input["default"].as_str(), default, "{name}");
        assert_eq!(input["required"], false, "{name}");
    }
    // What callers of the old one grant. A job that asks for more would keep the whole workflow from starting.
    let granted = ["contents", "packages", "pull-requests", "security-events"];
    for (name, job) in workflow["jobs"].as_object().expect("jobs") {
        for permission in keys(&job["permissions"]) {
            assert!(granted.contains(&permission), "{name}: {permission}");
        }
    }
}

#[test]
fn jobs_with_the_cluster_check_nothing_out() {
    for path in ["pr-environment-reusable.yml", "pr-environment-fork.yml"] {
        let workflow = yaml(&format!(".github/workflows/{path}"));
        let mut with_cluster = 0;
        for (name, job) in workflow["jobs"].as_object().expect("jobs") {
            let text = job.to_string();
            if text.contains("secrets.KUBECONFIG") {
                with_cluster += 1;
                assert!(!text.contains("actions/checkout"), "{path}: {name}");
            }
            if text.contains("actions/checkout") {
                assert!(!text.contains("KUBECONFIG"), "{path}: {name}");
            }
        }
        assert!(with_cluster >= 2, "{path}");
    }
    assert!(!read(".github/workflows/pr-environment-fork.yml").contains("checkout@"));
}

#[test]
fn the_minimal_starter_has_ten_lines() {
    let text = read("workflows/minimal.yml");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.count(), 10);
    assert!(Path::new(&root()).join("workflows/README.md").exists());
}
