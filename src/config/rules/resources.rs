//! CPU and memory: amounts that make sense, and requests within limits where the file names both; a default gives way to
//! the amount beside it.

use super::values::size;
use crate::{
    config::{
        Config,
        file::{ResourceAmounts, Resources},
        pointer,
        problem::Problem,
    },
    quantity::Quantity,
};

/// The `resources` of a component; `at` is the JSON pointer of a member of it, such as `resources/limits/cpu`.
pub(super) fn check_amounts(
    config: &Config,
    at: &dyn Fn(&str) -> String,
    resources: Option<&Resources>,
    problems: &mut Vec<Problem>,
) {
    let Some(resources) = resources else {
        return;
    };
    for (name, request, limit) in amounts(resources) {
        for (list, amount, may_be_zero) in [("requests", request, true), ("limits", limit, false)] {
            if let Some(text) = amount {
                let at = at(&format!("resources/{list}/{name}"));
                size(config, &at, text, may_be_zero, problems);
            }
        }
    }
}

/// That requests are within limits.
pub(super) fn check(
    config: &Config,
    at: &dyn Fn(&str) -> String,
    resources: Option<&Resources>,
    problems: &mut Vec<Problem>,
) {
    let Some(resources) = resources else {
        return;
    };
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
        let at_request = at(&format!("resources/requests/{name}"));
        let at_limit = at(&format!("resources/limits/{name}"));
        let (path_request, path_limit) = (pointer::path(&at_request), pointer::path(&at_limit));
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
