//! From the file, the request and the platform settings to the environment.
//!
//! The loader has already checked the file for itself; what can still be wrong is what only the request shows: images
//! that nobody named, a domain that nobody gave.

use std::collections::BTreeMap;

use super::{
    Compute, Database, DatabaseKind, Environment, EnvironmentKey, Identity, Origin, Profile,
    Service, ServiceAutoscaling, ServiceIngress, ServiceMetrics, Span, databases,
    operator::LiveDatabases, seed, settings::PlatformSettings,
};
use crate::{
    config::{
        Config,
        builds::{self, Build},
        defaults,
        file::{self, Image},
        lifecycle::Lifecycle,
        problem::Problem,
        services,
    },
    quantity::Quantity,
};

/// Domain of the hosts that are shown when nobody named one: it can never resolve.
pub const PLACEHOLDER_DOMAIN: &str = "preview.invalid";

/// What the command line, or the pull request, says about the environment.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which environment of the project.
    pub key: EnvironmentKey,
    /// Image for the one service that is built here.
    pub image: Option<String>,
    /// Images by service.
    pub images: BTreeMap<String, String>,
    /// Commit, 7 to 40 hexadecimal digits.
    pub commit: Option<String>,
    /// Branch.
    pub branch: Option<String>,
    /// `owner/repo`.
    pub repository: Option<String>,
    /// Domain that overrides the platform's.
    pub domain: Option<String>,
    /// How far the environment is trusted.
    pub profile: Profile,
    /// Whether images and domain that are not known yet may be made up, as for a look at the objects.
    pub placeholders: bool,
}

impl Environment {
    /// Brings file, request and platform together; `live` is what the cluster has of the databases already, which decides
    /// about who runs them.
    ///
    /// # Errors
    /// Everything that keeps the environment from being complete, all at once, with its place in the file.
    pub fn build(
        config: &Config,
        request: &Request,
        settings: &PlatformSettings,
        live: &LiveDatabases,
    ) -> Result<Self, Vec<Problem>> {
        let file = &config.file;
        let mut problems = Vec::new();
        problems.extend(request.profile.refusals(config));
        let identity = identity(config, request, settings, &mut problems);
        let databases = databases::of_file(config, settings, live, &mut problems);
        let origin = if file.is_short_form() {
            Origin::Short
        } else {
            Origin::General
        };
        let written = file.services();
        let alone = written.len() == 1;
        let mut services: Vec<Service> = written
            .into_iter()
            .map(|named| service(origin, named.name, named.service.into_owned(), alone))
            .collect();
        let registry = identity.repository.as_deref().map(builds::registry_of);
        let built = file.builds(registry.as_deref());
        set_images(
            config,
            request,
            &identity,
            &built,
            &mut services,
            &mut problems,
        );
        set_hosts(config, &identity, &mut services, &mut problems);
        give_databases(&databases, &mut services);
        if problems.is_empty() {
            Ok(Self {
                seeds: seed::seeds(config, &services, &databases),
                identity,
                services,
                databases,
                ttl: file.lifecycle.as_ref().and_then(ttl),
            })
        } else {
            Err(problems)
        }
    }
}

fn identity(
    config: &Config,
    request: &Request,
    settings: &PlatformSettings,
    problems: &mut Vec<Problem>,
) -> Identity {
    let project_id = config.file.project_id.clone();
    let namespace = request.key.namespace(&project_id);
    if namespace.len() > 63 {
        problems.push(config.problem(
            "/projectId",
            format!(
                "the namespace `{namespace}` would have {} characters; 63 are possible",
                namespace.len()
            ),
            Some("give the environment a shorter name".to_owned()),
        ));
    }
    let domain = request
        .domain
        .clone()
        .or_else(|| settings.domain.clone())
        .or_else(|| request.placeholders.then(|| PLACEHOLDER_DOMAIN.to_owned()));
    Identity {
        host: domain.map(|domain| format!("{namespace}.{domain}")),
        scheme: if settings.ingress.tls {
            "https"
        } else {
            "http"
        }
        .to_owned(),
        repository: request.repository.clone(),
        branch: request.branch.clone(),
        commit: request.commit.clone(),
        profile: request.profile,
        key: request.key.clone(),
        project_id,
        namespace,
    }
}

fn ttl(lifecycle: &Lifecycle) -> Option<Span> {
    let text = lifecycle.ttl.clone()?;
    Some(Span::try_from(text).expect("the loader admits spans only"))
}

fn service(origin: Origin, name: &str, written: file::Service, alone: bool) -> Service {
    let resources = written.resources.unwrap_or_default();
    let ingress = written.ingress.unwrap_or_default();
    let metrics = written.metrics.unwrap_or_default();
    let metrics_path = written.metrics_path;
    let replicas = written.replicas.unwrap_or(defaults::REPLICAS);
    let (requests, limits) = compute(&resources, &defaults::SERVICE);
    let public = written.public.unwrap_or(alone || name == services::APP);
    Service {
        image: match written.image {
            Some(Image::Reference(reference)) => reference,
            _ => String::new(),
        },
        command: written.command.unwrap_or_default(),
        args: written.args.unwrap_or_default(),
        port: written.port.unwrap_or(defaults::PORT),
        health_path: written
            .health_path
            .unwrap_or_else(|| defaults::HEALTH_PATH.to_owned()),
        liveness_path: written.liveness_path,
        readiness_path: written.readiness_path,
        requests,
        limits,
        env: written.env.unwrap_or_default().0,
        env_from: written.env_from.unwrap_or_default(),
        writable_dirs: written
            .writable_dirs
            .unwrap_or_default()
            .into_iter()
            .map(|dir| dir.0)
            .collect(),
        depends_on: written.depends_on.unwrap_or_default(),
        databases: Vec::new(),
        replicas,
        ingress: (public && ingress.enabled.unwrap_or(true)).then(|| ServiceIngress {
            host: String::new(),
            annotations: ingress.annotations.unwrap_or_default(),
        }),
        metrics: metrics.enabled.unwrap_or(false).then(|| ServiceMetrics {
            path: metrics_path.unwrap_or_else(|| defaults::METRICS_PATH.to_owned()),
            interval: metrics
                .interval
                .unwrap_or_else(|| defaults::METRICS_INTERVAL.to_owned()),
        }),
        autoscaling: written.autoscaling.map(|wanted| {
            let by_memory = wanted.target_memory_utilization_percentage;
            let by_cpu = wanted.target_cpu_utilization_percentage;
            ServiceAutoscaling {
                min_replicas: wanted.min_replicas.unwrap_or(replicas),
                max_replicas: wanted.max_replicas,
                cpu_percent: by_cpu.or(by_memory.is_none().then_some(80)),
                memory_percent: by_memory,
            }
        }),
        disruption_budget: written.disruption_budget,
        name: name.to_owned(),
        origin,
    }
}

/// Requests and limits of a container. Where the file names only one of a pair, the default of the other gives way.
pub(super) fn compute(
    resources: &file::Resources,
    default: &defaults::Container,
) -> (Compute, Compute) {
    let (requests, limits) = (resources.requests.as_ref(), resources.limits.as_ref());
    let (cpu_request, cpu_limit) = pair(
        requests.and_then(|r| r.cpu.as_deref()),
        limits.and_then(|l| l.cpu.as_deref()),
        default.cpu,
    );
    let (memory_request, memory_limit) = pair(
        requests.and_then(|r| r.memory.as_deref()),
        limits.and_then(|l| l.memory.as_deref()),
        default.memory,
    );
    (
        Compute {
            cpu: cpu_request,
            memory: memory_request,
        },
        Compute {
            cpu: cpu_limit,
            memory: memory_limit,
        },
    )
}

fn pair(request: Option<&str>, limit: Option<&str>, default: (&str, &str)) -> (Quantity, Quantity) {
    let amount = |text: &str| -> Quantity {
        text.parse()
            .expect("the loader admits quantities only, and the defaults are some")
    };
    let (default_request, default_limit) = (amount(default.0), amount(default.1));
    match (request.map(amount), limit.map(amount)) {
        (Some(request), Some(limit)) => (request, limit),
        (Some(request), None) => (request, default_limit.max(request)),
        (None, Some(limit)) => (default_request.min(limit), limit),
        (None, None) => (default_request, default_limit),
    }
}

fn set_images(
    config: &Config,
    request: &Request,
    identity: &Identity,
    built: &[Build],
    services: &mut [Service],
    problems: &mut Vec<Problem>,
) {
    for name in request.images.keys() {
        if !services.iter().any(|service| &service.name == name) {
            let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
            problems.push(config.problem(
                "/services",
                format!("--image names the service `{name}`, which the file does not have"),
                Some(format!("the services are {}", names.join(", "))),
            ));
        }
    }
    // A bare `--image REF` is for the one service that is built here, or for the only one there is.
    let only = match (built.len(), services.len()) {
        (1, _) => built.first().map(|build| build.service.clone()),
        (_, 1) => Some(services[0].name.clone()),
        _ => None,
    };
    if let (Some(image), None) = (&request.image, &only) {
        problems.push(config.problem(
            "/services",
            format!("--image {image} does not say which service it is for"),
            Some(format!("write --image {}={image}", services[0].name)),
        ));
    }
    for service in services {
        let bare = request
            .image
            .as_ref()
            .filter(|_| only.as_ref() == Some(&service.name));
        if let Some(image) = request.images.get(&service.name).or(bare) {
            service.image.clone_from(image);
        } else if service.image.is_empty() {
            if request.placeholders {
                let build = built.iter().find(|build| build.service == service.name);
                let build = build.expect("a service without an image is one that is built");
                service.image = placeholder_image(identity, build);
            } else if request.image.is_none() || only.is_some() {
                let flag = match service.origin {
                    Origin::Short => "--image REF".to_owned(),
                    Origin::General => format!("--image {}=REF", service.name),
                };
                problems.push(config.problem(
                    &service.pointer("image"),
                    format!("there is no image for the service `{}`", service.name),
                    Some(format!(
                        "build it and pass {flag}, or name an existing one as `image: REF`"
                    )),
                ));
            }
        }
    }
}

/// The reference that a build would push, for looking at the objects before there is one.
fn placeholder_image(identity: &Identity, build: &Build) -> String {
    let repository = &build.image;
    let tag = match (&identity.commit, &identity.key) {
        (Some(commit), _) => commit.clone(),
        (None, EnvironmentKey::Pr(number)) => format!("pr-{number}"),
        (None, EnvironmentKey::Name(name)) => name.clone(),
    };
    format!("{repository}:{tag}")
}

/// The main URL goes to the service `app`, else to the first public one; the others get `{namespace}-{service}`.
fn set_hosts(
    config: &Config,
    identity: &Identity,
    services: &mut [Service],
    problems: &mut Vec<Problem>,
) {
    let main = services
        .iter()
        .filter(|service| service.ingress.is_some())
        .min_by_key(|service| service.name != "app")
        .map(|service| service.name.clone());
    for service in services {
        let pointer = service.pointer("ingress");
        let Some(ingress) = &mut service.ingress else {
            continue;
        };
        let Some(host) = &identity.host else {
            problems.push(config.problem(
                &pointer,
                format!("the service `{}` is public, but no domain is known", service.name),
                Some("pass --domain preview.example.com, or set `domain` in the platform settings".to_owned()),
            ));
            continue;
        };
        ingress.host = if main.as_ref() == Some(&service.name) {
            host.clone()
        } else {
            let domain = host.split_once('.').map_or("", |(_, domain)| domain);
            format!("{}-{}.{domain}", identity.namespace, service.name)
        };
        let label = ingress.host.split('.').next().unwrap_or_default();
        if label.len() > 63 {
            problems.push(config.problem(
                &pointer,
                format!(
                    "the host label `{label}` has {} characters; 63 are possible",
                    label.len()
                ),
                Some("shorten the service's name or the `projectId`".to_owned()),
            ));
        }
    }
}

/// Every service gets the variables of every database, unless any service names the ones it depends on.
fn give_databases(databases: &[Database], services: &mut [Service]) {
    let depends = |service: &Service, kind: DatabaseKind| {
        service.depends_on.iter().any(|name| name == kind.name())
    };
    let declared = services
        .iter()
        .any(|service| databases.iter().any(|d| depends(service, d.kind)));
    for service in services {
        service.databases = databases
            .iter()
            .map(|database| database.kind)
            .filter(|kind| !declared || depends(service, *kind))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn request() -> Request {
        Request {
            key: EnvironmentKey::Pr(7),
            image: None,
            images: BTreeMap::new(),
            commit: None,
            branch: None,
            repository: None,
            domain: Some("preview.example.com".to_owned()),
            profile: Profile::Default,
            placeholders: false,
        }
    }

    fn build(yaml: &str, request: &Request) -> Result<Environment, Vec<String>> {
        let source = Source::new("k8s-ee.yaml", format!("projectId: shop\n{yaml}"));
        let config =
            Config::parse(source).unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
        let live = LiveDatabases::default();
        Environment::build(&config, request, &PlatformSettings::default(), &live)
            .map_err(|problems| problems.into_iter().map(|p| p.message).collect())
    }

    fn hosts(environment: &Environment) -> Vec<(&str, Option<&str>)> {
        let host = |service: &Service| service.ingress.as_ref().map(|i| i.host.clone());
        environment
            .services
            .iter()
            .map(|service| (service.name.as_str(), host(service)))
            .map(|(name, host)| (name, host.map(|h| &*h.leak())))
            .collect()
    }

    #[test]
    fn the_main_host_goes_to_app_or_to_the_first_public_service() {
        let file = "services:\n  web: {image: a, public: true}\n  admin: {image: a, public: true}\n  api: {image: a}\n";
        let environment = build(file, &request()).expect("an environment");
        assert_eq!(
            hosts(&environment),
            [
                ("web", Some("shop-pr-7.preview.example.com")),
                ("admin", Some("shop-pr-7-admin.preview.example.com")),
                ("api", None),
            ]
        );
        let file = "services:\n  web: {image: a, public: true}\n  app: {image: a}\n";
        let environment = build(file, &request()).expect("an environment");
        assert_eq!(
            hosts(&environment)[1].1,
            Some("shop-pr-7.preview.example.com")
        );
        let alone = build("services:\n  api: {image: a}\n", &request()).expect("an environment");
        assert!(hosts(&alone)[0].1.is_some(), "the only service is public");
    }

    #[test]
    fn images_come_from_the_file_or_the_request_and_nothing_is_guessed() {
        let missing = build("", &request()).expect_err("there is no image");
        assert_eq!(missing, ["there is no image for the service `app`"]);
        let bare = Request {
            image: Some("shop:1".to_owned()),
            ..request()
        };
        assert_eq!(
            build("", &bare).expect("an environment").services[0].image,
            "shop:1"
        );
        let two = "services:\n  a: {}\n  b: {}\n";
        assert!(
            build(two, &bare).expect_err("which one?")[0].contains("does not say which service")
        );
        let named = Request {
            images: BTreeMap::from([
                ("a".to_owned(), "a:1".to_owned()),
                ("c".to_owned(), "c:1".to_owned()),
            ]),
            ..request()
        };
        let wrong = build(two, &named).expect_err("b has none, c is none");
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        let looking = Request {
            placeholders: true,
            repository: Some("Acme/Shop".to_owned()),
            ..request()
        };
        let shown = build(two, &looking).expect("an environment");
        assert_eq!(shown.services[0].image, "ghcr.io/acme/shop/shop-a:pr-7");
    }

    #[test]
    fn a_default_gives_way_to_the_amount_beside_it() {
        let file = "image: a\nresources:\n  requests: {cpu: 500m}\n  limits: {memory: 64Mi}\n";
        let service = build(file, &request())
            .expect("an environment")
            .services
            .remove(0);
        assert_eq!(
            (service.requests.cpu, service.limits.cpu),
            (Quantity::milli(500), Quantity::milli(500))
        );
        assert_eq!(
            (service.requests.memory, service.limits.memory),
            (Quantity::mebi(64), Quantity::mebi(64))
        );
    }

    #[test]
    fn databases_go_to_those_who_name_them_or_to_all() {
        let databases = "databases: {redis: true, postgresql: {enabled: false}, mariadb: {}}\n";
        let all = build(
            &format!("services:\n  a: {{image: a}}\n  b: {{image: b}}\n{databases}"),
            &request(),
        )
        .expect("an environment");
        let both = [DatabaseKind::Redis, DatabaseKind::Mariadb];
        assert!(all.services.iter().all(|service| service.databases == both));
        let named = build(
            &format!(
                "services:\n  a: {{image: a, dependsOn: [redis]}}\n  b: {{image: b}}\n{databases}"
            ),
            &request(),
        )
        .expect("an environment");
        assert_eq!(named.services[0].databases, [DatabaseKind::Redis]);
        assert_eq!(named.services[1].databases, []);
        assert_eq!(named.waves(), [vec!["b", "mariadb", "redis"], vec!["a"]]);
    }
}
