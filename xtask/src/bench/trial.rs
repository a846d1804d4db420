//! One environment of one side, from its first deploy to its end. What is not the side's own work is done before the clock
//! starts.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Bench,
    http::status,
    objects::{from_yaml, path_of},
    process::run,
    subject::Subject,
};

/// Who deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// `k8s-ee up` and `k8s-ee down`.
    Ours,
    /// The same after `k8s-ee prepare`, which runs while an image is being built.
    Prepared,
    /// `kubectl apply` of the same guardrails, `helm upgrade --install --wait` of the same chart, and a poll of the URL.
    Helm,
    /// The same objects by calls of the API, all of them at once.
    Floor,
}

impl Side {
    pub(super) const ALL: [Self; 4] = [Self::Ours, Self::Prepared, Self::Helm, Self::Floor];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Ours => "k8s-ee",
            Self::Prepared => "k8s-ee, prepared",
            Self::Helm => "helm",
            Self::Floor => "floor",
        }
    }
}

/// How deploying went.
#[derive(Debug)]
pub(super) struct Deployed {
    /// Until the URL answered 200 the first time.
    pub(super) answered: Duration,
    /// Until everything was up and the side said so.
    pub(super) ended: Duration,
    pub(super) cost: Cost,
}

/// What a side needed for it, and what it said.
#[derive(Debug, Default)]
pub(super) struct Cost {
    /// Calls of the API, and those of them that write, where they can be counted.
    pub(super) calls: Option<(u64, u64)>,
    /// The most memory that one of its programs held, in bytes.
    pub(super) memory: u64,
    /// What a person would have seen, where there is something to be seen.
    pub(super) progress: String,
}

impl Cost {
    /// Of several rounds: what the costliest needed, and what the last one said.
    pub(super) fn add(&mut self, last: Self) {
        *self = Self {
            calls: self.calls.max(last.calls),
            memory: self.memory.max(last.memory),
            progress: last.progress,
        };
    }
}

/// How replacing a version that serves went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub(super) ended: Duration,
    /// Requests that were made in the meantime, one after the other, and those of them that were not answered by 200.
    pub(super) asked: u32,
    pub(super) lost: u32,
}

/// Asked this often whether the URL answers.
const POLL: Duration = Duration::from_millis(20);

/// How long requests go on after a version has been replaced: the pods before it are still going.
const AFTERWARDS: Duration = Duration::from_secs(4);

/// Longest that anything may take.
const LIMIT: Duration = Duration::from_secs(300);

/// An environment that is deployed by a side.
pub(super) struct Trial<'a> {
    bench: &'a Bench,
    subject: &'a Subject,
    side: Side,
    namespace: String,
    host: String,
    folder: TempDir,
    guardrails: Vec<Value>,
    objects: Vec<Value>,
    next: Vec<Value>,
}

impl<'a> Trial<'a> {
    /// Writes the files of a new environment, and works out the objects of the sides that do not.
    pub(super) fn new(bench: &'a Bench, subject: &'a Subject, side: Side) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let project = format!(
            "bench{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let namespace = format!("{project}-pr-1");
        let host = format!("{namespace}.{}", bench.domain);
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text);
        write(
            "k8s-ee.yaml",
            format!("projectId: {project}\n{}", subject.file),
        )?;
        write(
            "platform.yaml",
            subject.platform(bench.domain, &bench.ingress),
        )?;
        write(
            "values.json",
            subject.values(&project, &host, subject.image),
        )?;
        if let Some(next) = subject.next {
            write("next.json", subject.values(&project, &host, next))?;
        }
        let mut trial = Self {
            bench,
            subject,
            side,
            namespace,
            host,
            folder,
            guardrails: Vec::new(),
            objects: Vec::new(),
            next: Vec::new(),
        };
        let rendered = trial.as_json(trial.ours(&["render"]).args(["--image", subject.image]))?;
        let component = |object: &Value| {
            object["metadata"]["labels"]["k8s-ee/component"]
                .as_str()
                .map(str::to_owned)
        };
        let (own, around): (Vec<Value>, Vec<Value>) = rendered
            .into_iter()
            .partition(|object| component(object).is_some());
        // The classes are the platform's and there already.
        trial.guardrails = around
            .into_iter()
            .filter(|object| object["kind"] != "PriorityClass")
            .collect();
        trial.objects = trial.as_json(&mut trial.template("values.json"))?;
        if subject.next.is_some() {
            trial.next = trial.as_json(&mut trial.template("next.json"))?;
        }
        // Helm's side and the floor are to deploy what we deploy.
        let names = |objects: &[Value]| -> Vec<String> {
            let others = objects.iter().filter(|object| object["kind"] != "Secret");
            let mut names: Vec<String> = others.filter_map(|o| path_of(o).ok()).collect();
            names.sort();
            names
        };
        let (ours, theirs) = (names(&own), names(&trial.objects));
        ensure!(ours == theirs, "not the same objects: {ours:?} {theirs:?}");
        trial.manifest("guardrails.json", &trial.guardrails)?;
        Ok(trial)
    }

    /// Deploys a version for the first time.
    pub(super) fn deploy(&self) -> Result<Deployed> {
        let begun = Instant::now();
        thread::scope(|scope| {
            let answered = scope.spawn(|| -> Result<Duration> {
                self.until_it_answers()?;
                Ok(begun.elapsed())
            });
            let cost = self.run(self.subject.image, "values.json")?;
            let ended = begun.elapsed();
            Ok(Deployed {
                answered: answered.join().expect("it does not panic")?,
                ended,
                cost,
            })
        })
    }

    /// Deploys without asking the URL meanwhile.
    pub(super) fn up(&self) -> Result<(Duration, Cost)> {
        let begun = Instant::now();
        let cost = self.run(self.subject.image, "values.json")?;
        Ok((begun.elapsed(), cost))
    }

    /// Brings up the databases and what surrounds them.
    pub(super) fn prepare(&self) -> Result<Duration> {
        let mut prepare = self.ours(&["prepare"]);
        Ok(run(prepare.args(["--context", self.bench.context]))?.took)
    }

    /// Deploys the next version while the one before is asked.
    pub(super) fn replace(&self, next: &str) -> Result<Replaced> {
        let over = AtomicBool::new(false);
        let mut replaced = Replaced {
            ended: Duration::ZERO,
            asked: 0,
            lost: 0,
        };
        thread::scope(|scope| {
            let visitor = scope.spawn(|| {
                let (mut asked, mut lost) = (0, 0);
                while !over.load(Ordering::Relaxed) {
                    asked += 1;
                    let answer = status(&self.bench.ingress, &self.host, self.subject.path);
                    lost += u32::from(answer != Some(200));
                    thread::sleep(Duration::from_millis(5));
                }
                (asked, lost)
            });
            let begun = Instant::now();
            let ran = self.run(next, "next.json");
            replaced.ended = begun.elapsed();
            if ran.is_ok() {
                thread::sleep(AFTERWARDS);
            }
            over.store(true, Ordering::Relaxed);
            (replaced.asked, replaced.lost) = visitor.join().expect("it does not panic");
            ran.map(drop)
        })?;
        Ok(replaced)
    }

    /// Removes the environment; how long that took, and how many volumes were still there when it was said to be done.
    pub(super) fn destroy(self) -> Result<(Duration, usize)> {
        let begun = Instant::now();
        match self.side {
            Side::Ours | Side::Prepared => {
                run(self.ours(&["down"]).args(["--context", self.bench.context]))?;
            }
            Side::Helm => {
                run(&mut self.helm(&["uninstall", "app", "--wait"]))?;
                run(&mut self.kubectl(&["delete", "namespace", &self.namespace, "--wait"]))?;
            }
            Side::Floor => self.delete_by_calls()?,
        }
        let ended = begun.elapsed();
        let left = self.volumes()?;
        let (code, _) = self.bench.api.ask("GET", &self.at_namespace(), "", "")?;
        ensure!(code == 404, "{} is not gone: {code}", self.namespace);
        while self.volumes()? > 0 {
            ensure!(
                begun.elapsed() < LIMIT,
                "volumes of {} stay",
                self.namespace
            );
            thread::sleep(POLL);
        }
        Ok((ended, left))
    }

    /// Runs the side to its end.
    fn run(&self, image: &str, values: &str) -> Result<Cost> {
        match self.side {
            Side::Ours | Side::Prepared => {
                let mut up = self.ours(&["up", "-o", "json", "--image", image]);
                let ran = run(up.args(["--context", self.bench.context]))?;
                let said: Value = serde_json::from_str(&ran.stdout).context("`up` prints JSON")?;
                let count = |kind: &str| said["requests"][kind].as_u64();
                Ok(Cost {
                    calls: count("reads").zip(count("writes")).map(|(r, w)| (r + w, w)),
                    memory: ran.memory,
                    progress: ran.stderr,
                })
            }
            Side::Helm => {
                let apply = run(&mut self.kubectl(&["apply", "-f", "guardrails.json"]))?;
                let chart = self.bench.chart.display().to_string();
                let upgrade = run(&mut self.helm(&[
                    "upgrade",
                    "--install",
                    "app",
                    &chart,
                    "--values",
                    values,
                    "--wait",
                    "--timeout",
                    "5m",
                ]))?;
                self.until_it_answers()?;
                Ok(Cost {
                    calls: None,
                    memory: apply.memory.max(upgrade.memory),
                    ..Cost::default()
                })
            }
            Side::Floor => {
                let calls = self.apply_all(match values {
                    "values.json" => &self.objects,
                    _ => &self.next,
                })?;
                self.until_it_answers()?;
                Ok(Cost {
                    calls: Some(calls),
                    ..Cost::default()
                })
            }
        }
    }

    /// The namespace, what surrounds the components, and then all of them; waits until they are up. Returns how many calls
    /// that took, and how many of them wrote.
    fn apply_all(&self, objects: &[Value]) -> Result<(u64, u64)> {
        let api = &self.bench.api;
        let (mut reads, mut writes) = (0, 0);
        let mut all = |objects: &[&Value]| -> Result<()> {
            writes += objects.len() as u64;
            thread::scope(|scope| {
                let calls: Vec<_> = objects
                    .iter()
                    .map(|object| scope.spawn(|| api.apply(object)))
                    .collect();
                calls
                    .into_iter()
                    .try_for_each(|call| call.join().expect("it does not panic"))
            })
        };
        let (first, rest) = self.guardrails.split_first().context("no namespace")?;
        all(&[first])?;
        all(&rest.iter().collect::<Vec<_>>())?;
        // Pods are refused until the quota has been counted.
        for quota in rest
            .iter()
            .filter(|object| object["kind"] == "ResourceQuota")
        {
            reads += 1;
            self.follow(quota, |now| now["status"]["hard"].is_object())?;
        }
        all(&objects.iter().collect::<Vec<_>>())?;
        thread::scope(|scope| {
            let mut waits = Vec::new();
            for object in objects {
                if matches!(object["kind"].as_str(), Some("Deployment" | "StatefulSet")) {
                    reads += 1;
                    waits.push(scope.spawn(|| self.follow(object, is_up)));
                }
            }
            waits
                .into_iter()
                .try_for_each(|wait| wait.join().expect("it does not panic"))
        })?;
        Ok((reads + writes, writes))
    }

    fn follow(&self, object: &Value, so: impl Fn(&Value) -> bool) -> Result<()> {
        let path = path_of(object)?;
        let (folder, name) = path.rsplit_once('/').context("a path has parts")?;
        self.bench
            .api
            .until(folder, |now| now["metadata"]["name"] == name && so(now))
    }

    /// Marks the namespace and deletes what takes time at once, as well as that can be done.
    fn delete_by_calls(&self) -> Result<()> {
        let api = &self.bench.api;
        let namespace = self.at_namespace();
        api.ask("DELETE", &namespace, "", "")?;
        let name = &self.namespace;
        let apps = format!("/apis/apps/v1/namespaces/{name}");
        let core = format!("/api/v1/namespaces/{name}");
        let brief = json!({"gracePeriodSeconds": 1}).to_string();
        for path in [
            format!("{apps}/deployments"),
            format!("{apps}/statefulsets"),
            format!("{core}/pods"),
            format!("{core}/persistentvolumeclaims"),
        ] {
            api.ask("DELETE", &path, "application/json", &brief)?;
        }
        let begun = Instant::now();
        while api.ask("GET", &namespace, "", "")?.0 != 404 {
            ensure!(begun.elapsed() < LIMIT, "{name} stays");
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Volumes of the environment.
    fn volumes(&self) -> Result<usize> {
        let (_, list) = self
            .bench
            .api
            .ask("GET", "/api/v1/persistentvolumes", "", "")?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let ours = items
            .iter()
            .filter(|volume| volume["spec"]["claimRef"]["namespace"] == self.namespace.as_str());
        Ok(ours.count())
    }

    fn at_namespace(&self) -> String {
        format!("/api/v1/namespaces/{}", self.namespace)
    }

    fn until_it_answers(&self) -> Result<()> {
        let begun = Instant::now();
        while status(&self.bench.ingress, &self.host, self.subject.path) != Some(200) {
            ensure!(begun.elapsed() < LIMIT, "{} does not answer", self.host);
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn ours(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.bench.binary);
        command
            .current_dir(self.folder.path())
            .args(args)
            .args(["--pr", "1"]);
        if args[0] != "down" {
            command.args(["--platform", "platform.yaml"]);
        }
        command
    }

    fn helm(&self, args: &[&str]) -> Command {
        let mut command = Command::new("helm");
        command
            .current_dir(self.folder.path())
            .args(args)
            .args(["--namespace", &self.namespace])
            .args(["--kube-context", self.bench.context]);
        command
    }

    fn template(&self, values: &str) -> Command {
        let chart = self.bench.chart.display().to_string();
        self.helm(&["template", "app", &chart, "--values", values])
    }

    fn kubectl(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .current_dir(self.folder.path())
            .args(["--context", self.bench.context])
            .args(args);
        command
    }

    /// The objects that a command prints as YAML.
    fn as_json(&self, command: &mut Command) -> Result<Vec<Value>> {
        let yaml = run(command)?.stdout;
        fs::write(self.folder.path().join("objects.yaml"), yaml)?;
        let mut objects = from_yaml(self.kubectl(&[]), "objects.yaml".as_ref())?;
        for object in &mut objects {
            if object["kind"] != "Namespace" {
                object["metadata"]["namespace"] = self.namespace.as_str().into();
            }
        }
        Ok(objects)
    }

    fn manifest(&self, name: &str, objects: &[Value]) -> Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        Ok(fs::write(self.folder.path().join(name), list.to_string())?)
    }
}

/// Whether all pods of a workload are of its newest version and ready.
fn is_up(now: &Value) -> bool {
    let number = |pointer: &str| now.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let wanted = number("/spec/replicas");
    number("/status/observedGeneration") == number("/metadata/generation")
        && number("/status/updatedReplicas") == wanted
        && number("/status/readyReplicas") == wanted
        && number("/status/replicas") == wanted
}
