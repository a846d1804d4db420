//! Requests within limits, where the file names both: a default gives way to the amount beside it.

use crate::{
    config::{
        Config,
        file::{ResourceAmounts, Resources},
        pointer::path,
        problem::Problem,
        services::Named,
    },
    quantity::Quantity,
};

pub(super) fn check(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    if let Some(resources) = &named.service.resources {
        check_amounts(config, resources, &|key| named.pointer(key), problems);
    }
}

/// Checks amounts; `pointer` says where a key such as `resources/limits/cpu` stands.
pub(super) fn check_amounts(
    config: &Config,
    resources: &Resources,
    pointer: &dyn Fn(&str) -> String,
    problems: &mut Vec<Problem>,
) {
    for (name, request, limit) in amounts(resources) {
        let (Some(request), Some(limit)) = (request, limit) else {
            continue;
        };
        let (Ok(request_amount), Ok(limit_amount)) =
            (request.parse::<Quantity>(), limit.parse::<Quantity>())
        else {
            continue; // Told by the rules about values.
        };
        if request_amount <= limit_amount || limit_amount.is_zero() {
            continue;
        }
        let at_request = pointer(&format!("resources/requests/{name}"));
        let at_limit = pointer(&format!("resources/limits/{name}"));
        let (path_request, path_limit) = (path(&at_request), path(&at_limit));
        problems.push(config.problem(
            &at_request,
            format!("`{path_request}` is {request}, more than the limit of {limit}"),
            Some(format!(
                "lower it, or raise `{path_limit}` to at least `{request}`"
            )),
        ));
    }
}

/// Name, request and limit of each resource, as the file has them.
fn amounts(resources: &Resources) -> [(&'static str, Option<&str>, Option<&str>); 2] {
    type Of = fn(&ResourceAmounts) -> Option<&str>;
    let request = |of: Of| resources.requests.as_ref().and_then(of);
    let limit = |of: Of| resources.limits.as_ref().and_then(of);
    let cpu: Of = |amounts| amounts.cpu.as_deref();
    let memory: Of = |amounts| amounts.memory.as_deref();
    [
        ("cpu", request(cpu), limit(cpu)),
        ("memory", request(memory), limit(memory)),
    ]
}
