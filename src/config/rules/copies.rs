//! How many copies of a service run: fixed, scaled, and kept up while nodes are drained.

use crate::{
    config::{
        Config, defaults,
        file::{Autoscaling, CountOrPercent, DisruptionBudget},
        pointer,
        problem::Problem,
        services::Named,
    },
    quantity::Quantity,
};

pub(super) fn check(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    let service = &named.service;
    let replicas = service.replicas.unwrap_or(defaults::REPLICAS);
    let most = match &service.autoscaling {
        Some(autoscaling) => {
            bounds(config, named, autoscaling, replicas, problems);
            targets(config, named, autoscaling, problems);
            replicas.max(autoscaling.max_replicas)
        }
        None => replicas,
    };
    if let Some(DisruptionBudget::MinAvailable(CountOrPercent::Count(min))) =
        &service.disruption_budget
        && *min > most
    {
        let copies = if most == 1 { "copy runs" } else { "copies run" };
        problems.push(config.problem(
            &named.pointer("disruptionBudget/minAvailable"),
            format!("{min} copies must stay up, but at most {most} {copies}"),
            Some(format!(
                "lower it, or raise `{}`",
                pointer::path(&named.pointer("replicas"))
            )),
        ));
    }
}

fn bounds(
    config: &Config,
    named: &Named<'_>,
    autoscaling: &Autoscaling,
    replicas: u32,
    problems: &mut Vec<Problem>,
) {
    let max = autoscaling.max_replicas;
    let path_max = pointer::path(&named.pointer("autoscaling/maxReplicas"));
    for (key, number) in [
        ("autoscaling/minReplicas", autoscaling.min_replicas),
        ("replicas", named.service.replicas.and(Some(replicas))),
    ] {
        let Some(number) = number.filter(|number| *number > max) else {
            continue;
        };
        let at = named.pointer(key);
        problems.push(config.problem(
            &at,
            format!(
                "`{}` is {number}, more than `{path_max}`, which is {max}",
                pointer::path(&at)
            ),
            Some(format!("lower it, or raise `{path_max}`")),
        ));
    }
}

/// A share of a request of nothing is no number.
fn targets(
    config: &Config,
    named: &Named<'_>,
    autoscaling: &Autoscaling,
    problems: &mut Vec<Problem>,
) {
    let requests = named
        .service
        .resources
        .as_ref()
        .and_then(|r| r.requests.as_ref());
    let cpu_counts = autoscaling.target_cpu_utilization_percentage.is_some()
        || autoscaling.target_memory_utilization_percentage.is_none();
    let memory_counts = autoscaling.target_memory_utilization_percentage.is_some();
    for (key, counts, request) in [
        ("cpu", cpu_counts, requests.and_then(|r| r.cpu.as_deref())),
        (
            "memory",
            memory_counts,
            requests.and_then(|r| r.memory.as_deref()),
        ),
    ] {
        let zero = request.is_some_and(|text| text.parse().is_ok_and(Quantity::is_zero));
        if counts && zero {
            let at = named.pointer(&format!("resources/requests/{key}"));
            problems.push(config.problem(
                &at,
                format!(
                    "`{}` is zero, and autoscaling measures use in percent of it",
                    pointer::path(&at)
                ),
                Some("request what one idle copy needs".to_owned()),
            ));
        }
    }
}
