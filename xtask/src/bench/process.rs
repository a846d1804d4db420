//! Programs that are measured: their time, and the most memory they held.

use std::{
    fs::File,
    io::{Read as _, Seek as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use wait4::Wait4 as _;

/// A program that has ended well.
pub(super) struct Ran {
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// From its start to its end.
    pub(super) took: Duration,
    /// Time of processors that it and its programs needed.
    pub(super) cpu: Duration,
    /// The most memory that it, or a program it started and waited for, held at once, in bytes.
    pub(super) memory: u64,
}

/// Runs a program to its end; it must succeed.
pub(super) fn run(command: &mut Command) -> Result<Ran> {
    // Files take any amount, so that the program never waits for somebody to read.
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?);
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let ended = child.wait4()?;
    let took = begun.elapsed();
    if !ended.status.success() {
        bail!(
            "{command:?} ended with {}: {}{}",
            ended.status,
            text_of(&mut stdout)?,
            text_of(&mut stderr)?
        );
    }
    Ok(Ran {
        stdout: text_of(&mut stdout)?,
        stderr: text_of(&mut stderr)?,
        took,
        cpu: ended.rusage.utime + ended.rusage.stime,
        memory: ended.rusage.maxrss,
    })
}

fn text_of(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
