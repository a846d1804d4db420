//! The only place that prints: data to stdout, everything for people to stderr.

use std::io::{IsTerminal as _, Write as _};

/// What may be coloured or animated, decided once.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    color: bool,
    terminal: bool,
    quiet: bool,
}

impl Printer {
    /// Looks at stderr and the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `CI`).
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let color = match anstream::AutoStream::choice(&std::io::stderr()) {
            anstream::ColorChoice::Never => false,
            anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
            anstream::ColorChoice::Auto => terminal,
        };
        Self {
            color,
            terminal,
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
        self.terminal && !self.quiet
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

    /// What another program printed on its stderr, as it is.
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
        let mut err = std::io::stderr().lock();
        drop(writeln!(err, "{text}"));
    }
}
