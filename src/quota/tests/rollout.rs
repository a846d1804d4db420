//! No way a rollout can go is refused by the quota it runs under.

use proptest::prelude::*;

use super::*;

/// A workload of one version of the environment.
#[derive(Clone, Debug)]
struct Version {
    replicas: u32,
    surge: u32,
    cpu: i64,
    memory: i64,
}

prop_compose! {
    fn version()(replicas in 0_u32..5, surge in 0_u32..3, cpu in 10_i64..1000, memory in 32_i64..1024) -> Version {
        Version { replicas, surge, cpu, memory }
    }
}

/// An environment: some of three workloads.
fn versions() -> impl Strategy<Value = [Option<Version>; 3]> {
    prop::array::uniform3(prop::option::of(version()))
}

const NAMES: [&str; 3] = ["api", "web", "worker"];

fn objects(versions: &[Option<Version>; 3]) -> Vec<Object> {
    let pairs = NAMES.iter().zip(versions);
    pairs
        .filter_map(|(name, version)| {
            let Version {
                replicas,
                surge,
                cpu,
                memory,
            } = version.as_ref()?;
            let (cpu, memory) = (format!("{cpu}m"), format!("{memory}Mi"));
            let mut document =
                deployment(name, *replicas, &amounts(&cpu, &memory, &cpu, &memory)).as_value();
            document["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = json!(surge);
            Some(object(document))
        })
        .collect()
}

/// The most that any mixture of old and new pods comes to, found by trying all of them.
fn most(old: Option<&Version>, new: Option<&Version>, of: fn(&Version) -> i64) -> i64 {
    let replicas = |version: Option<&Version>| version.map_or(0, |v| v.replicas);
    let surge = |version: Option<&Version>| version.map_or(0, |v| v.surge);
    let at_a_time = replicas(old).max(replicas(new)) + surge(old).max(surge(new));
    let cost = |version: Option<&Version>, pods: u32| version.map_or(0, of) * i64::from(pods);
    let mut most = 0;
    for i in 0..=replicas(old) + surge(old) {
        for j in 0..=replicas(new) + surge(new) {
            if i + j <= at_a_time {
                most = most.max(cost(old, i) + cost(new, j));
            }
        }
    }
    most
}

proptest! {
    #[test]
    fn no_mixture_of_old_and_new_pods_is_refused(old in versions(), new in versions(), tight: bool) {
        // A ceiling must not get in the way of the change-over either.
        let ceiling = if tight { BTreeMap::from([("limits.cpu".to_owned(), q("1m")), ("pods".to_owned(), q("1"))]) } else { BTreeMap::new() };
        let settings = QuotaSettings { ceiling, ..bare() };
        let limits = LimitSettings::default();
        let quota = during_rollout(&objects(&old), &objects(&new), &limits, &settings).expect("a quota");

        let total = |of: fn(&Version) -> i64| -> i64 {
            old.iter().zip(&new).map(|(old, new)| most(old.as_ref(), new.as_ref(), of)).sum()
        };
        for resource in ["requests.cpu", "limits.cpu"] {
            prop_assert!(Quantity::milli(total(|v| v.cpu)) <= quota.hard[resource]);
        }
        for resource in ["requests.memory", "limits.memory"] {
            prop_assert!(Quantity::mebi(total(|v| v.memory)) <= quota.hard[resource]);
        }
        prop_assert!(Quantity::units(total(|_| 1)) <= quota.hard["pods"]);
    }

    #[test]
    fn a_rollout_to_the_same_objects_changes_nothing(versions in versions()) {
        let (limits, settings) = (LimitSettings::default(), bare());
        let objects = objects(&versions);
        let quota = compute(&objects, &limits, &settings).expect("a quota");
        prop_assert_eq!(&during_rollout(&objects, &objects, &limits, &settings).expect("a quota"), &quota);
        prop_assert_eq!(&during_rollout(&[], &objects, &limits, &settings).expect("a quota"), &quota);
        prop_assert_eq!(&during_rollout(&objects, &[], &limits, &settings).expect("a quota"), &quota);
    }
}

#[test]
fn old_and_new_workloads_fit_beside_each_other() {
    let small = amounts("100m", "128Mi", "100m", "128Mi");
    let large = amounts("400m", "128Mi", "400m", "128Mi");
    let old = [deployment("app", 1, &small), deployment("gone", 1, &large)];
    let new = [deployment("app", 3, &large), deployment("added", 1, &small)];
    let quota = during_rollout(&old, &new, &LimitSettings::default(), &bare()).expect("a quota");
    assert_eq!(
        quota.hard["limits.cpu"],
        q("2600m"),
        "4 × 400m, 2 × 400m, 2 × 100m"
    );
    assert_eq!(quota.hard["pods"], q("8"));
    let names: Vec<&str> = quota
        .components
        .iter()
        .map(|c| c.component.as_str())
        .collect();
    assert_eq!(names, ["added", "app", "gone", SHARED]);
}

#[test]
fn versions_left_over_from_an_interrupted_rollout_count() {
    let sized = |cpu: &str| deployment("app", 1, &amounts(cpu, "128Mi", cpu, "128Mi"));
    let old = [sized("100m"), sized("900m")];
    let quota =
        during_rollout(&old, &[sized("50m")], &LimitSettings::default(), &bare()).expect("a quota");
    assert_eq!(quota.hard["limits.cpu"], q("1800m"));
}

#[test]
fn pods_that_are_going_count_beside_all_new_ones() {
    let sizes = amounts("100m", "128Mi", "100m", "128Mi");
    let old = deployment("app", 2, &sizes);
    let pod = |number: u32| {
        let mut pod = old.get("/spec/template").expect("a template").clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = format!("app-{number}").into();
        Object::new(pod).expect("a pod")
    };
    let all = [old.clone(), pod(1), pod(2), pod(3)];
    let new = [old.clone()];
    let quota = during_rollout(&all, &new, &LimitSettings::default(), &bare()).expect("a quota");
    assert_eq!(quota.hard["pods"], q("5"), "three that go, two that come");
    assert_eq!(quota.hard["limits.cpu"], q("500m"));
}
