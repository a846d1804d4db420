//! The references that are generated: of the command line from clap's types, of the file from its schema.
//!
//! They are brought up to date with `UPDATE_GENERATED=1 cargo test --test integration references`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use clap::{Arg, Command, CommandFactory as _};
use k8s_ee::{cli::Cli, config::schema::schema, model::settings};
use serde_json::{Map, Value};

use crate::common::{check_generated, collect, read};

/// First lines of a generated page.
fn head(title: &str, about: &str) -> String {
    format!(
        "<!-- Generated: UPDATE_GENERATED=1 cargo test --test integration references -->\n# {title}\n\n{about}\n"
    )
}

#[test]
fn command_line() {
    let mut command = Cli::command();
    command.build();
    let mut text = head(
        "Command line",
        "Data goes to stdout, everything for people to stderr. How a command ended: [exit codes](exit-codes.md).",
    );
    let (global, _): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().partition(|arg| arg.is_global_set());
    text.push_str("\n## Options of every command\n\n");
    options(&mut text, &global);
    let verbs = command
        .get_subcommands()
        .filter(|verb| verb.get_name() != "help");
    for verb in verbs {
        verb_section(&mut text, verb.get_name(), verb);
        let below = verb.get_subcommands();
        for part in below.filter(|part| part.get_name() != "help") {
            let name = format!("{} {}", verb.get_name(), part.get_name());
            verb_section(&mut text, &name, part);
        }
    }
    text.push_str(
        "\n## Environment variables\n\n| variable | meaning |\n|---|---|\n\
         | `KUBECONFIG` | kubeconfig, where `--kubeconfig` is absent |\n\
         | `K8S_EE_HELM` | name or path of `helm` |\n\
         | `K8S_EE_LOG` | filter for details on stderr, such as `k8s_ee=trace`; `--verbose` is `k8s_ee=debug` |\n\
         | `K8S_EE_PLAIN_HTTP` | `1`: charts come from a registry without TLS |\n\
         | `NO_COLOR`, `CLICOLOR_FORCE` | no colours, colours even where there is no terminal |\n\
         | `CI` | no line is redrawn |\n\
         | `TERM` | `dumb`, or none: no line is redrawn |\n\
         | `DISPLAY`, `WAYLAND_DISPLAY`, `BROWSER` | on Linux, one of them says that `open` finds a browser |\n\
         | `GITHUB_ACTIONS` | `true`: GitHub is told how it goes, see [On GitHub](../guides/github.md) |\n\
         | `GITHUB_TOKEN`, `GH_TOKEN` | token that GitHub is asked with |\n\
         | `K8S_EE_COMMENT` | how the comment is kept, where `--comment` is absent |\n\
         | `GITHUB_API_URL` | GitHub's API, where it is not https://api.github.com |\n\
         | `DATABASE_URL` or `PGHOST`, `MYSQL_URL` or `MYSQL_HOST`, `REDIS_URL` or `REDIS_HOST`, `MONGODB_URL`, \
         `S3_ENDPOINT` | where the databases are that `wait` waits for; the other variables of a service say as whom it logs in |\n",
    );
    check_generated("docs/reference/cli.md", &text);
}

/// One page for the program and one for each verb.
#[test]
fn man_pages() {
    let mut command = Cli::command();
    command.build();
    let mut pages = BTreeMap::from([("k8s-ee".to_owned(), man_page(command.clone()))]);
    for verb in command.get_subcommands() {
        if verb.get_name() != "help" {
            let name = format!("k8s-ee-{}", verb.get_name());
            pages.insert(name.clone(), man_page(verb.clone().display_name(name)));
        }
    }
    for (name, text) in &pages {
        check_generated(&format!("docs/man/{name}.1"), text);
    }
    let mut there = Vec::new();
    collect(Path::new("docs/man"), "1", &mut there);
    let there: BTreeSet<String> = there
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(
        there,
        pages.into_keys().collect(),
        "docs/man has other pages than verbs"
    );
}

fn man_page(command: Command) -> String {
    let mut text = Vec::new();
    // No date: the pages are those of the committed state.
    clap_mangen::Man::new(command)
        .date("")
        .render(&mut text)
        .expect("memory takes what is written to it");
    String::from_utf8(text).expect("roff of ASCII and UTF-8")
}

fn verb_section(text: &mut String, name: &str, verb: &Command) {
    let about = verb
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let usage = verb.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(
        text,
        "\n## k8s-ee {name}\n\n{about}.\n\n```text\n{usage}\n```\n"
    );
    let own = verb
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
    let own: Vec<&Arg> = own.collect();
    if !own.is_empty() {
        text.push('\n');
        options(text, &own);
    }
    let after = verb
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some(examples) = after.strip_prefix("Examples:\n") {
        let lines = examples.lines().take_while(|line| !line.is_empty());
        let lines: Vec<&str> = lines.map(str::trim).collect();
        let _ = write!(text, "\n```sh\n{}\n```\n", lines.join("\n"));
    }
}

fn options(text: &mut String, options: &[&Arg]) {
    text.push_str("| option | default | meaning |\n|---|---|---|\n");
    for option in options {
        let mut flags = Vec::new();
        if let Some(short) = option.get_short() {
            flags.push(format!("`-{short}`"));
        }
        let value = option
            .get_value_names()
            .map(|names| names.join(" "))
            .unwrap_or_default();
        let takes_value = option.get_action().takes_values();
        match option.get_long() {
            Some(long) if takes_value => flags.push(format!("`--{long} <{value}>`")),
            Some(long) => flags.push(format!("`--{long}`")),
            None => flags.push(format!("`[{value}]`")),
        }
        let defaults: Vec<String> = option
            .get_default_values()
            .iter()
            .filter(|_| takes_value)
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        let help = option
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let values: Vec<String> = option
            .get_possible_values()
            .iter()
            .filter(|_| takes_value)
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let values = if values.is_empty() {
            String::new()
        } else {
            format!(": {}", values.join(" or "))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            flags.join(", "),
            defaults.join(", "),
            cell(&format!("{help}{values}"))
        );
    }
}

#[test]
fn configuration_file() {
    let schema = schema();
    let mut text = head(
        "k8s-ee.yaml",
        "Every key, from the [schema](../../schema/k8s-ee.schema.json) that the file is checked with. \
         [All keys in one file](../../examples/all-keys/k8s-ee.yaml). An unknown key, a key that stands twice and an \
         `env` key that k8s-ee sets itself are errors.",
    );
    let _ = write!(text, "\n## The file\n\n{}\n\n", words(&schema));
    properties(&mut text, &schema);
    for (name, definition) in schema["definitions"]
        .as_object()
        .expect("the schema has definitions")
    {
        if definition["properties"].is_object() {
            let _ = write!(text, "\n## {name}\n\n{}\n\n", words(definition));
            properties(&mut text, definition);
        }
    }
    let databases = schema["definitions"]["Databases"]["properties"].as_object();
    assert_eq!(
        databases.map(Map::len),
        Some(5),
        "the schema has another shape than this test knows"
    );
    check_generated("docs/reference/config.md", &text);
}

/// The chart's own values are described by hand; what the platform decides is described by the program's types.
#[test]
fn values_of_the_platform_chart() {
    const FILE: &str = "charts/k8s-ee-platform/values.schema.json";
    let mut schema: Value = serde_json::from_str(&read(FILE)).expect("a schema is JSON");
    let mut settings = settings::schema();
    let mut types = settings["definitions"].take();
    // The chart itself says who deploys.
    let access = types["AccessSettings"]["properties"].as_object_mut();
    access
        .and_then(|access| access.remove("deployers"))
        .expect("the settings have `access.deployers`");
    let types = types.as_object_mut().expect("the settings have types");
    types.remove("Deployer");
    types.remove("SubjectKind");
    let members = settings.as_object_mut().expect("a schema is an object");
    members.remove("$schema");
    members.remove("definitions");
    schema["properties"]["settings"] = settings;
    let own = schema["definitions"].as_object_mut().expect("definitions");
    own.retain(|name, _| name.starts_with(char::is_lowercase));
    own.append(types);
    check_generated(FILE, &format!("{schema:#}\n"));
}

fn properties(text: &mut String, schema: &Value) {
    text.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let default = match &property["default"] {
            Value::Null if required.contains(&key.as_str()) => "required".to_owned(),
            Value::Null => String::new(),
            value => format!(
                "`{}`",
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            ),
        };
        let _ = writeln!(
            text,
            "| `{key}` | {} | {default} | {} |",
            cell(&kind(property)),
            cell(&words(property))
        );
    }
}

fn words(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// What a value may be, in words; links to the table of an object's keys.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return named(reference.trim_start_matches("#/definitions/"));
    }
    if let Some(only) = schema["allOf"].get(0) {
        return kind(only);
    }
    if let Some(branches) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = branches.iter().map(kind).collect();
        return kinds.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("`{value}`"))
            .collect();
        return values.join(", ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "string" => match schema["patternErrorMessage"].as_str() {
            Some(message) => {
                let words = message.trim_start_matches("must be ");
                words.split(", such as").next().unwrap_or(words).to_owned()
            }
            None => "string".to_owned(),
        },
        "integer" => match (&schema["minimum"], &schema["maximum"]) {
            (Value::Number(least), Value::Number(most)) => {
                format!("whole number, {least} to {most}")
            }
            _ => "whole number".to_owned(),
        },
        "array" => format!("list of: {}", kind(&schema["items"])),
        "object" => match &schema["additionalProperties"] {
            member @ Value::Object(_) => format!("by name: {}", kind(member)),
            _ => "object".to_owned(),
        },
        "boolean" => "`true` or `false`".to_owned(),
        other => panic!("the schema has the type {other:?}, which the reference has no words for"),
    }
}

/// A definition: its own words where it is a value, a link where it is an object with keys.
fn named(name: &str) -> String {
    let definition = &schema()["definitions"][name];
    if definition["properties"].is_object() {
        format!("[{name}](#{})", name.to_lowercase())
    } else {
        kind(definition)
    }
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
