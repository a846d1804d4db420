//! What pull requests are told by a sweep.

use github_fake::{
    Fault, Trouble,
    world::{Comment, Deployment, DeploymentStatus, Pull},
};

use super::{Cluster, environment, github, minutes, preserved, said, sweep};
use crate::github::step::{BOT, comment, ours};

#[tokio::test]
async fn its_pull_request_is_told() {
    let cluster = Cluster::start([environment("acme/shop", 7)]).await;
    let github = github(&[("acme/shop", 7, false)]);
    github.with(|world| {
        let body = "<!-- k8s-ee-pr-env -->\n### 🟢 Preview is running";
        world.comment("acme/shop", 7, BOT, body);
        let id = world.last_id + 1;
        world.last_id = id;
        let deployment = deployment("shop-pr-7", id + 1);
        world.last_id = id + 1;
        world
            .repository("acme/shop")
            .deployments
            .insert(id, deployment);
    });
    sweep(&cluster, &github, &[]).exits(0);
    let text = comment(&github);
    for part in [
        "### ⚫ Preview is gone",
        "`k8s-ee sweep` found that pull request 7 was closed",
        "Reopen the pull request to have it again.",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    let states = github.with(|world| {
        let all = world.repository("acme/shop").deployments.values();
        all.map(|one| one.statuses.last().map(|last| last.state.clone()))
            .collect::<Vec<_>>()
    });
    assert_eq!(states, [Some("inactive".to_owned())]);
}

fn deployment(environment: &str, status: u64) -> Deployment {
    Deployment {
        sha: Pull::default().sha,
        environment: environment.to_owned(),
        description: "Preview environment".to_owned(),
        transient: true,
        production: false,
        creator: BOT.to_owned(),
        created_at: minutes(-180),
        statuses: vec![DeploymentStatus {
            id: status,
            state: "success".to_owned(),
            description: String::new(),
            environment_url: String::new(),
            log_url: String::new(),
            created_at: minutes(-180),
        }],
    }
}

#[tokio::test]
async fn with_comments_off_nobody_is_told() {
    let cluster = Cluster::start([
        environment("acme/shop", 7),
        preserved("acme/shop", 8, 10),
        preserved("acme/shop", 9, -1),
    ])
    .await;
    let github = github(&[
        ("acme/shop", 7, false),
        ("acme/shop", 8, false),
        ("acme/shop", 9, true),
    ]);
    sweep(&cluster, &github, &["--comment", "off"]).exits(0);
    assert_eq!(cluster.names(), ["shop-pr-8", "shop-pr-9"]);
    assert!(github.requests().iter().all(|asked| asked.method == "GET"));
    let unwarned = cluster.namespace("shop-pr-8").expect("it is kept");
    assert!(unwarned["metadata"]["annotations"]["k8s-ee/preserve-warning-sent"].is_null());
}

#[tokio::test]
async fn the_end_of_a_preservation_is_announced_once_in_a_new_comment() {
    let cluster = Cluster::start([preserved("acme/shop", 7, 30)]).await;
    let github = github(&[("acme/shop", 7, true)]);
    let old = "<!-- k8s-ee-preserve -->\nold";
    let (theirs, before) = github.with(|world| {
        (
            world.comment("acme/shop", 7, "octocat", old),
            world.comment("acme/shop", 7, BOT, old),
        )
    });
    // GitHub does not take it: it is not noted as told.
    github.trouble(Fault::new(Trouble::Status(403)).on("POST", "/comments"));
    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(1);
    assert_eq!(said(&printed.json(), "shop-pr-7")["result"], "failed");
    assert_eq!(cluster.written(), [] as [&str; 0]);
    let printed = sweep(&cluster, &github, &["-o", "json"]).exits(0);
    assert_eq!(said(&printed.json(), "shop-pr-7")["result"], "done");
    let text = comment(&github);
    assert!(
        text.contains("### ⏳ Preserved for 29 more minutes"),
        "{text}"
    );
    github.with(|world| {
        let comments = &world.repository("acme/shop").comments;
        assert!(
            comments.contains_key(&theirs),
            "that of somebody else stays"
        );
        assert!(!comments.contains_key(&before));
    });
    let namespace = cluster.namespace("shop-pr-7").expect("it is kept");
    let annotations = &namespace["metadata"]["annotations"];
    assert_eq!(annotations["k8s-ee/preserve-warning-sent"], "true");
    let asked = github.requests().len();
    sweep(&cluster, &github, &[]).exits(0);
    assert_eq!(github.requests().len(), asked);
}

#[tokio::test]
async fn the_end_of_a_preservation_is_told() {
    let cluster =
        Cluster::start([preserved("acme/shop", 7, -1), preserved("acme/shop", 8, -1)]).await;
    let github = github(&[("acme/shop", 7, true), ("acme/shop", 8, false)]);
    sweep(&cluster, &github, &[]).exits(0);
    assert_eq!(cluster.names(), ["shop-pr-7"]);
    let bodies: Vec<Comment> = ours(&github);
    let of = |number: u64| -> String {
        let all = bodies.iter().filter(|comment| comment.issue == number);
        all.map(|comment| comment.body.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(
        of(7).contains("It stays as long as this pull request is open."),
        "{}",
        of(7)
    );
    assert!(
        of(8).contains("is removed: its time was over."),
        "{}",
        of(8)
    );
    assert!(of(8).contains("### ⚫ Preview is gone"), "{}", of(8));
}
