//! Containers that work at the moment and were ended again and again: nothing that is looked at now is wrong with them.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Finding;
use crate::{diagnose::shown, model::object::Object};

const CHECK: &str = "restarts";

/// After so long without another end the last one does not count any more.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// One finding for each container that is ready and was ended within the last hour, other than by itself for good.
pub(super) fn findings(objects: &[Object], now: Timestamp) -> Vec<Finding> {
    let pods = objects.iter().filter(|object| object.kind() == "Pod");
    pods.flat_map(|pod| {
        let statuses = pod
            .get("/status/containerStatuses")
            .and_then(Value::as_array);
        let statuses = statuses.into_iter().flatten();
        statuses.filter_map(move |status| finding(pod, status, objects, now))
    })
    .collect()
}

fn finding(pod: &Object, status: &Value, objects: &[Object], now: Timestamp) -> Option<Finding> {
    // Why one is not ready, a diagnosis tells.
    let is_ready = status["ready"].as_bool() == Some(true);
    let count = status["restartCount"]
        .as_u64()
        .filter(|&count| is_ready && count > 0)?;
    let last = status.pointer("/lastState/terminated")?;
    let ended: Timestamp = last["finishedAt"].as_str()?.parse().ok()?;
    let ago = now.duration_since(ended);
    if ago > RECENT {
        return None;
    }
    let container = status["name"].as_str()?;
    let of = pod.component().unwrap_or(container);
    let ns = pod.namespace()?;
    let times = if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    };
    let when = match ago.as_mins() {
        ..=0 => "just now".to_owned(),
        1 => "a minute ago".to_owned(),
        minutes => format!("{minutes} minutes ago"),
    };
    let (why, hint) = if last["reason"] == "OOMKilled" {
        let text = "it used more memory than its limit";
        let hint = format!(
            "raise `resources.limits.memory` of {of}; what it uses: kubectl -n {ns} top pod {}",
            pod.name()
        );
        (text.to_owned(), hint)
    } else if let Some(event) = liveness(pod, objects) {
        let text = format!("its liveness probe failed ({})", shown(event, &[]));
        let hint = format!(
            "give {of} a `livenessPath` that asks no database and answers at once; the log of the run before: kubectl -n {ns} logs {} -c {container} --previous",
            pod.name()
        );
        (text, hint)
    } else {
        let code = last["exitCode"].as_i64().unwrap_or_default();
        let text = format!("it ended with exit code {code}");
        let hint = format!(
            "see why: kubectl -n {ns} logs {} -c {container} --previous",
            pod.name()
        );
        (text, hint)
    };
    Some(
        Finding::warning(
            CHECK,
            format!("{of} is up, but was restarted {times}, {when} the last time: {why}"),
        )
        .hint(hint),
    )
}

/// What the newest failure of the liveness probe of a pod says, where that is why it was ended.
fn liveness<'a>(pod: &Object, objects: &'a [Object]) -> Option<&'a str> {
    let about_it = |object: &&Object| {
        object.kind() == "Event" && object.str("/involvedObject/name") == Some(pod.name())
    };
    let mut events = objects.iter().filter(about_it);
    events
        .clone()
        .any(|event| {
            event
                .str("/message")
                .is_some_and(|text| text.contains("failed liveness probe"))
        })
        .then(|| {
            events.find_map(|event| {
                event
                    .str("/message")?
                    .strip_prefix("Liveness probe failed: ")
            })
        })
        .flatten()
        .map(|text| text.lines().next().unwrap_or(text).trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::report;

    fn told(status: Value, events: &[&str]) -> String {
        let object = |value| Object::new(value).expect("an object");
        let mut objects = vec![object(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "app-1", "namespace": "shop-pr-7", "labels": {"app.kubernetes.io/component": "app"}},
            "status": {"containerStatuses": [status]}}))];
        for (index, text) in events.iter().enumerate() {
            objects.push(object(
                json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": index.to_string()},
                "involvedObject": {"name": "app-1"}, "message": text}),
            ));
        }
        let now = "2026-01-01T12:00:00Z".parse().expect("a time");
        report::human(&findings(&objects, now))
    }

    fn status(ready: bool, count: u64, ended: &str, reason: &str) -> Value {
        json!({"name": "app", "ready": ready, "restartCount": count,
               "lastState": {"terminated": {"finishedAt": ended, "exitCode": 137, "reason": reason}}})
    }

    #[test]
    fn what_was_ended_a_moment_ago_is_told_with_the_reason() {
        let recent = "2026-01-01T11:57:00Z";
        let killed = told(
            status(true, 5, recent, "Error"),
            &[
                "Liveness probe failed: HTTP probe failed with statuscode: 503",
                "Container app failed liveness probe, will be restarted",
            ],
        );
        assert!(killed.contains("app is up, but was restarted 5 times, 3 minutes ago the last time: its liveness probe failed (HTTP probe failed with statuscode: 503)"), "{killed}");
        assert!(killed.contains("livenessPath"), "{killed}");
        let memory = told(status(true, 1, recent, "OOMKilled"), &[]);
        assert!(
            memory.contains("restarted once") && memory.contains("limits.memory"),
            "{memory}"
        );
        let other = told(
            status(true, 2, recent, "Error"),
            &["Readiness probe failed: x"],
        );
        assert!(
            other.contains("exit code 137") && other.contains("--previous"),
            "{other}"
        );

        for well in [
            status(true, 0, recent, "Error"),
            status(false, 5, recent, "Error"),
            status(true, 5, "2026-01-01T10:57:00Z", "Error"),
            json!({"name": "app", "ready": true, "restartCount": 1}),
        ] {
            assert_eq!(told(well, &[]), told(json!({}), &[]));
        }
    }
}
