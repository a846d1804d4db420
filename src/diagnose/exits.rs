//! Containers that end: killed for their memory, never started, killed by a probe, or ended by themselves with a reason
//! in the log or without one.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::{ContainerStateTerminated, Event};
use regex::Regex;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    logs::{self, Symptom, Target},
    probe, program,
    scene::{Scene, happened},
};
use crate::quantity::Quantity;

/// From which end on an exit without a known reason counts as lasting: after three restarts. The kubelet restarts at
/// once, then after 10 and 20 seconds; an application that only lost a race with its database is up by then.
const LASTING: u32 = 4;

/// From which end on an exit counts as lasting when its reason does not change between two runs of the same image with
/// the same configuration, such as a variable that is not set.
const REPEATED: u32 = 2;

/// How many lines of the log are shown when none of them explains the exit.
const TAIL: usize = 8;

/// Why this container ended, if it did.
pub(super) fn finding(scene: &Scene<'_>, container: &Container<'_>) -> Option<Finding> {
    if let Some(finding) = not_started(scene, container) {
        return Some(finding);
    }
    let end = container.end().filter(|end| !is_start_error(end))?;
    if end.reason.as_deref() == Some("OOMKilled") {
        let evidence = vec![container.line(&describe_end(container, end))];
        return Some(out_of_memory(scene, container, evidence));
    }
    if let Some(kill) = killed_by_probe(scene, container, end) {
        let found = probe::finding(scene, container, true);
        return found.or_else(|| Some(probe::killed(scene, container, kill)));
    }
    let log = run_that_ended(scene, container, end);
    let state = container.line(&describe_end(container, end));
    if let Some((line, symptom)) = logs::symptom(&log) {
        let mut evidence = vec![state];
        evidence.extend(
            log[line..]
                .iter()
                .take(3)
                .map(|line| format!("log: {line}")),
        );
        return Some(program::finding(scene, container, &symptom, evidence));
    }
    Some(unexplained(scene, container, end, &log))
}

/// Whether an exit without a known reason will go on.
pub(super) fn is_lasting(container: &Container<'_>) -> bool {
    is_held_back(container, LASTING)
}

/// Whether an exit will go on whose reason lies in the image or in the configuration.
pub(super) fn is_repeated(container: &Container<'_>) -> bool {
    is_held_back(container, REPEATED)
}

/// Whether a container ended so often that the kubelet waits before it tries again. One that runs may yet come up: how
/// often it ended in a long life says nothing about now.
fn is_held_back(container: &Container<'_>, ends: u32) -> bool {
    let reason = container
        .waiting()
        .and_then(|waiting| waiting.reason.as_deref());
    reason == Some("CrashLoopBackOff") && container.ends() >= ends
}

fn is_start_error(end: &ContainerStateTerminated) -> bool {
    matches!(
        end.reason.as_deref(),
        Some("StartError" | "ContainerCannotRun")
    )
}

/// The runtime could not start the program: the same image will not start the next time either.
fn not_started(scene: &Scene<'_>, container: &Container<'_>) -> Option<Finding> {
    if container.is_running() {
        return None;
    }
    let end = container.end().filter(|end| is_start_error(end));
    let waiting = container
        .waiting()
        .filter(|waiting| waiting.reason.as_deref() == Some("RunContainerError"));
    let message = end
        .and_then(|end| end.message.as_deref())
        .or_else(|| waiting.and_then(|waiting| waiting.message.as_deref()))?;
    let evidence = vec![container.line(message.trim())];
    static DIRECTORY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"chdir to cwd \("([^"]+)"\)[^:]*: permission denied"#)
            .expect("a test runs this pattern")
    });
    let symptom = if message.contains("OOM-killed") {
        Symptom::MemoryFull
    } else if let Some(found) = DIRECTORY.captures(message) {
        Symptom::Denied(Some(Target {
            path: found[1].to_owned(),
            directory: false,
        }))
    } else if let Some((
        _,
        symptom @ (Symptom::CommandNotFound(_)
        | Symptom::CommandNotExecutable(_)
        | Symptom::ExecFormat),
    )) = logs::symptom(&[message.to_owned()])
    {
        symptom
    } else {
        // What else the runtime says is about the node as often as about the container.
        let fix = Fix::new("fix what the message names").run(scene.describe(container.pod));
        let summary = format!("{} cannot be started", container.subject());
        return Some(
            Finding::new(
                CauseCode::ContainerConfig,
                container.component,
                summary,
                evidence,
                fix,
            )
            .fatal(is_lasting(container)),
        );
    };
    let lasting = !matches!(symptom, Symptom::MemoryFull) || is_repeated(container);
    Some(program::finding(scene, container, &symptom, evidence).fatal(lasting))
}

/// The container needs more memory than its limit.
pub(super) fn out_of_memory(
    scene: &Scene<'_>,
    container: &Container<'_>,
    evidence: Vec<String>,
) -> Finding {
    let limit = container
        .spec
        .and_then(|spec| spec.resources.as_ref()?.limits.as_ref()?.get("memory"))
        .and_then(|limit| limit.0.parse::<Quantity>().ok());
    let subject = container.subject();
    let summary = match limit {
        Some(limit) => format!(
            "{subject} needs more memory than its limit of {}",
            limit.as_bytes()
        ),
        None => format!("{subject} ran out of memory"),
    };
    let pointer = scene
        .pointer(container.component, "resources/limits/memory")
        .filter(|_| !container.init);
    let fix = match (pointer, limit) {
        (Some(pointer), Some(limit)) => Fix::new(format!("raise the memory limit of {subject}"))
            .at(Some(pointer))
            .write(format!("memory: {}", limit.times(2).as_bytes())),
        _ => Fix::new(format!(
            "let {subject} use less memory, or raise its limit in the chart: it is not set in k8s-ee.yaml"
        ))
        .run(scene.describe(container.pod)),
    };
    Finding::new(
        CauseCode::OutOfMemory,
        container.component,
        summary,
        evidence,
        fix,
    )
    .fatal(is_repeated(container))
}

/// The event by which the kubelet ended this run, if a probe made it do so.
fn killed_by_probe<'a>(
    scene: &Scene<'a>,
    container: &Container<'_>,
    end: &ContainerStateTerminated,
) -> Option<&'a Event> {
    let prefix = format!("ontainer {} failed ", container.name);
    let event = scene.event("Pod", &container.pod.metadata, |event| {
        let message = event.message.as_deref().unwrap_or_default();
        event.reason.as_deref() == Some("Killing")
            && message.contains(&prefix)
            && message.contains(" probe")
    })?;
    // A later run may have ended by itself.
    let started = end.started_at.as_ref().map(|time| time.0);
    let before = matches!((happened(event), started), (Some(kill), Some(start)) if kill < start);
    (!before).then_some(event)
}

/// The log of the run that ended: while the container runs again that is the previous one.
fn run_that_ended(
    scene: &Scene<'_>,
    container: &Container<'_>,
    end: &ContainerStateTerminated,
) -> Vec<String> {
    let first = scene.log(container, container.is_running());
    let log = if first.is_empty() {
        scene.log(container, !container.is_running())
    } else {
        first
    };
    if log.is_empty() {
        // Kubernetes keeps the last words of a container that wrote them to its termination log.
        end.message
            .iter()
            .flat_map(|message| message.lines().map(str::to_owned))
            .collect()
    } else {
        log
    }
}

fn unexplained(
    scene: &Scene<'_>,
    container: &Container<'_>,
    end: &ContainerStateTerminated,
    log: &[String],
) -> Finding {
    let subject = container.subject();
    let (summary, text) = match end.exit_code {
        0 => (
            format!("{subject} exits with code 0, but a service must keep running"),
            "start the server in the foreground; a task that ends is no service",
        ),
        126 => (
            format!("{subject} cannot execute its command (exit code 126)"),
            "make the program executable in the Dockerfile: `RUN chmod +x`",
        ),
        127 => (
            format!("{subject} does not find its command (exit code 127)"),
            "correct the command, or install the program in the image",
        ),
        code => (
            format!("{subject} exits with {}", meaning(code)),
            "fix the error in its log; the whole log:",
        ),
    };
    let code = match end.exit_code {
        126 => CauseCode::CommandNotExecutable,
        127 => CauseCode::CommandNotFound,
        _ => CauseCode::ContainerExited,
    };
    let mut evidence = vec![container.line(&describe_end(container, end))];
    let tail = &log[log.len().saturating_sub(TAIL)..];
    evidence.extend(
        tail.iter()
            .filter(|line| !line.is_empty())
            .map(|line| format!("log: {line}")),
    );
    let command = format!("{} --previous", scene.logs(container));
    Finding::new(
        code,
        container.component,
        summary,
        evidence,
        Fix::new(text).run(command),
    )
    .fatal(is_lasting(container))
}

/// An exit code in words.
pub(super) fn meaning(code: i32) -> String {
    let signal = match code - 128 {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => return format!("code {code}"),
    };
    format!("code {code} ({signal})")
}

/// How a container ended, for a line of evidence.
pub(super) fn describe_end(container: &Container<'_>, end: &ContainerStateTerminated) -> String {
    let reason = end.reason.as_deref().unwrap_or("Error");
    let restarts = match container.status.restart_count {
        0 => String::new(),
        1 => ", restarted once".to_owned(),
        times => format!(", restarted {times} times"),
    };
    format!("{reason}, exit {}{restarts}", meaning(end.exit_code))
}
