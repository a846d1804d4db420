//! What a template of the comment is given: all facts, with the links and words that they are shown with.
//!
//! Every member is there in every state, null or empty where there is nothing, so that a template may ask for each.

use serde_json::{Value, json};

use super::{
    facts::{Component, Facts, Place, Serves, State},
    said::{Last, Said, same_commit},
    words,
};

/// How much of what is long is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Newest lines of each log.
    pub(super) log_lines: usize,
    /// Causes, each with its evidence.
    pub(super) causes: usize,
    /// Mistakes in the file.
    pub(super) problems: usize,
    /// Components.
    pub(super) components: usize,
    /// Characters of a text.
    pub(super) text: usize,
}

impl Room {
    /// From all there is to what always fits; the lines of logs go first.
    pub(super) const STEPS: [Self; 6] = [
        Self::new(60, 20, 50, 60, 2000),
        Self::new(15, 20, 50, 60, 2000),
        Self::new(5, 20, 50, 60, 2000),
        Self::new(0, 10, 30, 60, 1000),
        Self::new(0, 5, 10, 30, 500),
        Self::new(0, 1, 3, 10, 200),
    ];

    const fn new(
        log_lines: usize,
        causes: usize,
        problems: usize,
        components: usize,
        text: usize,
    ) -> Self {
        Self {
            log_lines,
            causes,
            problems,
            components,
            text,
        }
    }
}

/// The variables of a template.
#[must_use]
pub(super) fn view(facts: &Facts, state: State, before: Option<&Said>, room: Room) -> Value {
    let place = &facts.place;
    let serves = match &facts.serves {
        Serves::AsBefore => before.and_then(|said| said.serves.as_deref()),
        Serves::Nothing | Serves::Something => None,
        Serves::Commit(commit) => Some(commit.as_str()),
    };
    let served = words::is_served(
        &facts.serves,
        before.and_then(|said| said.serves.as_deref()),
    );
    let words = words::of(state, served);
    let commit = facts
        .commit
        .as_deref()
        .map(|commit| link_of_commit(place, commit));
    let is_new = serves.is_some_and(|serves| {
        !facts
            .commit
            .as_deref()
            .is_some_and(|commit| same_commit(commit, serves))
    });
    let url = facts.url.as_deref().or_else(|| before?.url.as_deref());
    let namespace = facts
        .namespace
        .as_deref()
        .or_else(|| before?.namespace.as_deref());
    let number = place.number;
    let (causes, problems) = (&facts.causes, &facts.problems);
    let mut cut: Vec<String> = Vec::new();
    let mut first = |what: &str, there: usize, most: usize| {
        if there > most {
            cut.push(format!("{} more {what}", there - most));
        }
        most
    };
    let (most_causes, most_problems, most_components) = (
        first("causes", causes.len(), room.causes),
        first("mistakes", problems.len(), room.problems),
        first("components", facts.components.len(), room.components),
    );
    if room.log_lines == 0 && !facts.logs.is_empty() {
        cut.push("the logs".to_owned());
    }
    let clip = |text: &str| clip(text, room.text);
    json!({
        "state": state.name(),
        "icon": words.icon,
        "title": words.title,
        "ok": !state.is_bad(),
        "url": url,
        "host": url.map(host),
        "is_up": served && !state.is_removal(),
        "namespace": namespace,
        "project": facts.project,
        "repository": place.repository,
        "number": number,
        "commit": commit,
        "branch": facts.branch.as_deref().map(clip),
        "serves": serves.filter(|_| is_new).map(|commit| link_of_commit(place, commit)),
        "changed": changed(facts, before.and_then(|said| said.last.as_ref())),
        "components": facts.components.iter().take(most_components).map(|component| json!({
            "name": component.name,
            "kind": component.kind,
            "icon": icon_of(component),
            "state": clip(&component.state),
            "up": component.up,
            "time": component.seconds.map(duration),
            "image": clip(&short_image(&component.image)),
        })).collect::<Vec<_>>(),
        "quota": facts.quota.iter().map(|share| json!({
            "resource": share.resource,
            "title": title_of_resource(&share.resource),
            "used": share.used,
            "granted": share.granted,
            "percent": share.percent,
        })).collect::<Vec<_>>(),
        "expires": facts.expires.as_deref().map(time),
        "dashboards": facts.dashboards,
        "failure": facts.failure.as_ref().map(|trouble| json!({
            "message": clip(&trouble.message),
            "because": trouble.because.iter().map(|text| clip(text)).collect::<Vec<_>>(),
            "hints": trouble.hints.iter().map(|text| clip(text)).collect::<Vec<_>>(),
        })),
        "causes": causes.iter().take(most_causes).map(|located| {
            let (cause, fix) = (&located.cause, &located.cause.fix);
            json!({
                "code": cause.code.to_string(),
                "component": cause.component,
                "summary": clip(&cause.summary),
                "evidence": clip(&cause.evidence.join("\n")),
                "fix": clip(&fix.text),
                "yaml": fix.yaml().map(|yaml| clip(&yaml)),
                "command": fix.command,
                "place": located.line.map(|line| link_of_line(place, facts.commit.as_deref(), line)),
            })
        }).collect::<Vec<_>>(),
        "problems": problems.iter().take(most_problems).map(|problem| json!({
            "message": clip(&problem.message),
            "hint": problem.hint.as_deref().map(clip),
            "place": link_of_line(place, facts.commit.as_deref(), problem.place.line),
        })).collect::<Vec<_>>(),
        "logs": facts.logs.iter().filter(|log| room.log_lines > 0 && !log.lines.is_empty()).map(|log| {
            let from = log.lines.len().saturating_sub(room.log_lines);
            let lines: Vec<String> = log.lines[from..].iter().map(|line| self::clip(line, 500)).collect();
            json!({"title": log.title, "text": lines.join("\n"), "lines": lines.len()})
        }).collect::<Vec<_>>(),
        "left": facts.left.iter().take(room.problems).map(|text| clip(text)).collect::<Vec<_>>(),
        "removed": facts.removed.iter().map(|(kind, count)| json!({
            "kind": kind,
            "count": count,
            "text": if *count == 1 { format!("1 {kind}") } else { format!("{count} {}", plural(kind)) },
        })).collect::<Vec<_>>(),
        "kept_volumes": facts.kept_volumes.iter().take(room.problems).collect::<Vec<_>>(),
        "jobs": facts.jobs.iter().map(|(name, result)| json!({"name": name, "result": result})).collect::<Vec<_>>(),
        "notes": facts.notes.iter().take(10).map(|text| capital(&clip(text))).collect::<Vec<_>>(),
        "cut": cut,
        "run": place.run.map(|run| json!({
            "id": run.id,
            "attempt": run.attempt,
            "url": format!("{}/{}/actions/runs/{}", place.server, place.repository, run.id),
        })),
        "commands": commands(facts, state, served),
        "flags": flags(facts, number),
        "file": place.file,
        "updated": time(&facts.now),
        "seconds": facts.seconds.map(duration),
    })
}

/// A commit, and where it is shown.
fn link_of_commit(place: &Place, commit: &str) -> Value {
    let short: String = commit.chars().take(7).collect();
    json!({
        "sha": commit,
        "short": short,
        "url": in_repository(place, &["commit", commit]),
    })
}

/// A line of the configuration file, at the commit.
fn link_of_line(place: &Place, commit: Option<&str>, line: usize) -> Value {
    let url = commit.and_then(|commit| {
        let parts: Vec<&str> = ["blob", commit]
            .into_iter()
            .chain(place.file.split('/'))
            .collect();
        Some(format!("{}#L{line}", in_repository(place, &parts)?))
    });
    json!({"text": format!("{}:{line}", place.file), "line": line, "url": url})
}

fn in_repository(place: &Place, parts: &[&str]) -> Option<String> {
    if place.repository.is_empty() {
        return None;
    }
    let encode = |part: &&str| {
        let part = part.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        });
        part.collect::<String>()
    };
    let path: Vec<String> = parts.iter().map(encode).collect();
    Some(format!(
        "{}/{}/{}",
        place.server,
        place.repository,
        path.join("/")
    ))
}

/// What differs from the version that was up last; null when there was none, or nothing is known of this one.
fn changed(facts: &Facts, last: Option<&Last>) -> Value {
    let Some(last) = last.filter(|_| !facts.parts.is_empty()) else {
        return Value::Null;
    };
    let mut changes: Vec<Value> = Vec::new();
    for (name, part) in &facts.parts {
        let mut what = Vec::new();
        match last.components.get(name) {
            None => what.push("new"),
            Some(before) => {
                if before.image != part.image {
                    what.push("image");
                }
                if before.config != part.config {
                    what.push("configuration");
                }
            }
        }
        if !what.is_empty() {
            changes.push(json!({"name": name, "what": what.join(" and ")}));
        }
    }
    for name in last.components.keys() {
        if !facts.parts.contains_key(name) {
            changes.push(json!({"name": name, "what": "removed"}));
        }
    }
    let place = &facts.place;
    let since = last.commit.as_deref().map(|before| {
        let mut since = link_of_commit(place, before);
        if let Some(now) = facts
            .commit
            .as_deref()
            .filter(|now| !same_commit(now, before))
        {
            since["compare"] =
                in_repository(place, &["compare", &format!("{before}...{now}")]).into();
        } else {
            since["compare"] = Value::Null;
        }
        since
    });
    json!({"since": since, "components": changes})
}

/// An image with no more of its digest than people compare.
fn short_image(image: &str) -> String {
    match image.split_once("@sha256:") {
        Some((name, digest)) if digest.len() > 12 && digest.is_ascii() => {
            format!("{name}@sha256:{}…", &digest[..12])
        }
        _ => image.to_owned(),
    }
}

const fn icon_of(component: &Component) -> &'static str {
    if component.up {
        "🟢"
    } else if component.state.is_empty() {
        "⚪"
    } else {
        "🟡"
    }
}

/// What somebody may type under the pull request. What waits is from a fork, also where nobody has asked GitHub.
fn commands(facts: &Facts, state: State, served: bool) -> Vec<Value> {
    if facts.place.number.is_none() {
        return Vec::new();
    }
    let approved = facts
        .commit
        .as_deref()
        .filter(|_| facts.is_fork || state == State::Waiting);
    let (text, newest) = match approved {
        Some(commit) => (format!("/deploy-preview {commit}"), "this commit"),
        None => ("/deploy-preview".to_owned(), "the newest commit"),
    };
    let what = match state {
        State::Destroyed => "bring the preview up again".to_owned(),
        State::Waiting => format!("allow {newest} to be deployed"),
        _ => format!("deploy {newest} again"),
    };
    let deploy = json!({"text": text, "what": what});
    let destroy = json!({"text": "/destroy-preview", "what": "remove the preview with its data"});
    let preserve = |what: &str| json!({"text": "/preserve", "what": what});
    match state {
        State::Preserved => vec![destroy, preserve("keep it for longer")],
        State::Destroyed => vec![deploy],
        State::Waiting if !served => vec![deploy],
        State::Blocked | State::Destroying => vec![destroy],
        _ if served => vec![
            deploy,
            destroy,
            preserve("keep the preview for a while after this is closed"),
        ],
        _ => vec![deploy, destroy],
    }
}

/// The flags that name the environment on a command line.
fn flags(facts: &Facts, number: Option<u64>) -> Option<String> {
    let number = number?;
    Some(match &facts.project {
        Some(project) => format!("--pr {number} --project {project}"),
        None => format!("--pr {number}"),
    })
}

fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) if kind.ends_with("cy") => format!("{stem}ies"),
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn title_of_resource(resource: &str) -> &str {
    match resource {
        "limits.cpu" => "CPU limit",
        "limits.memory" => "memory limit",
        "requests.cpu" => "CPU",
        "requests.memory" => "memory",
        "requests.storage" => "storage",
        "persistentvolumeclaims" => "volumes",
        other => other,
    }
}

/// A sentence with a capital at its beginning.
fn capital(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).collect()
}

/// A time as people read it, to the minute, where it is one.
fn time(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => clip(text, 40),
    }
}

/// Seconds as people read them.
fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1}\u{a0}s");
    }
    let whole = seconds.round();
    format!(
        "{:.0}\u{a0}min {:02.0}\u{a0}s",
        (whole / 60.0).floor(),
        whole % 60.0
    )
}

/// A text, cut where it is longer than so many characters.
fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}
