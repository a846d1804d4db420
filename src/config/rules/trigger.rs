//! Conditions of `trigger` that no pull request could fit.

use crate::config::{Config, problem::Problem, trigger::Trigger, words::shorten};

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    let Some(Trigger::Conditions(conditions)) = &config.file.trigger else {
        return;
    };
    let (Some(labels), Some(except)) = (&conditions.labels, &conditions.except_labels) else {
        return;
    };
    for (n, label) in except.iter().enumerate() {
        let same = |other: &String| other.to_lowercase() == label.to_lowercase();
        if labels.iter().any(same) {
            problems.push(config.problem(
                &format!("/trigger/exceptLabels/{n}"),
                format!(
                    "the label `{}` is in `trigger.labels` too, so that it would never let a pull request in",
                    shorten(label)
                ),
                Some("take it out of one of the two".to_owned()),
            ));
        }
    }
}
