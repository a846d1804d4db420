//! Containers that cannot be made from their description: a Secret or ConfigMap is missing, or the user is root.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::Pod;
use regex::Regex;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    scene::{Scene, event_line},
};
use crate::{config::file::EnvSource, model::seed::Run};

/// `secret "x" not found`, `configmap "x" not found`.
static OBJECT: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"(?i)\b(secret|configmap) "([^"]+)" not found"#));
/// `couldn't find key K in Secret ns/x`.
static KEY: LazyLock<Regex> =
    LazyLock::new(|| compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (?:[^\s/]+/)?(\S+)"));
/// `references non-existent secret key: K`, said of a volume.
static VOLUME_KEY: LazyLock<Regex> =
    LazyLock::new(|| compile(r"references non-existent (secret|config) key: (\S+)"));
/// `MountVolume.SetUp failed for volume "v" : …`.
static VOLUME: LazyLock<Regex> = LazyLock::new(|| compile(r#"for volume "([^"]+)""#));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: its tests run all of them")
}

/// What a pod refers to and does not find.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    secret: bool,
    name: String,
    key: Option<String>,
}

/// Why the kubelet cannot create this container, if that is what it waits for.
pub(super) fn finding(scene: &Scene<'_>, container: &Container<'_>) -> Option<Finding> {
    let waiting = container.waiting()?;
    let reason = waiting.reason.as_deref()?;
    if !["CreateContainerConfigError", "CreateContainerError"].contains(&reason) {
        return None;
    }
    let message = waiting.message.as_deref().unwrap_or_default();
    let evidence = vec![container.line(&format!("{reason}: {message}"))];
    if let Some(missing) = parse(message) {
        return Some(describe(
            scene,
            container.component,
            &container.subject(),
            &missing,
            evidence,
        ));
    }
    let subject = container.subject();
    let root = ["run as root", "non-numeric user", "breaks non-root policy"];
    if root.iter().any(|text| message.contains(text)) {
        let fix = Fix::new(
            "give the image a numeric user that is not root, in the Dockerfile: `USER 1001`",
        );
        let summary =
            format!("the image of {subject} wants to run as root, which environments do not allow");
        return Some(
            Finding::new(
                CauseCode::RunsAsRoot,
                container.component,
                summary,
                evidence,
                fix,
            )
            .fatal(true),
        );
    }
    let fix = Fix::new("fix what the message names").run(scene.describe(container.pod));
    let summary = format!("the node cannot create the container of {subject}");
    Some(Finding::new(
        CauseCode::ContainerConfig,
        container.component,
        summary,
        evidence,
        fix,
    ))
}

/// Secrets and ConfigMaps that are mounted and missing, which only events tell: the containers just wait.
pub(super) fn mounted(scene: &Scene<'_>) -> Vec<Finding> {
    let found = scene.pods.iter().filter_map(|pod| {
        let event = scene.obstacle(pod, &["FailedMount"])?;
        let message = event.message.as_deref()?;
        let missing = parse(message).or_else(|| volume_key(pod, message))?;
        let component = scene.component(&pod.metadata);
        let subject = scene.subject(pod);
        Some(describe(
            scene,
            component,
            &subject,
            &missing,
            vec![event_line(event)],
        ))
    });
    found.collect()
}

fn parse(message: &str) -> Option<Missing> {
    if let Some(found) = OBJECT.captures(message) {
        return Some(Missing {
            secret: found[1].eq_ignore_ascii_case("secret"),
            name: found[2].to_owned(),
            key: None,
        });
    }
    let found = KEY.captures(message)?;
    Some(Missing {
        secret: &found[2] == "Secret",
        name: found[3].to_owned(),
        key: Some(found[1].to_owned()),
    })
}

/// The message names the volume only; the pod says which object is behind it.
fn volume_key(pod: &Pod, message: &str) -> Option<Missing> {
    let found = VOLUME_KEY.captures(message)?;
    let name = VOLUME.captures(message)?[1].to_owned();
    let volumes = pod.spec.as_ref()?.volumes.as_ref()?;
    let volume = volumes.iter().find(|volume| volume.name == name)?;
    let secret = &found[1] == "secret";
    let object = if secret {
        volume.secret.as_ref()?.secret_name.clone()
    } else {
        volume.config_map.as_ref().map(|map| map.name.clone())
    };
    Some(Missing {
        secret,
        name: object?,
        key: Some(found[2].to_owned()),
    })
}

fn describe(
    scene: &Scene<'_>,
    component: Option<&str>,
    subject: &str,
    missing: &Missing,
    evidence: Vec<String>,
) -> Finding {
    let (code, kind) = if missing.secret {
        (CauseCode::MissingSecret, "Secret")
    } else {
        (CauseCode::MissingConfigMap, "ConfigMap")
    };
    let name = &missing.name;
    let namespace = &scene.env.identity.namespace;
    let summary = match &missing.key {
        None => format!("{kind} {name}, which {subject} needs, is not in namespace {namespace}"),
        Some(key) => format!("{kind} {name} has no key {key}, which {subject} needs"),
    };
    let asked = component.and_then(|component| asked_for(scene, component, missing));
    // What `envFrom` names is for the user to provide; everything else is made by the plan or by an operator, and may
    // only be late.
    let by_user = asked.is_some();
    let fix = match (&missing.key, by_user) {
        (Some(key), _) => Fix::new(format!(
            "add the key {key} to {kind} {name}, or correct the name"
        ))
        .run(scene.kubectl(&format!("describe {} {name}", kind.to_lowercase()))),
        (None, true) => {
            let make = if missing.secret {
                "secret generic"
            } else {
                "configmap"
            };
            Fix::new("create it from a file of KEY=value lines, or take it out of `envFrom`")
                .run(scene.kubectl(&format!("create {make} {name} --from-env-file={name}.env")))
        }
        (None, false) => {
            Fix::new("deploy again if the chart brings it or an operator makes it; otherwise make it, or take it out of the chart; there are:")
                .run(scene.kubectl("get secrets,configmaps"))
        }
    };
    Finding::new(code, component, summary, evidence, fix.at(asked)).fatal(by_user)
}

/// Pointer to the entry of `envFrom` that asks for the object.
fn asked_for(scene: &Scene<'_>, component: &str, missing: &Missing) -> Option<String> {
    let is_it = |source: &EnvSource| match source {
        EnvSource::SecretRef(object) => missing.secret && object.name == missing.name,
        EnvSource::ConfigMapRef(object) => !missing.secret && object.name == missing.name,
    };
    if let Some(seed) = scene.seed(Some(component)) {
        let Run::Image(program) = &seed.run else {
            return None;
        };
        let index = program.env_from.iter().position(is_it)?;
        // What it has of its service comes first.
        let of_service = scene.service(program.service.as_deref());
        let of_service = of_service.map_or(0, |service| service.env_from.len());
        return Some(match index.checked_sub(of_service) {
            Some(index) => seed.pointer(&format!("envFrom/{index}")),
            None => scene.pointer(program.service.as_deref(), &format!("envFrom/{index}"))?,
        });
    }
    let service = scene.service(Some(component))?;
    let index = service.env_from.iter().position(is_it)?;
    Some(service.pointer(&format!("envFrom/{index}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_object_and_the_key() {
        let missing = |secret, name: &str, key: Option<&str>| Missing {
            secret,
            name: name.to_owned(),
            key: key.map(str::to_owned),
        };
        for (message, expected) in [
            (
                r#"secret "api-keys" not found"#,
                missing(true, "api-keys", None),
            ),
            (
                r#"configmap "settings" not found"#,
                missing(false, "settings", None),
            ),
            (
                r#"MountVolume.SetUp failed for volume "tls" : secret "tls" not found"#,
                missing(true, "tls", None),
            ),
            (
                "couldn't find key URL in Secret shop-pr-1/api-keys",
                missing(true, "api-keys", Some("URL")),
            ),
            (
                "couldn't find key URL in ConfigMap shop-pr-1/settings",
                missing(false, "settings", Some("URL")),
            ),
        ] {
            assert_eq!(parse(message), Some(expected), "{message}");
        }
        assert_eq!(
            parse("container has runAsNonRoot and image will run as root"),
            None
        );
    }
}
