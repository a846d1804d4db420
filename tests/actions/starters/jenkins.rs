//! Jenkins: the steps of the `Jenkinsfile`, by a reader that knows what is in that file and nothing else.

use std::collections::BTreeMap;

use super::{Job, Machine, PR, commit, starter};

/// What the file says.
#[derive(Debug, Default)]
struct Pipeline {
    /// `environment`: variables, as Groovy writes their values.
    environment: BTreeMap<String, String>,
    /// The command of each `sh`, with the stages that it is in.
    steps: Vec<(Vec<String>, String)>,
    /// The conditions of a stage.
    conditions: Vec<(String, String)>,
}

impl Pipeline {
    /// Reads it line by line.
    ///
    /// # Panics
    /// A line is of no known form.
    fn read(text: &str) -> Self {
        let mut pipeline = Self::default();
        // The open blocks, the stages among them by name.
        let mut open: Vec<(&str, Option<String>)> = Vec::new();
        for line in text.lines().map(str::trim) {
            let within = open.last().map(|(kind, _)| *kind);
            let stages = || open.iter().filter_map(|(_, name)| name.clone()).collect();
            if line.is_empty() || line.starts_with("//") {
                continue;
            }
            if line == "}" {
                open.pop().expect("a block is open");
            } else if let Some(name) = between(line, "stage('", "') {") {
                open.push(("stage", Some(name.to_owned())));
            } else if let Some(command) =
                between(line, "sh '", "'").or_else(|| between(line, "steps { sh '", "' }"))
            {
                // In single quotes Groovy fills nothing in.
                assert!(!command.contains(['\'', '\\']), "{line}");
                pipeline.steps.push((stages(), command.to_owned()));
            } else if let Some(block) = line.strip_suffix(" {") {
                let known = [
                    "pipeline",
                    "options",
                    "parameters",
                    "environment",
                    "stages",
                    "parallel",
                    "steps",
                    "when",
                ];
                let block = known.into_iter().find(|known| *known == block);
                open.push((block.unwrap_or_else(|| panic!("{line}")), None));
            } else if within == Some("when") {
                let stage: Vec<String> = stages();
                let stage = stage.last().expect("it is of a stage").clone();
                pipeline.conditions.push((stage, line.to_owned()));
            } else if let (Some("environment"), Some((name, value))) =
                (within, line.split_once(" = "))
            {
                pipeline
                    .environment
                    .insert(name.to_owned(), value.to_owned());
            } else {
                let known = [
                    "agent any",
                    "disableConcurrentBuilds(abortPrevious: true)",
                    "booleanParam(name: 'DESTROY', defaultValue: false, description: 'Take the environment away')",
                ];
                assert!(known.contains(&line), "{line}");
            }
        }
        assert!(open.is_empty(), "{open:?}");
        pipeline
    }

    /// The steps of these stages, with the variables of Jenkins for that version, and those of the file.
    fn jobs(&self, stages: &[&str], version: u32) -> Vec<Job> {
        let set = [
            ("CHANGE_ID", PR.to_owned()),
            ("CHANGE_BRANCH", "new-topic".to_owned()),
            ("GIT_COMMIT", commit(version)),
        ];
        let mut variables: BTreeMap<String, String> =
            set.map(|(name, value)| (name.to_owned(), value)).into();
        for (name, value) in &self.environment {
            // The machine has a file of that name already.
            if value == "credentials('preview-kubeconfig')" {
                assert_eq!(name, "KUBECONFIG");
                continue;
            }
            let mut text = between(value, "\"", "\"")
                .expect("a text of Groovy")
                .to_owned();
            for (known, there) in variables.clone() {
                text = text.replace(&format!("${{env.{known}}}"), &there);
            }
            assert!(!text.contains('$'), "{text}");
            variables.insert(name.clone(), text);
        }
        let meant = |within: &[String]| stages.iter().zip(within).all(|(one, other)| one == other);
        let jobs = self.steps.iter().filter(|(within, _)| meant(within));
        jobs.map(|(_, command)| Job {
            script: command.clone(),
            variables: variables.clone(),
        })
        .collect()
    }
}

/// What is between these two, where that is all of it.
fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix(after)
}

#[test]
fn opened_pushed_and_closed_on_jenkins() {
    let machine = Machine::new();
    // What everybody changes: where images go.
    let text = starter("Jenkinsfile").replace("registry.example.com/shop", "registry.test/hello");
    let pipeline = Pipeline::read(&text);
    let stages: Vec<String> = pipeline
        .steps
        .iter()
        .map(|(stages, _)| stages.join(" / "))
        .collect();
    let expected = [
        "Preview / Build / Image",
        "Preview / Build / Databases",
        "Preview / Deploy",
        "Remove",
    ];
    assert_eq!(stages, expected);
    let conditions: Vec<(&str, &str)> = pipeline
        .conditions
        .iter()
        .map(|(stage, condition)| (stage.as_str(), condition.as_str()))
        .collect();
    assert_eq!(
        conditions,
        [
            ("Preview", "changeRequest()"),
            ("Preview", "expression { !params.DESTROY }"),
            ("Remove", "changeRequest()"),
            ("Remove", "expression { params.DESTROY }"),
        ]
    );
    for version in [1, 2] {
        machine.checks_out(version);
        machine.run(&pipeline.jobs(&["Preview", "Build"], version), "checkout");
        machine.run(&pipeline.jobs(&["Preview", "Deploy"], version), "checkout");
        machine.shows_version(version);
    }
    machine.run(&pipeline.jobs(&["Remove"], 2), "checkout");
    assert!(!machine.is_there());
}
