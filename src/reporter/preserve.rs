//! What is said about preserving an environment: in a comment of its own, and to the comment that asked for it.

use jiff::Timestamp;

use super::{Reporter, teller::Teller};
use crate::{
    cli::CommentMode,
    diagnose,
    error::Failure,
    github::{Event, PRESERVE_MARKER, comments::Reaction},
    report::github::preserve::{Note, comment},
};

impl Reporter {
    /// Who asks for something: the author of the comment that started the run, else whoever started it. None outside of
    /// Actions.
    #[must_use]
    pub fn asker(&self) -> Option<&str> {
        let context = self.run.as_ref()?.context.as_ref()?;
        let author = match &context.event {
            Event::IssueComment(event) => event.author(),
            _ => None,
        };
        let login = author.or(context.actor.as_ref())?;
        Some(login.as_str())
    }

    /// Says that an environment is preserved, or not any more. `url` is where it is reached.
    pub async fn preserves(&self, namespace: &str, url: Option<&str>, note: &Note<'_>) {
        let Some(teller) = &self.teller else { return };
        futures::join!(
            teller.preserves(namespace, url, note),
            teller.answer(Reaction::Rocket)
        );
    }

    /// Says that it is not, or for no longer than `until`, and why.
    pub async fn does_not_preserve(
        &self,
        namespace: &str,
        until: Option<Timestamp>,
        failure: &Failure,
    ) {
        let Some(teller) = &self.teller else { return };
        let shown = |text: &str| diagnose::shown(text, &[]);
        let message = shown(failure.message());
        let hints: Vec<String> = failure.hints().iter().map(|hint| shown(hint)).collect();
        let note = Note::Refused {
            until,
            message: &message,
            hints: &hints,
        };
        futures::join!(
            teller.preserves(namespace, None, &note),
            teller.answer(Reaction::Confused)
        );
    }
}

impl Teller {
    async fn preserves(&self, namespace: &str, url: Option<&str>, note: &Note<'_>) {
        if self.mode == CommentMode::Off {
            return;
        }
        let body = comment(namespace, url, note);
        let kept = self
            .client
            .keep_comment(&self.repository, self.number, PRESERVE_MARKER, &body);
        if let Err(error) = kept.await {
            self.warn("comment", error);
        }
    }
}
