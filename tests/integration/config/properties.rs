//! Nothing throws the loader off: arbitrary bytes, texts that look like YAML, and files made from random values.

use std::collections::BTreeMap;

use k8s_ee::config::{
    Config, Source,
    databases::{
        Databases, Storage, Switch, Volume,
        redis::{Redis, RedisAuth},
    },
    file::{
        App, Autoscaling, Env, EnvSource, File, Image, ObjectName, ResourceAmounts, Resources,
        Service, WritableDir,
    },
    lifecycle::Lifecycle,
    report,
    seed::{Seed, Seeds},
    trigger::{Conditions, Trigger, When},
};
use proptest::{collection::vec, option, prelude::*};

/// Checks a text, and that whatever is said about it is within it.
fn check(text: &str) -> Result<(), TestCaseError> {
    let Err(invalid) = Config::parse(Source::new("k8s-ee.yaml", text)) else {
        return Ok(());
    };
    let text = invalid.source.text();
    prop_assert!(!invalid.problems.is_empty());
    let lines = text.matches('\n').count() + 1;
    let mut last = 0;
    for problem in &invalid.problems {
        let place = &problem.place;
        prop_assert!((1..=lines).contains(&place.line), "{place:?}");
        prop_assert!(place.span.start <= place.span.end && place.span.end <= text.len());
        prop_assert!(
            text.is_char_boundary(place.span.start) && text.is_char_boundary(place.span.end)
        );
        let before = &text[..place.span.start];
        prop_assert_eq!(place.line, before.matches('\n').count() + 1);
        let line = before.rsplit('\n').next().unwrap_or_default();
        prop_assert_eq!(place.column, line.chars().count() + 1);
        prop_assert!(last <= place.span.start, "not sorted");
        last = place.span.start;
        prop_assert!(!problem.message.is_empty() && !problem.message.ends_with('.'));
        prop_assert!(!problem.message.contains('\n'));
    }
    let told = report::human(&invalid.source, &invalid.problems, true);
    prop_assert!(!told.is_empty());
    Ok(())
}

/// Pieces of which YAML files are made, good and bad ones.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "projectId",
        "app",
        "port",
        "services",
        "api",
        "env",
        "databases",
        "redis",
        "image",
        "resources",
        "limits",
        "cpu",
        "100m",
        "shop",
        "true",
        "~",
        "3000",
        "0.5",
        ".inf",
        "yes",
        "dependsOn",
        "<<",
        "PORT",
        "/health",
        "ä",
        "🚀",
    ]);
    let signs = prop::sample::select(vec![
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "- ",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "#",
        " #",
        "&a ",
        "*a",
        "!!str ",
        "!x ",
        "|\n  ",
        ">\n  ",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "\r\n",
        "\u{feff}",
        "\\",
        "\u{85}",
        "\u{2028}",
        "@",
        "`",
    ]);
    prop_oneof![
        3 => words.prop_map(str::to_owned),
        4 => signs.prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9-]{0,8}[a-z0-9])?".prop_filter("databases have these names", |name| {
        !["postgresql", "mongodb", "redis", "minio", "mariadb"].contains(&name.as_str())
            && !name.starts_with("app-")
    })
}

/// Values of variables, with everything in them that YAML has a meaning for.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[\\PC\n\t]{0,20}",
        Just("yes".to_owned()),
        Just("1.10".to_owned()),
        Just(" - a: b # c\n".to_owned()),
    ]
}

fn env() -> impl Strategy<Value = Env> {
    prop::collection::btree_map("X_[A-Z0-9_]{0,8}", text(), 0..4).prop_map(Env)
}

fn resources() -> impl Strategy<Value = Resources> {
    (50..200_u32, 200..4000_u32, 128..384_u32, 384..4096_u32).prop_map(
        |(cpu, max_cpu, memory, max_memory)| Resources {
            requests: Some(ResourceAmounts {
                cpu: Some(format!("{cpu}m")),
                memory: Some(format!("{memory}Mi")),
            }),
            limits: Some(ResourceAmounts {
                cpu: Some(format!("{}.{:03}", max_cpu / 1000, max_cpu % 1000)),
                memory: Some(format!("{max_memory}Mi")),
            }),
        },
    )
}

fn service() -> impl Strategy<Value = Service> {
    (
        option::of(1..=65535_u16),
        option::of("/[ -~&&[^ ]]{0,10}"),
        option::of(resources()),
        option::of(env()),
        option::of(vec(text(), 1..3)),
        option::of((1..5_u32, 5..50_u32)),
        option::of(any::<bool>()),
    )
        .prop_map(
            |(port, health_path, resources, env, command, scaling, public)| Service {
                port,
                health_path,
                resources,
                env,
                command,
                replicas: scaling.map(|(min, _)| min),
                autoscaling: scaling.map(|(min, max)| Autoscaling {
                    min_replicas: Some(min),
                    max_replicas: max,
                    target_cpu_utilization_percentage: None,
                    target_memory_utilization_percentage: Some(80),
                }),
                public,
                ..Service::default()
            },
        )
}

fn databases() -> impl Strategy<Value = Databases> {
    let size = (1..100_u32).prop_map(|n| format!("{n}Gi"));
    let storage = prop_oneof![
        size.clone().prop_map(Storage::Size),
        (size, option::of("[a-z]{1,8}")).prop_map(|(size, storage_class)| {
            Storage::Volume(Volume {
                size,
                storage_class,
            })
        }),
    ];
    (
        option::of(any::<bool>()),
        option::of(storage),
        any::<bool>(),
    )
        .prop_map(|(minio, storage, auth)| Databases {
            minio: minio.map(Switch::Flag),
            redis: storage.map(|storage| {
                Switch::Options(Redis {
                    storage: Some(storage),
                    auth: Some(RedisAuth {
                        enabled: Some(auth),
                    }),
                    ..Redis::default()
                })
            }),
            ..Databases::default()
        })
}

fn general_form() -> impl Strategy<Value = File> {
    (
        name(),
        vec((name(), service()), 1..5),
        option::of(databases()),
    )
        .prop_map(|(project_id, services, databases)| {
            let mut services: BTreeMap<String, Service> = services.into_iter().collect();
            // Each depends on the ones before it, so there is no circle.
            let names: Vec<String> = services.keys().cloned().collect();
            for (n, service) in services.values_mut().enumerate() {
                service.depends_on = Some(names[..n].to_vec());
            }
            let seed = |(n, service): (usize, &String)| Seed {
                name: Some(format!("seed-{n}")),
                service: Some(service.clone()),
                command: Some(vec!["/seed".to_owned()]),
                after: (n > 0).then(|| names[0].clone()),
                ..Seed::default()
            };
            File {
                seed: Some(Seeds::Several(names.iter().enumerate().map(seed).collect())),
                services: Some(services.into_iter().collect()),
                databases,
                ..file(project_id)
            }
        })
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let when = prop_oneof![Just(When::Automatic), Just(When::OnDemand)];
    let labels = |prefix: &'static str| {
        option::of(vec("[a-z :/]{1,8}", 1..3).prop_map(move |labels| {
            let named = labels.iter().enumerate();
            named
                .map(|(n, label)| format!("{prefix}{n}{label}"))
                .collect()
        }))
    };
    let conditions = (
        option::of(when.clone()),
        option::of(any::<bool>()),
        labels("a"),
        labels("b"),
    )
        .prop_map(|(on, drafts, labels, except_labels)| Conditions {
            on,
            drafts,
            labels,
            except_labels,
        });
    prop_oneof![
        when.prop_map(Trigger::On),
        conditions.prop_map(Trigger::Conditions),
    ]
}

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    option::of("[1-9][0-9]{0,2}h").prop_map(|ttl| Lifecycle { ttl })
}

fn short_form() -> impl Strategy<Value = File> {
    (
        name(),
        option::of(trigger()),
        option::of(lifecycle()),
        service(),
        option::of(vec(name(), 0..3)),
        option::of(vec("/d/[a-z]{1,3}[0-9]{9}", 0..3)),
        option::of(Just(Image::Reference("ghcr.io/acme/shop:1".to_owned()))),
    )
        .prop_map(
            |(project_id, trigger, lifecycle, service, secrets, dirs, image)| File {
                trigger,
                lifecycle,
                app: Some(App {
                    port: service.port,
                    health_path: service.health_path,
                    ..App::default()
                }),
                image,
                resources: service.resources,
                env: service.env,
                env_from: secrets.map(|names| {
                    let secret = |name| EnvSource::SecretRef(ObjectName { name });
                    names.into_iter().map(secret).collect()
                }),
                writable_dirs: dirs.map(|mut dirs| {
                    dirs.sort();
                    dirs.dedup();
                    dirs.into_iter().map(WritableDir).collect()
                }),
                ..file(project_id)
            },
        )
}

fn file(project_id: String) -> File {
    File {
        project_id,
        trigger: None,
        lifecycle: None,
        app: None,
        image: None,
        resources: None,
        env: None,
        env_from: None,
        ingress: None,
        metrics: None,
        writable_dirs: None,
        services: None,
        databases: None,
        seed: None,
    }
}

/// Reads a file that was written from values, and compares.
fn reads_back(file: &File, text: &str) -> Result<(), TestCaseError> {
    match Config::parse(Source::new("k8s-ee.yaml", text)) {
        Ok(config) => prop_assert_eq!(&config.file, file),
        Err(invalid) => {
            let told = report::human(&invalid.source, &invalid.problems, false);
            return Err(TestCaseError::fail(format!("{told}\n{text}")));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn arbitrary_bytes(bytes in vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn texts_that_look_like_yaml(pieces in vec(piece(), 0..40)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn files_with_one_piece_changed(at in any::<prop::sample::Index>(), new in piece()) {
        let file = include_str!("../../corpus/valid/services-every-key.yaml");
        let at = file.floor_char_boundary(at.index(file.len()));
        check(&format!("{}{new}{}", &file[..at], &file[at..]))?;
        check(&format!("{}{new}", &file[..at]))?;
    }

    #[test]
    fn valid_files_are_read_back(file in prop_oneof![general_form(), short_form()]) {
        reads_back(&file, &serde_json::to_string(&file).expect("a file can be written"))?;
        reads_back(&file, &serde_json::to_string_pretty(&file).expect("a file can be written"))?;
        reads_back(&file, &serde_saphyr::to_string(&file).expect("a file can be written"))?;
    }
}
