//! What is answered, before it is sent.

use serde_json::{Value, json};

/// An answer: a document, a page, or nothing but a status.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    /// A page for people in place of a document, as a proxy sends it.
    pub(crate) page: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
            page: false,
        }
    }

    /// Nothing but a status.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            body: None,
            ..Self::new(status, Value::Null)
        }
    }

    /// A refusal in the words of GitHub.
    pub(crate) fn refusal(status: u16, message: &str) -> Self {
        let mut body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
        });
        // GitHub sends it with all of them, but describes it for the others only.
        if status != 422 {
            body["status"] = status.to_string().into();
        }
        Self::new(status, body)
    }

    pub(crate) fn not_found() -> Self {
        Self::refusal(404, "Not Found")
    }

    /// The refusal of a document that has the right form, but not the right content.
    pub(crate) fn invalid(resource: &str, field: &str, message: &str) -> Self {
        let body = json!({
            "message": "Validation Failed",
            "errors": [{"resource": resource, "code": "unprocessable", "field": field, "message": message}],
            "documentation_url": "https://docs.github.com/rest",
        });
        Self::new(422, body)
    }

    /// The page that stands before GitHub when it has trouble.
    pub(crate) fn page(status: u16) -> Self {
        Self {
            page: true,
            ..Self::empty(status)
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
