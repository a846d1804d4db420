//! `sweep` against a cluster and a GitHub that remember: what goes, what stays, what is asked and told.

mod cluster;
mod told;

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Access, Pull, Token as Holder, World},
};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{
    TOKEN,
    step::{BOT, Step, comment, kubeconfig, ours},
};
use crate::common::{Printed, Run, k8s_ee};
use cluster::Cluster;

/// A time so many minutes from now, as annotations have it.
fn minutes(from_now: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(from_now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An environment that was brought up three hours ago.
fn environment(repository: &str, number: u64) -> Value {
    let project = repository.rsplit('/').next().expect("a name");
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": format!("{project}-pr-{number}"),
        "labels": {
            "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
            "k8s-ee/project-id": project, "k8s-ee/pr-number": number.to_string(),
            "k8s-ee/commit-sha": Pull::default().sha,
        },
        "annotations": {
            "k8s-ee/repository": repository, "k8s-ee/state": "running", "k8s-ee/last-updated": minutes(-180),
        },
    }})
}

/// The same, preserved until so many minutes from now.
fn preserved(repository: &str, number: u64, from_now: i64) -> Value {
    let mut namespace = environment(repository, number);
    namespace["metadata"]["labels"]["preserve"] = "true".into();
    let annotations = &mut namespace["metadata"]["annotations"];
    annotations["k8s-ee/preserve-until"] = minutes(from_now).into();
    annotations["k8s-ee/preserved-by"] = "octocat".into();
    namespace
}

/// A GitHub with these pull requests, open or closed long ago.
fn github(pulls: &[(&str, u64, bool)]) -> GithubFake {
    let mut world = World::default();
    world.tokens.insert(TOKEN.to_owned(), Holder::writer());
    for (repository, number, open) in pulls {
        let pull = Pull {
            open: *open,
            ..Pull::default()
        };
        let pulls = &mut world.repository(repository).pulls;
        pulls.insert(*number, pull);
    }
    GithubFake::start(world)
}

/// `k8s-ee sweep` of somebody who has a token.
fn sweep(cluster: &Cluster, github: &GithubFake, args: &[&str]) -> Run {
    let platform = "lifecycle: {ttl: 48h}\n";
    let args = [&["sweep", "--platform", "platform.yaml"], args].concat();
    k8s_ee(&args)
        .file("kubeconfig", &kubeconfig(&cluster.url()))
        .file("platform.yaml", platform)
        .env("KUBECONFIG", "kubeconfig")
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_TOKEN", TOKEN)
        .replace(github.url(), "[API]")
}

/// What is said of an environment.
fn said<'a>(json: &'a Value, namespace: &str) -> &'a Value {
    let all = json["environments"].as_array().expect("a list");
    let found = all.iter().find(|one| one["namespace"] == namespace);
    found.unwrap_or_else(|| panic!("{namespace} is not in {json:#}"))
}

fn paths(github: &GithubFake) -> Vec<String> {
    let asked = github.requests();
    asked.iter().map(|asked| asked.path.clone()).collect()
}

fn stderr(printed: &Printed) -> &str {
    &printed.stderr
}

#[tokio::test]
async fn the_right_ones_go_and_it_is_said_why() {
    let mut old = environment("acme/shop", 5);
    old["metadata"]["annotations"]["k8s-ee/ttl"] = "2h".into();
    let mut named = environment("acme/shop", 6);
    named["metadata"]["labels"]["k8s-ee/pr-number"] = Value::Null;
    let mut foreign = environment("acme/shop", 8);
    foreign["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "somebody-else".into();
    let cluster = Cluster::start([
        environment("acme/shop", 1),
        environment("acme/shop", 2),
        preserved("acme/shop", 3, 600),
        preserved("acme/shop", 4, -1),
        old,
        named,
        environment("acme/shop", 7),
        foreign,
    ])
    .await;
    let github = github(&[
        ("acme/shop", 1, true),
        ("acme/shop", 2, false),
        ("acme/shop", 3, false),
        ("acme/shop", 4, false),
        ("acme/shop", 5, true),
    ]);
    let dry = sweep(&cluster, &github, &["--dry-run"]).exits(0);
    assert_snapshot!(dry.stdout.replace(&ago(), "[AGO]"), @"
    ENVIRONMENT  OUTCOME           WHY
    shop-pr-2    would be removed  pull request 2 was closed [AGO]
    shop-pr-4    would be removed  its preservation is over; pull request 4 was closed [AGO]
    shop-pr-5    would be removed  it was last changed 3h ago and may stay for 2h
    shop-pr-7    would be removed  acme/shop has no pull request 7
    7 environments: 4 would be removed, 3 kept
    ");
    assert_eq!(cluster.written(), [] as [&str; 0]);
    assert!(github.requests().iter().all(|asked| asked.method == "GET"));

    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(0);
    let json = printed.json();
    for (namespace, action, result) in [
        ("shop-pr-1", "keep", "nothing"),
        ("shop-pr-2", "remove", "done"),
        ("shop-pr-3", "keep", "nothing"),
        ("shop-pr-4", "remove", "done"),
        ("shop-pr-5", "remove", "done"),
        ("shop-pr-6", "keep", "nothing"),
        ("shop-pr-7", "remove", "done"),
    ] {
        let said = said(&json, namespace);
        assert_eq!(
            (&said["action"], &said["result"]),
            (&json!(action), &json!(result)),
            "{said:#}"
        );
    }
    assert_eq!(said(&json, "shop-pr-4")["preservationEnds"], true);
    assert_eq!(
        cluster.names(),
        ["shop-pr-1", "shop-pr-3", "shop-pr-6", "shop-pr-8"]
    );
    // Once more there is nothing to do.
    let before = cluster.written().len();
    sweep(&cluster, &github, &[]).exits(0);
    assert_eq!(cluster.written().len(), before);
}

/// How long ago the fake's pull requests were closed.
fn ago() -> String {
    let closed: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    let days = jiff::Timestamp::now().duration_since(closed).as_hours() / 24;
    format!("{days}d ago")
}

#[tokio::test]
async fn a_list_that_fails_keeps_all_of_its_repository() {
    for (trouble, name) in [
        (Trouble::Status(404), "404"),
        (Trouble::Status(403), "403"),
        (Trouble::Status(500), "500"),
    ] {
        let cluster =
            Cluster::start([environment("acme/shop", 2), environment("acme/web", 2)]).await;
        let github = github(&[("acme/shop", 2, false), ("acme/web", 2, false)]);
        github.trouble(
            Fault::new(trouble)
                .on("GET", "/repos/acme/shop/pulls")
                .times(99),
        );
        let printed = sweep(&cluster, &github, &["-o", "json"]).exits(1);
        assert_eq!(
            said(&printed.json(), "shop-pr-2")["action"],
            "unknown",
            "{name}"
        );
        assert_eq!(cluster.names(), ["shop-pr-2"], "{name}");
        assert!(
            stderr(&printed).contains("the open pull requests of acme/shop"),
            "{}",
            printed.both()
        );
    }
}

#[tokio::test]
async fn a_private_repository_that_the_token_does_not_see_is_not_gone() {
    let cluster = Cluster::start([environment("acme/shop", 2)]).await;
    let github = github(&[("acme/shop", 2, false)]);
    github.with(|world| {
        world.repository("acme/shop").private = true;
        let mut token = Holder::of(BOT, &[("pull_requests", Access::Write)]);
        token.repositories = vec!["acme/other".to_owned()];
        world.tokens.insert(TOKEN.to_owned(), token);
    });
    let printed = sweep(&cluster, &github, &[]).exits(1);
    assert_snapshot!(printed.both(), @"
    --- stdout
    ENVIRONMENT  OUTCOME    WHY
    shop-pr-2    not known  cannot read the open pull requests of acme/shop: GitHub has no such thing, or does not show it to this token
    1 environment: 1 not known
    --- stderr
    warning: cannot read the open pull requests of acme/shop: GitHub has no such thing, or does not show it to this token

    hint: of a private repository the token sees nothing without a permission: in Actions `pull-requests: read`
    error: not all environments could be dealt with: 1 not known

    hint: what is not known is kept; the next sweep looks at it again
    ");
    assert_eq!(cluster.written(), [] as [&str; 0]);
}

#[tokio::test]
async fn without_a_token_time_still_passes() {
    let mut old = environment("acme/shop", 1);
    old["metadata"]["annotations"]["k8s-ee/last-updated"] = minutes(-60 * 49).into();
    let cluster = Cluster::start([
        old,
        environment("acme/shop", 2),
        preserved("acme/shop", 3, 10),
    ])
    .await;
    let github = github(&[]);
    let printed = sweep(&cluster, &github, &[])
        .env("GITHUB_TOKEN", "")
        .exits(1);
    let timeless: Vec<&str> = printed
        .stderr
        .lines()
        .filter(|line| !line.contains("s  "))
        .collect();
    assert_snapshot!(format!("{}---\n{}", printed.stdout, timeless.join("\n")), @"
    ENVIRONMENT  OUTCOME    WHY
    shop-pr-1    removed    it was last changed 2d ago and may stay for 48h; removed 1 ConfigMap
    shop-pr-2    not known  there is no token for GitHub
    3 environments: 1 removed, 1 not known, 1 kept
    ---
    note: there is no token for GitHub, so that nothing is known of any pull request; set GITHUB_TOKEN
    error: not all environments could be dealt with: 1 not known

    hint: what is not known is kept; the next sweep looks at it again
    ");
    assert_eq!(cluster.names(), ["shop-pr-2", "shop-pr-3"]);
    assert!(github.requests().is_empty());
}

#[tokio::test]
async fn a_limit_in_the_middle_ends_the_questions_and_not_the_sweep() {
    let mut old = environment("acme/shop", 1);
    old["metadata"]["annotations"]["k8s-ee/last-updated"] = minutes(-60 * 49).into();
    let many = (2..=40).map(|number| environment("acme/shop", number));
    let cluster = Cluster::start(many.chain([old, preserved("acme/shop", 50, -1)])).await;
    let pulls: Vec<(&str, u64, bool)> = (1..=50).map(|n| ("acme/shop", n, false)).collect();
    let github = github(&pulls);
    github.trouble(
        Fault::new(Trouble::Primary(3000))
            .on("GET", "/pulls/")
            .times(999),
    );
    let printed = sweep(&cluster, &github, &["--comment", "off", "-o", "json"]).exits(1);
    let json = printed.json();
    assert_eq!(
        said(&json, "shop-pr-1")["result"],
        "done",
        "its time is over whatever GitHub says"
    );
    assert_eq!(said(&json, "shop-pr-50")["action"], "unknown");
    assert_eq!(said(&json, "shop-pr-50")["preservationEnds"], true);
    let namespace = cluster.namespace("shop-pr-50").expect("it is kept");
    assert!(namespace["metadata"]["labels"]["preserve"].is_null());
    assert_eq!(cluster.names().len(), 40);
    // One list, and those that were on their way when it was said.
    assert!(github.requests().len() <= 9, "{:?}", paths(&github));
    assert_eq!(
        stderr(&printed)
            .matches("the requests of this hour are used up")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_hundred_and_twenty_environments_take_few_questions() {
    let all = (1..=60).flat_map(|number| {
        [
            environment("acme/shop", number),
            environment("acme/web", number),
        ]
    });
    let cluster = Cluster::start(all).await;
    let pulls: Vec<(&str, u64, bool)> = (1..=60)
        .flat_map(|n| [("acme/shop", n, n > 2), ("acme/web", n, true)])
        .collect();
    let github = github(&pulls);
    let printed = sweep(&cluster, &github, &["--dry-run"]).exits(0);
    assert!(
        printed
            .stdout
            .ends_with("120 environments: 2 would be removed, 118 kept\n"),
        "{}",
        printed.stdout
    );
    assert_eq!(github.requests().len(), 4, "{:?}", paths(&github));
    assert_eq!(cluster.reads(), 1);
}

#[tokio::test]
async fn somebody_who_preserves_it_at_the_same_moment_wins() {
    let cluster = Cluster::start([
        environment("acme/shop", 2),
        preserved("acme/shop", 4, -1),
        preserved("acme/shop", 5, -1),
    ])
    .await;
    // The last one after it was taken off, and before the removal.
    let moments = [
        ("shop-pr-2", "DELETE"),
        ("shop-pr-4", "PATCH"),
        ("shop-pr-5", "DELETE"),
    ];
    for (name, method) in moments {
        cluster.meddle(name, method, |namespace| {
            namespace["metadata"]["labels"]["preserve"] = "true".into();
            namespace["metadata"]["annotations"]["k8s-ee/preserve-until"] = minutes(600).into();
        });
    }
    let github = github(&[2, 4, 5].map(|number| ("acme/shop", number, false)));
    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(0);
    let json = printed.json();
    for (name, _) in moments {
        assert_eq!(said(&json, name)["result"], "changed");
        let namespace = cluster.namespace(name).expect("it is kept");
        assert_eq!(namespace["metadata"]["labels"]["preserve"], "true");
    }
    assert_eq!(
        ours(&github).len(),
        0,
        "nothing is said of what was not done"
    );
}

#[tokio::test]
async fn what_was_reopened_stays() {
    let cluster = Cluster::start([environment("acme/shop", 2)]).await;
    let github = github(&[("acme/shop", 2, false)]);
    github.with(|world| {
        let pulls = &mut world.repository("acme/shop").pulls;
        let pull = pulls.get_mut(&2).expect("it is there");
        pull.closed_at = Some(minutes(-600));
        pull.open = true;
    });
    sweep(&cluster, &github, &[]).exits(0);
    assert_eq!(cluster.written(), [] as [&str; 0]);
}

#[tokio::test]
async fn one_that_was_just_closed_is_left_to_its_workflow() {
    let cluster = Cluster::start([environment("acme/shop", 2)]).await;
    let github = github(&[("acme/shop", 2, false)]);
    github.with(|world| {
        let pulls = &mut world.repository("acme/shop").pulls;
        pulls.get_mut(&2).expect("it is there").closed_at = Some(minutes(-10));
    });
    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(0);
    assert_eq!(said(&printed.json(), "shop-pr-2")["action"], "keep");
    assert_eq!(cluster.written(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_label_set_by_hand_gets_an_end() {
    let mut namespace = environment("acme/shop", 7);
    namespace["metadata"]["labels"]["preserve"] = "true".into();
    let cluster = Cluster::start([namespace]).await;
    let github = github(&[("acme/shop", 7, false)]);
    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(0);
    assert_eq!(said(&printed.json(), "shop-pr-7")["action"], "give-end");
    let namespace = cluster.namespace("shop-pr-7").expect("it is kept");
    let until = &namespace["metadata"]["annotations"]["k8s-ee/preserve-until"];
    let until: jiff::Timestamp = until.as_str().expect("a time").parse().expect("a time");
    let hours = until.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((47..=48).contains(&hours), "{hours}");
}

#[tokio::test]
async fn what_is_held_is_named_and_rings_until_it_is_mended() {
    let cluster = Cluster::start([environment("acme/shop", 7)]).await;
    cluster.stick("shop-pr-7");
    let github = github(&[("acme/shop", 7, false)]);
    let printed = sweep(&cluster, &github, &["--timeout", "1s"]).exits(7);
    assert!(
        printed.stdout.contains("held by example.com/hold"),
        "{}",
        printed.both()
    );
    assert!(
        comment(&github).contains("held by example.com/hold"),
        "{}",
        comment(&github)
    );
    // For a while it is just going, then it is asked what holds it.
    sweep(&cluster, &github, &[]).exits(0);
    let mut stuck = cluster.namespace("shop-pr-7").expect("it is stuck");
    stuck["metadata"]["deletionTimestamp"] = minutes(-6).into();
    let cluster = Cluster::start([stuck]).await;
    let printed = sweep(&cluster, &github, &[]).exits(7);
    assert!(
        printed.stdout.contains("held by example.com/hold"),
        "{}",
        printed.both()
    );
}

#[tokio::test]
async fn a_run_of_actions_looks_after_its_own_repository() {
    let cluster = Cluster::start([environment("acme/shop", 2), environment("acme/web", 2)]).await;
    let github = github(&[("acme/shop", 2, false), ("acme/web", 2, false)]);
    let step = Step::new(
        github.url(),
        9,
        "schedule",
        &json!({"schedule": "30 * * * *"}),
    )
    .file("kubeconfig", &kubeconfig(&cluster.url()))
    .env("KUBECONFIG", "kubeconfig");
    let ended = step.exits(0, &["sweep"]);
    assert_eq!(
        (ended.output("removed"), ended.output("unknown")),
        ("1", "0")
    );
    let summary = ended.summary.replace(&ago(), "[AGO]");
    assert_snapshot!(summary, @"
    1 environment: 1 removed

    | Environment | Outcome | Why |
    |:--|:--|:--|
    | `shop-pr-2` | removed | pull request 2 was closed [AGO]; removed 1 ConfigMap |
    ");
    assert_eq!(cluster.names(), ["web-pr-2"]);
    step.exits(0, &["sweep", "--repository", "acme/web"]);
    assert!(cluster.names().is_empty());
}

#[tokio::test]
async fn json_has_the_documented_shape() {
    let cluster = Cluster::start([environment("acme/shop", 7)]).await;
    let github = github(&[("acme/shop", 7, false)]);
    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(0);
    let mut json = printed.json();
    json["environments"][0]["why"] = "pull request 7 was closed 2d ago".into();
    crate::pages::assert_documented("sweep", &json);
}
