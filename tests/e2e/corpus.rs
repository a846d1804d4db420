//! Broken environments, made for real, and what `doctor --pr` says of them: the first cause must be the one that was
//! brought about. `up` is still at work while the doctor looks, as it is for somebody who waits and wonders.
//!
//! With `K8S_EE_RECORD=$PWD/tests/corpus/diagnosis` what was seen is recorded there too, and unit tests replay it without
//! a cluster.

mod cluster;
mod databases;
mod images;
mod ports;
mod programs;
mod url;

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    causes::own_chart,
    harness::{PATIENCE, Project, Ran, TESTAPP, apply, kubectl},
};

/// How an environment is broken.
struct Broken {
    /// The file, after `projectId`.
    file: &'static str,
    /// Options of `up` beside `--pr`.
    args: &'static [&'static str],
    /// What is added to the platform settings.
    platform: &'static str,
    /// Done before `up`.
    before: fn(&Project),
    /// Done after `up`, where it brings the environment up and it breaks afterwards.
    after: Option<fn(&Project)>,
    /// The codes of its causes, the first one first.
    codes: &'static [&'static str],
    /// What must stand in the first cause, in any part of it.
    says: &'static [&'static str],
}

/// With a chart of the project's own.
const CHART: &[&str] = &["--chart", "chart"];

const PLAIN: &str = "app:\n  port: 8080\n";

/// How often the doctor looks.
const PAUSE: Duration = Duration::from_secs(1);

const fn broken(file: &'static str, codes: &'static [&'static str]) -> Broken {
    Broken {
        file,
        args: &[],
        platform: "",
        before: |_| {},
        after: None,
        codes,
        says: &[],
    }
}

impl Broken {
    const fn args(mut self, args: &'static [&'static str]) -> Self {
        self.args = args;
        self
    }

    const fn platform(mut self, platform: &'static str) -> Self {
        self.platform = platform;
        self
    }

    const fn before(mut self, before: fn(&Project)) -> Self {
        self.before = before;
        self
    }

    const fn then(mut self, after: fn(&Project)) -> Self {
        self.after = Some(after);
        self
    }

    const fn says(mut self, says: &'static [&'static str]) -> Self {
        self.says = says;
        self
    }

    fn run(&self, name: &str) {
        let mut project = Project::new(self.file);
        project.platform(self.platform);
        (self.before)(&project);
        let mut up = vec![
            "up",
            "--pr",
            "1",
            "--no-rollback",
            "--timeout",
            "3m",
            "-o",
            "json",
        ];
        up.extend(self.args);
        // Services that name no image run the test application.
        if !up.contains(&"--image") && !self.file.contains("\n    image:") {
            up.extend(["--image", TESTAPP]);
        }
        let Some(after) = self.after else {
            let mut running = project.start(&up);
            self.look(&mut project, name);
            // It may have seen by itself that waiting does not help; then it must have said the same.
            let ended = running.try_wait().expect("it was started");
            interrupt(running.id());
            let ran = Ran::of(running.wait_with_output().expect("it ends"), &up);
            if ended.is_some() {
                let said = ran.json();
                let said = codes(&said["causes"]);
                // Of several, it may have waited for one only.
                assert!(
                    said.first().is_some_and(|code| self.codes.contains(code)),
                    "{ran:?}"
                );
            }
            return;
        };
        project.run(&up).ok();
        after(&project);
        self.look(&mut project, name);
    }

    /// Waits until the doctor names the causes, and records them where that is asked for.
    fn look(&self, project: &mut Project, name: &str) {
        let args = ["doctor", "--pr", "1", "-o", "json", "--record", "seen"];
        let limit = Instant::now() + PATIENCE;
        let causes = loop {
            // The namespace may not be there yet.
            let ran = project.run(&args);
            let causes = match ran.code {
                0 | 13 => ran.json()["causes"].clone(),
                _ => Value::Null,
            };
            if codes(&causes).starts_with(self.codes) {
                break causes;
            }
            assert!(
                Instant::now() < limit,
                "{name}: {:?} are not the causes: {causes:#}\n{ran:?}",
                self.codes
            );
            std::thread::sleep(PAUSE);
        };
        keep(project, name);
        for text in self.says {
            assert!(
                causes[0].to_string().contains(text),
                "{name}: `{text}` is not in {:#}",
                causes[0]
            );
        }
    }
}

/// Nothing is wrong, so nothing is said: the recording that others are held against.
#[test]
fn healthy() {
    let mut project = Project::new(
        "services:\n  api:\n    port: 8080\n    image: registry.test/testapp:1\n    dependsOn: [postgresql, redis]\n  web:\n    port: 8080\n    image: registry.test/testapp:1\n    public: true\n    dependsOn: [api]\ndatabases:\n  postgresql: {version: \"15\"}\n  redis: {version: \"7.0\"}\nseed:\n  name: data\n  image: registry.test/testapp:1\n  env: {MODE: exit, EXIT_CODE: \"0\", MESSAGE: \"3 rows\"}\n",
    );
    project.run(&["up", "--pr", "1"]).ok();
    let args = ["doctor", "--pr", "1", "-o", "json", "--record", "seen"];
    let json = project.run(&args).ok().json();
    assert_eq!(json["causes"], json!([]), "{json:#}");
    keep(&project, "healthy");
}

/// Puts what was seen into the corpus, where that is asked for.
fn keep(project: &Project, name: &str) {
    let Some(corpus) = std::env::var_os("K8S_EE_RECORD") else {
        return;
    };
    let folder = PathBuf::from(corpus).join(name);
    std::fs::create_dir_all(&folder).expect("the corpus can be written to");
    for file in ["case.json", "expected.txt"] {
        let seen = project.path().join("seen").join(file);
        std::fs::copy(seen, folder.join(file)).expect("it was recorded");
    }
}

fn codes(causes: &Value) -> Vec<&str> {
    let all = causes.as_array().into_iter().flatten();
    all.filter_map(|cause| cause["code"].as_str()).collect()
}

/// Ctrl-C.
pub(crate) fn interrupt(id: u32) {
    // It may be gone already.
    drop(
        Command::new("kill")
            .args(["-INT", &id.to_string()])
            .output(),
    );
}

/// A service of this image that runs a script, with more of the file below it.
macro_rules! script {
    ($script:expr) => {
        script!("busybox:1.35", $script, "")
    };
    ($image:expr, $script:expr, $more:expr) => {
        concat!(
            "services:\n  app:\n    port: 8080\n    image: ",
            $image,
            "\n    command: [sh, -c]\n    args:\n      - |\n        ",
            $script,
            "\n",
            $more
        )
    };
}

macro_rules! cases {
    ($($name:ident: $case:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let case: Broken = $case;
                case.run(&stringify!($name).replace('_', "-"));
            }
        )*
    };
}

use {cases, script};

fn change(project: &Project, args: &[&str]) {
    let namespace = project.namespace(1);
    let args = [args, &["-n", &namespace]].concat();
    let ran = kubectl(&args);
    assert!(
        ran.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The namespace before `up`, as somebody else could have made it.
fn make_namespace(project: &Project) {
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": project.namespace(1), "labels": {
        "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
        "k8s-ee/project-id": project.id, "k8s-ee/pr-number": "1"}}}),
    );
}

/// An object of the cluster that is for this namespace only, and gone with it: the namespace owns it.
fn apply_with_namespace(project: &Project, mut object: Value) {
    let namespace = project.namespace(1);
    let own = kubectl(&[
        "get",
        "namespace",
        &namespace,
        "-o",
        "jsonpath={.metadata.uid}",
    ]);
    let uid = String::from_utf8_lossy(&own.stdout).into_owned();
    object["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "Namespace", "name": namespace, "uid": uid}]);
    apply(&object);
}

/// Replaces a text of the platform settings.
fn settings(project: &Project, from: &str, to: &str) {
    let path = project.path().join("platform.yaml");
    let text = std::fs::read_to_string(&path).expect("written by `new`");
    assert!(text.contains(from), "no `{from}` in {text}");
    std::fs::write(path, text.replace(from, to)).expect("written");
}

/// A chart of the project's own, with this in place of that. It must be in one of the templates.
fn chart(project: &Project, changes: &[(&str, &str)]) {
    let found = std::cell::Cell::new(0);
    own_chart(project, |text| {
        changes.iter().fold(text.to_owned(), |text, (from, to)| {
            found.set(found.get() + usize::from(text.contains(from)));
            text.replace(from, to)
        })
    });
    assert!(
        found.get() >= changes.len(),
        "not all of {changes:?} are in the chart"
    );
}

/// Where the containers of a service begin in the chart.
const CONTAINERS: &str = "      containers:\n        - name: {{ $name }}\n";

/// An init container with this script, and more of its description, before those of the service.
fn init_container(project: &Project, script: &str, more: &str) {
    let container = json!(["sh", "-c", script]);
    let init = format!(
        "      initContainers:\n        - name: prepare\n          image: busybox:1.35\n          command: {container}\n          securityContext:\n            {{{{- include \"k8s-ee.containerSecurityContext\" $ | nindent 12 }}}}\n{more}{CONTAINERS}"
    );
    chart(project, &[(CONTAINERS, &init)]);
}
