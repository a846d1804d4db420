//! The objects themselves.

use std::collections::BTreeSet;

use k8s_openapi::{
    Resource,
    api::{
        core::v1::{LimitRange, ResourceQuota, ServiceAccount},
        networking::v1::NetworkPolicy,
        rbac::v1::{Role, RoleBinding},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::*;
use crate::model::{
    Span,
    settings::{Deployer, SubjectKind},
};

fn namespace_of(env: &Environment) -> Object {
    namespace(env, "2026-01-02T03:04:05Z", "2026-02-03T04:05:06Z")
}

#[test]
fn all_objects_of_an_environment_with_two_services() {
    let env = environment();
    let objects = rendered(&env);
    let settings = PlatformSettings::default();
    let mut all = vec![namespace_of(&env)];
    all.extend(built(&env, &objects, &settings, &facts()));
    insta::assert_snapshot!(serde_json::to_string_pretty(&all).expect("JSON"));
}

#[test]
fn a_namespace_says_how_long_the_environment_stays() {
    let mut env = environment();
    let of_ever = namespace_of(&env);
    assert_eq!(of_ever.annotation(labels::TTL), None);
    env.ttl = Some(Span::hours(72));
    let namespace = namespace_of(&env);
    assert_eq!(namespace.annotation(labels::TTL), Some("72h"));
}

#[test]
fn a_namespace_says_what_the_environment_is() {
    let env = environment();
    let pr = namespace_of(&env);
    assert_eq!(pr.label(labels::PR_NUMBER), Some("12"));
    assert_eq!(pr.label(labels::BRANCH), Some("feature-cart"));
    assert_eq!(pr.label(labels::NAME), None);
    assert_eq!(pr.annotation(labels::REPOSITORY), Some("acme/shop"));

    let mut by_hand = environment();
    by_hand.identity = Identity {
        key: EnvironmentKey::Name("demo".to_owned()),
        namespace: "shop-demo".to_owned(),
        repository: None,
        branch: None,
        profile: crate::model::Profile::Default,
        commit: Some("0123abc".to_owned()),
        ..env.identity
    };
    let named = namespace_of(&by_hand);
    assert_eq!(named.name(), "shop-demo");
    assert_eq!(named.label(labels::NAME), Some("demo"));
    assert_eq!(named.label(labels::COMMIT_SHA), Some("0123abc"));
    for key in [labels::PR_NUMBER, labels::BRANCH] {
        assert_eq!(named.label(key), None, "{key}");
    }
    assert_eq!(named.annotation(labels::REPOSITORY), None);

    by_hand.identity.commit = Some("no label!".to_owned());
    assert_eq!(namespace_of(&by_hand).label(labels::COMMIT_SHA), None);
}

fn read_back<T: Resource + Serialize + DeserializeOwned>(object: &Object) -> Value {
    assert_eq!(object.api_version(), T::API_VERSION);
    let typed: T = serde_json::from_value(object.as_value()).expect("valid for its kind");
    serde_json::to_value(typed).expect("JSON")
}

#[test]
fn every_object_is_what_its_kind_says() {
    let env = environment();
    let mut objects = rendered(&env);
    objects.extend(operated());
    let mut settings = PlatformSettings::default();
    settings.network.kubernetes_api = true;
    settings.access.viewers = vec!["developers".to_owned()];
    let mut all = vec![namespace_of(&env)];
    all.extend(built(&env, &objects, &settings, &facts()));
    all.extend(priority_classes());

    let mut kinds = BTreeSet::new();
    for object in &all {
        kinds.insert(object.kind());
        let again = match object.kind() {
            "Namespace" => read_back::<Namespace>(object),
            "LimitRange" => read_back::<LimitRange>(object),
            "ResourceQuota" => read_back::<ResourceQuota>(object),
            "ServiceAccount" => read_back::<ServiceAccount>(object),
            "Role" => read_back::<Role>(object),
            "RoleBinding" => read_back::<RoleBinding>(object),
            "NetworkPolicy" => read_back::<NetworkPolicy>(object),
            "PriorityClass" => read_back::<PriorityClass>(object),
            other => panic!("{other} is not a guardrail"),
        };
        assert_eq!(object.as_value(), again, "{}", object.id());
        let of_cluster = ["Namespace", "PriorityClass"].contains(&object.kind());
        let namespace = (!of_cluster).then_some("shop-pr-12");
        assert_eq!(object.namespace(), namespace, "{}", object.id());
    }
    assert_eq!(kinds.len(), 8);
    let ids: BTreeSet<_> = all.iter().map(Object::id).collect();
    assert_eq!(ids.len(), all.len(), "two objects have one name");
}

#[test]
fn bounds_come_before_anything_that_could_run() {
    let env = environment();
    let all = built(&env, &[], &PlatformSettings::default(), &facts());
    let kinds: Vec<&str> = all.iter().map(Object::kind).collect();
    assert_eq!(kinds[..2], ["LimitRange", "ResourceQuota"]);
    assert_eq!((all[0].name(), all[1].name()), ("pr-limits", "pr-quota"));
}

#[test]
fn pods_get_no_token_and_no_rights() {
    let env = environment();
    let all = built(&env, &[], &PlatformSettings::default(), &facts());
    let account = all.iter().find(|object| object.kind() == "ServiceAccount");
    let account = account.expect("there is one");
    assert_eq!(account.name(), "default");
    assert_eq!(
        account.get("/automountServiceAccountToken"),
        Some(&json!(false))
    );
    assert!(all.iter().all(|object| object.kind() != "RoleBinding"));
}

#[test]
fn viewers_may_read_everything_but_secrets() {
    let mut settings = PlatformSettings::default();
    settings.access.viewers = vec!["developers".to_owned(), "qa".to_owned()];
    let all = built(&environment(), &[], &settings, &facts());
    let of_kind = |kind: &str| {
        let object = all.iter().find(|object| object.kind() == kind);
        object.expect("there is one").as_value()
    };
    let rules = of_kind("Role")["rules"].clone();
    for rule in rules.as_array().expect("a list") {
        assert_eq!(rule["verbs"], json!(["get", "list", "watch"]));
        let resources = rule["resources"].as_array().expect("a list");
        assert!(!resources.contains(&json!("secrets")) && !resources.contains(&json!("*")));
    }
    let subjects = ["developers", "qa"].map(
        |group| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}),
    );
    assert_eq!(of_kind("RoleBinding")["subjects"], json!(subjects));
}

#[test]
fn accounts_that_deploy_are_bound_where_they_do() {
    let mut settings = PlatformSettings::default();
    let deployer = |name: &str, projects: &[&str]| Deployer {
        kind: SubjectKind::ServiceAccount,
        name: name.to_owned(),
        namespace: Some("k8s-ee-system".to_owned()),
        projects: projects
            .iter()
            .map(|project| (*project).to_owned())
            .collect(),
    };
    let env = environment();
    let own = env.identity.project_id.as_str();
    settings.access.deployers = vec![
        deployer("anybody", &[]),
        deployer("somebody", &["another", own]),
        deployer("nobody", &["another"]),
    ];
    let all = built(&env, &[], &settings, &facts());
    let binding = all.iter().find(|object| object.kind() == "RoleBinding");
    let binding = binding.expect("there is one").as_value();
    assert_eq!(binding["roleRef"]["kind"], "ClusterRole");
    assert_eq!(binding["roleRef"]["name"], "k8s-ee-environment");
    let subject =
        |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": "k8s-ee-system"});
    assert_eq!(
        binding["subjects"],
        json!([subject("anybody"), subject("somebody")])
    );
    settings.access.deployers.remove(0);
    settings.access.deployers.remove(0);
    let all = built(&env, &[], &settings, &facts());
    assert!(all.iter().all(|object| object.kind() != "RoleBinding"));
}

#[test]
fn priority_classes_are_those_that_charts_name() {
    let classes = priority_classes();
    let values = classes
        .iter()
        .map(|class| (class.name(), class.get("/value").cloned()));
    assert_eq!(
        values.collect::<Vec<_>>(),
        [
            ("platform-critical", Some(json!(1_000_000))),
            ("default-app", Some(json!(100))),
        ]
    );
}
