//! The URL of an environment whose pods are well.

use std::{net::TcpListener, sync::OnceLock};

use super::{Broken, PLAIN, broken, cases, change, settings};
use crate::harness::ingress;

/// Somebody who takes connections and never answers, as long as the tests run.
static SILENT: OnceLock<TcpListener> = OnceLock::new();

cases! {
    route_is_gone: broken(PLAIN, &["url-not-routed"]).then(|project| {
        change(project, &["delete", "ingress", "--all"]);
    });
    nobody_behind_the_url: broken(PLAIN, &["url-status"]).then(|project| {
        change(project, &["scale", "deployment/app", "--replicas=0"]);
    }).says(&["scaled to 0"]);
    policies_keep_the_ingress_out: broken(PLAIN, &["url-unreachable"]).then(|project| {
        change(project, &["delete", "networkpolicy", "allow-ingress-app"]);
    }).says(&["k8s-ee doctor --pr 1"]);
    url_refuses: broken(PLAIN, &["url-unreachable"]).then(|project| {
        settings(project, &format!("address: {}", ingress()), "address: 127.0.0.1:9");
    });
    url_does_not_answer: broken(PLAIN, &["url-unreachable"]).then(|project| {
        let silent = SILENT.get_or_init(|| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let address = silent.local_addr().expect("it is bound");
        settings(project, &format!("address: {}", ingress()), &format!("address: {address}"));
    });
    url_without_a_certificate: broken(PLAIN, &["tls-failed"]).before(|project| {
        let host = ingress();
        let host = host.rsplit_once(':').expect("host and port").0;
        settings(project, "tls: false", "tls: true");
        settings(project, &format!("address: {}", ingress()), &format!("address: {host}:443"));
    });
}
