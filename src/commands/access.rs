//! Who may have environments: what the platform says about the repository whose workflow asks, and about forks.
//!
//! Asked in GitHub Actions only, where a repository asks for itself. On a laptop the cluster's own rights decide.

use crate::{
    cluster::Cluster,
    error::Failure,
    exit::Exit,
    github::Context,
    model::{
        EnvironmentKey, Profile,
        settings::{AccessMode, PlatformSettings},
    },
    reporter::run::Run,
};

use super::context::{self, Project, SETTINGS};

/// Refuses what the platform does not let in, before anything is written.
pub(super) async fn check(project: &Project, cluster: &Cluster) -> Result<(), Failure> {
    let Some(run) = Run::of_process()? else {
        return Ok(());
    };
    let Some(actions) = &run.context else {
        return Ok(());
    };
    let (key, profile) = project.subject();
    let trusted = is_trusted(&run, actions, key, profile);
    let (allowed, trusted) = futures::future::join(repository(actions, cluster), trusted).await;
    allowed.and(trusted)
}

/// The settings as they are for a profile.
pub(super) fn under(
    profile: Profile,
    settings: PlatformSettings,
) -> Result<PlatformSettings, Failure> {
    settings.under(profile).map_err(|error| {
        Failure::new(Exit::Denied, error.to_string()).hint(
            "whoever runs the platform decides about it: `forks.allow` in the platform settings",
        )
    })
}

/// Whether the platform lets the repository in. The list is always that of the cluster: a file named on the command line
/// would be whose workflow it is.
async fn repository(actions: &Context, cluster: &Cluster) -> Result<(), Failure> {
    let repository = &actions.repository;
    let denied = |why: &str| {
        Failure::new(
            Exit::Denied,
            format!(
                "{repository} may have no environments on {}: {why}",
                cluster.context()
            ),
        )
    };
    let hint = format!(
        "ask whoever runs the platform to add `{}` to `access.organizations`, or `{repository}` to `access.repositories`, \
         in the platform settings: `settings.access` of the chart k8s-ee-platform",
        repository.owner()
    );
    let settings = context::settings_of_cluster(cluster).await;
    let settings = settings.map_err(|error| {
        error.hint(format!(
            "the {SETTINGS} names the repositories that may have environments; unread, it lets nobody in"
        ))
    })?;
    let Some(settings) = settings else {
        let why = format!("there is no {SETTINGS}, which names those that may");
        return Err(denied(&why).hint(hint));
    };
    if settings
        .access
        .lets_in(repository.owner(), repository.name())
    {
        return Ok(());
    }
    Err(match settings.access.mode {
        AccessMode::Denylist => denied("it is on the list of those that may not"),
        _ => denied("it is not on the list of those that may").hint(hint),
    })
}

/// Refuses to deploy commits of a fork as if they were the repository's own.
async fn is_trusted(
    run: &Run,
    actions: &Context,
    key: &EnvironmentKey,
    profile: Profile,
) -> Result<(), Failure> {
    let EnvironmentKey::Pr(number) = key else {
        return Ok(());
    };
    if profile == Profile::Fork {
        return Ok(());
    }
    let of_event = (run.number() == Some(*number))
        .then(|| actions.is_fork())
        .flatten();
    let is_fork = match of_event {
        Some(is_fork) => is_fork,
        None => {
            let client = run.needed_client("telling whether it is from a fork")?;
            let pull = client.pull_request(&actions.repository, *number).await?;
            pull.is_fork()
        }
    };
    if !is_fork {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Denied,
        format!("pull request {}#{number} is from a fork, and is to be deployed as if it were not", actions.repository),
    )
    .hint("deploy it with --profile fork, from a workflow that does not run its code: docs/guides/forks.md"))
}
