//! What database operators make of their custom resources: the pods, claims and objects that a quota must leave room
//! for and that policies must let through although no chart renders them.

use serde_json::Value;

use super::{
    Cost, QuotaError,
    pod::{Container, Pod, Resources, claim_size, len, quantity},
    workload::{Footprint, count, group_kind},
};
use crate::{
    model::{
        object::Object,
        settings::{Amounts, LimitSettings},
    },
    quantity::Quantity,
};

/// The operators whose custom resources are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// CloudNativePG.
    Postgresql,
    /// MongoDB Community.
    Mongodb,
    /// MinIO.
    Minio,
}

impl Operator {
    /// The operator that runs the object, if one does.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        match group_kind(object) {
            ("postgresql.cnpg.io", "Cluster") => Some(Self::Postgresql),
            ("mongodbcommunity.mongodb.com", "MongoDBCommunity") => Some(Self::Mongodb),
            ("minio.min.io", "Tenant") => Some(Self::Minio),
            _ => None,
        }
    }

    /// The label that the operator puts on the pods it makes for the object of this name.
    pub(crate) fn pod_label(self, name: &str) -> (&'static str, String) {
        match self {
            Self::Postgresql => ("cnpg.io/cluster", name.to_owned()),
            Self::Mongodb => ("app", format!("{name}-svc")),
            Self::Minio => ("v1.min.io/tenant", name.to_owned()),
        }
    }

    /// What it makes of the object.
    pub(super) fn footprint(
        self,
        object: &Object,
        limits: &LimitSettings,
    ) -> Result<Footprint, QuotaError> {
        match self {
            Self::Postgresql => postgresql(object, limits),
            Self::Mongodb => mongodb(object, limits),
            Self::Minio => minio(object, limits),
        }
    }
}

/// CloudNativePG: instances with a volume each; the Job that makes the first one is over before it starts and has the
/// same resources.
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
    Ok(Footprint {
        replicas: instances,
        shapes: vec![Pod::new(
            Vec::new(),
            vec![Container::new("postgres", resources, limits)],
        )],
        claims,
        // -rw, -ro and -r; the application's and three certificates' secrets; the default monitoring queries.
        objects: objects(3, 4, 1),
        ..Footprint::default()
    })
}

/// MongoDB Community: members with an agent beside the server. Two init containers and whatever the resource leaves
/// out get the operator's own defaults, which are larger than those of the LimitRange.
fn mongodb(object: &Object, limits: &LimitSettings) -> Result<Footprint, QuotaError> {
    const SPEC: &str = "/spec/statefulSet/spec";
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

    let container = |name: &str| {
        let list = format!("{SPEC}/template/spec/containers");
        let given = match named(object, &list, "", name) {
            Some(pointer) => Resources::read(object, &format!("{pointer}/resources"))?,
            None => Resources::default(),
        };
        Ok(Container::new(name, given.or(operator_defaults()), limits))
    };
    let init = |name: &str| Container::new(name, operator_defaults(), limits);
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
                init("mongod-posthook"),
                init("mongodb-agent-readinessprobe"),
            ],
            vec![container("mongod")?, container("mongodb-agent")?],
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

/// MinIO: pools of servers with volumes; the operator adds a sidecar.
fn minio(object: &Object, limits: &LimitSettings) -> Result<Footprint, QuotaError> {
    let sidecar = Container::new(
        "sidecar",
        Resources::read(object, "/spec/sideCars/resources")?,
        limits,
    );
    let mut footprint = Footprint {
        // The S3 service and the headless one; the operator's configuration and certificates.
        objects: objects(2, 3, 0),
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
        let pod = Pod::new(Vec::new(), vec![server, sidecar.clone()]);
        footprint.shapes.push(pod);
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
