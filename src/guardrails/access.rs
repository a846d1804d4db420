//! Who may do what in an environment: its pods nothing, the groups that the platform names may look, and the accounts that
//! it names may deploy.

use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject},
};

use super::metadata;
use crate::model::{
    object::Object,
    settings::{AccessSettings, SubjectKind},
};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Name of the RoleBinding by which the accounts that deploy may work in an environment.
pub const DEPLOYER: &str = "k8s-ee-deployer";

/// The ClusterRole with what they may do in one. The chart `k8s-ee-platform` makes it.
pub const ENVIRONMENT_ROLE: &str = "k8s-ee-environment";

/// Name of the Role of those who may look, and of its binding.
const VIEWER: &str = "k8s-ee-viewer";

/// What may be read, by API group. Secrets are not in it.
const READABLE: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "pods",
            "pods/log",
            "resourcequotas",
            "services",
        ],
    ),
    ("apps", &["deployments", "replicasets", "statefulsets"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("discovery.k8s.io", &["endpointslices"]),
    ("events.k8s.io", &["events"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("policy", &["poddisruptionbudgets"]),
    ("minio.min.io", &["tenants"]),
    ("mongodbcommunity.mongodb.com", &["mongodbcommunity"]),
    ("postgresql.cnpg.io", &["clusters"]),
];

/// The account that pods run under when they name none. It is bound to no Role, and no pod is given its token: the
/// account exists in every namespace, so this covers pods that are made by hand or by a user's own manifests too.
pub(super) fn service_account(namespace: &str) -> Object {
    Object::typed(&ServiceAccount {
        metadata: metadata(namespace, "default"),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    })
}

/// The Role of those who may look and its binding; nothing when the platform names nobody.
pub(super) fn viewers(namespace: &str, access: &AccessSettings) -> Vec<Object> {
    if access.viewers.is_empty() {
        return Vec::new();
    }
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let rules = READABLE.iter().map(|(group, resources)| PolicyRule {
        api_groups: Some(owned(&[group])),
        resources: Some(owned(resources)),
        verbs: owned(&["get", "list", "watch"]),
        ..PolicyRule::default()
    });
    let subjects = access.viewers.iter().map(|group| Subject {
        api_group: Some(GROUP.to_owned()),
        kind: "Group".to_owned(),
        name: group.clone(),
        namespace: None,
    });
    vec![
        Object::typed(&Role {
            metadata: metadata(namespace, VIEWER),
            rules: Some(rules.collect()),
        }),
        Object::typed(&RoleBinding {
            metadata: metadata(namespace, VIEWER),
            role_ref: RoleRef {
                api_group: GROUP.to_owned(),
                kind: "Role".to_owned(),
                name: VIEWER.to_owned(),
            },
            subjects: Some(subjects.collect()),
        }),
    ]
}

/// The binding of the accounts that deploy environments of this project; none when the platform names nobody, and they
/// have their rights from elsewhere.
#[must_use]
pub fn deployers(namespace: &str, project: &str, access: &AccessSettings) -> Option<Object> {
    let subjects: Vec<Subject> = access
        .deployers_of(project)
        .map(|deployer| Subject {
            api_group: match deployer.kind {
                SubjectKind::User | SubjectKind::Group => Some(GROUP.to_owned()),
                SubjectKind::ServiceAccount => None,
            },
            kind: format!("{:?}", deployer.kind),
            name: deployer.name.clone(),
            namespace: deployer.namespace.clone(),
        })
        .collect();
    if subjects.is_empty() {
        return None;
    }
    Some(Object::typed(&RoleBinding {
        metadata: metadata(namespace, DEPLOYER),
        role_ref: RoleRef {
            api_group: GROUP.to_owned(),
            kind: "ClusterRole".to_owned(),
            name: ENVIRONMENT_ROLE.to_owned(),
        },
        subjects: Some(subjects),
    }))
}
