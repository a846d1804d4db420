//! Names that GitHub gives out, checked before they are used: in a URL, a label, a comment.

use std::{fmt, str::FromStr};

use serde::Deserialize;

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct NameError {
    /// What was given; cut when it is long, without control characters.
    text: String,
    /// What it should have been.
    expected: &'static str,
}

impl NameError {
    fn new(text: &str, expected: &'static str) -> Self {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
        Self {
            text: shown,
            expected,
        }
    }
}

/// A repository, `owner/name`. Capitals do not tell two apart, as on GitHub.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Repository {
    owner: String,
    name: String,
}

impl Repository {
    /// The user or organization.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name without the owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Repository {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = || NameError::new(text, "a repository, such as `acme/shop`");
        let (owner, name) = text.split_once('/').ok_or_else(refuse)?;
        let is_owner = is_made_of(owner, 100, "-_");
        // A path in a URL, or of a file, must not climb.
        let is_name = is_made_of(name, 100, "-_.") && name != "." && name != "..";
        if !is_owner || !is_name {
            return Err(refuse());
        }
        Ok(Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl TryFrom<String> for Repository {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl Eq for Repository {}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A commit: 40 hexadecimal digits, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha(String);

impl Sha {
    /// All 40 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The seven digits that people read.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }

    /// Whether it stands for "no commit", as in a push that deletes a branch.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.bytes().all(|digit| digit == b'0')
    }
}

impl FromStr for Sha {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NameError::new(
                text,
                "a commit, which has 40 hexadecimal digits",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for Sha {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody's name on GitHub, that of a bot with `[bot]` at its end. Capitals do not tell two apart.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Login(String);

impl Login {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that of an app.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.0.ends_with("[bot]")
    }
}

impl FromStr for Login {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if !is_made_of(text.strip_suffix("[bot]").unwrap_or(text), 100, "-_") {
            return Err(NameError::new(text, "a login on GitHub"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Login {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Login {}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is neither empty nor too long, and has nothing but ASCII letters, digits and `others`.
fn is_made_of(text: &str, most: usize, others: &str) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repositories() {
        let shop: Repository = "Acme-1/shop.web_x".parse().expect("a repository");
        assert_eq!((shop.owner(), shop.name()), ("Acme-1", "shop.web_x"));
        assert_eq!(shop, "acme-1/SHOP.web_x".parse().expect("a repository"));
        for wrong in [
            "",
            "shop",
            "acme/",
            "/shop",
            "acme/..",
            "acme/.",
            "acme/shop/x",
            "acme/shop?x",
            "acme/shop\n",
            "ac.me/shop",
            "../shop",
            " acme/shop",
            "acme/%2e%2e",
        ] {
            assert!(wrong.parse::<Repository>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn commits() {
        let sha: Sha = "ABCDEF0123456789abcdef0123456789abcdef01"
            .parse()
            .expect("a commit");
        assert_eq!(sha.short(), "abcdef0");
        assert!(!sha.is_none());
        assert!("0".repeat(40).parse::<Sha>().expect("a commit").is_none());
        for wrong in ["", "main", "abcdef0", &"g".repeat(40), &"a".repeat(41)] {
            assert!(wrong.parse::<Sha>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn logins() {
        let bot: Login = "github-actions[bot]".parse().expect("a login");
        assert!(bot.is_bot());
        assert_eq!(bot, "GitHub-Actions[bot]".parse().expect("a login"));
        assert_ne!(bot, "github-actions".parse().expect("a login"));
        for wrong in ["", "[bot]", "a b", "a/b", "a\u{202e}", "nektos/act"] {
            assert!(wrong.parse::<Login>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_shows_no_control_characters_and_not_everything() {
        let error = format!("\u{1b}[2J{}\n", "x".repeat(500))
            .parse::<Sha>()
            .expect_err("not a commit");
        let text = error.to_string();
        assert!(!text.contains('\u{1b}') && text.len() < 160, "{text}");
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_what_it_was(text in any::<String>()) {
            if let Ok(repository) = text.parse::<Repository>() {
                prop_assert_eq!(repository.to_string(), text.clone());
                prop_assert_eq!(text.matches('/').count(), 1);
            }
            if let Ok(login) = text.parse::<Login>() {
                prop_assert_eq!(login.as_str(), text.as_str());
            }
        }

        #[test]
        fn real_names_are_accepted(owner in "[A-Za-z0-9][A-Za-z0-9-]{0,38}", name in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}") {
            let text = format!("{owner}/{name}");
            prop_assert!(text.parse::<Repository>().is_ok());
            prop_assert!(owner.parse::<Login>().is_ok());
            let bot = format!("{}[bot]", owner);
            prop_assert!(bot.parse::<Login>().is_ok());
        }
    }
}
