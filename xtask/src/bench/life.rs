//! The life of an environment, as each side lives it: first deploy, the same again, the next version, the end.

use anyhow::Result;

use super::{
    Bench,
    report::Table,
    stats::Sample,
    subject::{DEMO, HELLO, SHOP, Subject},
    trial::{Side, Trial},
};

/// What was measured of one side.
#[derive(Default)]
struct Figures {
    answered: Sample,
    ended: Sample,
    requests: Option<u64>,
    again: Sample,
    again_requests: Option<u64>,
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
pub(super) fn run(bench: &Bench) -> Result<Vec<Table>> {
    [&HELLO, &SHOP, &DEMO]
        .into_iter()
        .map(|subject| measure(bench, subject))
        .collect()
}

fn measure(bench: &Bench, subject: &Subject) -> Result<Table> {
    let mut all: Vec<(Side, Figures)> = Side::ALL.map(|side| (side, Figures::default())).into();
    for round in 0..bench.rounds {
        // Whatever the machine does in between meets each side in turn.
        all.rotate_left(usize::from(round > 0));
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
    }
    all.sort_by_key(|(side, _)| Side::ALL.iter().position(|one| one == side));
    Ok(table(bench, subject, &all))
}

fn one(bench: &Bench, subject: &Subject, side: Side, figures: &mut Figures) -> Result<()> {
    let trial = Trial::new(bench, subject, side)?;
    let first = trial.deploy()?;
    figures.answered.push(first.answered);
    figures.ended.push(first.ended);
    figures.requests = first.requests;
    if side != Side::Floor {
        let again = trial.again()?;
        figures.again.push(again.ended);
        figures.again_requests = again.requests;
    }
    if let Some(next) = subject.next {
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
    let floor = all
        .iter()
        .find(|(side, _)| *side == Side::Floor)
        .map_or(0.0, |(_, figures)| figures.ended.median());
    let count = |requests: Option<u64>| requests.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let mut table = Table::new(
        subject.title,
        &[
            "",
            "first 200, s",
            "all up, s",
            "× floor",
            "calls",
            "the same again, s",
            "calls",
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
        table.row(vec![
            side.title().to_owned(),
            figures.answered.to_string(),
            figures.ended.to_string(),
            format!("{:.2}", figures.ended.median() / floor),
            count(figures.requests),
            figures.again.to_string(),
            count(figures.again_requests),
            figures.replaced.to_string(),
            lost,
            figures.destroyed.to_string(),
            format!("{} in {} runs", figures.left, bench.rounds),
        ]);
    }
    table
}
