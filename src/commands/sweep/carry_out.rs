//! Does what was decided, several environments at a time, and only to those that nobody has changed since.

use std::borrow::Cow;

use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    cli::SweepArgs,
    cluster::{Cluster, ClusterError},
    commands::{down, preserve::url},
    deploy::live,
    error::Failure,
    exit::Exit,
    lifecycle::{
        down::{DownError, Ended, Request, conditions},
        preserve,
        sweep::{self, Action, Verdict},
    },
    model::object::Object,
    printer::Printer,
    progress::Progress,
    reporter::Announcer,
    signal,
};

use super::outcome::{Done, Outcome};

/// How many environments are worked on at a time: most of it is waiting for the namespace controller.
const AT_A_TIME: usize = 16;

/// How long a namespace may take to go before it is looked at what holds it.
const GOING: SignedDuration = SignedDuration::from_mins(5);

/// Does what was decided.
pub(super) struct Sweeper<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) args: &'a SweepArgs,
    /// Who tells pull requests of it, if anybody does.
    pub(super) announcer: Option<Announcer<'a>>,
    pub(super) printer: Printer,
    pub(super) now: Timestamp,
}

impl Sweeper<'_> {
    /// Does all of it, or says only what would be done. The outcomes are in the same order.
    pub(super) async fn carry_out<'n>(
        &self,
        judged: impl Iterator<Item = (&'n Object, &'n Verdict)>,
    ) -> Vec<Outcome<'n>> {
        let progress = Progress::new(self.printer);
        // Not in order: what is kept would wait behind what is removed, in the place of the next one to be.
        let mut outcomes: Vec<(usize, Outcome<'_>)> = stream::iter(judged.enumerate())
            .map(|(place, (namespace, verdict))| {
                let progress = &progress;
                async move {
                    let done = self.one(namespace, verdict, progress).await;
                    let outcome = Outcome {
                        namespace,
                        verdict,
                        done,
                    };
                    (place, outcome)
                }
            })
            .buffer_unordered(AT_A_TIME)
            .collect()
            .await;
        progress.clear();
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    async fn one(&self, namespace: &Object, verdict: &Verdict, progress: &Progress) -> Done {
        let is_idle = match verdict.action {
            Action::Going(since) => return self.what_holds(namespace, since).await,
            Action::Keep | Action::Unknown => !verdict.preservation_ends,
            // What nobody can be told of is not noted as told.
            Action::Warn(_) => self.announcer.is_none(),
            Action::GiveEnd(_) | Action::Remove => false,
        };
        if is_idle {
            return Done::Nothing;
        }
        if self.args.dry_run {
            return Done::Would;
        }
        // Told to stop from here on, there is something to say.
        signal::expect();
        if let Some(signal) = signal::next().now_or_never() {
            return Done::NotBegun(signal);
        }
        let done = self.change(namespace, verdict, progress).await;
        done.unwrap_or_else(Done::Failed)
    }

    async fn change(
        &self,
        namespace: &Object,
        verdict: &Verdict,
        progress: &Progress,
    ) -> Result<Done, Failure> {
        let mut namespace = Cow::Borrowed(namespace);
        if verdict.preservation_ends {
            let ended = self.cluster.merge_as_seen(&namespace, preserve::end());
            let Some(ended) = ended.await? else {
                return Ok(Done::Changed);
            };
            namespace = Cow::Owned(ended);
        }
        let over = verdict.preservation_ends;
        match verdict.action {
            Action::Remove => Ok(self.remove(&namespace, &verdict.why, over, progress).await),
            Action::Warn(until) => self.warn(&namespace, until).await,
            Action::GiveEnd(until) => self.mark(&namespace, sweep::give_end(until)).await,
            Action::Keep | Action::Unknown | Action::Going(_) => {
                if let Some(announcer) = &self.announcer {
                    let url = url(self.cluster, &namespace).await;
                    announcer.ended(&namespace, url.as_deref()).await;
                }
                Ok(Done::AsDecided)
            }
        }
    }

    async fn warn(&self, namespace: &Object, until: Timestamp) -> Result<Done, Failure> {
        let Some(announcer) = &self.announcer else {
            return Ok(Done::Nothing);
        };
        let url = url(self.cluster, namespace).await;
        match announcer.ends_soon(namespace, url.as_deref(), until).await {
            Ok(()) => self.mark(namespace, preserve::announced()).await,
            Err(Some(error)) => Err(error.into()),
            Err(None) => Err(Failure::new(
                Exit::Failure,
                format!("GitHub was not told in time that {} ends", namespace.name()),
            )),
        }
    }

    async fn mark(&self, namespace: &Object, patch: Value) -> Result<Done, Failure> {
        let changed = self.cluster.merge_as_seen(namespace, patch).await?;
        Ok(changed.map_or(Done::Changed, |_| Done::AsDecided))
    }

    /// Removes it; `over` is whether it was preserved until a moment ago.
    async fn remove(&self, namespace: &Object, why: &str, over: bool, progress: &Progress) -> Done {
        let request = Request {
            namespace: namespace.name(),
            project: None,
            repository: None,
            force: false,
            as_found: true,
            wait: true,
            timeout: self.args.timeout,
        };
        let done = match down::remove(self.cluster, &request, namespace, progress).await {
            Ok(Ended::Gone(receipt)) => Done::Removed(receipt),
            Ok(Ended::Absent | Ended::Marked(_)) => Done::AsDecided,
            Ok(Ended::Preserved(_)) | Err(DownError::Changed { .. } | DownError::NotOurs(_)) => {
                Done::Changed
            }
            Err(DownError::Blocked { left, .. }) => Done::Held(left),
            Err(DownError::Interrupted { signal, .. }) => Done::Interrupted(signal),
            Err(DownError::Cluster(error)) => Done::Failed(error.into()),
        };
        let told = match &done {
            Done::Removed(receipt) => Ok(receipt),
            Done::Held(left) => Err(left.as_slice()),
            _ => return done,
        };
        if let Some(announcer) = &self.announcer {
            announcer.removed(namespace, why, told).await;
            if over {
                announcer.over(namespace).await;
            }
        }
        done
    }

    /// What holds a namespace that has been going for too long.
    async fn what_holds(&self, namespace: &Object, since: Option<Timestamp>) -> Done {
        if since.is_none_or(|since| self.now.duration_since(since) < GOING) {
            return Done::Nothing;
        }
        let look: Result<Vec<String>, ClusterError> = async {
            let there = self
                .cluster
                .get(&live::namespace_id(namespace.name()))
                .await?;
            Ok(there.as_ref().map(conditions).unwrap_or_default())
        }
        .await;
        match look {
            Ok(left) if left.is_empty() => Done::Nothing,
            Ok(left) => Done::Held(left),
            Err(error) => Done::Failed(error.into()),
        }
    }
}
