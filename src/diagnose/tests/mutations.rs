//! Recordings with random small changes, as clusters nobody thought of would give them: a diagnosis must never panic, and
//! never blame what is well.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{
    super::{diagnose, fatal, recording::Recording, report},
    corpus::{CASES, HEALTHY},
};

/// A small change at a random place.
#[derive(Clone, Debug)]
struct Mutation {
    place: Index,
    kind: u8,
    other: Index,
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let one = (any::<Index>(), 0_u8..9, any::<Index>());
    let one = one.prop_map(|(place, kind, other)| Mutation { place, kind, other });
    prop::collection::vec(one, 1..8)
}

/// Pointers of everything in a document.
fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![(String::new(), value)];
    while let Some((pointer, value)) = next.pop() {
        match value {
            Value::Object(map) => next.extend(map.iter().map(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                (format!("{pointer}/{key}"), value)
            })),
            Value::Array(list) => next.extend(
                list.iter()
                    .enumerate()
                    .map(|(at, value)| (format!("{pointer}/{at}"), value)),
            ),
            _ => {}
        }
        if !pointer.is_empty() {
            found.push(pointer);
        }
    }
    found
}

fn mutate(document: &mut Value, mutation: &Mutation) {
    let places = pointers(document);
    if places.is_empty() {
        return;
    }
    let place = mutation.place.get(&places[..]).clone();
    let other = document
        .pointer(mutation.other.get(&places[..]).as_str())
        .cloned();
    if mutation.kind == 0 {
        let (parent, key) = place.rsplit_once('/').expect("it begins with a slash");
        match document.pointer_mut(parent) {
            Some(Value::Object(map)) => {
                drop(map.remove(&key.replace("~1", "/").replace("~0", "~")))
            }
            Some(Value::Array(list)) => drop(list.remove(key.parse().expect("an index"))),
            _ => {}
        }
        return;
    }
    let value = document.pointer_mut(&place).expect("it was found there");
    *value = match (mutation.kind, value.take()) {
        (1, _) => Value::Null,
        (2, _) => json!(""),
        (3, _) => json!(0),
        (4, _) => json!(i32::MAX),
        (5, Value::Bool(is)) => json!(!is),
        (6, Value::Array(list)) => [&list[..], &list[..]].concat().into(),
        (7, Value::String(text)) => json!(format!("é{}", text.chars().rev().collect::<String>())),
        (8, Value::Number(number)) => json!(-number.as_i64().unwrap_or(1)),
        (_, was) => other.unwrap_or(was),
    };
}

fn document(recording: &Recording) -> Value {
    serde_json::to_value(recording).expect("a recording is JSON")
}

/// Everything that is made of a recording.
fn tell(recording: &Recording) {
    let causes = diagnose(&recording.environment, &recording.observed);
    drop(fatal(&recording.environment, &recording.observed));
    drop(report::human(&causes, &|_| {
        Some("k8s-ee.yaml:1".to_owned())
    }));
    drop(report::json(&causes, &|_| None));
}

/// Whether an object, an event or a log is of this component of the healthy environment, whose names no others begin with.
fn is_of(component: &str, object: &Value) -> bool {
    let names = [
        &object["involvedObject"]["name"],
        &object["metadata"]["name"],
        &object["pod"],
    ];
    let name = names
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or_default();
    name.strip_prefix(component)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
}

/// What a cause is said of that is not this component.
fn blamed(recording: &Recording, component: &str) -> Vec<String> {
    let causes = diagnose(&recording.environment, &recording.observed);
    let components = recording.environment.waves().concat();
    let others = causes.iter().filter(|cause| {
        let named = cause.component.as_ref();
        named.is_some_and(|named| named != component && components.contains(named))
    });
    others.map(|cause| format!("{cause:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_it_panic(case in any::<Index>(), changes in mutations()) {
        let (_, recording, _) = case.get(&CASES[..]);
        let mut document = document(recording);
        for change in &changes {
            mutate(&mut document["observed"], change);
        }
        // What no API server could say is no matter.
        if let Ok(recording) = serde_json::from_value::<Recording>(document) {
            tell(&recording);
        }
    }

    #[test]
    fn what_is_well_is_not_blamed_for_another(changes in mutations()) {
        let mut document = document(&HEALTHY);
        let kinds = document["observed"].as_object_mut().expect("an object");
        for list in kinds.values_mut().filter_map(Value::as_array_mut) {
            let (own, others) = list.iter().cloned().partition(|object| is_of("api", object));
            let mut own = Value::Array(own);
            for change in &changes {
                mutate(&mut own, change);
            }
            *list = others;
            list.extend(own.as_array().cloned().unwrap_or_default());
        }
        if let Ok(recording) = serde_json::from_value::<Recording>(document) {
            prop_assert_eq!(blamed(&recording, "api"), Vec::<String>::new());
        }
    }

    #[test]
    fn what_was_said_before_it_was_well_is_no_cause(case in any::<Index>()) {
        let (_, broken, _) = case.get(&CASES[..]);
        let mut recording = HEALTHY.clone();
        let pod = recording.observed.pods.iter().find(|pod| is_of("web", &json!(pod))).cloned();
        let pod = pod.expect("a pod of web");
        let mut events = broken.observed.events.clone();
        for event in events.iter_mut().filter(|event| event.involved_object.kind.as_deref() == Some("Pod")) {
            event.involved_object.name.clone_from(&pod.metadata.name);
            event.involved_object.uid.clone_from(&pod.metadata.uid);
        }
        let mut logs = broken.observed.logs.clone();
        for log in &mut logs {
            log.pod = pod.metadata.name.clone().unwrap_or_default();
            "web".clone_into(&mut log.container);
        }
        recording.observed.events.extend(events);
        recording.observed.logs.extend(logs);
        prop_assert_eq!(diagnose(&recording.environment, &recording.observed), Vec::new());
    }
}
