//! The environment is up, but its URL does not answer as it should. Never fatal: routes, DNS and certificates take time.

use super::{
    cause::{CauseCode, Finding, Fix},
    observed::UrlOutcome,
    scene::Scene,
};
use crate::model::Service;

/// What is wrong with the URL, if its service is up; while it is not, the URL only says the same again.
pub(super) fn finding(scene: &Scene<'_>) -> Option<Finding> {
    let check = scene.observed.url_check.as_ref()?;
    let url = check.url.as_str();
    let (host, path) = split(url);
    let service = public_service(scene, host);
    let component = service.map(|service| service.name.as_str());
    if component.is_some_and(|component| !scene.is_ready(component)) {
        return None;
    }
    let ingress = scene.kubectl("describe ingress");
    let doctor = format!("k8s-ee doctor {}", scene.env.identity.key.flag());
    let (code, summary, fix) = match &check.outcome {
        UrlOutcome::Status(200..=399) => return None,
        UrlOutcome::Status(404) if service.is_some_and(|service| is_probed(service, path)) => (
            CauseCode::UrlNotRouted,
            format!("{url} answers 404 although the pod answers that path: the ingress controller does not know the host"),
            Fix::new("have the platform engineer check that the ingress class of the platform settings is the one of the controller").run(ingress),
        ),
        UrlOutcome::Status(404) => (
            CauseCode::UrlStatus,
            format!("{url} answers 404: the service has no such page, or the ingress controller does not know the host"),
            Fix::new("let the service answer this path, or look whether the Ingress has an address").run(ingress),
        ),
        UrlOutcome::Status(status @ (502 | 504)) => (
            CauseCode::UrlStatus,
            format!("{url} answers {status}: the ingress controller does not reach the pod"),
            Fix::new("have the platform engineer check that `ingress.controller` of the platform settings selects the controller's pods: only they may reach the environment; whether the network policies let them in:")
                .run(doctor),
        ),
        UrlOutcome::Status(503) if component.is_some_and(|component| scene.is_stopped(component)) => {
            let component = component.unwrap_or_default();
            (
                CauseCode::UrlStatus,
                format!("{url} answers 503: {component} is scaled to 0, so that no pod is behind it"),
                Fix::new("start it again").run(scene.kubectl(&format!("scale deployment/{component} --replicas=1"))),
            )
        }
        UrlOutcome::Status(503) => (
            CauseCode::UrlStatus,
            format!("{url} answers 503: the ingress controller finds no pod behind it, or the service says that it is overloaded"),
            Fix::new("look whether the service has endpoints").run(scene.kubectl("get endpointslices")),
        ),
        UrlOutcome::Status(status @ (401 | 403)) => (
            CauseCode::UrlStatus,
            format!("{url} answers {status}: something asks for a login"),
            Fix::new("answer the health path without login, or take the annotation away that asks for one")
                .at(service.map(|service| service.pointer("ingress/annotations"))),
        ),
        UrlOutcome::Status(status) => (
            CauseCode::UrlStatus,
            format!("{url} answers {status}"),
            Fix::new("fix the error in its log").run(match component {
                Some(component) => scene.kubectl(&format!("logs deployment/{component}")),
                None => scene.kubectl("get pods"),
            }),
        ),
        UrlOutcome::Refused => (
            CauseCode::UrlUnreachable,
            format!("nothing listens at the address of {host}"),
            Fix::new("have the platform engineer check that the DNS record points to the ingress controller").run(format!("nslookup {host}")),
        ),
        UrlOutcome::TimedOut => (
            CauseCode::UrlUnreachable,
            format!("{url} does not answer"),
            Fix::new("have the platform engineer check the way to the ingress controller (DNS record, load balancer, firewall), and from it to the pod; whether the network policies let it in:")
                .run(doctor),
        ),
        UrlOutcome::Dns(_) => (
            CauseCode::DnsFailed,
            format!("the host {host} has no address"),
            Fix::new(match domain(scene, host) {
                Some(domain) => format!("have the platform engineer add the DNS record `*.{domain}` with the address of the ingress controller"),
                None => "have the platform engineer add a DNS record with the address of the ingress controller".to_owned(),
            })
            .run(format!("nslookup {host}")),
        ),
        UrlOutcome::Tls(_) => (
            CauseCode::TlsFailed,
            format!("{host} has no certificate that is trusted"),
            Fix::new("wait for the certificate if it is made for each host; otherwise have the platform engineer set `ingress.tlsSecretName`, or `ingress.tls: false`, in the platform settings").run(ingress),
        ),
        UrlOutcome::Other(_) => (
            CauseCode::UrlUnreachable,
            format!("{url} cannot be asked"),
            Fix::new("try it by hand").run(format!("curl -v {url}")),
        ),
    };
    let evidence = vec![format!("GET {url}: {}", told(&check.outcome))];
    Some(Finding::new(code, component, summary, evidence, fix))
}

fn told(outcome: &UrlOutcome) -> String {
    match outcome {
        UrlOutcome::Status(status) => status.to_string(),
        UrlOutcome::Refused => "connection refused".to_owned(),
        UrlOutcome::TimedOut => "no answer in time".to_owned(),
        UrlOutcome::Dns(message) | UrlOutcome::Tls(message) | UrlOutcome::Other(message) => {
            message.clone()
        }
    }
}

/// Host without port, and path.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    (authority.split(':').next().unwrap_or(authority), path)
}

fn public_service<'a>(scene: &Scene<'a>, host: &str) -> Option<&'a Service> {
    let services = &scene.env.services;
    services.iter().find(|s| {
        s.ingress
            .as_ref()
            .is_some_and(|ingress| ingress.host == host)
    })
}

/// Whether the readiness probe asks this very path, so that the pod is known to answer it.
fn is_probed(service: &Service, path: &str) -> bool {
    service.readiness().0 == path
}

/// The domain below which the environments have their hosts.
fn domain<'h>(scene: &Scene<'_>, host: &'h str) -> Option<&'h str> {
    let (label, domain) = host.split_once('.')?;
    label
        .starts_with(&scene.env.identity.namespace)
        .then_some(domain)
}
