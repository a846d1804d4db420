//! Ports and probes.

use super::{Broken, broken, cases, script};

cases! {
    port_closed: broken("app:\n  port: 8080\nenv: {MODE: wrong-port}\n", &["port-closed"]).says(&["8081"]);
    listens_on_localhost: broken("app:\n  port: 8080\nenv: {MODE: localhost}\n", &["port-closed"]).says(&["0.0.0.0"]);
    listens_on_nothing: broken(script!("echo warming up; sleep 600"), &["port-closed"]);
    health_says_500: broken("app:\n  port: 8080\nenv: {MODE: health-500}\n", &["probe-status"]).says(&["500"]);
    health_path_wrong: broken("app:\n  port: 8080\n  healthPath: /status/404\n", &["probe-status"]).says(&["404", "healthPath"]);
    health_wants_a_login: broken("app:\n  port: 8080\n  healthPath: /status/401\n", &["probe-status"]).says(&["401"]);
    health_hangs: broken("app:\n  port: 8080\nenv: {MODE: health-hang}\n", &["probe-timeout"]).says(&["/health"]);
    starts_slowly: broken("app:\n  port: 8080\nenv: {MODE: slow-start, START_SECONDS: \"600\"}\n", &["port-closed"]);
    speaks_no_http: broken(script!("while true; do echo hello | nc -l -p 8080; done"), &["probe-failed"]);
}
