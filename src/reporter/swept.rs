//! Says under pull requests what a sweep did to their environments. The run that says it is about none of them.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    HURRY, PATIENCE,
    endings::note_receipt,
    facts,
    run::{Run, Subject},
    teller::{self, Teller, Warned},
    warn,
};
use crate::{
    cli::CommentMode,
    github::{Client, GithubError, PRESERVE_MARKER, Repository},
    lifecycle::{
        down::Receipt,
        sweep::{self, Of},
    },
    model::{labels, object::Object, settings::PlatformSettings},
    printer::Printer,
    report::github::{
        facts::{Serves, State},
        preserve::{Note, comment},
        template::Template,
    },
    signal,
};

/// Says what a sweep did.
#[derive(Debug)]
pub struct Announcer<'a> {
    run: &'a Run,
    client: &'a Client,
    mode: CommentMode,
    template: Template,
    warned: Warned,
    printer: Printer,
}

/// The environment of a pull request.
struct About<'a> {
    repository: Repository,
    number: u64,
    namespace: &'a Object,
}

impl<'a> About<'a> {
    /// None of an environment that is of no pull request.
    fn of(namespace: &'a Object) -> Option<Self> {
        let Of::Pull(repository, number) = sweep::of(namespace) else {
            return None;
        };
        Some(Self {
            repository,
            number,
            namespace,
        })
    }
}

impl<'a> Announcer<'a> {
    /// None where nothing is to be said, or there is no token to say it with.
    #[must_use]
    pub fn new(
        run: &'a Run,
        mode: CommentMode,
        settings: &PlatformSettings,
        printer: Printer,
    ) -> Option<Self> {
        let client = run.client.as_ref().filter(|_| mode != CommentMode::Off)?;
        let own = settings.comment_template.clone();
        let own = own.map(|text| Template::new("of the platform settings", text));
        let template = own.transpose().unwrap_or_else(|error| {
            warn(printer, &teller::bad_template(&error));
            None
        });
        Some(Self {
            run,
            client,
            mode,
            template: template.unwrap_or_else(Template::built_in),
            warned: Warned::default(),
            printer,
        })
    }

    /// Says that an environment was removed, why, and how to have it again; or what is left of it. The pull request's
    /// deployments on GitHub are told too.
    pub async fn removed(
        &self,
        namespace: &Object,
        why: &str,
        removed: Result<&Receipt, &[String]>,
    ) {
        let Some(about) = &About::of(namespace) else {
            return;
        };
        let telling = async {
            let teller = self.teller(about);
            let is_open = match self.is_open(about).await {
                Ok(is_open) => is_open,
                // There is nobody to tell.
                Err(error) if error.is_not_found() => return,
                Err(error) => return teller.warn("comment", error),
            };
            let label = |key| about.namespace.label(key).map(str::to_owned);
            let mut facts = facts(Some(self.run), &self.subject(about));
            facts.namespace = Some(namespace.name().to_owned());
            facts.project = label(labels::PROJECT_ID);
            facts
                .notes
                .push(format!("`k8s-ee sweep` found that {why}."));
            let state = match removed {
                Ok(receipt) => {
                    note_receipt(&mut facts, receipt);
                    facts.serves = Serves::Nothing;
                    facts.notes.push(if is_open {
                        "Comment `/deploy-preview` to have it again.".to_owned()
                    } else {
                        "Reopen the pull request to have it again.".to_owned()
                    });
                    State::Destroyed
                }
                Err(left) => {
                    facts.left = left.to_vec();
                    State::Blocked
                }
            };
            teller.tell(&facts, state, &self.template).await;
        };
        in_time(telling).await.unwrap_or_default();
    }

    /// Says that the preservation of an environment ends soon, in a comment of which people are notified.
    ///
    /// # Errors
    /// GitHub cannot be asked, or refuses; none in the second place when there was no time for it.
    pub async fn ends_soon(
        &self,
        namespace: &Object,
        url: Option<&str>,
        until: Timestamp,
    ) -> Result<(), Option<GithubError>> {
        let Some(about) = &About::of(namespace) else {
            return Ok(());
        };
        let telling = async {
            let left = until.duration_since(Timestamp::now());
            let note = Note::EndsSoon {
                until,
                minutes: left.as_mins(),
                is_open: self.is_open(about).await?,
            };
            let body = comment(namespace.name(), url, &note);
            self.client
                .renew_comment(&about.repository, about.number, PRESERVE_MARKER, &body)
                .await
        };
        in_time(telling).await.ok_or(None)?.map_err(Some)
    }

    /// Says that the preservation of an environment is over. `url` is where it is reached.
    pub async fn ended(&self, namespace: &Object, url: Option<&str>) {
        let Some(about) = &About::of(namespace) else {
            return;
        };
        let telling = async {
            let is_open = self.is_open(about).await?;
            let note = Note::Ended { by: None, is_open };
            self.preserves(about, &comment(namespace.name(), url, &note))
                .await
        };
        if let Some(Err(error)) = in_time(telling).await {
            self.teller(about).warn("comment", error);
        }
    }

    /// Says of an environment that was preserved that it was removed, as its time is over.
    pub async fn over(&self, namespace: &Object) {
        let Some(about) = &About::of(namespace) else {
            return;
        };
        let body = comment(namespace.name(), None, &Note::Removed { by: None });
        match in_time(self.preserves(about, &body)).await {
            Some(Err(error)) if !error.is_not_found() => {
                self.teller(about).warn("comment", error);
            }
            _ => {}
        }
    }

    async fn preserves(&self, about: &About<'_>, body: &str) -> Result<(), GithubError> {
        let (repository, number) = (&about.repository, about.number);
        let kept = self
            .client
            .keep_comment(repository, number, PRESERVE_MARKER, body);
        kept.await.map(drop)
    }

    async fn is_open(&self, about: &About<'_>) -> Result<bool, GithubError> {
        let pull = self.client.pull_request(&about.repository, about.number);
        Ok(pull.await?.open)
    }

    fn subject(&self, about: &About<'_>) -> Subject {
        Subject {
            repository: Some(about.repository.clone()),
            number: Some(about.number),
            // Where each commit has a comment, that of its own; else the one comment, whatever commit it is about.
            commit: about
                .namespace
                .label(labels::COMMIT_SHA)
                .filter(|_| self.mode == CommentMode::New)
                .map(str::to_owned),
            branch: None,
        }
    }

    fn teller(&self, about: &About<'_>) -> Teller {
        let teller = Teller::new(
            self.client.clone(),
            &self.subject(about),
            self.mode,
            self.printer,
        );
        let mut teller = teller.expect("the pull request is known");
        teller.deploys = true;
        teller.warned = Arc::clone(&self.warned);
        teller
    }
}

/// What came of it; none when it took too long, or we were told to stop.
async fn in_time<T>(telling: impl Future<Output = T>) -> Option<T> {
    let stopped = async {
        signal::next().await;
        tokio::time::sleep(HURRY).await;
    };
    tokio::select! {
        told = tokio::time::timeout(PATIENCE, telling) => told.ok(),
        () = stopped => None,
    }
}
