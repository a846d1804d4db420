//! One environment becomes many: its objects with names exchanged, written in parallel as `k8s-ee` writes them.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::super::{http::Api, objects::path_of};

/// How often a kind is watched anew before that is given up.
const WATCHES: usize = 20;

/// Writes a second when nothing happens: nodes say that they live.
const FEW: u64 = 20;

/// Longest that it may take until nothing happens, in seconds.
const SETTLING: usize = 120;

/// Writers at a time.
const WRITERS: usize = 8;

/// What the API server adds to an object.
const ADDED: [&str; 5] = [
    "managedFields",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
];

/// The objects of an environment, in the steps in which they are written.
pub(super) struct Pattern {
    project: String,
    number: usize,
    steps: [Vec<String>; 3],
}

impl Pattern {
    /// Of the environment `number`, by its objects as they were rendered and those that only the cluster has.
    pub(super) fn new(project: &str, number: usize, objects: &[Value]) -> Self {
        let mut steps: [Vec<String>; 3] = Default::default();
        for object in objects {
            let step = match object["kind"].as_str() {
                Some("Namespace") => 0,
                Some("Deployment" | "StatefulSet") => 2,
                _ => 1,
            };
            steps[step].push(object.to_string());
        }
        Self {
            project: project.to_owned(),
            number,
            steps,
        }
    }

    /// How many objects an environment has.
    pub(super) fn len(&self) -> usize {
        self.steps.iter().map(Vec::len).sum()
    }

    /// Makes environments with these numbers, and waits until all of them are up.
    ///
    /// # Errors
    /// The API server refuses an object, or nothing happens any more.
    pub(super) fn make(&self, api: &Api, numbers: &[usize]) -> Result<()> {
        let [namespaces, contents, workloads] = &self.steps;
        self.write(api, namespaces, numbers)?;
        self.write(api, contents, numbers)?;
        // Pods are refused until the quota has been counted.
        let counted = |quota: &Value| quota["status"]["hard"].is_object();
        self.all(api, "/api/v1/resourcequotas", numbers, counted)?;
        self.write(api, workloads, numbers)?;
        let is_up = |now: &Value| {
            now["status"]["readyReplicas"].is_u64()
                && now["status"]["readyReplicas"] == now["spec"]["replicas"]
        };
        self.all(api, "/apis/apps/v1/deployments", numbers, is_up)?;
        self.all(api, "/apis/apps/v1/statefulsets", numbers, is_up)?;
        let used = |quota: &Value| {
            let pods = quota["status"]["used"]["limits.cpu"].as_str();
            pods.is_some_and(|pods| pods != "0")
        };
        self.all(api, "/api/v1/resourcequotas", numbers, used)?;
        settle(api)
    }

    fn write(&self, api: &Api, objects: &[String], numbers: &[usize]) -> Result<()> {
        let next = AtomicUsize::new(0);
        let writer = || -> Result<()> {
            while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                for object in objects {
                    apply(api, &self.renumbered(object, *number))?;
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(writer)).collect();
            writers
                .into_iter()
                .try_for_each(|writer| writer.join().expect("it does not panic"))
        })
    }

    /// Waits until there is an object in each environment that is so.
    fn all(
        &self,
        api: &Api,
        path: &str,
        numbers: &[usize],
        so: impl Fn(&Value) -> bool,
    ) -> Result<()> {
        let mut missing: BTreeSet<String> = numbers
            .iter()
            .map(|number| format!("{}-pr-{number}", self.project))
            .collect();
        let mut watched = Ok(());
        // The API server ends the watch of somebody who reads slowly; the next one begins with all that is there.
        for _ in 0..WATCHES {
            if missing.is_empty() {
                return Ok(());
            }
            watched = api.until(path, |object| {
                if so(object)
                    && let Some(namespace) = object["metadata"]["namespace"].as_str()
                {
                    missing.remove(namespace);
                }
                missing.is_empty()
            });
        }
        watched.with_context(|| format!("{} environments do not come up", missing.len()))
    }

    /// An object of another environment.
    fn renumbered(&self, object: &str, number: usize) -> String {
        let (own, project) = (self.number, &self.project);
        let text = object.replace(
            &format!("{project}-pr-{own}"),
            &format!("{project}-pr-{number}"),
        );
        ["k8s-ee/pr-number", "PR_NUMBER"]
            .iter()
            .fold(text, |text, key| {
                text.replace(
                    &format!("\"{key}\":\"{own}\""),
                    &format!("\"{key}\":\"{number}\""),
                )
            })
    }
}

/// Waits until the controllers have done what so many new objects give them to do.
fn settle(api: &Api) -> Result<()> {
    let writes = || -> Result<u64> {
        let (_, list) = api.ask("GET", "/api/v1/namespaces?limit=1", "", "")?;
        // One more with each write, whatever is written.
        let version = list["metadata"]["resourceVersion"].as_str();
        Ok(version.context("no version")?.parse()?)
    };
    let mut before = writes()?;
    for _ in 0..SETTLING {
        thread::sleep(Duration::from_secs(1));
        let now = writes()?;
        if now - before < FEW {
            return Ok(());
        }
        before = now;
    }
    bail!("the controllers do not come to rest")
}

/// An object that is only in the cluster, as it would be written there.
pub(super) fn as_written(api: &Api, path: &str) -> Result<Value> {
    let (code, mut object) = api.ask("GET", path, "", "")?;
    ensure!(code == 200, "GET {path}: {code}");
    let members = object.as_object_mut().context("no object")?;
    members.remove("status");
    let metadata = members.get_mut("metadata").and_then(Value::as_object_mut);
    let metadata = metadata.context("no metadata")?;
    for name in ADDED {
        metadata.remove(name);
    }
    Ok(object)
}

/// As `k8s-ee` does it, so that the API server keeps the same of it.
fn apply(api: &Api, text: &str) -> Result<()> {
    let object: Value = serde_json::from_str(text)?;
    let path = format!("{}?fieldManager=k8s-ee&force=true", path_of(&object)?);
    let (code, answer) = api.ask("PATCH", &path, "application/apply-patch+yaml", text)?;
    ensure!(code < 300, "PATCH {path}: {code} {answer}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_environment_has_its_own_names_and_number() {
        let object = json!({
            "kind": "ConfigMap",
            "metadata": {"name": "app-env", "namespace": "fleet-pr-1", "labels": {"k8s-ee/pr-number": "1"}},
            "data": {"PR_NUMBER": "1", "URL": "http://fleet-pr-1.preview.test", "PORT": "1"},
        });
        let pattern = Pattern::new("fleet", 1, &[object]);
        assert_eq!(pattern.len(), 1);
        let other: Value =
            serde_json::from_str(&pattern.renumbered(&pattern.steps[1][0], 42)).expect("JSON");
        assert_eq!(other["metadata"]["namespace"], "fleet-pr-42");
        assert_eq!(other["metadata"]["labels"]["k8s-ee/pr-number"], "42");
        assert_eq!(
            other["data"],
            json!({"PR_NUMBER": "42", "URL": "http://fleet-pr-42.preview.test", "PORT": "1"})
        );
    }
}
