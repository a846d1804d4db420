//! Comments, reactions to them, labels.

use super::{Ask, Outcome, number};
use crate::{
    answer::Answer,
    world::{Access, Comment, Reaction, now},
};

/// Any of these lets a token read or write what people say about a pull request.
const TALK: [&str; 2] = ["issues", "pull_requests"];

/// Most characters of a comment.
const MOST_WORDS: usize = 65_536;

pub(super) fn list(ask: &mut Ask<'_>, issue: &str) -> Outcome {
    let issue = known(ask, issue)?;
    ask.may(Access::Read, &TALK)?;
    let since = ask.parameter("since").unwrap_or_default().to_owned();
    let all = ask.repository().comments.clone();
    let comments: Vec<(u64, Comment)> = all
        .into_iter()
        .filter(|(_, comment)| comment.issue == issue && comment.updated_at >= since)
        .collect();
    Ok(ask.page(&comments, |show, (id, comment)| show.comment(*id, comment)))
}

pub(super) fn create(ask: &mut Ask<'_>, issue: &str) -> Outcome {
    let issue = known(ask, issue)?;
    ask.may(Access::Write, &TALK)?;
    if ask.repository().pulls[&issue].locked {
        let message = "Unable to create comment because issue is locked.";
        return Err(Answer::refusal(403, message));
    }
    let body = words(ask)?;
    let (name, login) = (ask.name.clone(), ask.token.login.clone());
    let id = ask.world.comment(&name, issue, &login, &body);
    let comment = ask.repository().comments[&id].clone();
    Ok(Answer::new(201, ask.show().comment(id, &comment)))
}

pub(super) fn update(ask: &mut Ask<'_>, id: &str) -> Outcome {
    let id = number(id)?;
    if !ask.repository().comments.contains_key(&id) {
        return Err(Answer::not_found());
    }
    ask.may(Access::Write, &TALK)?;
    let body = words(ask)?;
    let comment = ask.repository().comments.get_mut(&id).expect("it is there");
    comment.body = body;
    comment.updated_at = now();
    let comment = comment.clone();
    Ok(Answer::new(200, ask.show().comment(id, &comment)))
}

pub(super) fn delete(ask: &mut Ask<'_>, id: &str) -> Outcome {
    let id = number(id)?;
    if !ask.repository().comments.contains_key(&id) {
        return Err(Answer::not_found());
    }
    ask.may(Access::Write, &TALK)?;
    ask.repository().comments.remove(&id);
    Ok(Answer::empty(204))
}

pub(super) fn react(ask: &mut Ask<'_>, id: &str) -> Outcome {
    let comment = number(id)?;
    if !ask.repository().comments.contains_key(&comment) {
        return Err(Answer::not_found());
    }
    ask.may(Access::Write, &TALK)?;
    let reaction = Reaction {
        id: ask.world.next_id(),
        login: ask.token.login.clone(),
        content: ask.text("content").to_owned(),
    };
    let there = &mut ask
        .repository()
        .comments
        .get_mut(&comment)
        .expect("it is there")
        .reactions;
    let same =
        |known: &&Reaction| known.login == reaction.login && known.content == reaction.content;
    if let Some(known) = there.iter().find(same).cloned() {
        return Ok(Answer::new(200, ask.show().reaction(&known)));
    }
    there.push(reaction.clone());
    Ok(Answer::new(201, ask.show().reaction(&reaction)))
}

pub(super) fn label(ask: &mut Ask<'_>, issue: &str) -> Outcome {
    let issue = known(ask, issue)?;
    ask.may(Access::Write, &TALK)?;
    let added: Vec<String> = ask.body["labels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|label| label.as_str().map(str::to_owned))
        .collect();
    let labels = &mut ask
        .repository()
        .pulls
        .get_mut(&issue)
        .expect("it is there")
        .labels;
    for label in added {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let labels = labels.clone();
    let show = ask.show();
    Ok(Answer::new(
        200,
        labels.iter().map(|label| show.label(label)).collect(),
    ))
}

pub(super) fn unlabel(ask: &mut Ask<'_>, issue: &str, label: &str) -> Outcome {
    let issue = known(ask, issue)?;
    ask.may(Access::Write, &TALK)?;
    let labels = &mut ask
        .repository()
        .pulls
        .get_mut(&issue)
        .expect("it is there")
        .labels;
    let before = labels.len();
    labels.retain(|known| known != label);
    if labels.len() == before {
        return Err(Answer::refusal(404, "Label does not exist"));
    }
    let labels = labels.clone();
    let show = ask.show();
    Ok(Answer::new(
        200,
        labels.iter().map(|label| show.label(label)).collect(),
    ))
}

/// The number of a pull request that is there.
fn known(ask: &mut Ask<'_>, issue: &str) -> Result<u64, Answer> {
    let issue = number(issue)?;
    let there = ask.repository().pulls.contains_key(&issue);
    there.then_some(issue).ok_or_else(Answer::not_found)
}

/// The text of a comment, if GitHub takes it.
fn words(ask: &Ask<'_>) -> Result<String, Answer> {
    let body = ask.text("body");
    let refuse = |message| Answer::invalid("IssueComment", "body", message);
    if body.trim().is_empty() {
        return Err(refuse("body cannot be blank"));
    }
    if body.chars().count() > MOST_WORDS {
        return Err(refuse("body is too long (maximum is 65536 characters)"));
    }
    Ok(body.to_owned())
}
