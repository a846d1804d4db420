//! The words for how an environment is doing: of the comment's first line, of the deployment, of the commit's status.

use super::facts::{Serves, State};

/// What is said in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// A sign that is seen from afar.
    pub(super) icon: &'static str,
    /// A sentence without a full stop.
    pub(super) title: &'static str,
}

/// The words for a state. `serves` is whether some version answers at the URL.
#[must_use]
pub(super) fn of(state: State, serves: bool) -> Words {
    let (icon, title) = match (state, serves) {
        (State::Preparing, false) => ("🟡", "Preview is being prepared"),
        (State::Preparing, true) => (
            "🟡",
            "An update is being prepared, the version before is still up",
        ),
        (State::Prepared, false) => ("🟡", "Preview is prepared and waits for its image"),
        (State::Prepared, true) => (
            "🟡",
            "An update waits for its image, the version before is still up",
        ),
        (State::Starting, false) => ("🟡", "Preview is starting"),
        (State::Starting, true) => ("🟡", "Preview is being updated"),
        (State::Running, _) => ("🟢", "Preview is running"),
        (State::Failed, false) => ("🔴", "Preview did not come up"),
        (State::Failed, true) => ("🟠", "The update failed, the version before is still up"),
        (State::Invalid, false) => ("🔴", "The configuration is not valid"),
        (State::Invalid, true) => (
            "🟠",
            "The configuration is not valid, the version before is still up",
        ),
        (State::Superseded, _) => ("⚪", "A newer run took over"),
        (State::Cancelled, false) => ("⚪", "The run was cancelled before the preview was up"),
        (State::Cancelled, true) => ("🟠", "The update was cancelled, it may be half-done"),
        (State::Waiting, false) => ("🟣", "Preview waits for approval"),
        (State::Waiting, true) => (
            "🟣",
            "An update waits for approval, the version before is still up",
        ),
        (State::Preserved, _) => ("📌", "Preview is preserved"),
        (State::Destroying, _) => ("🟡", "Preview is being removed"),
        (State::Destroyed, _) => ("⚫", "Preview is gone"),
        (State::Blocked, _) => ("🔴", "Preview could not be removed"),
    };
    Words { icon, title }
}

/// Whether some version answers at the URL, going by what was said before.
#[must_use]
pub(super) fn is_served(serves: &Serves, before: Option<&str>) -> bool {
    match serves {
        Serves::AsBefore => before.is_some(),
        Serves::Nothing => false,
        Serves::Commit(_) | Serves::Something => true,
    }
}
