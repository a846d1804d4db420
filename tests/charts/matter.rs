//! Every value of every chart changes the objects: there is no key that does nothing.

use std::path::Path;

use serde_json::Value;

use crate::{
    documents::{Trial, applications, charts_folder, name, read},
    tools,
};

#[test]
fn every_value_changes_the_objects() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    for chart in applications() {
        let trial = Trial::of(&chart);
        let made = helm.template(&chart, &trial.base);
        assert!(!made.is_empty(), "{} makes no objects", chart.display());
        for (path, value) in &trial.changes {
            let mut values = trial.base.clone();
            let before = match trial.with.get(path) {
                None => &made,
                Some(others) => {
                    for (path, value) in others.as_object().expect("`with` names values") {
                        set(&mut values, path, value.clone());
                    }
                    &helm.template(&chart, &values)
                }
            };
            set(&mut values, path, value.clone());
            assert!(
                helm.template(&chart, &values) != *before,
                "{}: {path} changes nothing",
                chart.display()
            );
        }
    }
}

#[test]
fn every_value_is_tried() {
    let parent = charts_folder().join("k8s-ee-app");
    for chart in applications() {
        for path in leaves(&read(&chart.join("values.yaml"))) {
            let trial = Trial::of(&chart);
            if trial.parent.iter().any(|elsewhere| *elsewhere == path) {
                let there = format!("{}.{path}", name(&chart));
                assert_tried(&Trial::of(&parent), &parent, &there);
            } else {
                assert_tried(&trial, &chart, &path);
            }
        }
    }
}

fn assert_tried(trial: &Trial, chart: &Path, path: &str) {
    assert!(
        trial.changes.contains_key(path),
        "tests/charts/values/{}.yaml has no change of {path}",
        name(chart)
    );
}

/// Paths of all values that have no parts of their own.
fn leaves(values: &Value) -> Vec<String> {
    let Some(map) = values.as_object() else {
        return Vec::new();
    };
    map.iter()
        .flat_map(|(key, value)| {
            let inner = leaves(value);
            if inner.is_empty() {
                vec![key.clone()]
            } else {
                inner
                    .into_iter()
                    .map(|rest| format!("{key}.{rest}"))
                    .collect()
            }
        })
        .collect()
}

fn set(values: &mut Value, path: &str, value: Value) {
    let mut place = values;
    for key in path.split('.') {
        place = &mut place[key];
    }
    *place = value;
}
