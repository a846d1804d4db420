//! `k8s-ee sweep`: what nobody wants any more goes, whoever did not hear of it.

mod carry_out;
mod outcome;

use jiff::Timestamp;

use crate::{
    cli::SweepArgs,
    error::Failure,
    exit::Exit,
    github::{Repository, workflow::files::StepFiles},
    lifecycle::sweep::{self, Of, Pull, Verdict, pulls, pulls::Answers},
    model::{Profile, labels, object::Object, settings::LifecycleSettings},
    printer::Printer,
    reporter::{self, Announcer, run::Run},
};

use super::context;
use carry_out::Sweeper;
use outcome::Outcome;

pub(super) async fn run(args: &SweepArgs, printer: Printer) -> Result<Exit, Failure> {
    let run = Run::find()?;
    let repository = match (&args.repository, &run.context) {
        (None, None) => None,
        _ => Some(run.repository(args.repository.as_deref())?),
    };
    let cluster = context::connect(&args.cluster.connection).await?;
    let (settings, mut namespaces) = futures::try_join!(
        context::settings(&args.cluster, Profile::Default, &cluster, printer),
        context::environments(&cluster, args.project.as_deref(), None),
    )?;
    if let Some(repository) = &repository {
        let of = |namespace: &Object| namespace.annotation(labels::REPOSITORY)?.parse().ok();
        namespaces.retain(|namespace| of(namespace).as_ref() == Some(repository));
    }
    namespaces.sort_by(|one, other| one.name().cmp(other.name()));
    let now = Timestamp::now();
    let verdicts = judge(&namespaces, &settings.lifecycle, now, &run, printer).await;
    let judged = namespaces.iter().zip(&verdicts);
    for (namespace, verdict) in judged.clone() {
        for note in &verdict.notes {
            printer.note(&format!("note: {}: {note}", namespace.name()));
        }
    }
    let sweeper = Sweeper {
        cluster: &cluster,
        args,
        announcer: Announcer::new(&run, args.comment, &settings, printer),
        printer,
        now,
    };
    let outcomes: Vec<Outcome<'_>> = sweeper.carry_out(judged).await;
    outcome::print(&outcomes, args, printer);
    tell_step(&run.files, &outcomes, args.dry_run, printer);
    outcome::end(&outcomes)
}

/// Outputs and summary of the step of Actions that we are.
fn tell_step(files: &StepFiles, outcomes: &[Outcome<'_>], dry_run: bool, printer: Printer) {
    let outputs = outcome::outputs(outcomes);
    let written = outputs
        .into_iter()
        .try_for_each(|(name, count)| files.set_output(name, &count.to_string()))
        .and_then(|()| files.add_summary(&outcome::markdown(outcomes, dry_run)));
    if let Err(error) = written {
        reporter::warn(printer, &error.into());
    }
}

/// Decides about each of them, with as few questions to GitHub as that takes.
async fn judge(
    namespaces: &[Object],
    settings: &LifecycleSettings,
    now: Timestamp,
    run: &Run,
    printer: Printer,
) -> Vec<Verdict> {
    let open_questions: Vec<(Repository, u64)> = namespaces
        .iter()
        .filter_map(|namespace| sweep::depends_on(namespace, settings, now))
        .collect();
    let (answers, troubles) = match &run.client {
        Some(client) => pulls::ask(client, &open_questions).await,
        None => (Answers::default(), Vec::new()),
    };
    if run.client.is_none() && !open_questions.is_empty() {
        printer.note(
            "note: there is no token for GitHub, so that nothing is known of any pull request; set GITHUB_TOKEN",
        );
    }
    for trouble in troubles {
        reporter::warn(printer, &trouble.into());
    }
    let verdict = |namespace| {
        let pull = match sweep::of(namespace) {
            Of::Nobody => Pull::None,
            Of::Untold(why) => Pull::Unknown(why),
            Of::Pull(repository, number) => answers.of(&repository, number),
        };
        sweep::judge(namespace, &pull, settings, now)
    };
    namespaces.iter().map(verdict).collect()
}
