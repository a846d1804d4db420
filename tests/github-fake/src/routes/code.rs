//! The repository itself, who may do what in it, its files, its pull requests.

use std::collections::BTreeSet;

use super::{Ask, Outcome, number};
use crate::{
    answer::Answer,
    world::{Access, Pull, Role},
};

pub(super) fn repository(ask: &mut Ask<'_>) -> Outcome {
    Ok(Answer::new(200, ask.show().repository()))
}

pub(super) fn permission(ask: &mut Ask<'_>, login: &str) -> Outcome {
    let private = ask.repository().private;
    let known = ask.repository().collaborators.get(login).cloned();
    // A public repository can be read by everybody.
    let name = if private { "none" } else { "read" };
    let role = known.unwrap_or_else(|| Role {
        permission: name.to_owned(),
        name: name.to_owned(),
    });
    Ok(Answer::new(200, ask.show().permission(login, &role)))
}

pub(super) fn pull(ask: &mut Ask<'_>, id: &str) -> Outcome {
    let id = number(id)?;
    let Some(pull) = ask.repository().pulls.get(&id).cloned() else {
        return Err(Answer::not_found());
    };
    ask.may(Access::Read, &["pull_requests"])?;
    Ok(Answer::new(200, ask.show().pull(id, &pull)))
}

pub(super) fn pulls(ask: &mut Ask<'_>) -> Outcome {
    ask.may(Access::Read, &["pull_requests"])?;
    let state = ask.parameter("state").unwrap_or("open").to_owned();
    let head = ask.parameter("head").map(str::to_owned);
    let name = ask.name.clone();
    let fits = |pull: &Pull| {
        let from = pull.head_repository.as_deref().unwrap_or(&name);
        let owner = from.split('/').next().unwrap_or_default();
        let label = format!("{owner}:{}", pull.branch);
        (state == "all" || (state == "open") == pull.open)
            && head.as_deref().is_none_or(|head| head == label)
    };
    Ok(listed(ask, fits))
}

/// GitHub finds them only by commits that the repository itself has.
pub(super) fn pulls_with(ask: &mut Ask<'_>, sha: &str) -> Outcome {
    ask.may(Access::Read, &["pull_requests"])?;
    let known = ask
        .repository()
        .pulls
        .values()
        .any(|pull| pull.sha == sha || pull.base_sha == sha);
    if !known {
        return Err(Answer::refusal(
            422,
            &format!("No commit found for SHA: {sha}"),
        ));
    }
    let name = ask.name.clone();
    Ok(listed(ask, |pull| pull.sha == sha && pull.is_own(&name)))
}

/// Pull requests, the newest first.
fn listed(ask: &mut Ask<'_>, fits: impl Fn(&Pull) -> bool) -> Answer {
    let all = ask.repository().pulls.clone();
    let pulls: Vec<(u64, Pull)> = all
        .into_iter()
        .rev()
        .filter(|(_, pull)| fits(pull))
        .collect();
    ask.page(&pulls, |show, (id, pull)| show.pull_of_list(*id, pull))
}

pub(super) fn contents(ask: &mut Ask<'_>, path: &str) -> Outcome {
    ask.may(Access::Read, &["contents"])?;
    let commit = ask.parameter("ref").unwrap_or_default().to_owned();
    let links = ask
        .repository()
        .links
        .get(&commit)
        .cloned()
        .unwrap_or_default();
    let Some(files) = ask.repository().files.get(&commit).cloned() else {
        let message = format!("No commit found for the ref {commit}");
        return Err(Answer::refusal(404, &message));
    };
    let show = ask.show();
    if let Some(text) = files.get(path) {
        return Ok(Answer::new(200, show.file(path, text)));
    }
    if let Some(target) = links.get(path) {
        // A link to a file of the repository is answered with that file.
        return Ok(Answer::new(
            200,
            match files.get(target) {
                Some(text) => show.file(target, text),
                None => show.link(path, target),
            },
        ));
    }
    let folder = format!("{path}/");
    let entries: BTreeSet<&str> = files
        .keys()
        .filter_map(|file| file.strip_prefix(&folder)?.split('/').next())
        .collect();
    if entries.is_empty() {
        return Err(Answer::not_found());
    }
    let entries = entries
        .iter()
        .map(|name| show.entry_of_folder(&format!("{folder}{name}")));
    Ok(Answer::new(200, entries.collect()))
}
