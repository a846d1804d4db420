//! Single values: spans of time, sizes, and whether a service is reached from outside.

use crate::{
    config::{
        Config,
        databases::{DatabaseKind, Storage},
        file::ResourceAmounts,
        pointer,
        problem::Problem,
        services::Named,
    },
    quantity::Quantity,
};

pub(super) fn check_service(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    interval(config, named, problems);
    let Some(resources) = &named.service.resources else {
        return;
    };
    let none = ResourceAmounts::default();
    let requests = resources.requests.as_ref().unwrap_or(&none);
    let limits = resources.limits.as_ref().unwrap_or(&none);
    for (key, text, may_be_zero) in [
        ("resources/requests/cpu", &requests.cpu, true),
        ("resources/requests/memory", &requests.memory, true),
        ("resources/limits/cpu", &limits.cpu, false),
        ("resources/limits/memory", &limits.memory, false),
    ] {
        if let Some(text) = text {
            size(config, &named.pointer(key), text, may_be_zero, problems);
        }
    }
}

pub(super) fn check_databases(config: &Config, problems: &mut Vec<Problem>) {
    let Some(databases) = &config.file.databases else {
        return;
    };
    for kind in DatabaseKind::ALL {
        let at = format!("/databases/{}/storage", kind.name());
        match databases.storage(kind) {
            Some(Storage::Size(text)) => size(config, &at, text, false, problems),
            Some(Storage::Volume(volume)) => {
                size(config, &format!("{at}/size"), &volume.size, false, problems);
            }
            None => {}
        }
    }
}

/// `public` and `ingress.enabled` say the same; `ingress` is the older word.
pub(super) fn check_public(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    let ingress = named.service.ingress.as_ref();
    let (Some(public), Some(enabled)) = (
        named.service.public,
        ingress.and_then(|ingress| ingress.enabled),
    ) else {
        return;
    };
    if public != enabled {
        problems.push(config.problem(
            &named.pointer("public"),
            format!("`public: {public}` and `ingress.enabled: {enabled}` contradict each other"),
            Some("keep one of the two".to_owned()),
        ));
    }
}

fn size(config: &Config, at: &str, text: &str, may_be_zero: bool, problems: &mut Vec<Problem>) {
    let (wrong, hint) = match text.parse::<Quantity>() {
        // The schema has checked the form, so it is the number that is out of all bounds.
        Err(_) => ("is larger than any machine", "write a smaller number"),
        Ok(amount) if amount.is_zero() && !may_be_zero => (
            "must be more than zero",
            "remove it to take the default, or write more",
        ),
        Ok(_) => return,
    };
    problems.push(config.problem(
        at,
        format!("`{}` {wrong}", pointer::path(at)),
        Some(hint.to_owned()),
    ));
}

fn interval(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    /// Time that Prometheus gives to a scrape; scrapes must not overlap.
    const SHORTEST: u64 = 10;
    const LONGEST: u64 = 365 * 24 * 3600;

    let metrics = named.service.metrics.as_ref();
    let Some(text) = metrics.and_then(|metrics| metrics.interval.as_deref()) else {
        return;
    };
    let (number, unit) = text.split_at(text.len() - 1);
    let seconds = number.parse::<u64>().ok().and_then(|number| {
        number.checked_mul(match unit {
            "h" => 3600,
            "m" => 60,
            _ => 1,
        })
    });
    let (wrong, hint) = match seconds {
        Some(seconds) if seconds < SHORTEST => (
            format!("is {text}, less than the {SHORTEST}s that a scrape may take"),
            "write `10s` or more",
        ),
        Some(seconds) if seconds <= LONGEST => return,
        _ => ("is longer than a year".to_owned(), "write `1h` or less"),
    };
    let at = named.pointer("metrics/interval");
    problems.push(config.problem(
        &at,
        format!("`{}` {wrong}", pointer::path(&at)),
        Some(hint.to_owned()),
    ));
}
