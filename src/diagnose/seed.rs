//! Seeds that fail: the line of the file, or what the program said last. Each is tried once, so a failed Job stays so.

use std::sync::LazyLock;

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStateTerminated, Pod},
};
use regex::Regex;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    exits,
    logs::{self, Symptom},
    program,
    scene::{Scene, pod_name},
    scheduling::condition,
};
use crate::model::{
    Seed,
    seed::{Program, Run},
};

/// How many lines of the log are shown.
const TAIL: usize = 8;

/// How the clients of databases say what is wrong with a file: the number of the line where they know it, and the error.
/// The first that fits is the first that went wrong.
#[rustfmt::skip]
const ERRORS: &[&str] = &[
    r"^psql:[^:]*:(?<line>\d+): (?:ERROR|FATAL|PANIC|error):\s+(?<error>.+)$",
    r"^ERROR \d+ \(\w+\) at line (?<line>\d+)(?: in file: '[^']*')?: (?<error>.+)$",
    r"^pg_restore: error: (?:could not execute query: ERROR:\s+)?(?<error>.+)$",
    r"^psql: error: (?<error>.+)$",
    r"^ERROR \d+ \(\w+\): (?<error>.+)$",
    r"^SyntaxError: (?<error>.+) \((?<line>\d+):\d+\)$",
    r"^(?<error>(?:[A-Z]\w*)?Error: .+)$",
    r"^(?:[\d:TZ.+-]+\s+)?Failed: (?<error>.+)$",
    r"^(?<error>(?:ERR|WRONGTYPE|WRONGPASS|NOAUTH|NOPERM|OOM|MISCONF|READONLY|EXECABORT|BUSYGROUP|NOSCRIPT) .+)$",
    r"^mc: <ERROR> (?<error>.+)$",
    r"^(?:gzip|gunzip): (?<error>.+)$",
    r"^(?<error>the image of MinIO has no mc, .+)$",
];

static RULES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let compile = |pattern: &&str| Regex::new(pattern).expect("a test matches every pattern");
    ERRORS.iter().map(compile).collect()
});

/// Seeds whose Job has failed while nothing of its pod is left that would tell why.
pub(super) fn without_a_trace(scene: &Scene<'_>, found: &[Finding]) -> Vec<Finding> {
    let untold = scene.env.seeds.iter().filter(|seed| {
        let told = |finding: &Finding| finding.cause.component.as_ref() == Some(&seed.name);
        has_failed(scene, &seed.name) && !found.iter().any(told)
    });
    untold
        .map(|seed| {
            let evidence = job(scene, &seed.name)
                .and_then(failure)
                .into_iter()
                .collect();
            let fix = Fix::new("run it again: `k8s-ee up` starts a seed anew that has failed");
            failed(seed, "its pod is gone", evidence, fix).fatal(true)
        })
        .collect()
}

/// Why the container of a seed ended, if it did; none for containers of anything else.
pub(super) fn finding(scene: &Scene<'_>, container: &Container<'_>) -> Option<Finding> {
    let seed = scene.seed(container.component)?;
    // A pod that had to leave its node is replaced.
    let is_replaced =
        condition(container.pod, "DisruptionTarget").is_some_and(|c| c.status == "True");
    if is_replaced || is_too_long(container.pod) {
        return None;
    }
    let told = container
        .end()
        .and_then(|end| explain(scene, container, seed, end));
    let finding = told.or_else(|| exits::finding(scene, container))?;
    let fatal = finding.fatal || has_failed(scene, &seed.name);
    Some(finding.fatal(fatal))
}

/// A seed that reached the end of its time.
pub(super) fn too_long(scene: &Scene<'_>, pod: &Pod) -> Option<Finding> {
    let seed = scene.seed(scene.component(&pod.metadata))?;
    let mut evidence = vec![format!("Pod {}: DeadlineExceeded", pod_name(pod))];
    for container in Container::of(pod, Some(&seed.name)) {
        evidence.extend(tail(&scene.log(&container, false)));
    }
    let timeout = seed.timeout;
    let summary = format!(
        "the seed {} did not end within its time of {}",
        seed.name,
        span(timeout)
    );
    let fix = Fix::new("let it do less, or give it more time")
        .at(Some(seed.pointer("timeout")))
        .write(format!("timeout: {}", span(timeout.saturating_mul(2))));
    let code = CauseCode::DeadlineExceeded;
    Some(Finding::new(code, Some(&seed.name), summary, evidence, fix).fatal(true))
}

fn explain(
    scene: &Scene<'_>,
    container: &Container<'_>,
    seed: &Seed,
    end: &ContainerStateTerminated,
) -> Option<Finding> {
    // The runtime's word on these is better than any log.
    let by_runtime = matches!(
        end.reason.as_deref(),
        Some("StartError" | "ContainerCannotRun" | "OOMKilled")
    );
    if by_runtime {
        return None;
    }
    let log = scene.log(container, false);
    let state = container.line(&exits::describe_end(container, end));
    match &seed.run {
        Run::File { path, .. } => of_file(scene, container, seed, path, state, &log),
        Run::Image(program) => Some(of_program(
            scene,
            container,
            (seed, program),
            state,
            &log,
            end,
        )),
    }
}

/// The client says what is wrong, mostly with the line.
fn of_file(
    scene: &Scene<'_>,
    container: &Container<'_>,
    seed: &Seed,
    path: &str,
    state: String,
    log: &[String],
) -> Option<Finding> {
    let (at, line, error) = log.iter().enumerate().find_map(|(at, text)| {
        let found = RULES.iter().find_map(|rule| rule.captures(text))?;
        let line = found.name("line").map(|line| line.as_str().to_owned());
        Some((at, line, found["error"].to_owned()))
    })?;
    let mut evidence = vec![state];
    evidence.extend(log[at..].iter().take(4).map(|line| format!("log: {line}")));
    if let Some((_, Symptom::Login)) = logs::symptom(std::slice::from_ref(&error)) {
        return Some(program::finding(
            scene,
            container,
            &Symptom::Login,
            evidence,
        ));
    }
    let place = match &line {
        Some(line) => format!("{path}, line {line}"),
        None => path.to_owned(),
    };
    let fix = advice(scene, seed, &error).unwrap_or_else(|| {
        let what = match &line {
            Some(line) => format!("correct line {line} of {path}"),
            None => format!("correct {path}"),
        };
        Fix::new(format!("{what}; the next `k8s-ee up` runs the seed again"))
            .at(Some(seed.pointer("file")))
    });
    Some(failed(seed, &format!("{error} ({place})"), evidence, fix))
}

fn of_program(
    scene: &Scene<'_>,
    container: &Container<'_>,
    (seed, program): (&Seed, &Program),
    state: String,
    log: &[String],
    end: &ContainerStateTerminated,
) -> Finding {
    let mut evidence = vec![state];
    if let Some((line, symptom)) = logs::symptom(log) {
        evidence.extend(
            log[line..]
                .iter()
                .take(3)
                .map(|line| format!("log: {line}")),
        );
        if matches!(symptom, Symptom::MissingTable(_))
            && let Some(fix) = advice(scene, seed, &log[line])
        {
            return failed(seed, &log[line], evidence, fix);
        }
        return program::finding(scene, container, &symptom, evidence);
    }
    evidence.extend(tail(log));
    let what = match &program.service {
        Some(service) => format!("it ran in the image of {service}, and ends"),
        None => "it ends".to_owned(),
    };
    let why = format!("{what} with {}", exits::meaning(end.exit_code));
    let fix = Fix::new("fix the error in its log; the next `k8s-ee up` runs the seed again")
        .run(scene.logs(container));
    failed(seed, &why, evidence, fix)
}

/// What to do about errors that seeds typically meet.
fn advice(scene: &Scene<'_>, seed: &Seed, error: &str) -> Option<Fix> {
    let lower = error.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if let Some((_, Symptom::MissingTable(table))) = logs::symptom(&[error.to_owned()]) {
        return Some(match (&seed.after, scene.env.services.first()) {
            (None, Some(service)) => Fix::new(format!(
                "if a service makes {table}, let the seed run after that one"
            ))
            .at(Some(seed.pointer("after")))
            .write(format!("after: {}", service.name)),
            (Some(after), _) => Fix::new(format!(
                "let {after} answer its health path only when it has made {table}, or make it in the seed"
            ))
            .at(Some(seed.at.clone())),
            (None, None) => return None,
        });
    }
    if says(&[
        "already exists",
        "duplicate key",
        "duplicate entry",
        "e11000",
    ]) {
        return Some(
            Fix::new("write what fits data that are there already: `IF NOT EXISTS`, `ON CONFLICT`, `INSERT IGNORE` or the like")
                .at(Some(seed.pointer("file"))),
        );
    }
    if says(&["cannot run inside a transaction block"]) {
        return Some(
            Fix::new("a seed is one transaction: leave this statement out, or run it where the database is made, under `bootstrap`")
                .at(Some(seed.pointer("file"))),
        );
    }
    if says(&[
        "permission denied",
        "must be superuser",
        "must be owner",
        "access denied",
    ]) {
        return Some(
            Fix::new("a seed runs as the application's user: what only the superuser may do belongs under `bootstrap`")
                .at(Some(seed.pointer("file"))),
        );
    }
    None
}

fn failed(seed: &Seed, why: &str, evidence: Vec<String>, fix: Fix) -> Finding {
    let summary = format!("the seed {} failed: {why}", seed.name);
    Finding::new(
        CauseCode::SeedFailed,
        Some(&seed.name),
        summary,
        evidence,
        fix,
    )
}

fn tail(log: &[String]) -> Vec<String> {
    let shown = &log[log.len().saturating_sub(TAIL)..];
    let lines = shown.iter().filter(|line| !line.is_empty());
    lines.map(|line| format!("log: {line}")).collect()
}

fn job<'a>(scene: &Scene<'a>, name: &str) -> Option<&'a Job> {
    let jobs = scene.observed.jobs.iter();
    jobs.into_iter()
        .find(|job| job.metadata.name.as_deref() == Some(name))
}

fn has_failed(scene: &Scene<'_>, name: &str) -> bool {
    job(scene, name).and_then(failure).is_some()
}

/// What the Job says of its failure.
fn failure(job: &Job) -> Option<String> {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let failed = conditions.iter().find(|condition| {
        matches!(condition.type_.as_str(), "Failed" | "FailureTarget") && condition.status == "True"
    })?;
    let reason = failed.reason.as_deref().unwrap_or("Failed");
    let message = failed.message.as_deref().unwrap_or_default();
    Some(format!("Job {name}: {reason}: {message}"))
}

fn is_too_long(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    status.and_then(|status| status.reason.as_deref()) == Some("DeadlineExceeded")
}

/// Seconds as the file writes them.
fn span(seconds: u64) -> String {
    match seconds {
        s if s > 0 && s % 3600 == 0 => format!("{}h", s / 3600),
        s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as the clients print them.
    #[rustfmt::skip]
    const LINES: &[(&str, Option<&str>, &str)] = &[
        ("psql:seed.sql:3: ERROR:  relation \"missing\" does not exist", Some("3"), "relation \"missing\" does not exist"),
        ("psql:own.sql:1: error: connection to server was lost", Some("1"), "connection to server was lost"),
        ("ERROR 1146 (42S02) at line 2 in file: 'b2.sql': Table 'app.nope' doesn't exist", Some("2"), "Table 'app.nope' doesn't exist"),
        ("ERROR 1045 (28000): Access denied for user 'app'@'10.0.0.1' (using password: YES)", None, "Access denied for user 'app'@'10.0.0.1' (using password: YES)"),
        ("pg_restore: error: could not execute query: ERROR:  relation \"t\" already exists", None, "relation \"t\" already exists"),
        ("pg_restore: error: input file does not appear to be a valid archive (too short?)", None, "input file does not appear to be a valid archive (too short?)"),
        ("psql: error: connection to server at \"app-postgresql-rw\" (10.96.0.1), port 5432 failed: Connection refused", None, "connection to server at \"app-postgresql-rw\" (10.96.0.1), port 5432 failed: Connection refused"),
        ("SyntaxError: Unexpected token, expected \",\" (2:0)", Some("2"), "Unexpected token, expected \",\""),
        ("MongoServerError: E11000 duplicate key error collection: app.users", None, "MongoServerError: E11000 duplicate key error collection: app.users"),
        ("Error: boom", None, "Error: boom"),
        ("2026-11-21T15:00:00.000+0000\tFailed: error restoring from archive", None, "error restoring from archive"),
        ("ERR unknown command 'FOO', with args beginning with: 'bar' ", None, "ERR unknown command 'FOO', with args beginning with: 'bar' "),
        ("mc: <ERROR> Failed to copy `/seed/g.tar`. tar file error: unexpected EOF", None, "Failed to copy `/seed/g.tar`. tar file error: unexpected EOF"),
        ("gzip: /seed/n.sql.gz: not in gzip format", None, "/seed/n.sql.gz: not in gzip format"),
        ("the image of MinIO has no mc, which hands archives to the server: seed from an image of your own", None, "the image of MinIO has no mc, which hands archives to the server: seed from an image of your own"),
    ];

    #[test]
    fn what_clients_say_is_understood() {
        for (text, line, error) in LINES {
            let found = RULES.iter().find_map(|rule| rule.captures(text));
            let found = found.unwrap_or_else(|| panic!("nothing matches {text}"));
            assert_eq!(found.name("line").map(|m| m.as_str()), *line, "{text}");
            assert_eq!(&found["error"], *error, "{text}");
        }
        for rule in RULES.iter() {
            let matched = LINES.iter().any(|(text, ..)| rule.is_match(text));
            assert!(matched, "no example for {rule}");
        }
        for ordinary in [
            "INSERT 0 1",
            "All data transferred. Waiting for the last reply...",
            "errors: 2, replies: 6",
        ] {
            assert!(
                !RULES.iter().any(|rule| rule.is_match(ordinary)),
                "{ordinary}"
            );
        }
    }

    #[test]
    fn spans_are_written_as_the_file_has_them() {
        assert_eq!([90, 600, 7200, 0].map(span), ["90s", "10m", "2h", "0s"]);
    }
}
