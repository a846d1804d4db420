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
    report::{github::escape, table::table},
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
    AsDecided,
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

/// What became of environments in a word, in the order in which it is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Removed,
    PreservationEnded,
    Warned,
    GivenAnEnd,
    Going,
    Held,
    Failed,
    NotBegun,
    NotKnown,
    Changed,
    Kept,
}

impl Class {
    const ALL: [Self; 11] = [
        Self::Removed,
        Self::PreservationEnded,
        Self::Warned,
        Self::GivenAnEnd,
        Self::Going,
        Self::Held,
        Self::Failed,
        Self::NotBegun,
        Self::NotKnown,
        Self::Changed,
        Self::Kept,
    ];

    /// The word, which is another one where it was only asked what would be done.
    const fn word(self, dry_run: bool) -> &'static str {
        match (self, dry_run) {
            (Self::Removed, false) => "removed",
            (Self::Removed, true) => "would be removed",
            (Self::PreservationEnded, false) => "preservation ended",
            (Self::PreservationEnded, true) => "preservation would end",
            (Self::Warned, false) => "warned",
            (Self::Warned, true) => "would be warned",
            (Self::GivenAnEnd, false) => "given an end",
            (Self::GivenAnEnd, true) => "would be given an end",
            (Self::Going, _) => "going",
            (Self::Held, _) => "held",
            (Self::Failed, _) => "failed",
            (Self::NotBegun, _) => "not begun",
            (Self::NotKnown, _) => "not known",
            (Self::Changed, _) => "changed meanwhile",
            (Self::Kept, _) => "kept",
        }
    }
}

impl Outcome<'_> {
    fn class(&self) -> Class {
        match (&self.done, self.verdict.action) {
            (Done::Failed(_), _) => Class::Failed,
            (Done::Held(_), _) => Class::Held,
            (Done::NotBegun(_), _) => Class::NotBegun,
            (Done::Changed, _) => Class::Changed,
            (Done::Interrupted(_), _) | (_, Action::Going(_)) => Class::Going,
            (_, Action::Remove) => Class::Removed,
            // There is nobody who could be told.
            (Done::Nothing, Action::Warn(_)) => Class::Kept,
            (_, Action::Warn(_)) => Class::Warned,
            (_, Action::GiveEnd(_)) => Class::GivenAnEnd,
            (_, Action::Unknown) => Class::NotKnown,
            (_, Action::Keep) if self.verdict.preservation_ends => Class::PreservationEnded,
            (_, Action::Keep) => Class::Kept,
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
            Done::Nothing | Done::Would | Done::AsDecided | Done::NotBegun(_) => return why,
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
            Done::AsDecided => ("done", None, None),
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
    let rows: Vec<Vec<String>> = rows(outcomes, args.dry_run)
        .into_iter()
        .map(Vec::from)
        .collect();
    if !rows.is_empty() {
        let headings = ["ENVIRONMENT", "OUTCOME", "WHY"];
        printer.data(&table(&headings, &rows, printer.columns()));
    }
    printer.data(&sum(outcomes, args.dry_run));
}

/// The same for the summary of a run of Actions.
pub(super) fn markdown(outcomes: &[Outcome<'_>], dry_run: bool) -> String {
    let mut text = format!("{}\n", sum(outcomes, dry_run));
    let rows = rows(outcomes, dry_run);
    if !rows.is_empty() {
        text.push_str("\n| Environment | Outcome | Why |\n|:--|:--|:--|\n");
    }
    for [name, class, why] in rows {
        let (name, why) = (escape::cell(&name), escape::text(&why));
        text.push_str(&format!("| {name} | {class} | {why} |\n"));
    }
    text
}

/// Name, outcome and why of those about which there is something to say.
fn rows(outcomes: &[Outcome<'_>], dry_run: bool) -> Vec<[String; 3]> {
    let shown = outcomes
        .iter()
        .filter(|outcome| outcome.class() != Class::Kept);
    let row = |outcome: &Outcome<'_>| {
        let name = outcome.namespace.name().to_owned();
        [
            name,
            outcome.class().word(dry_run).to_owned(),
            outcome.text(),
        ]
    };
    shown.map(row).collect()
}

/// All of them in a line.
fn sum(outcomes: &[Outcome<'_>], dry_run: bool) -> String {
    let all = match outcomes.len() {
        1 => "1 environment".to_owned(),
        count => format!("{count} environments"),
    };
    match counts(outcomes, &Class::ALL, dry_run) {
        Some(counts) => format!("{all}: {counts}"),
        None => all,
    }
}

fn count(outcomes: &[Outcome<'_>], class: Class) -> usize {
    outcomes.iter().filter(|one| one.class() == class).count()
}

/// How many there are of each class, as far as there are any.
fn counts(outcomes: &[Outcome<'_>], classes: &[Class], dry_run: bool) -> Option<String> {
    let counts = classes
        .iter()
        .map(|class| (count(outcomes, *class), class.word(dry_run)));
    let some = counts.filter(|(count, _)| *count > 0);
    let parts: Vec<String> = some
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The outputs of the step.
pub(super) fn outputs(outcomes: &[Outcome<'_>]) -> [(&'static str, usize); 2] {
    [
        ("removed", count(outcomes, Class::Removed)),
        ("unknown", count(outcomes, Class::NotKnown)),
    ]
}

/// How the command ends: well when all is decided and done.
pub(super) fn end(outcomes: &[Outcome<'_>]) -> Result<Exit, Failure> {
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
    let trouble = [Class::Failed, Class::Held, Class::NotKnown];
    let Some(counts) = counts(outcomes, &trouble, false) else {
        return Ok(Exit::Success);
    };
    let has = |class| count(outcomes, class) > 0;
    let exit = if has(Class::Failed) || has(Class::NotKnown) {
        Exit::Failure
    } else {
        Exit::Timeout
    };
    let mut failure = Failure::new(
        exit,
        format!("not all environments could be dealt with: {counts}"),
    );
    if has(Class::Held) {
        failure = failure.hint(
            "what holds a namespace must let go, or its finalizer be removed by whoever set it; see everything that is left: \
             kubectl get namespace NAME -o yaml",
        );
    }
    if has(Class::NotKnown) {
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
