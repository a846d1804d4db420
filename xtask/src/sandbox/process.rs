//! Running other programs: one place that turns a failed command into an error with its name and last words.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How much of a failed command's output an error shows.
const TAIL_LINES: usize = 15;

/// Runs `command` to its end and gives its standard output, without the last line break.
///
/// # Errors
/// The program cannot be started, or ends with a failure: then with the last lines it wrote to standard error.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let name = name(command);
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{name}`"))?;
    if !status.success() {
        bail!(
            "`{name}` failed ({status})\n{}",
            tail(&String::from_utf8_lossy(&stderr))
        );
    }
    let text = String::from_utf8(stdout).with_context(|| format!("`{name}` printed no UTF-8"))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// Runs `command` to its end with everything it prints in the file `log`.
///
/// # Errors
/// As [`output`]; the message has the last lines of the log and where it is.
pub(super) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let name = name(command);
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start `{name}`"))?;
    if !status.success() {
        let words = std::fs::read_to_string(log).unwrap_or_default();
        bail!(
            "`{name}` failed ({status})\n{}\nhint: the whole log is {}",
            tail(&words),
            log.display()
        );
    }
    Ok(())
}

/// The program and its first arguments, for messages.
pub(super) fn name(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().take(4).map(|arg| arg.to_string_lossy()));
    words.join(" ")
}

/// The last lines of `text`.
pub(super) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// Asks `done` again and again until it says yes or `limit` is over; tells which.
///
/// # Errors
/// Whatever `done` fails with, at once.
pub(super) fn wait_until(limit: Duration, mut done: impl FnMut() -> Result<bool>) -> Result<bool> {
    let start = Instant::now();
    loop {
        if done()? {
            return Ok(true);
        }
        if start.elapsed() > limit {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Starts `command` without waiting for it, with no input and its output in the file `log`.
///
/// # Errors
/// It cannot be started.
pub(super) fn detached(command: &mut Command, log: &Path) -> Result<Child> {
    let name = name(command);
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start `{name}`"))
}
