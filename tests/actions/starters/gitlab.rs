//! GitLab: the jobs of `gitlab-ci.yml`, as its runner puts them together.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Map, Value};

use super::{Job, Machine, PR, commit, starter};

/// Where the images of the project go.
const IMAGE: &str = "registry.test/hello";

/// A pipeline for a merge request.
struct Pipeline<'a> {
    machine: &'a Machine,
    file: Value,
    version: u32,
}

impl<'a> Pipeline<'a> {
    fn new(machine: &'a Machine, version: u32) -> Self {
        machine.checks_out(version);
        Self {
            machine,
            file: serde_saphyr::from_str(&starter("gitlab-ci.yml")).expect("YAML"),
            version,
        }
    }

    /// A job with what it extends, maps into maps.
    fn merged(&self, name: &str) -> Map<String, Value> {
        let own = self.file[name].as_object().expect("a job").clone();
        let mut whole = match own.get("extends").and_then(Value::as_str) {
            Some(base) => self.merged(base),
            None => Map::new(),
        };
        for (key, value) in own {
            match (whole.get_mut(&key), value) {
                (Some(Value::Object(there)), Value::Object(new)) => there.extend(new),
                (_, value) => drop(whole.insert(key, value)),
            }
        }
        whole
    }

    /// The script of a job, and its variables: those that GitLab sets, those of the file, those of the project.
    fn job(&self, name: &str) -> Job {
        let whole = self.merged(name);
        let lines = ["before_script", "script"]
            .into_iter()
            .filter_map(|key| whole.get(key)?.as_array())
            .flatten();
        let lines: Vec<&str> = lines.map(|line| line.as_str().expect("a line")).collect();
        let sha = commit(self.version);
        let checkout = self.machine.path("checkout").display().to_string();
        let set = [
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_PROJECT_DIR", &checkout),
            ("CI_PROJECT_PATH", "acme/team/shop"),
            ("CI_MERGE_REQUEST_IID", PR),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "new-topic"),
            ("CI_COMMIT_SHA", &sha),
            ("CI_REGISTRY", "registry.test"),
            ("CI_REGISTRY_IMAGE", IMAGE),
            ("CI_REGISTRY_USER", "gitlab-ci-token"),
            ("CI_REGISTRY_PASSWORD", "only-for-tests"),
        ];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut variables = BTreeMap::from(set);
        for of in [self.file.get("variables"), whole.get("variables")] {
            for (name, value) in of.and_then(Value::as_object).into_iter().flatten() {
                variables.insert(name.clone(), value.as_str().expect("a text").to_owned());
            }
        }
        // A project's own variables go before those of the file.
        let digest = fs::read_to_string(self.machine.path("helm.sha256")).expect("a digest");
        variables.insert("HELM_SHA256".to_owned(), digest);
        Job {
            script: lines.join("\n"),
            variables,
        }
    }

    /// The stages of a merge request that is open.
    fn run(&self) {
        let names = |stage: &str| {
            let jobs = self.file.as_object().expect("a map").keys();
            let of_stage = jobs.filter(|name| !name.starts_with('.')).filter(|name| {
                self.file[name.as_str()]
                    .get("stage")
                    .and_then(Value::as_str)
                    == Some(stage)
            });
            let mut names: Vec<String> = of_stage.cloned().collect();
            names.sort();
            names
        };
        let stages = self.file["stages"].as_array().expect("stages");
        let stages: Vec<Vec<String>> = stages
            .iter()
            .map(|stage| names(stage.as_str().expect("a name")))
            .collect();
        assert_eq!(
            stages,
            [vec!["build", "prepare"], vec!["deploy", "destroy"]]
        );
        for stage in stages {
            // What is `when: manual` waits for somebody.
            let jobs: Vec<Job> = stage
                .iter()
                .filter(|name| *name != "destroy")
                .map(|name| self.job(name))
                .collect();
            self.machine.run(&jobs, "checkout");
        }
    }
}

/// What `wget` downloads is on this machine: archives like those of the releases, and their digests.
fn offline(machine: &Machine) {
    let served = machine.path("served");
    let pack = |archive: &str, within: &str, program: &str| {
        let folder = served.join(within);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(
            folder.join(program),
            format!("#!/bin/sh\nexec {program}.real \"$@\"\n"),
        )
        .expect("a program");
        let packed = Command::new("sh")
            .current_dir(&served)
            .args(["-e", "-c"])
            .arg(format!(
                "chmod 755 {within}/{program}; tar -czf {archive} {within}; rm -r {within}; sha256sum {archive} >>SHA256SUMS"
            ))
            .status();
        assert!(packed.expect("sh starts").success());
    };
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("k8s-ee-v{version}-linux-amd64");
    pack("helm-v3.19.0-linux-amd64.tar.gz", "linux-amd64", "helm");
    let sums = fs::read_to_string(served.join("SHA256SUMS")).expect("sums");
    fs::write(machine.path("helm.sha256"), &sums[..64]).expect("it is written");
    pack(&format!("{name}.tar.gz"), &name, "k8s-ee");
    // The real ones, by names that only the archives' programs know.
    fs::rename(machine.path("bin/k8s-ee"), machine.path("bin/k8s-ee.real")).expect("it is there");
    let helm = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
        .map(|folder| folder.join("helm"))
        .find(|file| file.is_file())
        .expect("helm is in PATH");
    std::os::unix::fs::symlink(helm, machine.path("bin/helm.real")).expect("a link");
    machine.program(
        "wget",
        &format!(
            "#!/bin/sh\nset -e\n[ \"$1 $2\" = '-q -O' ]\ncase $4 in\n\
             https://get.helm.sh/* | https://github.com/koder-cat/k8s-ee/releases/download/v{version}/*) ;;\n\
             *) echo \"nothing is at $4\" >&2; exit 1 ;;\nesac\ncp -- \"{}/${{4##*/}}\" \"$3\"\n",
            served.display()
        ),
    );
}

#[test]
fn opened_pushed_and_closed_on_gitlab() {
    let machine = Machine::new();
    offline(&machine);
    // Somebody else's project has a merge request of the same number.
    let other = Machine::new();
    other.checks_out(1);
    let prepare = Job {
        script: format!("k8s-ee prepare --pr {PR} --repository acme/other/shop --wait=false"),
        variables: BTreeMap::new(),
    };
    other.run(&[prepare], "checkout");
    for version in [1, 2] {
        Pipeline::new(&machine, version).run();
        // What GitLab shows as the URL of the environment.
        let shown = fs::read_to_string(machine.path("checkout/url.env")).expect("an artifact");
        assert_eq!(shown, format!("PREVIEW_URL=http://{}\n", machine.host()));
        machine.shows_version(version);
    }
    // The branch is gone, and the file with it.
    let destroy = Pipeline::new(&machine, 2).job("destroy");
    assert_eq!(destroy.variables["GIT_STRATEGY"], "none");
    machine.run(&[destroy], "empty");
    assert!(!machine.is_there());
    assert!(other.is_there());
}

#[test]
fn an_archive_that_is_another_stops_the_job_on_gitlab() {
    let machine = Machine::new();
    offline(&machine);
    let mut deploy = Pipeline::new(&machine, 1).job("deploy");
    deploy
        .variables
        .insert("HELM_SHA256".to_owned(), "0".repeat(64));
    let output = machine.start(&deploy, "checkout").wait_with_output();
    let output = output.expect("it ends");
    assert!(!output.status.success(), "{output:?}");
    assert!(!machine.is_there() && !machine.path("checkout/url.env").exists());
}
