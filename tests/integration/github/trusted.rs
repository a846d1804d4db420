//! What is let in, and how far it is trusted: the platform's list of repositories, forks, and files that are read as data.

use std::collections::BTreeMap;

use github_fake::{GithubFake, world::World};
use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path},
};

use super::{TOKEN, world};
use crate::common::{Printed, Run, k8s_ee};

const HEAD: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const SETTINGS: &str = "/api/v1/namespaces/k8s-ee-system/configmaps/k8s-ee-platform";

/// A cluster that has nothing but, if they are given, platform settings.
async fn cluster(settings: Option<&str>) -> MockServer {
    let server = MockServer::start().await;
    if let Some(settings) = settings {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "k8s-ee-platform", "namespace": "k8s-ee-system"},
            "data": {"settings.yaml": settings},
        });
        let answer = ResponseTemplate::new(200).set_body_json(object);
        Mock::given(method("GET"))
            .and(path(SETTINGS))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    let nothing = json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "not found"});
    let answer = ResponseTemplate::new(404).set_body_json(nothing);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn pull_request(from: &str) -> Value {
    let side =
        |repository: &str| json!({"sha": HEAD, "ref": "topic", "repo": {"full_name": repository}});
    json!({"action": "opened", "pull_request": {"number": 7, "state": "open", "head": side(from), "base": side("acme/shop")}})
}

/// A verb in a run for pull request 7 of `acme/shop` from that repository, on that cluster.
fn in_actions(server: &MockServer, from: &str, args: &[&str]) -> Run {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "deployer"}}],
        "clusters": [{"name": "fake", "cluster": {"server": server.uri()}}],
        "users": [{"name": "deployer", "user": {"token": "secret"}}],
    });
    k8s_ee(args)
        .file("kubeconfig", &kubeconfig.to_string())
        .file("k8s-ee.yaml", "projectId: shop\n")
        .file(
            "platform.yaml",
            "access: {mode: disabled}\ndomain: preview.test\n",
        )
        .file("event.json", &pull_request(from).to_string())
        .env("KUBECONFIG", "kubeconfig")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", "event.json")
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_RUN_ID", "99")
        .env("GITHUB_API_URL", "http://127.0.0.1:9")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .replace(&server.uri(), "[SERVER]")
}

async fn assert_nothing_written(server: &MockServer) {
    let asked = server.received_requests().await.expect("they are recorded");
    let written: Vec<String> = asked
        .iter()
        .filter(|request| request.method != http::Method::GET)
        .map(|request| format!("{} {}", request.method, request.url))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

const UP: &[&str] = &[
    "up",
    "--pr",
    "7",
    "--image",
    "acme/shop:1",
    "--timeout",
    "1s",
];
const PREPARE: &[&str] = &["prepare", "--pr", "7", "--timeout", "1s"];

#[tokio::test]
async fn a_repository_that_is_not_listed_is_refused_before_anything_is_written() {
    for (settings, why) in [
        (
            None,
            "there is no ConfigMap k8s-ee-system/k8s-ee-platform, which names those that may",
        ),
        (Some(""), "it is not on the list of those that may"),
        (
            Some("access: {organizations: [other], repositories: [acme/web]}"),
            "it is not on the list of those that may",
        ),
        (
            Some("access: {mode: denylist, organizations: [ACME]}"),
            "it is on the list of those that may not",
        ),
    ] {
        let server = cluster(settings).await;
        for verb in [UP, PREPARE] {
            let printed = in_actions(&server, "acme/shop", verb).exits(14);
            let message = format!("error: acme/shop may have no environments on fake: {why}");
            assert!(printed.stderr.contains(&message), "{}", printed.both());
        }
        assert_nothing_written(&server).await;
    }
    let server = cluster(None).await;
    assert_snapshot!(in_actions(&server, "acme/shop", PREPARE).exits(14).both(), @"
    --- stdout
    --- stderr
    note: there is no token: no comment, deployment or status of the commit is written; set GITHUB_TOKEN: ${{ github.token }}
    error: acme/shop may have no environments on fake: there is no ConfigMap k8s-ee-system/k8s-ee-platform, which names those that may

    hint: ask whoever runs the platform to add `acme` to `access.organizations`, or `acme/shop` to `access.repositories`, in the platform settings: `settings.access` of the chart k8s-ee-platform
    ");
}

/// The list is the cluster's: a file beside the code would be written by those whom the list is about.
#[tokio::test]
async fn a_file_of_settings_lets_nobody_in() {
    let server = cluster(Some("access: {organizations: [other]}")).await;
    let with_file = [PREPARE, &["--platform", "platform.yaml"]].concat();
    in_actions(&server, "acme/shop", &with_file).exits(14);
    assert_nothing_written(&server).await;
}

#[tokio::test]
async fn a_list_that_cannot_be_read_lets_nobody_in() {
    let server = MockServer::start().await;
    let message = "configmaps \"k8s-ee-platform\" is forbidden: User \"ci\" cannot get resource \"configmaps\"";
    let refusal = json!({"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": message});
    let answer = ResponseTemplate::new(403).set_body_json(refusal);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    assert_snapshot!(in_actions(&server, "acme/shop", PREPARE).exits(4).both(), @r#"
    --- stdout
    --- stderr
    note: there is no token: no comment, deployment or status of the commit is written; set GITHUB_TOKEN: ${{ github.token }}
    error: not allowed to read ConfigMap k8s-ee-platform: User "ci" cannot get resource "configmaps"

    hint: ask whoever runs the cluster for that right (`deployers` of the chart k8s-ee-platform gives what k8s-ee needs), or use another context
    hint: the ConfigMap k8s-ee-system/k8s-ee-platform names the repositories that may have environments; unread, it lets nobody in
    "#);

    for (settings, wrong) in [
        ("access: {mode: open}", "unknown variant `open`"),
        (
            "access: {repositories: [shop]}",
            "`shop` in `access.repositories` is not a repository",
        ),
        ("access: [", "are invalid"),
    ] {
        let server = cluster(Some(settings)).await;
        let printed = in_actions(&server, "acme/shop", PREPARE).exits(3);
        assert!(
            printed.stderr.contains("the platform settings ConfigMap"),
            "{}",
            printed.both()
        );
        assert!(
            printed.stderr.contains(wrong),
            "{wrong}: {}",
            printed.both()
        );
        assert_nothing_written(&server).await;
    }
}

#[tokio::test]
async fn a_repository_that_is_listed_gets_further() {
    for settings in [
        "access: {organizations: [Acme]}",
        "access: {repositories: [ACME/Shop]}",
        "access: {mode: disabled}",
        "access: {mode: denylist, repositories: [acme/web]}",
    ] {
        let server = cluster(Some(settings)).await;
        // It needs a domain next.
        let printed = in_actions(&server, "acme/shop", UP).exits(3);
        assert!(
            printed.stderr.contains("no domain is known"),
            "{}",
            printed.both()
        );
    }
}

#[tokio::test]
async fn on_a_laptop_the_list_is_not_asked() {
    let server = cluster(None).await;
    let printed = in_actions(&server, "acme/shop", UP)
        .env("GITHUB_ACTIONS", "")
        .exits(3);
    assert!(
        printed.stderr.contains("no domain is known"),
        "{}",
        printed.both()
    );
}

#[tokio::test]
async fn a_fork_is_not_deployed_as_if_it_were_none() {
    let settings = "access: {organizations: [acme]}\ndomain: preview.test\n";
    let server = cluster(Some(settings)).await;
    assert_snapshot!(in_actions(&server, "stranger/shop", UP).exits(14).both(), @"
    --- stdout
    --- stderr
    note: a run for a pull request from a fork may only read; its comment is written by the workflow that follows it (workflow_run)
    error: pull request acme/shop#7 is from a fork, and is to be deployed as if it were not

    hint: deploy it with --profile fork, from a workflow that does not run its code: docs/guides/forks.md
    ");

    // Where the event does not tell, GitHub is asked; where nobody tells, nothing is done.
    let fork = github_fake::world::Pull {
        head_repository: Some("stranger/shop".to_owned()),
        ..github_fake::world::Pull::default()
    };
    let mut world = world();
    world.repository("acme/shop").pulls.insert(8, fork);
    let fake = GithubFake::start(world);
    let other = ["up", "--pr", "8", "--image", "acme/shop:1"];
    let asked = || in_actions(&server, "acme/shop", &other).env("GITHUB_API_URL", fake.url());
    let printed = asked().env("GITHUB_TOKEN", TOKEN).exits(14);
    assert!(
        printed
            .stderr
            .contains("pull request acme/shop#8 is from a fork"),
        "{}",
        printed.both()
    );
    let printed = asked().exits(2);
    assert!(
        printed.stderr.contains("takes a token"),
        "{}",
        printed.both()
    );

    let never = format!("{settings}forks: {{allow: never}}\n");
    let server = cluster(Some(&never)).await;
    let fork = [UP, &["--profile", "fork"]].concat();
    assert_snapshot!(in_actions(&server, "stranger/shop", &fork).exits(14).both(), @"
    --- stdout
    --- stderr
    note: a run for a pull request from a fork may only read; its comment is written by the workflow that follows it (workflow_run)
    error: the platform makes no environments for forks

    hint: whoever runs the platform decides about it: `forks.allow` in the platform settings
    ");
    assert_nothing_written(&server).await;
}

/// Offline: what a fork gets of the platform.
#[test]
fn the_profile_of_a_fork_shows_in_what_is_made() {
    let file = "projectId: shop\ndatabases: {postgresql: true}\n";
    let settings = "network: {kubernetesApi: true}\nimagePullSecrets: [ghcr]\n";
    let offline = |args: &[&str]| {
        let args = [
            args,
            &[
                "--pr",
                "7",
                "--image",
                "acme/shop:1",
                "--platform",
                "platform.yaml",
            ],
        ]
        .concat();
        k8s_ee(&args)
            .file("k8s-ee.yaml", file)
            .file("platform.yaml", settings)
    };
    let plain = offline(&["render"]).exits(0).stdout;
    let fork = offline(&["render", "--profile", "fork"]).exits(0).stdout;
    for (what, of_fork) in [
        ("allow-internet", false),
        ("ghcr", false),
        ("allow-dns", true),
        ("default-deny", true),
    ] {
        assert!(plain.contains(what), "{what}");
        assert_eq!(fork.contains(what), of_fork, "{what}");
    }
    assert!(!plain.contains("k8s-ee/profile") && fork.contains("k8s-ee/profile"));

    let plan = offline(&["plan", "--offline", "--profile", "fork"]).exits(0);
    assert!(
        plan.stdout.contains(
            "profile fork: no Secrets but its own, its pods reach nothing outside but DNS"
        ),
        "{}",
        plan.stdout
    );
    let settings = "quota: {ceiling: {limits.cpu: 700m}}\n";
    let narrow = |profile: &str| {
        let args = [
            "quota",
            "--pr",
            "7",
            "--platform",
            "platform.yaml",
            "--profile",
            profile,
        ];
        k8s_ee(&args)
            .file("k8s-ee.yaml", "projectId: shop\n")
            .file("platform.yaml", settings)
    };
    narrow("default").exits(0);
    let half = narrow("fork").exits(5);
    assert!(half.stderr.contains("allowed 350m"), "{}", half.both());
}

#[test]
fn what_a_fork_does_not_get_is_refused_at_its_line() {
    let file = "projectId: shop\nenvFrom:\n  - secretRef:\n      name: production-keys\ningress:\n  annotations:\n    nginx.ingress.kubernetes.io/server-snippet: \"return 200;\"\n";
    let run = |profile: &str| {
        k8s_ee(&[
            "render",
            "--pr",
            "7",
            "--image",
            "acme/shop:1",
            "--profile",
            profile,
        ])
        .file("k8s-ee.yaml", file)
    };
    run("default").exits(0);
    assert_snapshot!(run("fork").exits(3).stderr, @"
    error: the environment of a fork gets no Secrets, such as `production-keys` here
     --> k8s-ee.yaml:3:5
      |
    3 |   - secretRef:
      |     ^^^^^^^^^^
      |
      = hint: leave it out; what is no secret can be in `env` or in a ConfigMap

    error: the environment of a fork may not instruct the ingress controller
     --> k8s-ee.yaml:6:3
      |
    6 |   annotations:
      |   ^^^^^^^^^^^
      |
      = hint: leave the annotations out

    error: the environment of k8s-ee.yaml is not complete; nothing was changed
    ");
    let unknown = run("forked").exits(2);
    assert!(
        unknown.stderr.contains("possible values: default, fork"),
        "{}",
        unknown.stderr
    );
}

/// As a file travels in a ConfigMap.
fn base64(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

/// A repository with this at the head of pull request 7.
fn with_files(files: &[(&str, &str)]) -> World {
    let mut world = world();
    let files: BTreeMap<String, String> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    world
        .repository("acme/shop")
        .files
        .insert(HEAD.to_owned(), files);
    world
}

fn at_head(fake: &GithubFake, args: &[&str]) -> Run {
    let args = [args, &["--config-at", HEAD, "--repository", "acme/shop"]].concat();
    k8s_ee(&args)
        .env("GITHUB_API_URL", fake.url())
        .env("GITHUB_TOKEN", TOKEN)
        .replace(fake.url(), "[API]")
}

#[test]
fn a_file_is_read_as_data_with_those_of_its_seeds() {
    let fake = GithubFake::start(with_files(&[
        (
            "deploy/k8s-ee.yaml",
            "projectId: shop\ndatabases: {postgresql: true}\nseed: {file: ./db/x.sql}\n",
        ),
        ("deploy/db/x.sql", "SELECT 'from GitHub';"),
    ]));
    let render = [
        "render",
        "--pr",
        "7",
        "--image",
        "acme/shop:1",
        "--config",
        "deploy/k8s-ee.yaml",
    ];
    let printed = at_head(&fake, &render)
        .file("deploy/k8s-ee.yaml", "projectId: not-this-one\n")
        .file("deploy/db/x.sql", "SELECT 'from the checkout';")
        .exits(0);
    assert!(
        printed.stdout.contains("shop-pr-7")
            && printed.stdout.contains(&base64("SELECT 'from GitHub';")),
        "{}",
        printed.both()
    );
    assert!(
        !printed
            .stdout
            .contains(&base64("SELECT 'from the checkout';"))
            && !printed.stdout.contains("not-this-one")
    );
    at_head(&fake, &["validate", "--config", "./deploy/k8s-ee.yaml"]).exits(0);
}

#[test]
fn a_file_at_a_commit_has_its_mistakes_told_like_any_other() {
    let fake = GithubFake::start(with_files(&[
        ("k8s-ee.yaml", "projectId: shop\napp: {prot: 1}\n"),
        (
            "climbs.yaml",
            "projectId: shop\ndatabases: {postgresql: true}\nseed: {file: ../../etc/x.sql}\n",
        ),
        (
            "rooted.yaml",
            "projectId: shop\ndatabases: {postgresql: true}\nseed: {file: /etc/x.sql}\n",
        ),
        (
            "linked.yaml",
            "projectId: shop\ndatabases: {postgresql: true}\nseed: {file: link.sql}\n",
        ),
        (
            "missing.yaml",
            "projectId: shop\ndatabases: {postgresql: true}\nseed: {file: no.sql}\n",
        ),
        ("folder/x", ""),
    ]));
    fake.with(|world| {
        let links = BTreeMap::from([("link.sql".to_owned(), "/etc/passwd".to_owned())]);
        world
            .repository("acme/shop")
            .links
            .insert(HEAD.to_owned(), links);
    });
    let validate = |config: &str| at_head(&fake, &["validate", "--config", config]);
    for (config, wrong) in [
        ("k8s-ee.yaml", "unknown key `prot`"),
        ("climbs.yaml", "`seed.file`"),
        ("rooted.yaml", "`seed.file`"),
        (
            "linked.yaml",
            "`link.sql` cannot be taken: it is a symbolic link",
        ),
        ("missing.yaml", "`no.sql` does not exist"),
        ("none.yaml", "none.yaml of acme/shop@6dcb09b does not exist"),
        ("folder", "it is a folder"),
    ] {
        let printed: Printed = validate(config).exits(3);
        assert!(
            printed.stderr.contains(wrong),
            "{config}: {}",
            printed.both()
        );
    }
    for out in ["../k8s-ee.yaml", "/"] {
        let printed = validate(out).exits(2);
        assert!(
            printed.stderr.contains("is not a path of the repository"),
            "{}",
            printed.both()
        );
    }
    assert!(
        fake.requests()
            .iter()
            .all(|asked| !asked.path.contains("..") && !asked.path.contains("passwd"))
    );

    let short = k8s_ee(&["validate", "--config-at", "6dcb09b"]).exits(2);
    assert!(short.stderr.contains("all 40 digits"), "{}", short.stderr);
    let no_token = k8s_ee(&["validate", "--config-at", HEAD, "--repository", "acme/shop"]).exits(2);
    assert!(
        no_token.stderr.contains("takes a token for GitHub"),
        "{}",
        no_token.stderr
    );
}

#[test]
fn a_flood_of_files_is_refused() {
    let seeds: String = (0..51)
        .map(|n| format!("  - {{name: s{n}, file: s{n}.sql}}\n"))
        .collect();
    let text = format!("projectId: shop\ndatabases: {{postgresql: true}}\nseed:\n{seeds}");
    let fake = GithubFake::start(with_files(&[("k8s-ee.yaml", &text)]));
    let printed = at_head(&fake, &["validate"]).exits(3);
    assert!(
        printed
            .stderr
            .contains("the seeds name 51 files; 50 are possible"),
        "{}",
        printed.both()
    );
    assert_eq!(fake.requests().len(), 1);
}
