//! What became of each environment, for people, for programs, and for the exit code.

use serde_json::{Value, json};

use crate::{
    cli::{Output, SweepArgs},
    commands::down::receipt_text,
    error::Failure,
    exit::Exit,
    lifecycle::{
        down::Receipt,
        sweep::{Action, Verdict},
    },
    model::{labels, object::Object},
    printer::Printer,
    report::table::table,
};

/// What became of an environment.
pub(super) struct Outcome<'a> {
    pub(super) namespace: &'a Object,
    pub(super) verdict: &'a Verdict,
    pub(super) done: Done,
}

/// What was done.
pub(super) enum Done {
    /// Nothing, and nothing was to be done.
    Nothing,
    /// Nothing, as it was only asked what would be.
    Would,
    /// What was decided.
    Done,
    /// It was removed.
    Removed(Receipt),
    /// Nothing: somebody has changed it since it was judged.
    Changed,
    /// It is being deleted, and this holds it.
    Held(Vec<String>),
    /// It is being deleted, and goes on without us, who were told to stop.
    Interrupted(&'static str),
    /// Nothing, as we were told to stop before.
    NotBegun(&'static str),
    /// It could not be done.
    Failed(Failure),
}

/// What became of environments, in the order in which it is summed up.
const CLASSES: [&str; 15] = [
    "removed",
    "would be removed",
    "preservation ended",
    "preservation would end",
    "warned",
    "would be warned",
    "given an end",
    "would be given an end",
    "going",
    "held",
    "failed",
    "not begun",
    "not known",
    "changed meanwhile",
    "kept",
];

impl Outcome<'_> {
    /// What became of it, in a few words of [`CLASSES`].
    fn class(&self) -> &'static str {
        let would = matches!(self.done, Done::Would);
        let either = |done, would_be| if would { would_be } else { done };
        match (&self.done, self.verdict.action) {
            (Done::Failed(_), _) => "failed",
            (Done::Held(_), _) => "held",
            (Done::NotBegun(_), _) => "not begun",
            (Done::Changed, _) => "changed meanwhile",
            (Done::Interrupted(_), _) | (_, Action::Going(_)) => "going",
            (Done::Nothing, Action::Warn(_)) => "kept",
            (_, Action::Remove) => either("removed", "would be removed"),
            (_, Action::Warn(_)) => either("warned", "would be warned"),
            (_, Action::GiveEnd(_)) => either("given an end", "would be given an end"),
            (_, Action::Unknown) => "not known",
            (_, Action::Keep) if self.verdict.preservation_ends => {
                either("preservation ended", "preservation would end")
            }
            (_, Action::Keep) => "kept",
        }
    }

    /// Why, and what came of it.
    fn text(&self) -> String {
        let mut why = self.verdict.why.clone();
        if self.verdict.preservation_ends {
            why = format!("its preservation is over; {why}");
        }
        let more = match &self.done {
            Done::Removed(receipt) => receipt_text(receipt),
            Done::Changed => {
                "it was changed since, and the next sweep looks at it again".to_owned()
            }
            Done::Held(left) => left.join("; "),
            Done::Failed(failure) => one_line(failure),
            Done::Interrupted(_) => "it goes on without us".to_owned(),
            Done::Nothing | Done::Would | Done::Done | Done::NotBegun(_) => return why,
        };
        format!("{why}; {more}")
    }

    fn json(&self) -> Value {
        let namespace = self.namespace;
        let action = match self.verdict.action {
            Action::Keep if self.verdict.preservation_ends => "end-preservation",
            Action::Keep => "keep",
            Action::Unknown => "unknown",
            Action::Going(_) => "going",
            Action::Warn(_) => "warn",
            Action::GiveEnd(_) => "give-end",
            Action::Remove => "remove",
        };
        let (result, receipt, error) = match &self.done {
            Done::Nothing => ("nothing", None, None),
            Done::Would => ("would", None, None),
            Done::Done => ("done", None, None),
            Done::Removed(receipt) => ("done", Some(receipt), None),
            Done::Changed => ("changed", None, None),
            Done::Held(left) => ("held", None, Some(left.join("; "))),
            Done::Interrupted(_) => ("interrupted", None, None),
            Done::NotBegun(_) => ("not-begun", None, None),
            Done::Failed(failure) => ("failed", None, Some(one_line(failure))),
        };
        let number = namespace.label(labels::PR_NUMBER);
        json!({
            "namespace": namespace.name(),
            "repository": namespace.annotation(labels::REPOSITORY),
            "pr": number.and_then(|number| number.parse::<u64>().ok()),
            "action": action,
            "why": self.verdict.why,
            "preservationEnds": self.verdict.preservation_ends,
            "result": result,
            "receipt": receipt.map(|receipt| {
                let seen = !receipt.unseen;
                json!({
                    "removed": seen.then_some(&receipt.objects),
                    "volumes": seen.then_some(&receipt.volumes),
                    "keptVolumes": seen.then_some(&receipt.kept_volumes),
                })
            }),
            "error": error,
        })
    }
}

/// Prints all of them as JSON, or for people those about which there is something to say.
pub(super) fn print(outcomes: &[Outcome<'_>], args: &SweepArgs, printer: Printer) {
    if args.output.output == Output::Json {
        let environments: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
        let json = json!({"version": 1, "dryRun": args.dry_run, "environments": environments});
        printer.data(&format!("{json:#}"));
        return;
    }
    let rows: Vec<Vec<String>> = outcomes
        .iter()
        .filter(|outcome| outcome.class() != "kept")
        .map(|outcome| {
            let name = outcome.namespace.name().to_owned();
            vec![name, outcome.class().to_owned(), outcome.text()]
        })
        .collect();
    if !rows.is_empty() {
        let headings = ["ENVIRONMENT", "OUTCOME", "WHY"];
        printer.data(&table(&headings, &rows, printer.columns()));
    }
    printer.data(&sum(outcomes));
}

/// All of them in a line.
fn sum(outcomes: &[Outcome<'_>]) -> String {
    let all = match outcomes.len() {
        1 => "1 environment".to_owned(),
        count => format!("{count} environments"),
    };
    let parts = CLASSES.iter().filter_map(|class| {
        let count = outcomes.iter().filter(|one| one.class() == *class).count();
        (count > 0).then(|| format!("{count} {class}"))
    });
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [] => all,
        parts => format!("{all}: {}", parts.join(", ")),
    }
}

/// How the command ends: well when all is decided and done.
pub(super) fn end(outcomes: &[Outcome<'_>]) -> Result<Exit, Failure> {
    let count = |class: &str| outcomes.iter().filter(|one| one.class() == class).count();
    let stopped = outcomes.iter().find_map(|one| match one.done {
        Done::NotBegun(signal) | Done::Interrupted(signal) => Some(signal),
        _ => None,
    });
    if let Some(signal) = stopped {
        return Err(Failure::new(
            Exit::Interrupted,
            format!("stopped by {signal}; what is going goes on without us, what was not begun is as it was"),
        )
        .hint("the next sweep does the rest: k8s-ee sweep"));
    }
    let parts: Vec<String> = ["failed", "held", "not known"]
        .iter()
        .filter(|class| count(class) > 0)
        .map(|class| format!("{} {class}", count(class)))
        .collect();
    if parts.is_empty() {
        return Ok(Exit::Success);
    }
    let only_held = count("failed") + count("not known") == 0;
    let exit = if only_held {
        Exit::Timeout
    } else {
        Exit::Failure
    };
    let mut failure = Failure::new(
        exit,
        format!(
            "not all environments could be dealt with: {}",
            parts.join(", ")
        ),
    );
    if count("held") > 0 {
        failure = failure.hint(
            "what holds a namespace must let go, or its finalizer be removed by whoever set it; see everything that is left: \
             kubectl get namespace NAME -o yaml",
        );
    }
    if count("not known") > 0 {
        failure = failure.hint("what is not known is kept; the next sweep looks at it again");
    }
    Err(failure)
}

fn one_line(failure: &Failure) -> String {
    let causes = failure.chain();
    let texts: Vec<&str> = std::iter::once(failure.message())
        .chain(causes.iter().map(String::as_str))
        .collect();
    texts.join(": ")
}
