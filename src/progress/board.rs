//! The lines at the bottom of a terminal that are drawn again and again: what is written to take them off and to put
//! them there. Each is cut to the width, so that none wraps.

use std::time::{Duration, Instant};

/// Columns and rows of a terminal.
pub(super) type Size = (usize, usize);

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Time that one picture of the spinner stands.
pub(super) const FRAME: Duration = Duration::from_millis(100);

/// Columns that are left free at the end of a line: terminals show there that Ctrl-C was pressed, as `^C`.
const ECHO: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Board {
    rows: Vec<Row>,
    /// Widths of the lines that stand on the terminal; the cursor is behind the last one.
    drawn: Vec<usize>,
}

#[derive(Debug)]
struct Row {
    name: String,
    state: String,
    since: Instant,
}

impl Board {
    /// The state that is shown of something, if it is shown.
    pub(super) fn state(&self, name: &str) -> Option<&str> {
        let row = self.rows.iter().find(|row| row.name == name)?;
        Some(&row.state)
    }

    pub(super) fn set(&mut self, name: &str, state: &str) {
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => state.clone_into(&mut row.state),
            None => self.rows.push(Row {
                name: name.to_owned(),
                state: state.to_owned(),
                since: Instant::now(),
            }),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.rows.retain(|row| row.name != name);
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// What takes the lines off. Terminals wrap lines anew when they become narrower, so that what was one line then may
    /// be several now.
    pub(super) fn erase(&mut self, (columns, _): Size) -> String {
        let lines = self.drawn.drain(..);
        let height: usize = lines.map(|width| width.div_ceil(columns).max(1)).sum();
        match height {
            0 => String::new(),
            1 => "\r\x1b[J".to_owned(),
            _ => format!("\x1b[{}A\r\x1b[J", height - 1),
        }
    }

    /// What puts them there.
    pub(super) fn draw(&mut self, (columns, rows): Size, now: Instant, color: bool) -> String {
        let room = rows.saturating_sub(2).max(1);
        let hidden = match self.rows.len() {
            all if all > room => all - room + 1,
            _ => 0,
        };
        let shown = &self.rows[..self.rows.len() - hidden];
        let names = shown.iter().map(|row| row.name.chars().count());
        let width = names.max().unwrap_or(0);
        let mut lines: Vec<String> = shown
            .iter()
            .map(|row| row.line(width, now))
            .map(|line| cut(&line, columns.saturating_sub(ECHO)))
            .collect();
        if hidden > 0 {
            let more = format!("  and {hidden} more");
            lines.push(cut(&more, columns.saturating_sub(ECHO)));
        }
        self.drawn = lines.iter().map(|line| line.chars().count()).collect();
        let text = lines.join("\n");
        if !color {
            return text;
        }
        let painted = text.chars().map(|c| match c {
            c if SPINNER.contains(&c) => format!("\x1b[36m{c}\x1b[0m"),
            c => c.to_string(),
        });
        painted.collect()
    }
}

impl Row {
    /// What matters least stands last: it is cut off first.
    fn line(&self, width: usize, now: Instant) -> String {
        let elapsed = now.saturating_duration_since(self.since);
        let frame = elapsed.as_millis() / FRAME.as_millis();
        let spinner = SPINNER[usize::try_from(frame).unwrap_or(0) % SPINNER.len()];
        let seconds = elapsed.as_secs();
        let elapsed = match seconds {
            60.. => format!("{}m {:02}s", seconds / 60, seconds % 60),
            _ => format!("{seconds}s"),
        };
        // What others say may have anything in it.
        let plain: String = self.state.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain: String = plain.chars().filter(|c| !c.is_control()).collect();
        format!("{spinner} {:width$}  {plain}  {elapsed}", self.name)
    }
}

/// The beginning of a text that is too long, with a mark that there is more.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut head: String = text.chars().take(width.saturating_sub(1)).collect();
    head.push('…');
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(states: &[(&str, &str)]) -> Board {
        let mut board = Board::default();
        for (name, state) in states {
            board.set(name, state);
        }
        board
    }

    #[test]
    fn lines_are_cut_to_the_width() {
        let mut board = board(&[
            ("web", "pulling the image"),
            ("postgresql", "pending\nstill"),
        ]);
        let now = board.rows[0].since;
        assert_eq!(
            board.draw((80, 24), now, false),
            "⠋ web         pulling the image  0s\n⠋ postgresql  pending still  0s"
        );
        assert_eq!(
            board.draw((20, 24), now, false),
            "⠋ web         pu…\n⠋ postgresql  pe…"
        );
        assert_eq!(board.draw((2, 24), now, false), "…\n…");
    }

    #[test]
    fn what_was_drawn_is_taken_off_whatever_the_width_is_now() {
        let mut board = board(&[("web", "pulling the image"), ("api", "starting")]);
        let now = Instant::now();
        board.draw((80, 24), now, false);
        assert_eq!(board.erase((80, 24)), "\x1b[1A\r\x1b[J");
        assert_eq!(board.erase((80, 24)), "", "nothing stands there any more");
        // 28 and 19 columns wide.
        board.draw((80, 24), now, false);
        assert_eq!(board.erase((10, 24)), "\x1b[4A\r\x1b[J");
    }

    #[test]
    fn there_are_never_more_lines_than_rows() {
        let mut board = board(&[("a", "x"), ("b", "x"), ("c", "x"), ("d", "x")]);
        let now = board.rows[0].since;
        assert_eq!(
            board.draw((80, 5), now, false),
            "⠋ a  x  0s\n⠋ b  x  0s\n  and 2 more"
        );
    }
}
