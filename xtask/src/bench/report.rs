//! What was measured, for people: Markdown.

use std::fmt::Write as _;

/// A table of a report.
pub(super) struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: &str, head: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            head: head.iter().map(|cell| (*cell).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// As Markdown, under its title.
    pub(super) fn markdown(&self) -> String {
        format!("### {}\n\n{}", self.title, self.rows())
    }

    fn rows(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule: Vec<String> = self.head.iter().map(|_| "---".to_owned()).collect();
        let mut text = line(&self.head);
        text.push_str(&line(&rule));
        for row in &self.rows {
            text.push_str(&line(row));
        }
        text
    }
}

/// What a scenario has measured.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) tables: Vec<Table>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) logs: Vec<Log>,
}

/// What a program said while it was measured.
pub(super) struct Log {
    pub(super) title: String,
    pub(super) text: String,
}

/// A goal, and whether it is reached.
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) goal: String,
    pub(super) measured: String,
    pub(super) holds: bool,
}

impl Verdict {
    /// Of a time in seconds that is not to be exceeded.
    pub(super) fn at_most(what: &str, goal: f64, measured: f64) -> Self {
        Self {
            what: what.to_owned(),
            goal: format!("≤ {goal} s"),
            measured: format!("{measured:.2} s"),
            holds: measured <= goal,
        }
    }

    /// Of something that is not to happen.
    pub(super) fn none(what: &str, counted: u64) -> Self {
        Self {
            what: what.to_owned(),
            goal: "0".to_owned(),
            measured: counted.to_string(),
            holds: counted == 0,
        }
    }
}

/// A scenario, and what it has measured.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    /// What was done, and how the figures are to be read.
    pub(super) about: &'static str,
    /// The load of the machine before and after.
    pub(super) load: (String, String),
    pub(super) measured: Measured,
}

/// The whole report.
pub(super) fn write(machine: &[(&str, String)], rounds: u32, chapters: &[Chapter]) -> String {
    let mut text = "# Measurements\n\nMade by `cargo xtask bench`, which [says how](README.md). Times are medians, with the \
                    least and the most in brackets.\n\n| | |\n|---|---|\n"
        .to_owned();
    for (name, value) in machine {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let _ = writeln!(text, "| rounds | {rounds} |");
    let _ = write!(text, "\n## Goals\n\n{}\n{STEPS}", goals(chapters).rows());
    for chapter in chapters {
        let (before, after) = &chapter.load;
        let _ = write!(
            text,
            "\n## {}\n\n{} Load of the machine (1 / 5 min) before: {before}, after: {after}.\n",
            chapter.title, chapter.about
        );
        for table in &chapter.measured.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
        for log in &chapter.measured.logs {
            let _ = write!(text, "\n### {}\n\n```text\n{}```\n", log.title, log.text);
        }
    }
    text
}

/// What has to be known about goals of first deploys: a limit of the cluster, not of a side.
const STEPS: &str = "Where a goal does not hold, look at the brackets of its figure: the kubelet asks a new container once a second whether it is up,\n\
so that first deploys come in steps of a second, for every side alike, and the median of a few rounds falls to one side of a goal\n\
or the other.\n";

/// The goals of all scenarios.
fn goals(chapters: &[Chapter]) -> Table {
    let mut table = Table::new("Goals", &["what", "goal", "measured", "holds"]);
    for verdict in chapters
        .iter()
        .flat_map(|chapter| &chapter.measured.verdicts)
    {
        table.row(vec![
            verdict.what.clone(),
            verdict.goal.clone(),
            verdict.measured.clone(),
            if verdict.holds { "yes" } else { "**no**" }.to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new("Deploy", &["", "s"]);
        table.row(vec!["ours".to_owned(), "1.00".to_owned()]);
        assert_eq!(
            table.markdown(),
            "### Deploy\n\n|  | s |\n| --- | --- |\n| ours | 1.00 |\n"
        );
    }
    #[test]
    fn goals_that_are_missed_stand_out() {
        let verdicts = vec![
            Verdict::at_most("first deploy", 2.5, 2.04),
            Verdict::none("lost requests", 3),
        ];
        let chapter = Chapter {
            title: "Life",
            about: "What it is.",
            load: ("0.1 / 0.2".to_owned(), "0.3 / 0.4".to_owned()),
            measured: Measured {
                verdicts,
                ..Measured::default()
            },
        };
        let text = write(&[("kernel", "Linux".to_owned())], 3, &[chapter]);
        assert!(
            text.contains(
                "| first deploy | ≤ 2.5 s | 2.04 s | yes |\n| lost requests | 0 | 3 | **no** |\n"
            ),
            "{text}"
        );
    }
}
