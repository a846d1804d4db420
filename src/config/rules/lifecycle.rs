//! Spans of `lifecycle` that no environment could live with.

use crate::config::{Config, duration, problem::Problem};

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    /// Less, and an environment could be taken away while it starts.
    const SHORTEST: u64 = 10 * 60;
    const LONGEST: u64 = 365 * 24 * 3600;

    let lifecycle = config.file.lifecycle.as_ref();
    let Some(text) = lifecycle.and_then(|lifecycle| lifecycle.ttl.as_deref()) else {
        return;
    };
    let (wrong, hint) = match duration::seconds(text) {
        Some(seconds) if seconds < SHORTEST => (
            format!("is {text}, less than the 10m that an environment may take to start"),
            "write `10m` or more, such as `72h`",
        ),
        Some(seconds) if seconds <= LONGEST => return,
        _ => (
            "is longer than a year".to_owned(),
            "write `8760h` or less, or remove it: the environment stays as long as its pull request then",
        ),
    };
    problems.push(config.problem(
        "/lifecycle/ttl",
        format!("`lifecycle.ttl` {wrong}"),
        Some(hint.to_owned()),
    ));
}
