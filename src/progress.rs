//! What people see while something runs: redrawn lines on a terminal, one line per change elsewhere.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printer::Printer;

/// Progress of one command.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    printer: Printer,
    bars: Option<MultiProgress>,
    shown: Mutex<BTreeMap<String, Shown>>,
}

#[derive(Debug)]
struct Shown {
    state: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts the clock.
    #[must_use]
    pub fn new(printer: Printer) -> Self {
        let bars = printer
            .animate()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12)));
        Self {
            started: Instant::now(),
            printer,
            bars,
            shown: Mutex::default(),
        }
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Something that happened once, as a line that stays.
    pub fn step(&self, text: &str) {
        let line = format!("{}  {text}", self.clock());
        match &self.bars {
            // Lines above the redrawn ones must go through their owner, or they are painted over.
            Some(bars) => bars.suspend(|| self.printer.note(&line)),
            None => self.printer.note(&line),
        }
    }

    /// The state of something that takes time; the same state twice is shown once.
    pub fn state(&self, name: &str, state: &str) {
        self.show(name, state, false);
    }

    /// The last state of something.
    pub fn done(&self, name: &str, state: &str) {
        self.show(name, state, true);
    }

    fn show(&self, name: &str, state: &str, done: bool) {
        let mut shown = self.shown.lock().expect("nobody panics while holding it");
        let entry = shown.entry(name.to_owned()).or_insert_with(|| Shown {
            state: String::new(),
            bar: self.bars.as_ref().map(|bars| {
                let bar = bars.add(ProgressBar::new_spinner());
                bar.set_style(
                    ProgressStyle::with_template(
                        "{spinner:.cyan} {prefix:.bold}  {wide_msg}  {elapsed}",
                    )
                    .expect("the template is fixed"),
                );
                bar.set_prefix(name.to_owned());
                bar.enable_steady_tick(Duration::from_millis(100));
                bar
            }),
        });
        if entry.state == state && !done {
            return;
        }
        let changed = entry.state != state;
        entry.state = state.to_owned();
        match &entry.bar {
            Some(bar) if done => bar.finish_and_clear(),
            Some(bar) => bar.set_message(state.to_owned()),
            None => {}
        }
        let bar = entry.bar.is_some();
        if done {
            shown.remove(name);
        }
        drop(shown);
        if (done || !bar) && changed {
            self.step(&format!("{name}: {state}"));
        }
    }

    /// Takes the redrawn lines off the screen, so that what comes next stands alone.
    pub fn clear(&self) {
        if let Some(bars) = &self.bars {
            drop(bars.clear());
        }
    }

    fn clock(&self) -> String {
        format!("{:>6.1}s", self.started.elapsed().as_secs_f64())
    }
}
