//! The token that GitHub is asked with. It comes from a file or the environment, never from the command line, and is
//! never shown.

use std::{fmt, io, path::Path};

use http::HeaderValue;

/// The variables that are looked at, in the order in which `gh` looks at them.
const VARIABLES: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];

/// A token; it prints as `***`.
#[derive(Clone)]
pub struct Token(HeaderValue);

/// Why there is no token to use.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token file {path}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("there is no token in {0}")]
    Empty(String),
    /// It has a character that no token has.
    #[error("what is in {0} is not a token: a token is one line of visible ASCII characters")]
    NotAToken(String),
}

impl Token {
    /// Takes a text that came from `origin`; space around it does not count.
    ///
    /// # Errors
    /// There is nothing in it, or more than a token.
    pub fn new(text: &str, origin: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty(origin.to_owned()));
        }
        let visible = text.bytes().all(|b| b.is_ascii_graphic());
        let header = HeaderValue::from_str(&format!("Bearer {text}"));
        match header {
            Ok(mut header) if visible => {
                header.set_sensitive(true);
                Ok(Self(header))
            }
            _ => Err(TokenError::NotAToken(origin.to_owned())),
        }
    }

    /// The token of the file if one is named, else that of `GH_TOKEN` or `GITHUB_TOKEN`; none when none of them is set.
    ///
    /// # Errors
    /// The file cannot be read, or what was found is not a token.
    pub fn find(
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TokenError> {
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| TokenError::Unreadable {
                path: path.display().to_string(),
                source,
            })?;
            return Self::new(&text, &path.display().to_string()).map(Some);
        }
        for name in VARIABLES {
            // Actions sets a variable whose secret does not exist to nothing.
            if let Some(text) = variable(name).filter(|text| !text.trim().is_empty()) {
                return Self::new(&text, name).map(Some);
            }
        }
        Ok(None)
    }

    /// As the value of `Authorization`, marked so that nothing prints it.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl TokenError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> String {
        "in Actions, hand the token to the step: `env: { GITHUB_TOKEN: ${{ github.token }} }`"
            .to_owned()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Option<Token>, TokenError> {
        Token::find(None, |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn bearer(token: &Token) -> String {
        let header = token.header();
        header.to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn is_found_where_gh_finds_it() {
        let both = [("GITHUB_TOKEN", "one"), ("GH_TOKEN", "two")];
        let token = from(&both).expect("tokens").expect("a token");
        assert_eq!(bearer(&token), "Bearer two");
        let token = from(&[("GH_TOKEN", " "), ("GITHUB_TOKEN", "one\n")]).expect("tokens");
        assert_eq!(bearer(&token.expect("a token")), "Bearer one");
        assert!(from(&[]).expect("nothing to refuse").is_none());
    }

    #[test]
    fn a_file_comes_first() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "ghp_file\n").expect("it can be written");
        let token = Token::find(Some(file.path()), |_| Some("other".to_owned())).expect("a token");
        assert_eq!(bearer(&token.expect("a token")), "Bearer ghp_file");

        std::fs::write(file.path(), "\n").expect("it can be written");
        let empty = Token::find(Some(file.path()), |_| Some("other".to_owned()));
        assert!(matches!(empty, Err(TokenError::Empty(_))));
        let gone = Token::find(Some(Path::new("/nowhere/token")), |_| None);
        assert_eq!(
            gone.expect_err("no such file").to_string(),
            "cannot read the token file /nowhere/token"
        );
    }

    #[test]
    fn is_never_printed() {
        let token = Token::new("ghs_secret", "a test").expect("a token");
        assert_eq!(format!("{token:?}"), "***");
        assert!(!format!("{:?}", token.header()).contains("ghs_secret"));
        for wrong in ["two words", "line\nline", "gr\u{fc}n"] {
            let error = Token::new(wrong, "GH_TOKEN").expect_err("not a token");
            assert!(!error.to_string().contains(wrong), "{error}");
        }
    }
}
