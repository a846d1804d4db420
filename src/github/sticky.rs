//! The one comment that we keep under a pull request: found by its first line, changed in place.

use super::{Client, GithubError, Repository, comments::Comment};

/// How often it is looked again, when others write and delete at the same time.
const ROUNDS: usize = 5;

/// What has become of the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub id: u64,
    /// Where it is shown.
    pub url: String,
    /// What was done to it.
    pub change: Change,
    /// How many others of ours with the same marker were deleted.
    pub removed: usize,
    /// Others of ours with the same marker that are not it, the oldest first.
    pub others: Vec<Comment>,
}

/// Which of our comments is the one, and what it is to say.
pub struct Wanted<'a> {
    /// First line of all of ours that are about the same thing.
    pub marker: &'a str,
    /// Whether a comment is the one.
    pub is_it: &'a (dyn Fn(&Comment) -> bool + Sync),
    /// What it is to say, given all of ours, the oldest first; none when nothing is to be said.
    pub body: &'a (dyn Fn(&[Comment]) -> Option<String> + Sync),
}

/// What was done to the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    Created,
    /// It said something else.
    Updated,
    /// It said the same, so nothing was written.
    Unchanged,
}

impl Client {
    /// Makes the comment under a pull request that begins with `marker` say `body`. The marker is put before the body if
    /// it is not there.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn keep_comment(
        &self,
        repository: &Repository,
        number: u64,
        marker: &str,
        body: &str,
    ) -> Result<Kept, GithubError> {
        let wanted = Wanted {
            marker,
            is_it: &|_| true,
            body: &|_| Some(body.to_owned()),
        };
        let kept = self.keep(repository, number, &wanted).await?;
        Ok(kept.expect("there is a body"))
    }

    /// Writes a comment under a pull request anew, so that people are notified of it; those of ours with the same marker
    /// before it are deleted. The body begins with the marker.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn renew_comment(
        &self,
        repository: &Repository,
        number: u64,
        marker: &str,
        body: &str,
    ) -> Result<(), GithubError> {
        let before = self.own_comments(repository, number, marker).await?;
        if let Err(error) = self.create_comment(repository, number, body).await {
            if !error.may_have_happened() {
                return Err(error);
            }
            self.pause().await;
            let now = self.own_comments(repository, number, marker).await?;
            if now.len() <= before.len() {
                return Err(error);
            }
        }
        for comment in before {
            self.delete_comment(repository, comment.id).await?;
        }
        Ok(())
    }

    /// The comments of this token that begin with a marker, the oldest first.
    async fn own_comments(
        &self,
        repository: &Repository,
        number: u64,
        marker: &str,
    ) -> Result<Vec<Comment>, GithubError> {
        let me = self.viewer().await?;
        let comments = self.comments(repository, number).await?;
        let ours = comments
            .into_iter()
            .filter(|comment| comment.author.as_ref() == Some(me))
            .filter(|comment| begins_with(&comment.body, marker));
        Ok(ours.collect())
    }

    /// Makes one of our comments under a pull request say what is wanted; none when nothing is to be said beside what is
    /// there.
    ///
    /// It is looked for among all comments, but only among those that this token wrote: what others write under our
    /// marker is theirs. The oldest one stays, as the one that people know; others of ours, as two runs at the same time
    /// leave them, are deleted.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses.
    pub async fn keep(
        &self,
        repository: &Repository,
        number: u64,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Kept>, GithubError> {
        let marker = wanted.marker;
        let mut created: Option<Comment> = None;
        let mut trouble = None;
        for _ in 0..ROUNDS {
            let mut ours = self.own_comments(repository, number, marker).await?;
            // A list may lag behind what was just written.
            if let Some(created) = &created
                && !ours.iter().any(|comment| comment.id == created.id)
            {
                ours.push(created.clone());
                ours.sort_by_key(|comment| comment.id);
            }
            // What we have just written ourselves is no answer to what is to be said.
            let is_new = |comment: &Comment| created.as_ref().is_some_and(|c| c.id == comment.id);
            let before: Vec<Comment> = ours
                .iter()
                .filter(|comment| !is_new(comment))
                .cloned()
                .collect();
            let Some(body) = (wanted.body)(&before) else {
                // Another run that was faster knows better.
                if let Some(created) = created {
                    self.delete_comment(repository, created.id).await?;
                }
                return Ok(None);
            };
            let body = if begins_with(&body, marker) {
                body
            } else {
                format!("{marker}\n{body}")
            };
            let (mut ours, others): (Vec<Comment>, Vec<Comment>) = ours
                .into_iter()
                .partition(|comment| (wanted.is_it)(comment));
            if ours.is_empty() {
                match self.create_comment(repository, number, &body).await {
                    // Another run may have done the same meanwhile: look again.
                    Ok(comment) => created = Some(comment),
                    // Whoever does not answer twice is not waited for a third time.
                    Err(error) if error.has_hung() && trouble.is_some() => return Err(error),
                    Err(error) if error.may_have_happened() => {
                        trouble = Some(error);
                        self.pause().await;
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
            let first = ours.remove(0);
            let change = if says(&first.body, &body) {
                match &created {
                    Some(created) if created.id == first.id => Change::Created,
                    _ => Change::Unchanged,
                }
            } else {
                let changed = self.update_comment(repository, first.id, &body).await?;
                if changed.is_none() {
                    // Somebody deleted it while we read: what we made ourselves is then among the others.
                    created = created.filter(|created| created.id != first.id);
                    self.pause().await;
                    continue;
                }
                Change::Updated
            };
            let mut removed = 0;
            for other in ours {
                removed += usize::from(self.delete_comment(repository, other.id).await?);
            }
            return Ok(Some(Kept {
                id: first.id,
                url: first.url,
                change,
                removed,
                others,
            }));
        }
        Err(trouble.unwrap_or_else(|| GithubError::Unsettled {
            what: format!("the comment on {repository}#{number}"),
        }))
    }
}

/// Whether the first line of a text is the marker.
fn begins_with(text: &str, marker: &str) -> bool {
    text.trim_start()
        .lines()
        .next()
        .is_some_and(|line| line.trim_end() == marker)
}

/// Whether two texts are the same to a reader: GitHub may change how lines end.
fn says(one: &str, other: &str) -> bool {
    one.trim().lines().eq(other.trim().lines())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::ENVIRONMENT_MARKER as MARKER;

    #[test]
    fn the_marker_counts_on_the_first_line_only() {
        assert!(begins_with(&format!("{MARKER}\n## Preview"), MARKER));
        assert!(begins_with(&format!("\n {MARKER} \r\ntext"), MARKER));
        assert!(begins_with(MARKER, MARKER));
        for other in [
            "",
            "text",
            &format!("> {MARKER}\ntext"),
            &format!("see\n{MARKER}"),
            &format!("{MARKER} and more"),
        ] {
            assert!(!begins_with(other, MARKER), "{other}");
        }
    }

    #[test]
    fn line_ends_make_no_difference() {
        assert!(says("a\r\nb\r\n", "a\nb"));
        assert!(!says("a\nb", "a\nc"));
        assert!(!says("a\nb", "a\nb\nc"));
    }
}
