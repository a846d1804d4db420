//! Does what was decided, several environments at a time, and only to those that nobody has changed since.

use std::borrow::Cow;

use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::{
    cli::SweepArgs,
    cluster::{Cluster, ClusterError},
    commands::down,
    deploy::live,
    lifecycle::{
        down::{DownError, Ended, Request, conditions},
        preserve,
        sweep::{self, Action, Verdict},
    },
    model::object::Object,
    printer::Printer,
    progress::Progress,
    signal,
};

use super::outcome::{Done, Outcome};

/// How many environments are worked on at a time.
const AT_A_TIME: usize = 8;

/// How long a namespace may take to go before it is looked at what holds it.
const GOING: SignedDuration = SignedDuration::from_mins(5);

/// Does what was decided.
pub(super) struct Sweeper<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) args: &'a SweepArgs,
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
        let outcomes = stream::iter(judged)
            .map(|(namespace, verdict)| {
                let progress = &progress;
                async move {
                    Outcome {
                        namespace,
                        verdict,
                        done: self.one(namespace, verdict, progress).await,
                    }
                }
            })
            .buffered(AT_A_TIME)
            .collect()
            .await;
        progress.clear();
        outcomes
    }

    async fn one(&self, namespace: &Object, verdict: &Verdict, progress: &Progress) -> Done {
        let is_idle = matches!(verdict.action, Action::Keep | Action::Unknown);
        if let Action::Going(since) = verdict.action {
            return self.what_holds(namespace, since).await;
        }
        if is_idle && !verdict.preservation_ends {
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
        let mut namespace = Cow::Borrowed(namespace);
        if verdict.preservation_ends {
            match self
                .cluster
                .merge_as_seen(&namespace, preserve::end())
                .await
            {
                Ok(Some(after)) => namespace = Cow::Owned(after),
                Ok(None) => return Done::Changed,
                Err(error) => return Done::Failed(error.into()),
            }
        }
        match verdict.action {
            Action::Remove => self.remove(&namespace, progress).await,
            Action::Warn(_) => self.mark(&namespace, preserve::announced()).await,
            Action::GiveEnd(until) => self.mark(&namespace, sweep::give_end(until)).await,
            Action::Keep | Action::Unknown | Action::Going(_) => Done::Done,
        }
    }

    async fn mark(&self, namespace: &Object, patch: serde_json::Value) -> Done {
        match self.cluster.merge_as_seen(namespace, patch).await {
            Ok(Some(_)) => Done::Done,
            Ok(None) => Done::Changed,
            Err(error) => Done::Failed(error.into()),
        }
    }

    async fn remove(&self, namespace: &Object, progress: &Progress) -> Done {
        let request = Request {
            namespace: namespace.name(),
            project: None,
            repository: None,
            only_if: Some(namespace),
            wait: true,
            timeout: self.args.timeout,
        };
        match down::remove(self.cluster, &request, progress).await {
            Ok(Ended::Gone(receipt)) => Done::Removed(receipt),
            Ok(Ended::Absent | Ended::Marked(_)) => Done::Done,
            Err(DownError::Changed { .. } | DownError::NotOurs(_)) => Done::Changed,
            Err(DownError::Blocked { left, .. }) => Done::Held(left),
            Err(DownError::Interrupted { signal, .. }) => Done::Interrupted(signal),
            Err(DownError::Cluster(error)) => Done::Failed(error.into()),
        }
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
