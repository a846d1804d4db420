//! `prepare`: the databases of an environment, before there is an image of its services.
//!
//! It carries out the part of the plan that is the databases', so that `up` finds them as it would have made them. What
//! runs already stays as it is.

use serde_json::json;

use super::{
    Deployer, Marks, Options, Outcome, Survey,
    failure::DeployError,
    lease::{Holder, Work},
    live, record,
};
use crate::{
    cluster::ClusterError,
    model::{Environment, labels},
    plan::Action,
};

impl Deployer<'_> {
    /// The `up` that brings this environment up just now, from the same commit: it starts the databases itself.
    ///
    /// # Errors
    /// When the cluster cannot be read.
    pub async fn up_at_work(
        &self,
        environment: &Environment,
    ) -> Result<Option<Holder>, ClusterError> {
        let identity = &environment.identity;
        let same = |holder: &Holder| {
            let same = is_same_up(holder, environment);
            if same {
                self.look_after(holder);
            }
            same
        };
        // In a namespace that is not there yet, we may not even ask.
        let holder = Holder::at_work(self.cluster, &identity.namespace, same).await;
        Ok(live::if_allowed(holder)?.flatten())
    }

    /// Makes the namespace and what surrounds the components, and brings the databases up.
    ///
    /// # Errors
    /// The cause, and what state the environment was left in.
    pub async fn prepare(
        &self,
        environment: &Environment,
        mut survey: Survey,
    ) -> Result<Outcome, DeployError> {
        let databases: Vec<&str> = environment
            .databases
            .iter()
            .map(|database| database.kind.name())
            .collect();
        let is_database = |name: &str| databases.contains(&name);
        survey.plan = survey.plan.only(is_database);
        let mut live = survey.live.values();
        let services_run = live.any(|object| {
            let component = object.component();
            object.kind() == "Deployment" && !component.is_some_and(is_database)
        });
        if services_run {
            leave_services_alone(&mut survey);
        }
        let end = if self.options.wait {
            labels::STATE_PREPARED
        } else {
            labels::STATE_PREPARING
        };
        let marks = Marks {
            work: Work::Prepare,
            states: (!services_run).then_some((labels::STATE_PREPARING, end)),
            // What was up is still what is to be restored.
            record: survey.record.is_none().then_some(record::Kind::Prepare),
        };
        // Services that are not there cannot be the cause of anything.
        let databases_only = Environment {
            services: Vec::new(),
            ..environment.clone()
        };
        // Only databases that have changed can be brought back to what they were.
        let record = survey.record.as_ref();
        let changed = record.is_some_and(|r| r.environment.databases != environment.databases);
        let deployer = Deployer {
            options: Options {
                rollback: self.options.rollback && changed,
                check_url: false,
                ..self.options.clone()
            },
            ..*self
        };
        deployer
            .carry_out_or_restore(&databases_only, survey, &marks)
            .await
    }
}

/// The namespace goes on saying which commit runs, the policies let that one be reached, and the quota has room for it.
fn leave_services_alone(survey: &mut Survey) {
    let Survey { plan, live, .. } = survey;
    for change in &mut plan.guardrails {
        if change.action != Action::Update {
            continue;
        }
        match change.id.kind.as_str() {
            "Namespace" | "NetworkPolicy" => change.action = Action::Keep,
            "ResourceQuota" => {
                let granted = live
                    .get(&change.id)
                    .and_then(|quota| quota.get("/spec/hard"));
                let granted = granted.and_then(|hard| serde_json::from_value(hard.clone()).ok());
                let more = plan.quota.raise_to(&granted.unwrap_or_default());
                change.object.as_map_mut()["spec"]["hard"] = json!(plan.quota.hard_strings());
                if !more {
                    change.action = Action::Keep;
                }
            }
            _ => {}
        }
    }
}

/// Whether somebody who has the turn does what will be done here too.
#[must_use]
pub fn is_same_up(holder: &Holder, environment: &Environment) -> bool {
    holder.work == Work::Up && holder.commit == environment.identity.commit
}
