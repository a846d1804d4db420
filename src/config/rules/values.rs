//! Single values: spans of time, sizes, and whether a service is reached from outside.

use crate::{
    config::{Config, duration, pointer, problem::Problem, services::Named},
    quantity::Quantity,
};

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

/// A size that the schema has found to look like one.
pub(super) fn size(
    config: &Config,
    at: &str,
    text: &str,
    may_be_zero: bool,
    problems: &mut Vec<Problem>,
) {
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

/// Time between two scrapes.
pub(super) fn interval(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    /// Time that Prometheus gives to a scrape; scrapes must not overlap.
    const SHORTEST: u64 = 10;
    const LONGEST: u64 = 365 * 24 * 3600;

    let metrics = named.service.metrics.as_ref();
    let Some(text) = metrics.and_then(|metrics| metrics.interval.as_deref()) else {
        return;
    };
    let (wrong, hint) = match duration::seconds(text) {
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
