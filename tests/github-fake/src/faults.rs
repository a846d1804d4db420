//! Trouble on demand.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;

/// Longest that a request hangs, if whoever asked does not give up before.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// Trouble with some requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub trouble: Trouble,
    /// Only to requests of this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only to requests with this in their path.
    #[serde(default)]
    pub path: String,
    /// How many more times.
    #[serde(default = "once")]
    pub times: u32,
    /// Whether what was asked for is done first, so that only the answer is lost.
    #[serde(default)]
    pub late: bool,
}

/// What happens in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// A refusal with this status, as GitHub words it; from 502 on a page for people.
    Status(u16),
    /// No answer.
    Hang,
    /// The connection is closed.
    Close,
    /// The requests of this hour are used up for so many seconds.
    Primary(i64),
    /// Too much at once: come back in so many seconds.
    Secondary(u64),
    /// Too much at once, and no word for how long.
    SecondaryUntold,
    /// The organization does not let the token in yet.
    SignOn,
}

impl Fault {
    /// Trouble with the next request.
    #[must_use]
    pub fn new(trouble: Trouble) -> Self {
        Self {
            trouble,
            method: None,
            path: String::new(),
            times: 1,
            late: false,
        }
    }

    /// Only with requests of this method and with this in their path.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        path.clone_into(&mut self.path);
        self
    }

    /// With so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// After what was asked for has been done.
    #[must_use]
    pub fn late(mut self) -> Self {
        self.late = true;
        self
    }

    fn meets(&self, method: &Method, path: &str) -> bool {
        self.times > 0
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted == method.as_str())
            && path.contains(&self.path)
    }
}

/// The trouble that meets a request, which is then over once.
pub(crate) fn take(faults: &mut [Fault], method: &Method, path: &str) -> Option<(Trouble, bool)> {
    let fault = faults.iter_mut().find(|fault| fault.meets(method, path))?;
    fault.times -= 1;
    Some((fault.trouble, fault.late))
}

impl Trouble {
    /// What is answered, if anything.
    pub(crate) fn answer(self) -> Option<Answer> {
        let now = jiff::Timestamp::now().as_second();
        Some(match self {
            Self::Hang | Self::Close => return None,
            Self::Status(status @ 502..) => Answer::page(status),
            Self::Status(500) => Answer::refusal(500, "Server Error"),
            Self::Status(401) => Answer::refusal(401, "Bad credentials"),
            Self::Status(404) => Answer::not_found(),
            Self::Status(status) => Answer::refusal(status, "Trouble"),
            Self::Primary(seconds) => Answer::refusal(403, "API rate limit exceeded for installation ID 1.")
                .header("x-ratelimit-limit", "1000")
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-used", "1000")
                .header("x-ratelimit-reset", (now + seconds).to_string()),
            Self::Secondary(seconds) => secondary().header("retry-after", seconds.to_string()),
            Self::SecondaryUntold => secondary(),
            Self::SignOn => Answer::refusal(403, "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.")
                .header("x-github-sso", "required; url=https://github.com/orgs/acme/sso?authorization_request=x"),
        })
    }
}

fn secondary() -> Answer {
    Answer::refusal(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    )
}

fn once() -> u32 {
    1
}
