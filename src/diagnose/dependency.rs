//! Programs that do not find what they depend on: a component that is down, a wrong address, a variable that nobody sets.

use std::net::IpAddr;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    exits,
    scene::Scene,
};
use crate::model::DatabaseKind;

/// What is known of each kind of database: its port, names that programs tend to look for, the variables it brings.
struct Known {
    kind: DatabaseKind,
    port: u16,
    names: &'static [&'static str],
    /// The variable that says where it is.
    address: &'static str,
    /// How the names of its variables begin.
    variables: &'static [&'static str],
}

const KNOWN: &[Known] = &[
    Known {
        kind: DatabaseKind::Postgresql,
        port: 5432,
        names: &["postgresql", "postgres", "pg", "pgsql"],
        address: "DATABASE_URL",
        variables: &[
            "DATABASE_URL",
            "PGHOST",
            "PGPORT",
            "PGDATABASE",
            "PGUSER",
            "PGPASSWORD",
        ],
    },
    Known {
        kind: DatabaseKind::Mongodb,
        port: 27017,
        names: &["mongodb", "mongo"],
        address: "MONGODB_URL",
        variables: &["MONGODB_"],
    },
    Known {
        kind: DatabaseKind::Redis,
        port: 6379,
        names: &["redis", "cache"],
        address: "REDIS_HOST",
        variables: &["REDIS_"],
    },
    Known {
        kind: DatabaseKind::Minio,
        port: 9000,
        names: &["minio", "s3"],
        address: "S3_ENDPOINT",
        variables: &["MINIO_", "S3_"],
    },
    Known {
        kind: DatabaseKind::Mariadb,
        port: 3306,
        names: &["mariadb", "mysql"],
        address: "MYSQL_HOST",
        variables: &["MYSQL_"],
    },
];

/// A connection was refused: its other end is down, or somewhere else.
pub(super) fn refused(
    scene: &Scene<'_>,
    container: &Container<'_>,
    host: Option<&str>,
    port: Option<u16>,
    evidence: Vec<String>,
) -> Finding {
    let subject = container.subject();
    let place = place(host, port);
    if host.is_some_and(is_loopback) {
        return loopback(scene, container, &place, port, evidence);
    }
    // Programs that do not say where they wanted to go mean, if anything, a dependency that is down.
    let unnamed = || {
        let component = container.component.filter(|_| host.is_none())?;
        let mut dependencies = scene.dependencies(component).into_iter();
        dependencies.find(|on| !scene.is_ready(on))
    };
    match target(scene, container, host, port).or_else(unnamed) {
        Some(target) if !scene.is_ready(target) => failed(container, target, evidence),
        up => {
            let summary = format!("{subject} exits because {place} refused its connection");
            let fix = match up {
                Some(target) => format!(
                    "{target} is up now: let {subject} try for a while to connect before it gives up"
                ),
                None => "correct the address, or make what it connects to part of the environment"
                    .to_owned(),
            };
            Finding::new(
                CauseCode::ContainerExited,
                container.component,
                summary,
                evidence,
                Fix::new(fix),
            )
            .fatal(exits::is_lasting(container))
        }
    }
}

fn place(host: Option<&str>, port: Option<u16>) -> String {
    match (host, port) {
        (Some(host), Some(port)) if host.contains(':') => format!("[{host}]:{port}"),
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "another server".to_owned(),
    }
}

/// A connection got no answer: its other end is down, or the network policies of the environment close the way.
pub(super) fn timed_out(
    scene: &Scene<'_>,
    container: &Container<'_>,
    host: Option<&str>,
    port: Option<u16>,
    evidence: Vec<String>,
) -> Finding {
    let named = host.and_then(|host| other_at(scene, container, host));
    if let Some(target) = named.filter(|target| !scene.is_ready(target)) {
        return failed(container, target, evidence);
    }
    let subject = container.subject();
    let place = place(host, port);
    let address = host.and_then(|host| host.parse::<IpAddr>().ok());
    let (summary, fix) = if address.is_some_and(is_private) {
        (
            format!(
                "{subject} gets no answer from {place}: environments may not reach private addresses"
            ),
            "make what it connects to part of the environment, or give it a public address",
        )
    } else {
        (
            format!("{subject} gets no answer from {place}"),
            "check that it answers the cluster's nodes; other namespaces, private and link-local addresses are closed to environments",
        )
    };
    let reachable = format!(
        "k8s-ee plan {} --reachability",
        scene.env.identity.key.flag()
    );
    Finding::new(
        CauseCode::ConnectionTimedOut,
        container.component,
        summary,
        evidence,
        Fix::new(fix).run(reachable),
    )
    .fatal(exits::is_lasting(container))
}

/// Addresses that no policy of ours opens.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// In a pod, `localhost` is the pod itself: nothing else will ever answer there.
fn loopback(
    scene: &Scene<'_>,
    container: &Container<'_>,
    place: &str,
    port: Option<u16>,
    evidence: Vec<String>,
) -> Finding {
    let subject = container.subject();
    let known = KNOWN.iter().find(|known| Some(known.port) == port);
    let (summary, fix) = match known {
        Some(known) if has(scene, known.kind) => (
            format!(
                "{subject} looks for {} on {place}, but it runs in another pod",
                known.kind
            ),
            Fix::new(format!(
                "let {subject} take the address from `{}`",
                known.address
            )),
        ),
        Some(known) => (
            format!(
                "{subject} looks for {} on {place}, but the environment has none",
                known.kind
            ),
            add(known.kind),
        ),
        None => match service_at(scene, container, port) {
            Some(service) => (
                format!("{subject} looks for {service} on {place}, but it runs in another pod"),
                Fix::new(format!("let {subject} use the host name `{service}`")),
            ),
            None => (
                format!("{subject} connects to {place}, where nothing listens"),
                Fix::new("nothing but its own processes answers on localhost: correct the address"),
            ),
        },
    };
    Finding::new(
        CauseCode::DependencyAddress,
        container.component,
        summary,
        evidence,
        fix,
    )
    .fatal(exits::is_repeated(container))
}

/// A host name has no address: its component has another name, or does not exist.
pub(super) fn unresolved(
    scene: &Scene<'_>,
    container: &Container<'_>,
    host: &str,
    evidence: Vec<String>,
) -> Finding {
    let subject = container.subject();
    let fatal = exits::is_lasting(container);
    if let Some(target) = other_at(scene, container, host) {
        if !scene.is_ready(target) {
            return failed(container, target, evidence);
        }
        // The name is right, and what it leads to is up.
        let summary =
            format!("{subject} gets no answer from DNS for {host}, which is the host of {target}");
        let fix = Fix::new(format!(
            "have the platform engineer look at the cluster's DNS, and let {subject} try for a while before it gives up"
        ))
        .run("kubectl -n kube-system get pods -l k8s-app=kube-dns");
        return Finding::new(
            CauseCode::ConnectionTimedOut,
            container.component,
            summary,
            evidence,
            fix,
        )
        .fatal(fatal);
    }
    let first = host.split('.').next().unwrap_or(host);
    let summary = format!("{subject} looks for the host {host}, which has no address");
    let bare = first.strip_prefix("app-").unwrap_or(first);
    let known = KNOWN.iter().find(|known| {
        let mut names = known.names.iter();
        names.any(|name| *name == first || nearly(bare, name))
    });
    let fix = match known {
        Some(known) if has(scene, known.kind) => Fix::new(format!(
            "let {subject} take the address of {} from `{}`",
            known.kind, known.address
        )),
        Some(known) => add(known.kind),
        None => {
            let names: Vec<&str> = scene.env.services.iter().map(|s| s.name.as_str()).collect();
            Fix::new(format!(
                "correct the name: services are reached by their names ({}), databases by their variables",
                names.join(", ")
            ))
            .run(scene.kubectl("get services"))
        }
    };
    Finding::new(
        CauseCode::DependencyAddress,
        container.component,
        summary,
        evidence,
        fix,
    )
    .fatal(fatal)
}

/// An environment variable is missing: a database brings it, or the user must.
pub(super) fn variable(
    scene: &Scene<'_>,
    container: &Container<'_>,
    name: &str,
    evidence: Vec<String>,
) -> Finding {
    let subject = container.subject();
    let summary = format!("{subject} needs the environment variable {name}, which is not set");
    let service = scene.service(container.component);
    let brings = KNOWN
        .iter()
        .find(|known| known.variables.iter().any(|start| name.starts_with(start)))
        .filter(|known| !has(scene, known.kind));
    let fix = match (brings, service) {
        (Some(known), _) => add(known.kind),
        (None, Some(service)) if is_secret(name) => {
            let secret = format!("{}-secrets", service.name);
            let next = format!("envFrom/{}", service.env_from.len());
            Fix::new(format!("write `{name}=…` into {secret}.env, make a Secret of it, and name that in `envFrom`"))
                .at(Some(service.pointer(&next)))
                .write(format!("- secretRef: {{name: {secret}}}"))
                .run(scene.kubectl(&format!("create secret generic {secret} --from-env-file={secret}.env")))
        }
        (None, Some(service)) => Fix::new("set it")
            .at(Some(service.pointer(&format!("env/{name}"))))
            .write(format!("{name}: \"…\"")),
        (None, None) => match scene.pointer(container.component, &format!("env/{name}")) {
            Some(pointer) => Fix::new("set it, or name a Secret that has it in `envFrom`")
                .at(Some(pointer))
                .write(format!("{name}: \"…\"")),
            None => Fix::new("set it where this container is described"),
        },
    };
    Finding::new(
        CauseCode::MissingVariable,
        container.component,
        summary,
        evidence,
        fix,
    )
}

/// Something that this component needs is down, and has a cause of its own.
fn failed(container: &Container<'_>, target: &str, evidence: Vec<String>) -> Finding {
    let subject = container.subject();
    let summary = format!("{subject} cannot reach {target}, which is not up");
    let fix = Fix::new(format!("fix {target} first"));
    Finding::new(
        CauseCode::DependencyFailed,
        container.component,
        summary,
        evidence,
        fix,
    )
}

fn add(kind: DatabaseKind) -> Fix {
    Fix::new(format!("add {kind} to the environment"))
        .at(Some(format!("/databases/{kind}")))
        .write(format!("{kind}: true"))
}

fn has(scene: &Scene<'_>, kind: DatabaseKind) -> bool {
    scene.database(Some(kind.name())).is_some()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

fn is_secret(name: &str) -> bool {
    ["SECRET", "KEY", "TOKEN", "PASSWORD", "CREDENTIAL"]
        .iter()
        .any(|word| name.contains(word))
}

/// The component at the other end: by the first label of its host name, else by a port that only one component has.
fn target<'a>(
    scene: &Scene<'a>,
    container: &Container<'_>,
    host: Option<&str>,
    port: Option<u16>,
) -> Option<&'a str> {
    let named = host.and_then(|host| other_at(scene, container, host));
    let database = || {
        let known = KNOWN.iter().find(|known| Some(known.port) == port)?;
        Some(scene.database(Some(known.kind.name()))?.kind.name())
    };
    named
        .or_else(database)
        .or_else(|| service_at(scene, container, port))
}

/// The other component that a host name leads to.
fn other_at<'a>(scene: &Scene<'a>, container: &Container<'_>, host: &str) -> Option<&'a str> {
    let target = scene.at_host(host)?;
    (Some(target) != container.component).then_some(target)
}

/// Whether a word is another one with a slip of the keyboard: none in what is too short for that.
fn nearly(word: &str, known: &str) -> bool {
    known.len() >= 5 && strsim::osa_distance(word, known) <= 1
}

/// The only other service that listens on this port.
fn service_at<'a>(
    scene: &Scene<'a>,
    container: &Container<'_>,
    port: Option<u16>,
) -> Option<&'a str> {
    let mut at = scene
        .env
        .services
        .iter()
        .filter(|s| Some(s.port) == port && Some(s.name.as_str()) != container.component);
    let first = at.next()?;
    at.next().is_none().then_some(first.name.as_str())
}
