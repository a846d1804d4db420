//! One request, before it is sent.

use http::Method;
use reqwest::Url;
use serde_json::Value;

use crate::github::error::Doing;

/// A request, with the words for what it does.
#[derive(Clone, Debug)]
pub(in crate::github) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Value>,
    pub(super) doing: Doing,
    pub(super) needs: Option<&'static str>,
    pub(super) repeat: bool,
}

impl Call {
    /// Reads `what`.
    pub(in crate::github) fn get(url: Url, what: String) -> Self {
        Self::write(Method::GET, url, "read", what)
    }

    /// Does `verb` to `what`, again if it is not known whether it was done.
    pub(in crate::github) fn write(
        method: Method,
        url: Url,
        verb: &'static str,
        what: String,
    ) -> Self {
        Self {
            method,
            url,
            body: None,
            doing: Doing { verb, what },
            needs: None,
            repeat: true,
        }
    }

    /// With this document.
    pub(in crate::github) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Not again when it may have been done: it would be there twice.
    pub(in crate::github) fn once(mut self) -> Self {
        self.repeat = false;
        self
    }

    /// What it does, in words.
    pub(in crate::github) fn doing(&self) -> &Doing {
        &self.doing
    }

    /// The permission that a job needs for it, for the hint.
    pub(in crate::github) fn needs(mut self, permission: &'static str) -> Self {
        self.needs = Some(permission);
        self
    }
}

/// How much of a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::github) enum Pages {
    /// All of it, up to [`super::MOST_PAGES`] pages.
    All,
    /// The first few, no more than a page.
    First(u8),
}
