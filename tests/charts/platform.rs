//! What the chart of the platform and the program agree on.

use clap::Parser as _;
use k8s_ee::{
    guardrails::{access, priority_classes},
    model::settings::PlatformSettings,
};
use serde_json::{Value, json};

use crate::{
    documents::{Trial, charts_folder, read},
    tools,
};

/// The objects of a kind that the chart makes.
fn made(kind: &str) -> Option<Vec<Value>> {
    let helm = tools::find("helm")?;
    let chart = charts_folder().join("k8s-ee-platform");
    let mut objects = helm.template(&chart, &Trial::of(&chart).base);
    objects.retain(|object| object["kind"] == kind);
    Some(objects)
}

#[test]
fn the_settings_are_read_by_the_program_and_name_who_deploys() {
    let Some(maps) = made("ConfigMap") else {
        return;
    };
    let text = maps[0]["data"]["settings.yaml"].as_str().expect("a text");
    let settings: PlatformSettings =
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(settings.domain.as_deref(), Some("preview.example.com"));
    assert_eq!(settings.access.viewers, ["developers"]);
    let subjects = |project: &str| {
        let binding = access::deployers("x", project, &settings.access).expect("a binding");
        binding.as_value()["subjects"].clone()
    };
    let own =
        json!({"kind": "ServiceAccount", "name": "k8s-ee-deployer", "namespace": "k8s-ee-system"});
    let sweep =
        json!({"kind": "ServiceAccount", "name": "k8s-ee-sweep", "namespace": "k8s-ee-system"});
    assert_eq!(subjects("other"), json!([own, sweep]));
    const GROUP: &str = "rbac.authorization.k8s.io";
    assert_eq!(
        subjects("shop"),
        json!([
            own,
            {"apiGroup": GROUP, "kind": "User", "name": "shop-ci@example.com"},
            {"apiGroup": GROUP, "kind": "Group", "name": "shop"},
            {"kind": "ServiceAccount", "name": "runner", "namespace": "ci"},
            sweep,
        ])
    );
}

#[test]
fn the_priority_classes_are_those_that_the_program_would_make() {
    let Some(classes) = made("PriorityClass") else {
        return;
    };
    let essence = |class: &Value| {
        ["value", "preemptionPolicy", "description"]
            .map(|key| class[key].clone())
            .into_iter()
            .chain([class["metadata"]["name"].clone()])
            .collect::<Vec<_>>()
    };
    let mut expected: Vec<Vec<Value>> = priority_classes()
        .iter()
        .map(|class| essence(&class.as_value()))
        .collect();
    let mut found: Vec<Vec<Value>> = classes.iter().map(essence).collect();
    expected.sort_by_key(|class| format!("{class:?}"));
    found.sort_by_key(|class| format!("{class:?}"));
    assert_eq!(found, expected);
}

#[test]
fn roles_have_the_names_that_the_program_binds_and_nothing_is_a_wildcard() {
    let (Some(mut roles), Some(more)) = (made("ClusterRole"), made("Role")) else {
        return;
    };
    assert!(
        roles
            .iter()
            .any(|role| role["metadata"]["name"] == access::ENVIRONMENT_ROLE)
    );
    roles.extend(more);
    for rule in roles
        .iter()
        .flat_map(|role| role["rules"].as_array().expect("rules"))
    {
        assert!(!rule.to_string().contains("\"*\""), "{rule}");
    }
}

#[test]
fn what_sweeps_is_the_image_that_the_container_action_runs() {
    let Some(jobs) = made("CronJob") else {
        return;
    };
    let action = charts_folder().join("../action/action.yml");
    let action = read(&action)["runs"]["image"].clone();
    let released = action
        .as_str()
        .and_then(|image| image.strip_prefix("docker://"));
    // A release adds the digest there.
    let released = released.and_then(|image| image.split('@').next());
    let container = jobs[0].pointer("/spec/jobTemplate/spec/template/spec/containers/0");
    let container = container.expect("a container");
    assert_eq!(container["image"].as_str(), released);
    let args: Vec<&str> = container["args"]
        .as_array()
        .expect("arguments")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    k8s_ee::cli::Cli::try_parse_from(["k8s-ee"].into_iter().chain(args))
        .unwrap_or_else(|error| panic!("{error}"));
}
