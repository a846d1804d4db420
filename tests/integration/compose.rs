//! Compose files of many shapes: what becomes of each, and everything that is said about it, is on record.
//!
//! To add one, put a file into `tests/corpus/compose`, run `INSTA_UPDATE=always cargo test --test integration compose`, and
//! read what the record has gained as the person who wrote that file.

use std::{fmt::Write as _, fs, path::PathBuf};

use k8s_ee::{
    config::{Config, Source, report},
    init::{self, Refusal, Repository, Request},
};

use crate::common::root;

fn files() -> Vec<PathBuf> {
    let folder = root().join("tests/corpus/compose");
    let entries = fs::read_dir(&folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

/// What is made of a file, as a repository has it.
fn made_of(text: &str) -> String {
    let repository = Repository {
        directory: "shop".to_owned(),
        remote: None,
        files: [
            ("compose.yaml", text),
            ("Dockerfile", "FROM node:22\nEXPOSE 3000\n"),
            ("backend/Dockerfile", "FROM node:22\n"),
            (
                "backend/package.json",
                "{\"dependencies\": {\"express\": \"5\"}}",
            ),
            ("vote/Dockerfile", "FROM python:3.13\nEXPOSE 80\n"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into(),
    };
    let mut record = String::new();
    match init::init(&repository, &Request::default()) {
        Ok(proposal) => {
            Config::parse(Source::new("k8s-ee.yaml", proposal.config.as_str()))
                .expect("what is written is valid");
            // The first lines are the same in every file.
            let (_, config) = proposal
                .config
                .split_once("\n\n")
                .expect("a head and the rest");
            record.push_str(config);
            record.push('\n');
            for note in &proposal.notes {
                writeln!(record, "{note}").expect("a String takes any text");
            }
        }
        Err(Refusal::Compose { source, problems }) => {
            record.push_str(&report::human(&source, &problems, false));
        }
        Err(refusal) => panic!("{refusal:?}"),
    }
    record
}

#[test]
fn files_of_many_shapes_are_converted() {
    let files = files();
    assert!(files.len() >= 20, "{files:?}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/corpus/snapshots/compose"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in files {
            let name = file
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy();
            let text = fs::read_to_string(&file).expect("the file can be read");
            let made = made_of(&text);
            assert_eq!(
                made.starts_with("error:"),
                name.starts_with("refused-"),
                "{name}: {made}"
            );
            insta::assert_snapshot!(name.into_owned(), made);
        }
    });
}

/// Hostile files are held to the limits of the configuration itself.
#[test]
fn huge_files_end_soon() {
    let wide: String = (0..60).map(|n| format!("  s{n}: {{image: x}}\n")).collect();
    assert!(made_of(&format!("services:\n{wide}")).contains("more than 50 services"));
    let long = format!(
        "services:\n  a:\n    image: x\n    environment:\n{}",
        (0..9000)
            .map(|n| format!("      - {n}=$X\n"))
            .collect::<String>()
    );
    let started = std::time::Instant::now();
    let made = made_of(&long);
    assert!(
        made.contains("more notes are not shown"),
        "{}",
        &made[..300]
    );
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    assert!(made_of(&"[".repeat(5000)).starts_with("error:"));
}
