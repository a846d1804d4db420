//! Variables that k8s-ee sets itself.

use crate::config::{
    Config,
    file::Env,
    injected::{Giver, giver},
    pointer,
    problem::Problem,
    services::Named,
};

pub(super) fn check(config: &Config, service: &Named<'_>, problems: &mut Vec<Problem>) {
    if let Some(env) = &service.service.env {
        let port = pointer::path(&service.pointer("port"));
        check_names(config, env, &service.pointer("env"), Some(&port), problems);
    }
}

/// Checks the variables that stand at a pointer; `port` is the key that sets the port, where there is one.
pub(super) fn check_names(
    config: &Config,
    env: &Env,
    at: &str,
    port: Option<&str>,
    problems: &mut Vec<Problem>,
) {
    for variable in env.0.keys() {
        let Some(giver) = giver(&config.file, variable) else {
            continue;
        };
        let (who, hint) = match giver {
            Giver::Platform => (
                "k8s-ee".to_owned(),
                match port.filter(|_| variable == "PORT") {
                    Some(port) => format!("set the port with `{port}`, and remove the variable"),
                    None => "remove it, or choose another name".to_owned(),
                },
            ),
            Giver::Database(kind) => (
                format!("the database `{}`", kind.name()),
                format!(
                    "remove it to use that database, or choose another name; \
                     without `databases.{}` the variable is free",
                    kind.name()
                ),
            ),
        };
        problems.push(config.key_problem(
            &pointer::child(at, variable),
            format!("`{variable}` is set by {who}"),
            Some(hint),
        ));
    }
}
