//! What database operators make of their custom resources: the pods, claims and objects that a quota must leave room
//! for and that policies must let through although no chart renders them.

use serde_json::Value;

use super::{
    Cost, QuotaError,
    pod::{Container, Pod, Resources, claim_size, len, quantity},
    workload::{Footprint, count},
};
use crate::{
    model::{
        object::Object,
        operator::Operator,
        settings::{Amounts, LimitSettings},
    },
    quantity::Quantity,
};

/// What an operator makes of an object of its kind.
pub(super) fn footprint_of(
    operator: Operator,
    object: &Object,
    limits: &LimitSettings,
) -> Result<Footprint, QuotaError> {
    match operator {
        Operator::Postgresql => postgresql(object, limits),
        Operator::Mongodb => mongodb(object, limits),
        Operator::Minio => minio(object, limits),
    }
}

/// CloudNativePG (`pkg/specs/{jobs,pods}.go`): instances with a volume each. An init container puts the instance manager
/// into the pod, with the resources of the server. The first instance is made by a Job, each further one by another, with
/// those resources again; a Job is over before its instance starts, and pods that are over do not count. A new version
/// takes the place of the pod before it: there is no pod beyond the instances.
fn postgresql(object: &Object, limits: &LimitSettings) -> Result<Footprint, QuotaError> {
    let instances = count(object, "/spec/instances", 1)?;
    let volumes = (0..len(object, "/spec/tablespaces"))
        .map(|i| format!("/spec/tablespaces/{i}/storage/size"))
        .chain(["/spec/walStorage/size".to_owned()])
        .filter(|pointer| object.get(pointer).is_some());
    let mut claims = vec![(instances, quantity(object, "/spec/storage/size")?)];
    for pointer in volumes {
        claims.push((instances, quantity(object, &pointer)?));
    }
    let resources = Resources::read(object, "/spec/resources")?;
    let container = |name: &str| Container::new(name, resources.clone(), limits);
    Ok(Footprint {
        replicas: instances,
        shapes: vec![Pod::new(
            vec![container("bootstrap-controller")],
            vec![container("postgres")],
        )],
        claims,
        // -rw, -ro and -r; the application's and three certificates' secrets; the default monitoring queries.
        objects: objects(3, 4, 1),
        ..Footprint::default()
    })
}

/// MongoDB Community and its successor (`controllers/construct/mongodbstatefulset.go` in both): a StatefulSet of members
/// with an agent beside the server, and two init containers. Whatever the resource leaves out gets the operator's own
/// defaults (`resourcerequirements.go`), which are larger than those of the LimitRange.
fn mongodb(object: &Object, limits: &LimitSettings) -> Result<Footprint, QuotaError> {
    const SPEC: &str = "/spec/statefulSet/spec";
    const POD: &str = "/spec/statefulSet/spec/template/spec";
    let megabytes = |n: i64| Quantity::units(n * 1_000_000);
    let operator_defaults = || {
        let requests = Amounts {
            cpu: Quantity::milli(500),
            memory: megabytes(400),
        };
        let limits = Amounts {
            cpu: Quantity::units(1),
            memory: megabytes(500),
        };
        Resources::new(requests, limits)
    };
    let members =
        count(object, "/spec/members", 1)?.saturating_add(count(object, "/spec/arbiters", 0)?);

    let container = |list: &str, name: &str| {
        let given = match named(object, &format!("{POD}/{list}"), "", name) {
            Some(pointer) => Resources::read(object, &format!("{pointer}/resources"))?,
            None => Resources::default(),
        };
        Ok(Container::new(name, given.or(operator_defaults()), limits))
    };
    let volume = |name: &str, default: Quantity| {
        let list = format!("{SPEC}/volumeClaimTemplates");
        match named(object, &list, "/metadata", name) {
            Some(pointer) => claim_size(object, &pointer),
            None => Ok(default),
        }
    };
    let users = i64::try_from(len(object, "/spec/users")).expect("a list fits into memory");
    Ok(Footprint {
        replicas: members,
        shapes: vec![Pod::new(
            vec![
                container("initContainers", "mongod-posthook")?,
                container("initContainers", "mongodb-agent-readinessprobe")?,
            ],
            vec![
                container("containers", "mongod")?,
                container("containers", "mongodb-agent")?,
            ],
        )],
        claims: vec![
            (members, volume("data-volume", megabytes(10_000))?),
            (members, volume("logs-volume", megabytes(2_000))?),
        ],
        // The agents' configuration, password and key, two of certificates; credentials and connection of each user.
        objects: objects(1, 5 + 2 * users, 0),
        ..Footprint::default()
    })
}

/// MinIO (`pkg/resources/statefulsets/minio-statefulset.go`): a StatefulSet a pool, of servers with volumes. The operator
/// adds a sidecar, and an init container with the same resources.
fn minio(object: &Object, limits: &LimitSettings) -> Result<Footprint, QuotaError> {
    let sidecars = Resources::read(object, "/spec/sideCars/resources")?;
    let own = |name: &str| Container::new(name, sidecars.clone(), limits);
    let mut footprint = Footprint {
        // S3, headless and console; the operator's configuration and certificates.
        objects: objects(3, 3, 0),
        ..Footprint::default()
    };
    for i in 0..len(object, "/spec/pools") {
        let pool = format!("/spec/pools/{i}");
        let servers = count(object, &format!("{pool}/servers"), 1)?;
        let volumes = count(object, &format!("{pool}/volumesPerServer"), 1)?;
        let size = claim_size(object, &format!("{pool}/volumeClaimTemplate"))?;
        let resources = Resources::read(object, &format!("{pool}/resources"))?;
        footprint.replicas = footprint.replicas.saturating_add(servers);
        footprint
            .claims
            .push((servers.saturating_mul(volumes), size));
        let server = Container::new("minio", resources, limits);
        footprint.shapes.push(Pod::new(
            vec![own("validate-arguments")],
            vec![server, own("sidecar")],
        ));
    }
    Ok(footprint)
}

fn objects(services: i64, secrets: i64, config_maps: i64) -> Cost {
    Cost::from_iter([
        ("services", Quantity::units(services)),
        ("secrets", Quantity::units(secrets)),
        ("configmaps", Quantity::units(config_maps)),
    ])
}

/// Pointer to the entry of a list whose `name` (below `within`) is the given one.
fn named(object: &Object, list: &str, within: &str, name: &str) -> Option<String> {
    (0..len(object, list))
        .map(|i| format!("{list}/{i}"))
        .find(|entry| object.get(&format!("{entry}{within}/name")) == Some(&Value::from(name)))
}
