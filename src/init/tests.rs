//! What is made of repositories. Whole compose files with all that is said of them are in `tests/corpus/compose`.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn repository(files: &[(&str, &str)]) -> Repository {
    Repository {
        directory: "Shop".to_owned(),
        remote: None,
        files: files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
    }
}

/// The configuration and everything that is said of it.
#[track_caller]
fn made(files: &[(&str, &str)]) -> String {
    let proposal = match init(&repository(files), &Request::default()) {
        Ok(proposal) => proposal,
        Err(refusal) => panic!("{refusal:?}"),
    };
    let notes: Vec<String> = proposal.notes.iter().map(ToString::to_string).collect();
    format!("{}\n{}", proposal.config, notes.join("\n"))
}

#[test]
fn one_service_is_in_the_short_form() {
    assert_snapshot!(made(&[
        ("Dockerfile", "FROM node:22\nEXPOSE 8080\nUSER node\n"),
        ("package.json", "{\"dependencies\": {\n\"express\": \"5\",\n\"pg\": \"8\",\n\"mysql2\": \"3\",\n\"@aws-sdk/client-s3\": \"3\"}}"),
    ]), @"
    # yaml-language-server: $schema=https://github.com/koder-cat/k8s-ee/raw/main/schema/k8s-ee.schema.json
    # A first version by `k8s-ee init`: what is guessed says so. `k8s-ee validate` checks it. Every key:
    # https://github.com/koder-cat/k8s-ee/blob/main/docs/reference/config.md

    projectId: shop             # name of the directory

    app:
      port: 8080                # EXPOSE at Dockerfile:2
      healthPath: /             # guessed: nothing says what is asked

    image:
      context: .
      dockerfile: Dockerfile

    databases:
      postgresql: true          # pg at package.json:3
      # minio: true             # @aws-sdk/client-s3 at package.json:5
      # mariadb: true           # mysql2 at package.json:4

    found    Dockerfile: the service `app` is built with it
    found    `port: 8080` of `app` (EXPOSE at Dockerfile:2)
    found    `databases.postgresql` (pg at package.json:3)
    guessed  `healthPath: /` of `app` (nothing says what is asked)
    guessed  `databases.minio` (@aws-sdk/client-s3 at package.json:5); offered as a comment
    guessed  `databases.mariadb` (mysql2 at package.json:4); offered as a comment
    guessed  `projectId: shop` (name of the directory)
    next     does `app` answer 2xx or 3xx at / when it is up? Else set its `healthPath`
    next     containers run without root, with a read-only file system but for /tmp: what else a service writes to belongs into `writableDirs`
    next     k8s-ee validate && k8s-ee quota --pr 1 && k8s-ee plan --pr 1 --offline
    ");
}

#[test]
fn several_dockerfiles_are_several_services() {
    assert_snapshot!(made(&[
        ("api/Dockerfile", "FROM python:3.13\nHEALTHCHECK CMD curl -f localhost:8000/healthz\n"),
        ("api/requirements.txt", "fastapi\nredis\n"),
        ("web/docker/Dockerfile", "FROM nginxinc/nginx-unprivileged\nEXPOSE 8080\n"),
        ("web/package.json", "{\"devDependencies\": {\"vite\": \"7\"}}"),
    ]), @"
    # yaml-language-server: $schema=https://github.com/koder-cat/k8s-ee/raw/main/schema/k8s-ee.schema.json
    # A first version by `k8s-ee init`: what is guessed says so. `k8s-ee validate` checks it. Every key:
    # https://github.com/koder-cat/k8s-ee/blob/main/docs/reference/config.md

    projectId: shop             # name of the directory

    services:
      api:
        image:
          context: api
          dockerfile: Dockerfile
        port: 8000              # guessed: FastAPI (api/requirements.txt:1)
        healthPath: /healthz    # HEALTHCHECK at api/Dockerfile:2

      web:
        image:
          context: web
          dockerfile: docker/Dockerfile
        port: 8080              # EXPOSE at web/docker/Dockerfile:2
        healthPath: /           # guessed: nothing says what is asked
        public: true            # gets a URL

    databases:
      redis: true               # redis at api/requirements.txt:2

    found    api/Dockerfile: the service `api` is built with it
    found    `healthPath: /healthz` of `api` (HEALTHCHECK at api/Dockerfile:2)
    found    web/docker/Dockerfile: the service `web` is built with it
    found    `port: 8080` of `web` (EXPOSE at web/docker/Dockerfile:2)
    found    `databases.redis` (redis at api/requirements.txt:2)
    guessed  `port: 8000` of `api` (FastAPI (api/requirements.txt:1))
    guessed  `healthPath: /` of `web` (nothing says what is asked)
    guessed  `web` gets the URL: move `public: true` if another should
    guessed  `projectId: shop` (name of the directory)
    next     does `web` answer 2xx or 3xx at / when it is up? Else set its `healthPath`
    next     containers run without root, with a read-only file system but for /tmp: what else a service writes to belongs into `writableDirs`
    next     k8s-ee validate && k8s-ee quota --pr 1 && k8s-ee plan --pr 1 --offline
    ");
}

#[test]
fn an_empty_repository_gets_a_beginning() {
    assert_snapshot!(made(&[]), @"
    # yaml-language-server: $schema=https://github.com/koder-cat/k8s-ee/raw/main/schema/k8s-ee.schema.json
    # A first version by `k8s-ee init`: what is guessed says so. `k8s-ee validate` checks it. Every key:
    # https://github.com/koder-cat/k8s-ee/blob/main/docs/reference/config.md

    projectId: shop             # name of the directory

    app:
      port: 3000                # guessed: nothing says where it listens
      healthPath: /             # guessed: nothing says what is asked

    guessed  `port: 3000` of `app` (nothing says where it listens)
    guessed  `healthPath: /` of `app` (nothing says what is asked)
    guessed  `projectId: shop` (name of the directory)
    next     `app` has no image: write a Dockerfile for it, or name an image
    next     does `app` answer 2xx or 3xx at / when it is up? Else set its `healthPath`
    next     containers run without root, with a read-only file system but for /tmp: what else a service writes to belongs into `writableDirs`
    next     k8s-ee validate && k8s-ee quota --pr 1 && k8s-ee plan --pr 1 --offline
    ");
}

#[test]
fn the_workflow_calls_ours() {
    let text = workflow(&repository(&[]), "1.2.3", Some("preview.acme.dev"));
    assert!(
        text.contains("pr-environment-reusable.yml@v1.2.3\n"),
        "{text}"
    );
    assert!(text.contains("preview-domain: preview.acme.dev"), "{text}");
}

#[test]
fn github_is_known_by_its_remote() {
    let mut repository = repository(&[]);
    for (remote, expected) in [
        ("git@github.com:acme/shop.git", Some("acme/shop")),
        ("https://github.com/acme/shop", Some("acme/shop")),
        ("https://gitlab.com/acme/shop", None),
    ] {
        repository.remote = Some(remote.to_owned());
        assert_eq!(repository.github(), expected);
    }
}

/// Scalars as they stand in compose files, and as they should not.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_./:@$ -]{0,20}",
        Just("postgres:16".to_owned()),
        Just("redis".to_owned()),
        Just("nginx:1".to_owned()),
        Just("../outside".to_owned()),
        Just("true".to_owned()),
        Just("${A:-b}".to_owned()),
        Just("\u{85}\u{2028}\u{7f}#: \"'".to_owned()),
        any::<String>().prop_map(|text| text.replace('\0', "")),
    ]
}

/// A value that may stand under any key: what fits, and what does not.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        scalar().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Keys that mean something, and any others.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "image",
        "build",
        "context",
        "dockerfile",
        "ports",
        "expose",
        "environment",
        "depends_on",
        "command",
        "entrypoint",
        "healthcheck",
        "test",
        "deploy",
        "resources",
        "limits",
        "cpus",
        "memory",
        "replicas",
        "volumes",
        "tmpfs",
        "profiles",
        "container_name",
        "target",
        "source",
        "condition",
        "PORT",
        "DATABASE_URL",
        "env_file",
        "a",
        "b",
        "app-postgresql",
        "postgresql",
    ];
    prop_oneof![
        6 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => scalar(),
    ]
}

fn compose() -> impl Strategy<Value = String> {
    let service = prop::collection::btree_map(key(), value(), 0..8);
    let services =
        prop::collection::btree_map(prop_oneof![key(), "[a-zA-Z0-9._-]{1,40}"], service, 1..5);
    services.prop_map(|services| {
        crate::render::yaml::as_json(&serde_json::json!({"services": services}))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is written is always valid, whatever is in the compose file.
    #[test]
    fn what_is_written_is_valid(text in compose(), name in any::<String>()) {
        let mut repository = repository(&[("compose.yaml", &text)]);
        repository.directory = name;
        match init(&repository, &Request::default()) {
            Ok(_) | Err(Refusal::Compose { .. }) => {}
            Err(Refusal::Bug { source, problems }) => {
                prop_assert!(false, "{problems:#?}\n{}\n{text}", source.text());
            }
        }
    }

    /// The same, whatever is in the other files.
    #[test]
    fn files_of_others_break_nothing(
        path in "([a-zA-Z_-]{1,12}/){0,3}(Dockerfile|package.json|go.mod|Gemfile)",
        other in "([a-z]{1,4}/){0,2}Dockerfile",
        text in "(FROM|EXPOSE|HEALTHCHECK CMD curl|VOLUME|ENV|ARG|\"pg\"|minio|redis|next| |\\n|\\$|[0-9]{1,6}|localhost:|/[^ ]{0,5}){0,30}",
    ) {
        let files = [(path.as_str(), text.as_str()), (other.as_str(), text.as_str())];
        let made = init(&repository(&files), &Request::default());
        prop_assert!(made.is_ok(), "{made:?}");
    }
}
