//! The values that the chart `k8s-ee-app` is rendered with: the environment in the chart's words.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use crate::{
    config::seed::Rerun,
    model::{
        Compute, Environment, EnvironmentKey, Seed, Service, operator::Operator, seed::Run,
        settings::PlatformSettings,
    },
};

/// Values of an environment. The same environment and settings always give the same values.
#[must_use]
pub fn of(environment: &Environment, settings: &PlatformSettings) -> Value {
    let identity = &environment.identity;
    let (number, name) = match &identity.key {
        EnvironmentKey::Pr(number) => (number.to_string(), String::new()),
        EnvironmentKey::Name(name) => (String::new(), name.clone()),
    };
    let services: Map<String, Value> = environment
        .services
        .iter()
        .map(|one| (one.name.clone(), service(one)))
        .collect();
    let seeds: Map<String, Value> = environment
        .seeds
        .iter()
        .map(|one| (one.name.clone(), seed(one)))
        .collect();
    let mut values = json!({
        "environment": {
            "projectId": identity.project_id,
            "prNumber": number,
            "name": name,
            "commitSha": identity.commit.as_deref().unwrap_or_default(),
            "branch": identity.branch.as_deref().unwrap_or_default(),
            "url": identity.url().unwrap_or_default(),
            "repository": identity.repository.as_deref().unwrap_or_default(),
        },
        "priorityClassName": settings.priority_class_name,

        "imagePullSecrets": settings.image_pull_secrets,
        "ingress": {
            "className": settings.ingress.class_name,
            "annotations": settings.ingress.annotations,
            "tls": {
                "enabled": settings.ingress.tls,
                "secretName": settings.ingress.tls_secret_name.as_deref().unwrap_or_default(),
            },
        },
        "services": services,
        "seeds": seeds,
    });
    for database in &environment.databases {
        let mut options = database.options.clone();
        options["enabled"] = true.into();
        if Operator::of_database(database.kind).is_some() {
            options["mode"] = database.mode.name().into();
        }
        values[database.kind.name()] = options;
    }
    values
}

fn service(service: &Service) -> Value {
    let (host, annotations) = match &service.ingress {
        Some(ingress) => (ingress.host.clone(), json!(ingress.annotations)),
        None => (String::new(), json!({})),
    };
    let mut values = json!({
        "image": service.image,
        "imagePullPolicy": pull_policy(&service.image),
        "version": version(&service.image),
        "command": service.command,
        "args": service.args,
        "port": service.port,
        "healthPath": service.health_path,
        "livenessPath": service.liveness_path.as_deref().unwrap_or_default(),
        "readinessPath": service.readiness_path.as_deref().unwrap_or_default(),
        "resources": resources(&service.requests, &service.limits),
        "env": service.env,
        "envFrom": service.env_from,
        "writableDirs": service.writable_dirs,
        "replicas": service.replicas,
        "ingress": {"enabled": service.ingress.is_some(), "host": host, "annotations": annotations},
        "databases": service.databases,
    });
    if let Some(metrics) = &service.metrics {
        values["metrics"] =
            json!({"enabled": true, "path": metrics.path, "interval": metrics.interval});
    }
    if let Some(scaling) = &service.autoscaling {
        values["autoscaling"] =
            json!({"minReplicas": scaling.min_replicas, "maxReplicas": scaling.max_replicas});
        if let Some(percent) = scaling.cpu_percent {
            values["autoscaling"]["targetCPUUtilizationPercentage"] = percent.into();
        }
        if let Some(percent) = scaling.memory_percent {
            values["autoscaling"]["targetMemoryUtilizationPercentage"] = percent.into();
        }
    }
    if let Some(budget) = &service.disruption_budget {
        values["disruptionBudget"] = json!(budget);
    }
    values
}

fn seed(seed: &Seed) -> Value {
    let mut values = json!({
        "digest": seed.digest(),
        "rerun": seed.rerun == Rerun::OnChange,
        "timeoutSeconds": seed.timeout,
        "resources": resources(&seed.requests, &seed.limits),
        "databases": seed.databases,
    });
    match &seed.run {
        Run::File { content, .. } => {
            values["file"] = seed.file_name().into();
            values["contentBase64"] = BASE64.encode(content.bytes()).into();
        }
        Run::Image(program) => {
            values["image"] = program.image.as_str().into();
            values["imagePullPolicy"] = pull_policy(&program.image).into();
            values["version"] = version(&program.image).into();
            values["command"] = json!(program.command);
            values["args"] = json!(program.args);
            values["env"] = json!(program.env);
            values["envFrom"] = json!(program.env_from);
            values["writableDirs"] = json!(program.writable_dirs);
            if let Some(port) = program.port {
                values["port"] = port.into();
            }
        }
    }
    values
}

fn resources(requests: &Compute, limits: &Compute) -> Value {
    json!({
        "requests": {"cpu": requests.cpu.as_cpu(), "memory": requests.memory.as_bytes()},
        "limits": {"cpu": limits.cpu.as_cpu(), "memory": limits.memory.as_bytes()},
    })
}

/// A digest never changes, so a copy on the node will do; a tag may have moved since it was pulled.
fn pull_policy(image: &str) -> &'static str {
    if image.contains("@sha256:") {
        "IfNotPresent"
    } else {
        "Always"
    }
}

/// What the application is told as `APP_VERSION`: the tag, or the short digest.
fn version(image: &str) -> String {
    if let Some((_, digest)) = image.split_once("@sha256:") {
        return digest.chars().take(12).collect();
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':')
        .map_or("latest", |(_, tag)| tag)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_tag_or_the_digest() {
        assert_eq!(version("ghcr.io/a/b:1.2"), "1.2");
        assert_eq!(version("localhost:5000/b"), "latest");
        assert_eq!(version("a/b:1@sha256:0123456789abcdef"), "0123456789ab");
    }
}
