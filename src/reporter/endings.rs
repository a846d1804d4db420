//! What is noted of how the work of a verb ended.

use std::time::Duration;

use super::{Reporter, teller};
use crate::{
    cluster::Cluster,
    config::problem::Problem,
    deploy::{
        Outcome,
        failure::{DeployError, Restored},
        live::NotOurs,
    },
    lifecycle::{
        components::look,
        down::{DownError, Ended, Receipt},
    },
    report::github::facts::{Facts, Located, Log, Serves, Share, State},
};

/// Resources of the quota that people ask for, in their order.
const RESOURCES: [&str; 5] = [
    "requests.cpu",
    "limits.cpu",
    "requests.memory",
    "limits.memory",
    "requests.storage",
];

impl Reporter {
    /// It ended well.
    pub async fn ended(
        &mut self,
        state: State,
        cluster: &Cluster,
        outcome: &Outcome,
        took: Duration,
    ) {
        self.facts.state = Some(state);
        self.output("state", state.name());
        self.output("changed", outcome.changed.to_string());
        if state == State::Running {
            self.output("release-status", "deployed");
            self.facts.serves = match &self.facts.commit {
                Some(commit) => Serves::Commit(commit.clone()),
                None => Serves::Something,
            };
        }
        if self.run.is_none() {
            return;
        }
        self.facts.seconds = Some(took.as_secs_f64());
        self.facts.notes.extend(outcome.warnings.iter().cloned());
        self.look(cluster).await;
        for component in &mut self.facts.components {
            let time = outcome.times.get(&component.name);
            component.seconds = time.map(Duration::as_secs_f64);
        }
    }

    /// It did not end well; `line` tells where something stands in the file.
    pub async fn broken(
        &mut self,
        error: &DeployError,
        cluster: &Cluster,
        line: &dyn Fn(&str) -> Option<usize>,
    ) {
        let state = match error {
            DeployError::Superseded { .. } => State::Superseded,
            DeployError::Interrupted { .. } => State::Cancelled,
            _ => State::Failed,
        };
        self.facts.state = Some(state);
        if state == State::Superseded {
            self.output("state", state.name());
        }
        let DeployError::Broken {
            causes,
            restored,
            logs,
        } = error
        else {
            return;
        };
        if self.run.is_none() {
            return;
        }
        self.facts.causes = causes
            .iter()
            .map(|cause| Located {
                line: cause.fix.pointer.as_deref().and_then(line),
                cause: cause.clone(),
            })
            .collect();
        self.facts.logs = logs
            .iter()
            .map(|log| Log {
                title: match log.previous {
                    true => format!("{}/{}, the run before", log.pod, log.container),
                    false => format!("{}/{}", log.pod, log.container),
                },
                lines: log.lines.clone(),
            })
            .collect();
        self.facts.serves = match restored {
            Restored::Yes { commit } => teller::serves(commit.as_deref()),
            _ => Serves::Nothing,
        };
        // Which version is still up is told beside the commit.
        if !matches!(restored, Restored::Yes { .. }) {
            self.facts.notes.push(restored.text());
        }
        self.look(cluster).await;
    }

    /// How the components and the quota are; left out where the cluster does not say.
    async fn look(&mut self, cluster: &Cluster) {
        let Some(namespace) = &self.facts.namespace else {
            return;
        };
        let Ok(Some((summary, states))) = look(cluster, namespace).await else {
            return;
        };
        for component in &mut self.facts.components {
            if let Some(state) = states.iter().find(|state| state.name == component.name) {
                component.state.clone_from(&state.state);
                component.up = state.up;
                // After a restore that is the version before's.
                if let Some(image) = &state.image {
                    component.image.clone_from(image);
                }
            }
        }
        self.facts.expires.clone_from(&summary.preserve_until);
        let share = |resource: &&str| {
            let usage = summary.quota.get(*resource)?;
            Some(Share {
                resource: (*resource).to_owned(),
                used: usage.used.clone(),
                granted: usage.hard.clone(),
                percent: summary.percent(resource),
            })
        };
        self.facts.quota = RESOURCES.iter().filter_map(share).collect();
    }

    /// The file has mistakes.
    pub fn invalid(&mut self, problems: &[Problem]) {
        self.facts.state = Some(State::Invalid);
        self.facts.problems = problems.to_vec();
    }

    /// It goes, or does not.
    pub fn removed(&mut self, ended: Result<&Ended, &DownError>) {
        let (state, word, reason) = match ended {
            Ok(Ended::Gone(_)) => (State::Destroyed, "gone", ""),
            Ok(Ended::Absent) => (State::Destroyed, "absent", "not-found"),
            Ok(Ended::Preserved(_)) => (State::Preserved, "preserved", "preserved"),
            Ok(Ended::Marked(_)) => (State::Destroying, "marked", "going"),
            Err(error) => {
                let reason = match error {
                    DownError::Blocked { .. } => "blocked",
                    DownError::Interrupted { .. } => "interrupted",
                    DownError::Changed { .. } => "changed",
                    DownError::Cluster(_) => "failed",
                    DownError::NotOurs(NotOurs::NotAnEnvironment { .. }) => "not-managed",
                    DownError::NotOurs(NotOurs::OtherProject { .. }) => "different-project",
                    DownError::NotOurs(NotOurs::OtherRepository { .. }) => "different-repo",
                };
                (State::Blocked, "left", reason)
            }
        };
        if let Ok(Ended::Gone(receipt)) = ended {
            note_receipt(&mut self.facts, receipt);
        }
        if let Ok(Ended::Preserved(preserved)) = ended {
            self.facts.expires = preserved.until.map(crate::desired::rfc3339);
        }
        if let Err(DownError::Blocked { left, .. }) = ended {
            self.facts.left.clone_from(left);
        }
        self.facts.serves = match state {
            State::Destroyed => Serves::Nothing,
            _ => Serves::AsBefore,
        };
        self.facts.state = Some(state);
        self.output("state", word);
        self.output("deleted", (word == "gone").to_string());
        self.output("reason", reason);
    }
}

/// What was removed, volumes among it.
pub(super) fn note_receipt(facts: &mut Facts, receipt: &Receipt) {
    facts.removed.clone_from(&receipt.objects);
    if !receipt.volumes.is_empty() {
        let count = receipt.volumes.len();
        facts.removed.insert("PersistentVolume".to_owned(), count);
    }
    facts.kept_volumes.clone_from(&receipt.kept_volumes);
}
