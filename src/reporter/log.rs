//! What the runner of Actions is told on the log.

use crate::{
    error::Failure,
    github::workflow::{self, Annotation, Level},
    printer::Printer,
};

/// Has the runner hide a secret that is about to be printed.
pub fn mask(secret: &str, printer: Printer) {
    if in_actions() {
        for line in secret.lines().filter_map(workflow::mask) {
            printer.error(&line);
        }
    }
}

/// Whether a runner of GitHub Actions reads what is printed.
#[must_use]
pub fn in_actions() -> bool {
    std::env::var("GITHUB_ACTIONS").as_deref() == Ok("true")
}

/// A failure that changes nothing: a warning for people, or at the run in Actions.
pub fn warn(printer: Printer, failure: &Failure) {
    let text = failure.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    if !in_actions() {
        printer.error(&format!("warning: {text}"));
        return;
    }
    let annotation = Annotation {
        level: Level::Warning,
        title: "k8s-ee",
        message: text,
        ..Annotation::default()
    };
    printer.error(&annotation.to_string());
}
