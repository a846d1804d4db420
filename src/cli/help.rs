//! What `k8s-ee --help` shows: the verbs in groups, in the order of use.

use std::fmt::Write as _;

use clap::Subcommand as _;

use super::{Command, MOST_COLUMNS};
use crate::terminal;

const GROUPS: [(&str, &[&str]); 6] = [
    ("Write the file", &["init", "validate", "schema"]),
    ("See what it means", &["quota", "plan", "render"]),
    (
        "Bring it up, take it down",
        &["prepare", "up", "down", "preserve", "sweep"],
    ),
    (
        "Look into what runs",
        &[
            "status",
            "list",
            "logs",
            "open",
            "exec",
            "port-forward",
            "credentials",
            "doctor",
        ],
    ),
    ("In workflows and containers", &["pr", "comment", "wait"]),
    ("In the shell", &["completions"]),
];

/// Headings and names as clap paints its own; it leaves the colours away where there are to be none.
const HEADING: &str = "\x1b[1m\x1b[4m";
const NAME: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Column at which the texts begin.
const TEXTS: usize = 16;

/// The template of the help, with the verbs as their types describe them.
pub(super) fn template() -> String {
    let (columns, _) = terminal::size(std::io::stdout()).unwrap_or((MOST_COLUMNS, 0));
    let verbs = Command::augment_subcommands(clap::Command::new(""));
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in GROUPS {
        let _ = writeln!(text, "\n{HEADING}{heading}:{PLAIN}");
        for name in names {
            let about = verbs
                .find_subcommand(name)
                .and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let width = columns.min(MOST_COLUMNS).saturating_sub(TEXTS).max(TEXTS);
            let lines = wrap(&about, width);
            let indent = TEXTS - 2;
            let about = lines.join(&format!("\n{:TEXTS$}", ""));
            // The name is padded together with its colour.
            let name = format!("{NAME}{name}{PLAIN}{:pad$}", "", pad = indent - name.len());
            let _ = writeln!(text, "  {name}{about}");
        }
    }
    let _ = write!(
        text,
        "\n{HEADING}Options:{PLAIN}\n{{options}}{{after-help}}"
    );
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_verb_is_in_one_group_and_in_its_order() {
        let command = super::super::Cli::command();
        let verbs: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        assert_eq!(verbs, grouped);
    }

    #[test]
    fn texts_are_wrapped_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible", 7), ["incomprehensible"]);
    }
}
