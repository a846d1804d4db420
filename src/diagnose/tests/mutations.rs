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
    let mut places = pointers(document);
    // Anything may be missing; what is there otherwise tells most in a state.
    if mutation.kind > 0 {
        places.retain(|place| place.contains("/status/"));
    }
    if places.is_empty() {
        return;
    }
    let place = mutation.place.get(&places[..]).clone();
    let other = document.pointer(mutation.other.get(&places[..]).as_str());
    let other = other.and_then(Value::as_str).map(str::to_owned);
    if mutation.kind == 0 {
        let (parent, key) = place.rsplit_once('/').expect("it begins with a slash");
        match document.pointer_mut(parent) {
            Some(Value::Object(map)) => {
                map.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(list)) => {
                list.remove(key.parse().expect("an index"));
            }
            _ => {}
        }
        return;
    }
    let value = document.pointer_mut(&place).expect("it was found there");
    *value = match (value.take(), mutation.kind % 3) {
        (Value::Bool(is), _) => json!(!is),
        (Value::Number(_), 0) => json!(0),
        (Value::Number(_), 1) => json!(i32::MAX),
        (Value::Number(number), _) => json!(-number.as_i64().unwrap_or(1)),
        (Value::String(_), 0) => json!(""),
        (Value::String(text), 1) => json!(format!("é{}", text.chars().rev().collect::<String>())),
        (Value::String(text), _) => json!(other.unwrap_or(text)),
        (Value::Array(_), 0) => json!([]),
        (Value::Array(list), 1) => [&list[..], &list[..]].concat().into(),
        (Value::Array(list), _) => list.into_iter().rev().collect(),
        (Value::Object(_), 0) => json!({}),
        (same, _) => same,
    };
}

/// A recording after these changes; those that no API server could have made are left out.
fn changed(
    recording: &Recording,
    changes: &[Mutation],
    change: impl Fn(&mut Value, &Mutation),
) -> Recording {
    let mut recording = recording.clone();
    for mutation in changes {
        let mut document = serde_json::to_value(&recording).expect("a recording is JSON");
        change(&mut document["observed"], mutation);
        if let Ok(read) = serde_json::from_value(document) {
            recording = read;
        }
    }
    recording
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
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_makes_it_panic(case in any::<Index>(), changes in mutations()) {
        let (_, recording, _) = case.get(&CASES[..]);
        tell(&changed(recording, &changes, mutate));
    }

    #[test]
    fn what_is_well_is_not_blamed_for_another(changes in mutations()) {
        let change = |observed: &mut Value, mutation: &Mutation| {
            let kinds = observed.as_object_mut().expect("an object");
            let mut own = json!({});
            for (kind, objects) in kinds.iter_mut() {
                if let Value::Array(list) = objects {
                    let (of_api, others) = list.drain(..).partition(|object| is_of("api", object));
                    own[kind] = Value::Array(of_api);
                    *list = others;
                }
            }
            mutate(&mut own, mutation);
            for (kind, objects) in kinds.iter_mut() {
                if let Value::Array(list) = objects {
                    list.extend(own[kind].as_array().cloned().unwrap_or_default());
                }
            }
        };
        let recording = changed(&HEALTHY, &changes, change);
        prop_assert_eq!(blamed(&recording, "api"), Vec::<String>::new());
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
