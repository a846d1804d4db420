//! Many environments at the same moment, as when a team comes to work.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    Bench,
    report::{Measured, Table},
    stats::Sample,
    subject::SMALL,
    trial::{Side, Trial},
};

/// How many at once.
const CROWDS: [usize; 3] = [5, 20, 50];

/// Who deploys them: what was prepared before is no crowd.
const SIDES: [Side; 3] = [Side::Ours, Side::Helm, Side::Floor];

/// Measures crowds of each size, once.
///
/// # Errors
/// The files of an environment cannot be made.
pub(super) fn run(bench: &Bench) -> Result<Measured> {
    let crowds = if bench.quick { &CROWDS[..1] } else { &CROWDS };
    let tables: Result<Vec<Table>> = crowds.iter().map(|size| crowd(bench, *size)).collect();
    Ok(Measured {
        tables: tables?,
        ..Measured::default()
    })
}

fn crowd(bench: &Bench, size: usize) -> Result<Table> {
    let mut table = Table::new(
        &format!("{size} environments at once"),
        &[
            "",
            "each up, s",
            "all up, s",
            "failed",
            "each destroyed, s",
            "all destroyed, s",
            "failed",
        ],
    );
    for side in SIDES {
        bench.say(&format!("{size} environments at once, {}", side.title()));
        let trials: Vec<Trial<'_>> = (0..size)
            .map(|_| Trial::new(bench, &SMALL, side))
            .collect::<Result<_>>()?;
        let up = Crowd::of(bench, trials.iter().collect(), |trial| Ok(trial.up()?.0));
        let down = Crowd::of(bench, trials, |trial| Ok(trial.destroy()?.0));
        let mut row = vec![side.title().to_owned()];
        for crowd in [up, down] {
            row.extend([
                crowd.each.to_string(),
                format!("{:.2}", crowd.all.as_secs_f64()),
                crowd.failed.to_string(),
            ]);
        }
        table.row(row);
    }
    Ok(table)
}

/// How something went that many did at once.
struct Crowd {
    each: Sample,
    all: Duration,
    failed: usize,
}

impl Crowd {
    fn of<T: Send>(bench: &Bench, all: Vec<T>, act: impl Fn(T) -> Result<Duration> + Sync) -> Self {
        let begun = Instant::now();
        let act = &act;
        let results: Vec<Result<Duration>> = thread::scope(|scope| {
            let acting: Vec<_> = all
                .into_iter()
                .map(|one| scope.spawn(move || act(one)))
                .collect();
            acting
                .into_iter()
                .map(|one| one.join().expect("it does not panic"))
                .collect()
        });
        let mut crowd = Self {
            each: Sample::default(),
            all: begun.elapsed(),
            failed: 0,
        };
        for result in results {
            match result {
                Ok(took) => crowd.each.push(took),
                Err(error) => {
                    crowd.failed += 1;
                    bench.say(&format!("failed: {error:#}"));
                }
            }
        }
        crowd
    }
}
