//! A plan held against the API server: every object that would be written is applied without being kept, so that the
//! fields that change are those that the server says, and what it would refuse is known before anything is written.

use futures::future::join_all;

use super::{Deployer, Survey};
use crate::{
    cluster::ClusterError,
    diagnose::Refusal,
    model::object::ObjectId,
    plan::{Action, Change, Live, Plan, VOLATILE, diff},
};

/// What the API server said to a plan.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    /// How many objects it was asked about.
    pub tried: usize,
    /// Those that it would not take.
    pub refusals: Vec<Refusal>,
    /// Why it could not be asked about some, in words.
    pub notes: Vec<String>,
}

/// What the API server said to an object.
enum Answer {
    /// It would take it; the fields that would change.
    Taken(Vec<diff::FieldChange>),
    /// It would not.
    Refused(Refusal),
    /// It cannot be asked: a right or a webhook is in the way.
    Unknown(String),
    /// Its answer says nothing of the rollout, in which other objects go before.
    Premature,
}

impl Deployer<'_> {
    /// Asks the API server about each object of the plan that would be created or updated, and puts its account of the
    /// fields in the place of ours. Of an environment whose namespace is not there yet, only what stands outside of it
    /// can be asked about.
    ///
    /// # Errors
    /// When the API server cannot be reached or does not know who asks.
    pub async fn dry_run(&self, survey: &mut Survey) -> Result<DryRun, ClusterError> {
        let exists = survey.namespace.is_some();
        let bounds_change = bounds_change(&survey.plan);
        let live = &survey.live;
        let is_tried = |change: &Change| {
            let is_written = matches!(change.action, Action::Create | Action::Update);
            is_written && (exists || change.id.namespace.is_none())
        };
        let mut found = DryRun::default();
        let tried: Vec<&Change> = survey.plan.changes().filter(|c| is_tried(c)).collect();
        let answers = join_all(
            tried
                .iter()
                .map(|change| self.ask(change, live, bounds_change)),
        );
        let answers: Vec<(ObjectId, Answer)> = answers
            .await
            .into_iter()
            .zip(&tried)
            .map(|(answer, change)| Ok((change.id.clone(), answer?)))
            .collect::<Result<_, ClusterError>>()?;
        for (id, answer) in answers {
            match answer {
                Answer::Taken(fields) => {
                    found.tried += 1;
                    // Where nothing changes but whose the fields are, our own account says so.
                    if !fields.is_empty() {
                        survey.plan.set_fields(&id, fields);
                    }
                }
                Answer::Refused(refusal) => {
                    found.tried += 1;
                    found.refusals.push(refusal);
                }
                Answer::Unknown(why) => {
                    let note = format!("not tried on the API server: {why}");
                    if !found.notes.contains(&note) {
                        found.notes.push(note);
                    }
                }
                Answer::Premature => {}
            }
        }
        Ok(found)
    }

    async fn ask(
        &self,
        change: &Change,
        live: &Live,
        bounds_change: bool,
    ) -> Result<Answer, ClusterError> {
        let (code, reason, message) = match self.cluster.dry_run(&change.object).await {
            Ok(after) => {
                let there = live
                    .get(&change.id)
                    .filter(|_| change.action == Action::Update);
                let fields = there.map(|there| diff::between(there, &after, VOLATILE));
                return Ok(Answer::Taken(fields.unwrap_or_default()));
            }
            Err(ClusterError::Forbidden { message, .. }) => return Ok(Answer::Unknown(message)),
            Err(ClusterError::Refused {
                code,
                reason,
                message,
                ..
            }) => (code, reason, message),
            Err(error) => return Err(error),
        };
        if message.contains("does not support dry run") {
            return Ok(Answer::Unknown(message));
        }
        // The bounds are raised first.
        if bounds_change && message.contains("exceeded quota") {
            return Ok(Answer::Premature);
        }
        Ok(Answer::Refused(Refusal {
            object: change.id.clone(),
            component: change.object.component().map(str::to_owned),
            code,
            reason,
            message,
        }))
    }
}

fn bounds_change(plan: &Plan) -> bool {
    let bounds = ["ResourceQuota", "LimitRange"];
    plan.changes()
        .any(|c| bounds.contains(&c.id.kind.as_str()) && c.action != Action::Keep)
}
