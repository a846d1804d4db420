//! Findings for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Finding, Status, worst};

/// Lines that are shown of what proves a finding.
const MOST_LINES: usize = 8;

/// A line for each finding, with what proves it and what to do below those that do not work.
#[must_use]
pub fn human(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let sign = match finding.status {
            Status::Ok => "ok     ",
            Status::Unknown => "unknown",
            Status::Warning => "warning",
            Status::Broken => "broken ",
        };
        let _ = writeln!(text, "{sign}  {}: {}", finding.check, finding.summary);
        for line in finding.evidence.iter().take(MOST_LINES) {
            let _ = writeln!(text, "         | {line}");
        }
        if let Some(more @ 1..) = finding.evidence.len().checked_sub(MOST_LINES) {
            let _ = writeln!(text, "         | … and {more} more: -o json has them all");
        }
        for line in finding.hint.iter().flat_map(|hint| hint.lines()) {
            let _ = writeln!(text, "         hint: {line}");
        }
    }
    let count = |status| findings.iter().filter(|f| f.status == status).count();
    let _ = writeln!(
        text,
        "{} ok, {} broken, {} to be looked at, {} unknown",
        count(Status::Ok),
        count(Status::Broken),
        count(Status::Warning),
        count(Status::Unknown)
    );
    text
}

/// For programs, version 1.
#[must_use]
pub fn json(findings: &[Finding], namespace: Option<&str>) -> Value {
    json!({
        "version": 1,
        "namespace": namespace,
        "status": worst(findings),
        "findings": findings,
    })
}
