//! Running another program: never through a shell, with a time limit, its output captured. The browser alone is left to
//! itself.

use std::{ffi::OsString, io, process::Stdio, time::Duration};

use tokio::process::Command;

/// A program to run.
#[derive(Debug)]
pub struct Program {
    name: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There is no such program.
    #[error("`{0}` is not installed or not on PATH")]
    Missing(String),
    /// It could not be started.
    #[error("`{0}` could not be started")]
    Start(String, #[source] io::Error),
    /// It ran longer than it may.
    #[error("`{0}` did not finish within {1} seconds and was ended")]
    TimedOut(String, u64),
    /// It said no.
    #[error("`{name}` failed ({status}):\n{stderr}")]
    Failed {
        /// Program and subcommand.
        name: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        stderr: String,
    },
}

impl Program {
    /// A program by name or path.
    pub fn new(name: impl Into<OsString>) -> Self {
        Self {
            name: name.into(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets an environment variable for it.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Runs it and returns what it printed on stdout. It dies with us.
    ///
    /// # Errors
    /// When it is missing, cannot be started, takes too long, or ends with anything but 0.
    pub async fn output(self, limit: Duration) -> Result<String, ProgramError> {
        let name = self.name.to_string_lossy().into_owned();
        let mut command = Command::new(&self.name);
        command
            .args(&self.args)
            .envs(self.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ProgramError::Missing(name.clone()),
            _ => ProgramError::Start(name.clone(), error),
        })?;
        let Ok(output) = tokio::time::timeout(limit, child.wait_with_output()).await else {
            return Err(ProgramError::TimedOut(name, limit.as_secs()));
        };
        let output = output.map_err(|error| ProgramError::Start(name.clone(), error))?;
        if !output.status.success() {
            return Err(ProgramError::Failed {
                name: match self.args.first() {
                    Some(verb) => format!("{name} {}", verb.to_string_lossy()),
                    None => name,
                },
                status: output.status,
                stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Opens a URL in the browser of whoever sits here; `false` where there is none.
#[must_use]
pub fn open_in_browser(url: &str) -> bool {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        let is_set = |name: &str| std::env::var_os(name).is_some();
        if !["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
            .into_iter()
            .any(is_set)
        {
            return false;
        }
        "xdg-open"
    };
    let mut command = std::process::Command::new(opener);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().is_ok()
}
