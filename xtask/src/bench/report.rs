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
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule: Vec<String> = self.head.iter().map(|_| "---".to_owned()).collect();
        let mut text = format!("### {}\n\n", self.title);
        text.push_str(&line(&self.head));
        text.push_str(&line(&rule));
        for row in &self.rows {
            text.push_str(&line(row));
        }
        text
    }
}

/// What a scenario has measured.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    /// What was done, and how the figures are to be read.
    pub(super) about: &'static str,
    /// The load of the machine before and after.
    pub(super) load: (String, String),
    pub(super) tables: Vec<Table>,
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
    for chapter in chapters {
        let (before, after) = &chapter.load;
        let _ = write!(
            text,
            "\n## {}\n\n{} Load of the machine (1 / 5 min) before: {before}, after: {after}.\n",
            chapter.title, chapter.about
        );
        for table in &chapter.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
    }
    text
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
}
