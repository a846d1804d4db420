//! A program in a terminal of its own: what it shows is read as it comes, with a limit, and drawn as a terminal would.

use std::{
    io::{Read as _, Write as _},
    num::NonZero,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// How long anything may take to be shown.
const PATIENCE: Duration = Duration::from_secs(120);

const ROWS: u16 = 60;

/// A terminal and what runs in it.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// All that was written to the terminal.
    bytes: Vec<u8>,
    /// How much of it has been waited for.
    seen: usize,
}

/// What is left when the program has ended.
pub(crate) struct Left {
    /// Exit code.
    pub(crate) code: Option<i32>,
    /// The lines on the screen, down to the last one with anything on it.
    pub(crate) lines: Vec<String>,
    /// All that was written to the terminal, as it is.
    pub(crate) bytes: String,
}

impl Terminal {
    /// Runs a program, with nothing of our own environment, in a terminal of so many columns.
    pub(crate) fn start(columns: u16, program: &Command) -> Self {
        let words = std::iter::once(program.get_program()).chain(program.get_args());
        let words: Vec<&str> = words.map(|word| word.to_str().expect("UTF-8")).collect();
        let line = shlex::try_join(words).expect("no word has a NUL");
        Self::start_line(columns, &format!("exec {line}"), program)
    }

    /// The same with a line of the shell, in the environment and the directory of a program.
    pub(crate) fn start_line(columns: u16, line: &str, program: &Command) -> Self {
        let mut script = Command::new("script");
        let line = format!("stty rows {ROWS} cols {columns}; {line}");
        script
            .args(["-qec", &line, "/dev/null"])
            .env_clear()
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (key, value) in program.get_envs() {
            script.env(key, value.unwrap_or_default());
        }
        if let Some(directory) = program.get_current_dir() {
            script.current_dir(directory);
        }
        let mut child = script.spawn().expect("`script` of util-linux starts");
        let keys = child.stdin.take().expect("it is piped");
        let mut shown = child.stdout.take().expect("it is piped");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = shown.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let size = |n| NonZero::new(n).expect("a terminal has rows and columns");
        Self {
            child,
            keys,
            output,
            screen: vt100::Parser::new(size(ROWS), size(columns), 0),
            bytes: Vec::new(),
            seen: 0,
        }
    }

    /// Waits until a text has been written, after what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, wanted: &str) {
        loop {
            let unseen = String::from_utf8_lossy(&self.bytes[self.seen..]).into_owned();
            if let Some(at) = unseen.find(wanted) {
                // What came with it is for the next one.
                self.seen += at + wanted.len();
                return;
            }
            assert!(self.take().is_ok(), "`{wanted}` was never seen: {unseen}");
        }
    }

    fn take(&mut self) -> Result<(), RecvTimeoutError> {
        let more = self.output.recv_timeout(PATIENCE)?;
        self.screen.process(&more);
        self.bytes.extend(more);
        Ok(())
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("keys are taken");
    }

    /// What stands on the screen now.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = self.screen.screen().contents();
        text.trim_end().lines().map(str::to_owned).collect()
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub(crate) fn end(mut self) -> Left {
        loop {
            match self.take() {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it does not end: {}", String::from_utf8_lossy(&self.bytes))
                }
            }
        }
        let status = self.child.wait().expect("it ends");
        Left {
            code: status.code(),
            lines: self.lines(),
            bytes: String::from_utf8_lossy(&self.bytes).into_owned(),
        }
    }
}
