//! URLs of databases, as far as it takes to find the server and log in. Databases have a syntax of their own: several
//! hosts with commas between, which the URLs of the web do not know.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::diagnose::Secret;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// A host that can be one, and a port.
    pub(super) fn new(host: &str, port: u16) -> Option<Self> {
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let valid = host.parse::<std::net::Ipv6Addr>().is_ok()
            || (!host.is_empty() && host.len() <= 253 && host.chars().all(name));
        (valid && port > 0).then(|| Self {
            host: host.to_owned(),
            port,
        })
    }

    /// `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
    fn parse(text: &str, default_port: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                match rest.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if rest.is_empty() => (host, None),
                    None => return None,
                }
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map_or(Some(default_port), |port| port.parse().ok())?;
        Self::new(host, port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The parts of a URL; those that are empty are absent.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) addresses: Vec<Address>,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<String>,
    query: Vec<(String, String)>,
}

impl Url {
    /// Reads what follows `scheme://`; nothing if it is not such a URL. A text that is none is never shown: a password may
    /// be in it.
    pub(super) fn parse(rest: &str, default_port: u16) -> Option<Self> {
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            // A `/` or `?` in a password must be escaped. Here it was not, and what looks like the host is a part of it.
            None if rest.contains('@') => return None,
            None => (None, authority),
        };
        let addresses: Option<Vec<Address>> = hosts
            .split(',')
            .map(|host| Address::parse(host, default_port))
            .collect();
        let (user, password) = match credentials {
            None => (None, None),
            Some(text) => match text.split_once(':') {
                Some((user, password)) => (decoded(user)?, decoded(password)?),
                None => (decoded(text)?, None),
            },
        };
        let query = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_lowercase(), value.to_owned()))
            .collect();
        Some(Self {
            addresses: addresses?,
            user,
            password: password.map(Secret::new),
            database: decoded(path)?,
            query,
        })
    }

    /// Whether an option of the query has one of these values.
    pub(super) fn has_option(&self, name: &str, values: &[&str]) -> bool {
        self.query
            .iter()
            .any(|(key, value)| key == name && values.contains(&value.as_str()))
    }
}

/// The text without escapes: nothing inside if it was empty, nothing at all if it cannot be a name or a password.
#[expect(
    clippy::option_option,
    reason = "absent and impossible are two different things"
)]
fn decoded(text: &str) -> Option<Option<String>> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    if text.chars().any(char::is_control) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(rest: &str) -> Option<String> {
        let url = Url::parse(rest, 5432)?;
        let addresses: Vec<String> = url.addresses.iter().map(ToString::to_string).collect();
        let password = url.password.as_ref().map(Secret::expose);
        Some(format!(
            "{} {:?} {password:?} {:?}",
            addresses.join(" "),
            url.user,
            url.database
        ))
    }

    #[test]
    fn what_is_absent_is_absent() {
        for (rest, expected) in [
            (
                "app:secret@db:1234/shop?a=b",
                r#"db:1234 Some("app") Some("secret") Some("shop")"#,
            ),
            ("db", "db:5432 None None None"),
            ("db:1/", "db:1 None None None"),
            (":secret@db", r#"db:5432 None Some("secret") None"#),
            (
                "a%40b:p%3A%2F%40@[::1]:7/x%20y",
                r#"[::1]:7 Some("a@b") Some("p:/@") Some("x y")"#,
            ),
            ("u:p@x@db", r#"db:5432 Some("u") Some("p@x") None"#),
            (
                "u:p:q@a:1,b,c:3/admin?replicaSet=rs",
                r#"a:1 b:5432 c:3 Some("u") Some("p:q") Some("admin")"#,
            ),
            ("u:p@db?appName=@x@", r#"db:5432 Some("u") Some("p") None"#),
        ] {
            assert_eq!(parts(rest).as_deref(), Some(expected), "{rest}");
        }
    }

    #[test]
    fn what_is_no_url_is_none() {
        for rest in [
            "",
            "/shop",
            "db:",
            "db:0",
            "db:65536",
            "db:port",
            "a,,b",
            "[::1",
            "[::1]x",
            "::1",
            "d b",
            "u:p%ff@db",
            "u:p%00@db",
            // Passwords with what should have been escaped.
            "u:12/34@db",
            "u:12?34@db",
        ] {
            assert_eq!(parts(rest), None, "{rest}");
        }
    }

    #[test]
    fn options_are_found_by_name_in_any_case() {
        let url = Url::parse("db/x?a=1&SSLMode=require", 1).expect("a URL");
        assert!(url.has_option("sslmode", &["verify-full", "require"]));
        assert!(!url.has_option("a", &["2"]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_url_or_none(rest in ".{0,200}") {
            drop(Url::parse(&rest, 1));
        }

        #[test]
        fn what_is_escaped_comes_back(password in "[ -~]{1,40}") {
            let escaped = percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC);
            let url = Url::parse(&format!("u:{escaped}@db/x"), 1).expect("a URL");
            proptest::prop_assert_eq!(url.password.as_ref().map(Secret::expose), Some(password.as_str()));
        }
    }
}
