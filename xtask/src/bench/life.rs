//! The life of an environment, as each side lives it: first deploy, the same again, the next version, the end.

use anyhow::Result;

use super::{
    Bench,
    report::{Log, Measured, Table, Verdict},
    stats::Sample,
    subject::{DEMO, HELLO, SHOP, Subject},
    trial::{Cost, Side, Trial},
};

/// What was measured of one side.
#[derive(Default)]
struct Figures {
    prepared: Sample,
    answered: Sample,
    ended: Sample,
    cost: Cost,
    again: Sample,
    again_cost: Cost,
    replaced: Sample,
    asked: u32,
    lost: u32,
    destroyed: Sample,
    left: usize,
}

/// Measures environments of several sizes.
///
/// # Errors
/// A side does not get its environment up, or not gone.
pub(super) fn run(bench: &Bench) -> Result<Measured> {
    let mut measured = Measured::default();
    // What the service takes without databases, in seconds.
    let mut alone = None;
    for subject in [&HELLO, &SHOP, &DEMO] {
        let all = measure(bench, subject)?;
        measured.tables.push(table(bench, subject, &all));
        measured.verdicts.extend(verdicts(subject, &all));
        let prepared = of(&all, Side::Prepared).ended.median();
        match alone {
            None => alone = Some(prepared),
            Some(alone) => measured.verdicts.push(Verdict {
                what: format!(
                    "{}: deploy after `prepare`, beside the app only",
                    subject.title
                ),
                goal: "≤ 1.3 ×".to_owned(),
                measured: format!("{:.2} ×", prepared / alone),
                holds: prepared <= 1.3 * alone,
            }),
        }
        measured.logs.push(Log {
            title: format!("Where the time of `k8s-ee up` goes: {}", subject.title),
            text: of(&all, Side::Ours).cost.progress.clone(),
        });
    }
    Ok(measured)
}

fn measure(bench: &Bench, subject: &Subject) -> Result<[(Side, Figures); 4]> {
    let mut all = Side::ALL.map(|side| (side, Figures::default()));
    for round in 0..bench.rounds {
        for (side, figures) in &mut all {
            bench.say(&format!(
                "{}: round {} of {}, {}",
                subject.title,
                round + 1,
                bench.rounds,
                side.title()
            ));
            one(bench, subject, *side, figures)?;
        }
        // Whatever the machine does in between meets each side in turn.
        all.rotate_left(1);
    }
    all.sort_by_key(|(side, _)| Side::ALL.iter().position(|one| one == side));
    Ok(all)
}

fn one(bench: &Bench, subject: &Subject, side: Side, figures: &mut Figures) -> Result<()> {
    let trial = Trial::new(bench, subject, side)?;
    if side == Side::Prepared {
        figures.prepared.push(trial.prepare()?);
    }
    let first = trial.deploy()?;
    figures.answered.push(first.answered);
    figures.ended.push(first.ended);
    figures.cost.add(first.cost);
    if matches!(side, Side::Ours | Side::Helm) {
        let (took, cost) = trial.up()?;
        figures.again.push(took);
        figures.again_cost.add(cost);
    }
    if let Some(next) = subject.next.filter(|_| side != Side::Prepared) {
        let replaced = trial.replace(next)?;
        figures.replaced.push(replaced.ended);
        figures.asked += replaced.asked;
        figures.lost += replaced.lost;
    }
    let (took, left) = trial.destroy()?;
    figures.destroyed.push(took);
    figures.left += left;
    Ok(())
}

fn table(bench: &Bench, subject: &Subject, all: &[(Side, Figures)]) -> Table {
    let floor = of(all, Side::Floor).ended.median();
    let calls = |cost: &Cost| match cost.calls {
        Some((calls, writes)) => format!("{calls} ({writes})"),
        None => "–".to_owned(),
    };
    let mut table = Table::new(
        subject.title,
        &[
            "",
            "prepared, s",
            "first 200, s",
            "all up, s",
            "× floor",
            "calls (writes)",
            "memory, MiB",
            "the same again, s",
            "calls (writes)",
            "next version, s",
            "lost of asked",
            "destroyed, s",
            "volumes left",
        ],
    );
    for (side, figures) in all {
        let lost = match figures.asked {
            0 => "–".to_owned(),
            asked => format!("{} of {asked}", figures.lost),
        };
        let memory = match figures.cost.memory {
            0 => "–".to_owned(),
            bytes => (bytes >> 20).to_string(),
        };
        table.row(vec![
            side.title().to_owned(),
            figures.prepared.to_string(),
            figures.answered.to_string(),
            figures.ended.to_string(),
            format!("{:.2}", figures.ended.median() / floor),
            calls(&figures.cost),
            memory,
            figures.again.to_string(),
            calls(&figures.again_cost),
            figures.replaced.to_string(),
            lost,
            figures.destroyed.to_string(),
            format!("{} in {} runs", figures.left, bench.rounds),
        ]);
    }
    table
}

/// Holds the figures against the goals.
fn verdicts(subject: &Subject, all: &[(Side, Figures)]) -> Vec<Verdict> {
    let (ours, floor) = (of(all, Side::Ours), of(all, Side::Floor));
    let named = |what: &str| format!("{}: {what}", subject.title);
    let mut verdicts = Vec::new();
    if let Some(goals) = &subject.goals {
        verdicts.extend([
            Verdict::at_most(&named("first deploy"), goals.up, ours.ended.median()),
            Verdict::at_most(&named("destroy"), goals.down, ours.destroyed.median()),
        ]);
    }
    verdicts.extend([
        Verdict {
            what: named("first deploy, beside the floor"),
            goal: "≤ 1.3 ×".to_owned(),
            measured: format!("{:.2} ×", ours.ended.median() / floor.ended.median()),
            holds: ours.ended.median() <= 1.3 * floor.ended.median(),
        },
        Verdict::at_most(&named("unchanged redeploy"), 1.0, ours.again.median()),
        Verdict::none(
            &named("writes of an unchanged redeploy"),
            ours.again_cost.calls.map_or(0, |(_, writes)| writes),
        ),
        Verdict::none(&named("volumes left by destroy"), ours.left as u64),
    ]);
    if ours.asked > 0 {
        verdicts.push(Verdict::none(
            &named("requests lost while a version is replaced"),
            ours.lost.into(),
        ));
    }
    verdicts
}

fn of(all: &[(Side, Figures)], wanted: Side) -> &Figures {
    let found = all.iter().find(|(side, _)| *side == wanted);
    &found.expect("all sides are measured").1
}
