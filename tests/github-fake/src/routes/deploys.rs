//! Deployments and their statuses, and the statuses of commits.

use super::{Ask, Outcome, number};
use crate::{
    answer::Answer,
    world::{Access, CommitStatus, Deployment, DeploymentStatus, now},
};

/// Most characters of a description.
const MOST_WORDS: usize = 140;

pub(super) fn list(ask: &mut Ask<'_>) -> Outcome {
    ask.may(Access::Read, &["deployments"])?;
    let wanted = |ask: &Ask<'_>, name: &str| ask.parameter(name).map(str::to_owned);
    let (environment, sha) = (wanted(ask, "environment"), wanted(ask, "sha"));
    let commit = wanted(ask, "ref");
    let fits = |wanted: &Option<String>, value: &String| {
        wanted.as_ref().is_none_or(|wanted| wanted == value)
    };
    let all = ask.repository().deployments.clone();
    let found: Vec<(u64, Deployment)> = all
        .into_iter()
        .rev()
        .filter(|(_, known)| {
            fits(&environment, &known.environment)
                && fits(&sha, &known.sha)
                && fits(&commit, &known.sha)
        })
        .collect();
    Ok(ask.page(&found, |show, (id, deployment)| {
        show.deployment(*id, deployment)
    }))
}

pub(super) fn create(ask: &mut Ask<'_>) -> Outcome {
    ask.may(Access::Write, &["deployments"])?;
    let sha = ask.text("ref").to_owned();
    let name = ask.name.clone();
    let mut pulls = ask.repository().pulls.values();
    if !pulls.any(|pull| pull.base_sha == sha || (pull.sha == sha && pull.is_own(&name))) {
        let message = format!("No ref found for: {sha}");
        return Err(Answer::refusal(422, &message));
    }
    // Without a word about them, all that was said of the commit has to be good.
    let bad = |status: &CommitStatus| status.sha == sha && status.state != "success";
    if ask.body["required_contexts"].is_null() && ask.repository().statuses.iter().any(bad) {
        return Err(Answer::empty(409));
    }
    let deployment = Deployment {
        environment: ask.body["environment"]
            .as_str()
            .unwrap_or("production")
            .to_owned(),
        description: ask.text("description").to_owned(),
        transient: ask.body["transient_environment"] == true,
        production: ask.body["production_environment"] == true,
        creator: ask.token.login.clone(),
        created_at: now(),
        statuses: Vec::new(),
        sha,
    };
    let id = ask.world.next_id();
    ask.repository().deployments.insert(id, deployment.clone());
    Ok(Answer::new(201, ask.show().deployment(id, &deployment)))
}

pub(super) fn statuses(ask: &mut Ask<'_>, id: &str) -> Outcome {
    let (id, deployment) = known(ask, id)?;
    ask.may(Access::Read, &["deployments"])?;
    let newest_first: Vec<&DeploymentStatus> = deployment.statuses.iter().rev().collect();
    Ok(ask.page(&newest_first, |show, status| {
        show.deployment_status(id, &deployment, status)
    }))
}

pub(super) fn report(ask: &mut Ask<'_>, id: &str) -> Outcome {
    let (id, deployment) = known(ask, id)?;
    ask.may(Access::Write, &["deployments"])?;
    let description = words(ask, "DeploymentStatus")?;
    let status = DeploymentStatus {
        id: ask.world.next_id(),
        state: ask.text("state").to_owned(),
        description,
        environment_url: ask.text("environment_url").to_owned(),
        log_url: ask.text("log_url").to_owned(),
        created_at: now(),
    };
    let first_of_others = ask.world.next_id();
    let retires = status.state == "success" && ask.body["auto_inactive"] != false;
    let mut others = first_of_others;
    for (other, known) in &mut ask.repository().deployments {
        // GitHub retires those before it by itself, but none of an environment that will be gone.
        let was_up = known
            .statuses
            .last()
            .is_some_and(|last| last.state == "success");
        let same =
            known.environment == deployment.environment && !known.transient && !known.production;
        if *other == id {
            known.statuses.push(status.clone());
        } else if retires && same && was_up && *other < id {
            others += 1;
            known.statuses.push(DeploymentStatus {
                id: others,
                state: "inactive".to_owned(),
                ..status.clone()
            });
        }
    }
    ask.world.last_id = others;
    Ok(Answer::new(
        201,
        ask.show().deployment_status(id, &deployment, &status),
    ))
}

pub(super) fn commit_status(ask: &mut Ask<'_>, sha: &str) -> Outcome {
    ask.may(Access::Write, &["statuses"])?;
    if !ask
        .repository()
        .pulls
        .values()
        .any(|pull| pull.sha == sha || pull.base_sha == sha)
    {
        let message = format!("No commit found for SHA: {sha}");
        return Err(Answer::refusal(422, &message));
    }
    let status = CommitStatus {
        id: ask.world.next_id(),
        sha: sha.to_owned(),
        context: ask.body["context"].as_str().unwrap_or("default").to_owned(),
        state: ask.text("state").to_owned(),
        description: words(ask, "Status")?,
        target_url: ask.body["target_url"].as_str().map(str::to_owned),
        creator: ask.token.login.clone(),
        created_at: now(),
    };
    ask.repository().statuses.push(status.clone());
    Ok(Answer::new(201, ask.show().commit_status(&status)))
}

fn known(ask: &mut Ask<'_>, id: &str) -> Result<(u64, Deployment), Answer> {
    let id = number(id)?;
    let deployment = ask.repository().deployments.get(&id).cloned();
    deployment
        .map(|found| (id, found))
        .ok_or_else(Answer::not_found)
}

/// A description, if GitHub takes it.
fn words(ask: &Ask<'_>, resource: &str) -> Result<String, Answer> {
    let description = ask.text("description");
    if description.chars().count() > MOST_WORDS {
        let message = "description is too long (maximum is 140 characters)";
        return Err(Answer::invalid(resource, "description", message));
    }
    Ok(description.to_owned())
}
