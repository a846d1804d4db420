//! One answer, and what is to be made of it.

use http::{HeaderMap, StatusCode};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};

use crate::github::{GithubError, error::Doing};

/// An answer that GitHub gave.
#[derive(Debug)]
pub(in crate::github) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) doing: Doing,
}

/// What GitHub says when it refuses.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
    errors: Vec<serde_json::Value>,
}

impl Answer {
    /// The document in it.
    pub(in crate::github) fn json<T: DeserializeOwned>(&self) -> Result<T, GithubError> {
        serde_json::from_slice(&self.body).map_err(|error| GithubError::Unexpected {
            doing: self.doing.clone(),
            source: Box::new(error),
        })
    }

    /// What GitHub says in words, with its details, on one line. Nothing of a page for people, which a proxy may send.
    pub(super) fn message(&self) -> String {
        let refusal: Refusal = serde_json::from_slice(&self.body).unwrap_or_default();
        let details = refusal.errors.iter().filter_map(|error| {
            let text = |key: &str| error[key].as_str().unwrap_or_default();
            match (error.as_str(), text("message"), text("field"), text("code")) {
                (Some(words), ..) => Some(words.to_owned()),
                (_, "", "", "") => None,
                (_, "", field, code) => Some(format!("{field} {code}").trim().to_owned()),
                (_, message, ..) => Some(message.to_owned()),
            }
        });
        let mut words = vec![refusal.message];
        words.extend(details);
        words.retain(|text| !text.is_empty());
        let text = if words.is_empty() {
            let reason = self.status.canonical_reason();
            reason.unwrap_or("no reason is given").to_owned()
        } else {
            words.join(": ")
        };
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(500)
            .collect()
    }

    /// The value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where the list goes on, from `Link: <…>; rel="next", …`.
    pub(super) fn next_page(&self) -> Option<Url> {
        next_page(self.header("link")?)
    }

    /// The permission that it takes, as in a workflow. GitHub names several sets of which one is enough: ours if it is
    /// among them, else the first.
    pub(super) fn needs(&self, ours: Option<&str>) -> Option<String> {
        let accepted = self
            .header("x-accepted-github-permissions")
            .unwrap_or_default();
        let mut sets = accepted.split(';').map(|set| {
            let permissions = set.split(',').filter_map(|permission| {
                let (name, level) = permission.trim().split_once('=')?;
                Some(format!("{}: {level}", name.replace('_', "-")))
            });
            permissions.collect::<Vec<_>>().join(", ")
        });
        let first = sets.next().filter(|set| !set.is_empty());
        let known = first
            .iter()
            .cloned()
            .chain(sets)
            .any(|set| Some(set.as_str()) == ours);
        match ours {
            Some(ours) if known || first.is_none() => Some(ours.to_owned()),
            _ => first,
        }
    }

    /// Where the token can be let into an organization that asks for that.
    pub(super) fn sign_on(&self) -> Option<String> {
        let header = self.header("x-github-sso")?;
        let url = header.strip_prefix("required; url=")?;
        Some(url.trim().to_owned())
    }
}

fn next_page(link: &str) -> Option<Url> {
    link.split(',').find_map(|part| {
        let (url, parameters) = part.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), r#"rel="next""# | "rel=next"));
        if next { Url::parse(url).ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                let value = http::HeaderValue::from_static(value);
                (http::HeaderName::from_static(name), value)
            })
            .collect();
        Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers,
            body: body.as_bytes().to_vec(),
            doing: Doing {
                verb: "read",
                what: "a thing".to_owned(),
            },
        }
    }

    #[test]
    fn the_next_page_is_the_one_that_is_called_so() {
        let link = r#"<https://api.github.com/repositories/1/issues/7/comments?page=1>; rel="prev", <https://api.github.com/repositories/1/issues/7/comments?page=3>; rel="next", <https://api.github.com/x?page=9>; rel="last""#;
        assert_eq!(
            next_page(link).expect("a next page").as_str(),
            "https://api.github.com/repositories/1/issues/7/comments?page=3"
        );
        for none in [
            "",
            "<https://x/?page=1>; rel=\"first\"",
            "nonsense",
            "<not a url>; rel=\"next\"",
        ] {
            assert_eq!(next_page(none), None, "{none}");
        }
    }

    #[test]
    fn the_message_has_the_details() {
        let body = r#"{"message": "Validation Failed", "errors": [
            {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body is too long"},
            {"resource": "Label", "code": "missing_field", "field": "name"}, "and\nmore"
        ]}"#;
        assert_eq!(
            answer(422, &[], body).message(),
            "Validation Failed: Body is too long: name missing_field: and more"
        );
        assert_eq!(
            answer(502, &[], "<html>Unicorn!</html>").message(),
            "Bad Gateway"
        );
        assert_eq!(answer(404, &[], "{}").message(), "Not Found");
    }

    #[test]
    fn permissions_are_told_as_a_workflow_writes_them() {
        let needs =
            |value, ours| answer(403, &[("x-accepted-github-permissions", value)], "").needs(ours);
        let both = "issues=write; pull_requests=write";
        assert_eq!(needs(both, None).as_deref(), Some("issues: write"));
        let ours = Some("pull-requests: write");
        assert_eq!(needs(both, ours).as_deref(), ours);
        assert_eq!(
            needs("deployments=write", ours).as_deref(),
            Some("deployments: write")
        );
        assert_eq!(
            needs("contents=read,pull_requests=write", None).as_deref(),
            Some("contents: read, pull-requests: write")
        );
        assert_eq!(needs("", ours).as_deref(), ours);
        assert_eq!(needs("", None), None);
    }
}
