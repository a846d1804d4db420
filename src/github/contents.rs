//! Files of a repository at a commit, read as data: nothing is checked out, nothing is run.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::{Client, GithubError, Repository, Sha, client::Call, error::Doing};

/// Largest file that is read. GitHub hands out no larger ones this way.
const MOST_BYTES: usize = 1024 * 1024;

impl Client {
    /// The file at a path, as it is in a commit; none when there is no such file, or none that the token may see.
    ///
    /// # Errors
    /// GitHub cannot be asked; the path is a folder, a link or another repository, climbs out of the repository, or the
    /// file is larger than 1 MiB.
    pub async fn file(
        &self,
        repository: &Repository,
        path: &str,
        commit: &Sha,
    ) -> Result<Option<Vec<u8>>, GithubError> {
        let what = format!("{path} of {repository}@{}", commit.short());
        let refuse = |why: &str| GithubError::Unusable {
            doing: Doing {
                verb: "read",
                what: what.clone(),
            },
            why: why.to_owned(),
        };
        let segments: Vec<&str> = path.split('/').collect();
        if segments.iter().any(|s| matches!(*s, "" | "." | "..")) {
            return Err(refuse("it is not a path from the root of the repository"));
        }
        let mut url =
            self.repository_url(repository, &[&["contents"], segments.as_slice()].concat());
        url.query_pairs_mut().append_pair("ref", commit.as_str());
        let call = Call::get(url, what.clone()).needs("contents: read");
        let answer = match self.send(&call).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        // A folder is answered with the list of what is in it.
        if answer.json::<Value>()?.is_array() {
            return Err(refuse("it is a folder"));
        }
        let file: File = answer.json()?;
        match file.kind.as_str() {
            "file" => {}
            "symlink" => return Err(refuse("it is a symbolic link")),
            "submodule" => return Err(refuse("it is a submodule")),
            _ => return Err(refuse("it is not a file")),
        }
        if file.size > MOST_BYTES || file.encoding != "base64" {
            return Err(refuse("it is larger than 1 MiB"));
        }
        let text: String = file.content.split_ascii_whitespace().collect();
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| GithubError::Unexpected {
                doing: call.doing().clone(),
                source: Box::new(error),
            })?;
        Ok(Some(bytes))
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    size: usize,
    #[serde(default)]
    encoding: String,
    #[serde(default)]
    content: String,
}
