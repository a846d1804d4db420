//! What people see while something runs: redrawn lines on a terminal, one line per change elsewhere.

mod board;

use std::{
    sync::{Arc, Mutex, MutexGuard, Weak},
    thread,
    time::{Duration, Instant},
};

use crate::printer::Printer;
use board::{Board, FRAME};

/// What is redrawn on the terminal now. There is one terminal, and whoever prints beside it has to print above it.
static LIVE: Mutex<Weak<Mutex<Board>>> = Mutex::new(Weak::new());

/// Progress of one command. Dropped, it leaves nothing on the terminal but the lines that stay.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    printer: Printer,
    board: Arc<Mutex<Board>>,
}

impl Progress {
    /// Starts the clock.
    #[must_use]
    pub fn new(printer: Printer) -> Self {
        let board = Arc::default();
        if printer.animate() {
            let board = Arc::downgrade(&board);
            lock(&LIVE).clone_from(&board);
            thread::spawn(move || tick(&board, printer));
        }
        Self {
            started: Instant::now(),
            printer,
            board,
        }
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Something that happened once, as a line that stays.
    pub fn step(&self, text: &str) {
        self.say(&mut self.board(), text);
    }

    /// The state of something that takes time; the same state twice is shown once.
    pub fn state(&self, name: &str, state: &str) {
        let mut board = self.board();
        if board.state(name) == Some(state) {
            return;
        }
        board.set(name, state);
        if self.printer.animate() {
            redraw(&mut board, self.printer, "");
        } else {
            self.say(&mut board, &format!("{name}: {state}"));
        }
    }

    /// The last state of something.
    pub fn done(&self, name: &str, state: &str) {
        let mut board = self.board();
        let is_new = board.state(name) != Some(state);
        board.remove(name);
        if is_new {
            self.say(&mut board, &format!("{name}: {state}"));
        } else if self.printer.animate() {
            redraw(&mut board, self.printer, "");
        }
    }

    /// Takes the redrawn lines off the screen, so that what comes next stands alone.
    pub fn clear(&self) {
        let mut board = self.board();
        board.clear();
        if self.printer.animate() {
            redraw(&mut board, self.printer, "");
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.board)
    }

    fn say(&self, board: &mut Board, text: &str) {
        let line = format!("{:>6.1}s  {text}", self.started.elapsed().as_secs_f64());
        if self.printer.animate() {
            redraw(board, self.printer, &line);
        } else {
            self.printer.note(&line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while holding it")
}

/// Puts lines that stay above those that are redrawn; `false` where nothing is.
pub(crate) fn above(text: &str, printer: Printer) -> bool {
    let live = lock(&LIVE).upgrade();
    live.is_some_and(|board| {
        redraw(&mut lock(&board), printer, text);
        true
    })
}

/// Puts a line that stays above those that are redrawn. All of it goes out at once, so that nothing flickers.
fn redraw(board: &mut Board, printer: Printer, line: &str) {
    let size = printer.size();
    let mut text = board.erase(size);
    if !line.is_empty() {
        text += line;
        text.push('\n');
    }
    text += &board.draw(size, Instant::now(), printer.color());
    if !text.is_empty() {
        printer.raw_error(text.as_bytes());
    }
}

/// Keeps the clocks and spinners going until the progress is dropped.
fn tick(board: &Weak<Mutex<Board>>, printer: Printer) {
    while let Some(board) = board.upgrade() {
        redraw(&mut lock(&board), printer, "");
        drop(board);
        thread::sleep(FRAME);
    }
}
