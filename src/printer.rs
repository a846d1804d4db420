//! The only place that prints: data to stdout, everything for people to stderr.

use std::io::{IsTerminal as _, Write as _};

use crate::{progress, terminal};

/// What may be coloured or animated, decided once.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    color: bool,
    terminal: bool,
    animate: bool,
    quiet: bool,
}

impl Printer {
    /// Looks at stderr and the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `CI`, `TERM`).
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let color = match anstream::AutoStream::choice(&std::io::stderr()) {
            anstream::ColorChoice::Never => false,
            anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
            anstream::ColorChoice::Auto => terminal,
        };
        let moves_cursor = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        Self {
            color,
            terminal,
            animate: terminal && moves_cursor && !quiet,
            quiet,
        }
    }

    /// Whether text for people may be coloured.
    #[must_use]
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether progress may redraw lines.
    #[must_use]
    pub fn animate(&self) -> bool {
        self.animate
    }

    /// Columns and rows of the terminal on stderr, which may change at any time.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        terminal::size(std::io::stderr()).unwrap_or((80, 24))
    }

    /// Columns that data has; none where it goes to a file or another program.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        let (columns, _) = terminal::size(std::io::stdout())?;
        Some(columns)
    }

    /// Data, to stdout, with a final newline. A reader that went away is no error: `k8s-ee render | head` is fine.
    pub fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        drop(write!(out, "{text}{newline}").and_then(|()| out.flush()));
    }

    /// What another program printed on its stdout, as it is.
    pub fn raw_data(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        drop(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// What another program printed on its stderr, or what moves the cursor, as it is.
    pub fn raw_error(&self, bytes: &[u8]) {
        drop(std::io::stderr().lock().write_all(bytes));
    }

    /// A line for people, to stderr; not shown with `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// A line for people that is always shown, to stderr.
    pub fn error(&self, text: &str) {
        let text = if self.color {
            paint(text)
        } else {
            text.to_owned()
        };
        if self.animate && progress::above(&text, *self) {
            return;
        }
        let mut err = std::io::stderr().lock();
        drop(writeln!(err, "{text}"));
    }

    /// Ends the line on which a terminal shows that Ctrl-C was pressed.
    pub fn after_key(&self) {
        if self.terminal {
            self.error("");
        }
    }
}

/// What a line is, at its beginning, and the colour of that.
const MARKS: [(&str, &str); 4] = [
    ("error", "\x1b[1;31m"),
    ("warning", "\x1b[1;33m"),
    ("note", "\x1b[1m"),
    ("hint", "\x1b[1;36m"),
];

/// Colours the word before the colon of lines that say what they are. What others printed is quoted further in.
fn paint(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| match line.split_once(": ") {
            Some((mark, rest)) => match color_of(mark) {
                Some(color) => format!("{color}{mark}:\x1b[0m {rest}"),
                None => line.to_owned(),
            },
            None => line.to_owned(),
        })
        .collect();
    lines.join("\n")
}

/// `error`, or with a code: `error[image-not-found]`.
fn color_of(mark: &str) -> Option<&'static str> {
    let word = match mark.split_once('[') {
        Some((word, code)) if code.ends_with(']') => word,
        _ => mark,
    };
    let (_, color) = MARKS.iter().find(|(known, _)| *known == word)?;
    Some(color)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_a_line_is_has_a_colour() {
        let text = "error[image-not-found]: no: such\n  | error: quoted\nhint: do\nhinted: x";
        assert_eq!(
            super::paint(text),
            "\x1b[1;31merror[image-not-found]:\x1b[0m no: such\n  | error: quoted\n\x1b[1;36mhint:\x1b[0m do\nhinted: x"
        );
    }
}
