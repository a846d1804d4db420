//! Exit codes: part of the interface, listed in `docs/reference/exit-codes.md`.

/// How a command ended, for the shell. A code keeps its meaning for ever; new kinds get new codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked.
    Success = 0,
    /// Something failed that has no code of its own, a bug included.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `k8s-ee.yaml` or the platform settings are invalid, or ask of a volume what cannot be done.
    Config = 3,
    /// The cluster cannot be reached, or refuses what is asked.
    Cluster = 4,
    /// The environment needs more than the platform allows.
    Quota = 5,
    /// The environment did not come up; the cause is printed.
    Deploy = 6,
    /// It did not come up, go away or answer within the time allowed.
    Timeout = 7,
    /// The namespace belongs to somebody else.
    Ownership = 8,
    /// A newer run on the same environment took over, or one that must not be cut off is at work.
    Superseded = 9,
    /// `helm` is missing or could not render the chart.
    Render = 10,
    /// There is no such environment.
    NotFound = 11,
    /// `plan --exit-code`: something would change.
    Changes = 12,
    /// `doctor` found something that does not work.
    Unhealthy = 13,
    /// The platform does not let the repository, or its forks, have environments, or somebody preserve one more or longer.
    Denied = 14,
    /// Stopped by a signal; what state that leaves is printed.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
