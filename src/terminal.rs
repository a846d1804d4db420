//! The terminal that we are run in: whether there is one, its size, and handing its keys on as they are.

use std::{
    io::{self, IsTerminal as _},
    os::fd::AsFd,
};

use futures::{Stream, stream};
use rustix::termios::{self, OptionalActions, Termios};
use tokio::signal::unix::{SignalKind, signal};

/// Whether a person sits at both ends: keys come in, and what is printed is seen.
#[must_use]
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// While it lives, keys are handed on one by one as they are pressed, Ctrl-C among them, and none is shown.
#[derive(Debug)]
pub struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Enters it.
    ///
    /// # Errors
    /// When stdin is no terminal.
    pub fn enter() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before).ok();
    }
}

/// Columns and rows of a terminal; none of what is no terminal, or does not know its size.
#[must_use]
pub fn size(stream: impl AsFd) -> Option<(usize, usize)> {
    let size = termios::tcgetwinsize(stream).ok()?;
    let (columns, rows) = (size.ws_col.into(), size.ws_row.into());
    (columns > 0 && rows > 0).then_some((columns, rows))
}

/// Columns and rows of the terminal: now, and whenever they change.
pub fn sizes() -> impl Stream<Item = (u16, u16)> + Send {
    let changes = signal(SignalKind::window_change()).ok();
    stream::unfold((true, changes), |(first, mut changes)| async move {
        if !first {
            changes.as_mut()?.recv().await?;
        }
        let size = termios::tcgetwinsize(io::stdout()).ok()?;
        Some(((size.ws_col, size.ws_row), (false, changes)))
    })
}
