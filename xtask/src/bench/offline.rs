//! What needs no cluster: checking a file, and saying what would be deployed, beside the old way and beside the floor.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{
    Bench,
    old_way::OldWay,
    process,
    report::{Measured, Table, Verdict},
    stats::Sample,
    subject::{DEMO, HELLO, Subject},
};

/// Processes of some milliseconds are started this many times as often as environments.
const OFTEN: u32 = 6;

/// The old way or ours, with a small file and with a large one.
struct Contender {
    title: &'static str,
    sizes: [Figures; 2],
}

/// What is run, one after the other, and what was measured of it.
struct Figures {
    commands: Vec<Command>,
    took: Sample,
    cpu: Sample,
    memory: u64,
}

impl Contender {
    fn new(
        title: &'static str,
        folders: &[TempDir; 2],
        commands: impl Fn(&Path) -> Vec<Command>,
    ) -> Self {
        let sizes = folders.each_ref().map(|folder| Figures {
            commands: commands(folder.path()),
            took: Sample::default(),
            cpu: Sample::default(),
            memory: 0,
        });
        Self { title, sizes }
    }

    /// The longer one of the medians, in seconds.
    fn median(&self) -> f64 {
        let medians = self.sizes.each_ref().map(|one| one.took.median());
        medians[0].max(medians[1])
    }
}

/// Measures `validate`, `plan` and `quota`.
///
/// # Errors
/// The old way cannot be installed, or one of the programs fails.
pub(super) fn run(bench: &Bench) -> Result<Measured> {
    let old = OldWay::ensure()?;
    let schema = bench.root.join("schema/k8s-ee.schema.json");
    let folders = [
        folder_of(&HELLO, bench.domain)?,
        folder_of(&DEMO, bench.domain)?,
    ];
    let ours = |title, args: &[&str]| {
        Contender::new(title, &folders, |folder| {
            let mut command = Command::new(&bench.binary);
            command.current_dir(folder).args(args);
            vec![command]
        })
    };
    let which = ["--pr=1", "--image=a.test/app:1", "--domain=preview.test"];
    let mut validate = [
        ours("`k8s-ee validate`", &["validate"]),
        Contender::new("the old way: `yq`, then `ajv`", &folders, |folder| {
            old.validate(folder, &schema)
        }),
        Contender::new("floor: its parser alone", &folders, |folder| {
            let mut command = Command::new(&bench.parser);
            command.current_dir(folder).arg("k8s-ee.yaml");
            vec![command]
        }),
        ours("floor: `k8s-ee --version`", &["--version"]),
    ];
    let mut plan = [
        ours(
            "`k8s-ee plan --offline`",
            &[["plan", "--offline"].as_slice(), &which].concat(),
        ),
        ours("`k8s-ee quota`", &[["quota"].as_slice(), &which].concat()),
        Contender::new("floor: `helm template` of the same", &folders, |folder| {
            let mut command = Command::new("helm");
            command.current_dir(folder).args(["template", "app"]);
            command.arg(&bench.chart).args(["--values", "values.json"]);
            vec![command]
        }),
    ];
    let checking = measure(bench, "Checking a file", &mut validate)?;
    let planning = measure(bench, "Saying what would be deployed", &mut plan)?;
    let goal = |what: &str, limit: f64, contender: &Contender| Verdict {
        what: what.to_owned(),
        goal: format!("≤ {limit} ms"),
        measured: format!("{:.1} ms", contender.median() * 1e3),
        holds: contender.median() * 1e3 <= limit,
    };
    Ok(Measured {
        tables: vec![checking, planning],
        verdicts: vec![
            goal("`validate`", 10.0, &validate[0]),
            goal("`plan --offline`, helm included", 150.0, &plan[0]),
        ],
        ..Measured::default()
    })
}

/// Measures the contenders, each in turn.
fn measure(bench: &Bench, title: &str, contenders: &mut [Contender]) -> Result<Table> {
    bench.say(title);
    // The first time is nobody's: files and programs are read from the disk then.
    for round in 0..=bench.rounds * OFTEN {
        for figures in contenders.iter_mut().flat_map(|one| &mut one.sizes) {
            let [mut took, mut cpu] = [Duration::ZERO; 2];
            for command in &mut figures.commands {
                let ran = process::run(command)?;
                took += ran.took;
                cpu += ran.cpu;
                figures.memory = figures.memory.max(ran.memory);
            }
            if round > 0 {
                figures.took.push(took);
                figures.cpu.push(cpu);
            }
        }
    }
    let mut table = Table::new(
        title,
        &[
            "",
            "one service, ms",
            "five databases, ms",
            "of processors, ms",
            "memory, MiB",
        ],
    );
    for Contender { title, sizes } in contenders {
        let [small, large] = sizes;
        table.row(vec![
            (*title).to_owned(),
            small.took.in_milliseconds(),
            large.took.in_milliseconds(),
            large.cpu.in_milliseconds(),
            (small.memory.max(large.memory) >> 20).to_string(),
        ]);
    }
    Ok(table)
}

/// A folder with the file of a subject, and the values that helm renders the same with.
fn folder_of(subject: &Subject, domain: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("k8s-ee.yaml", format!("projectId: bench\n{}", subject.file))?;
    write(
        "values.json",
        subject.values("bench", &format!("bench-pr-1.{domain}"), "a.test/app:1"),
    )?;
    Ok(folder)
}
