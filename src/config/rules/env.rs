//! Variables that k8s-ee sets itself.

use crate::config::{
    Config,
    injected::{Giver, giver},
    pointer,
    problem::Problem,
    services::Named,
};

pub(super) fn check(config: &Config, service: &Named<'_>, problems: &mut Vec<Problem>) {
    let Some(env) = &service.service.env else {
        return;
    };
    for variable in env.0.keys() {
        let Some(giver) = giver(&config.file, variable) else {
            continue;
        };
        let (who, hint) = match giver {
            Giver::Platform if variable == "PORT" => (
                "k8s-ee".to_owned(),
                format!(
                    "set the port with `{}`, and remove the variable",
                    pointer::path(&service.pointer("port"))
                ),
            ),
            Giver::Platform => (
                "k8s-ee".to_owned(),
                "remove it, or choose another name".to_owned(),
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
        let pointer = pointer::child(&service.pointer("env"), variable);
        problems.push(config.key_problem(
            &pointer,
            format!("`{variable}` is set by {who}"),
            Some(hint),
        ));
    }
}
