//! Holds namespaces open until it is told to stop, and buries the orphans that the kernel hands to a PID 1.

use std::{io, process::ExitCode};

use rustix::process::{WaitOptions, wait};
use signal_hook::{
    consts::{SIGCHLD, SIGINT, SIGTERM},
    iterator::Signals,
};

fn main() -> io::Result<ExitCode> {
    let mut signals = Signals::new([SIGCHLD, SIGINT, SIGTERM])?;
    loop {
        // Orphans first: one may have ended before the handler was in place, and signals of a kind are merged.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        if signals.wait().any(|signal| signal != SIGCHLD) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}
