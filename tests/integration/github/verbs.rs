//! The verbs in a run of Actions: what they find out, and what GitHub is told of them.

use std::process::Child;

use github_fake::{GithubFake, world::Pull};
use serde_json::json;

use super::{
    step::{INVALID, Step, comment, kubeconfig, ours, state, statuses},
    world,
};
use crate::api::{assert_nothing_written, preserved_until};

#[test]
fn a_valid_file_tells_later_jobs_what_they_need() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1).file(
        "k8s-ee.yaml",
        "projectId: shop\napp: {port: 8080}\nimage: {context: web}\ndatabases: {redis: true, minio: {enabled: false}}\n",
    );
    let ended = step.exits(
        0,
        &["validate", "--domain", "preview.example.com", "-o", "json"],
    );
    let config = json!({
        "projectId": "shop", "app": {"port": 8080}, "image": {"context": "web"},
        "databases": {"redis": true, "minio": {"enabled": false}},
    });
    let builds = json!([{
        "service": "app", "context": "web", "dockerfile": "Dockerfile", "image": "ghcr.io/acme/shop/shop",
    }]);
    for (name, value) in [
        ("valid", "true"),
        ("project-id", "shop"),
        ("namespace", "shop-pr-7"),
        ("preview-url", "https://shop-pr-7.preview.example.com"),
        ("app-port", "8080"),
        ("health-path", "/health"),
        ("image-context", "web"),
        ("image-dockerfile", "Dockerfile"),
        ("config-json", &config.to_string()),
        ("builds", &builds.to_string()),
        ("postgresql-enabled", "false"),
        ("mongodb-enabled", "false"),
        ("redis-enabled", "true"),
        ("minio-enabled", "false"),
        ("mariadb-enabled", "false"),
    ] {
        assert_eq!(ended.output(name), value, "{name}");
    }
    let json = ended.printed.json();
    assert_eq!(json["namespace"], "shop-pr-7");
    assert_eq!(json["builds"], builds);
    // There is nothing to say about it yet.
    assert!(ours(&fake).is_empty() && statuses(&fake).is_empty());
}

#[test]
fn mistakes_are_told_with_their_lines_in_the_one_comment() {
    let fake = GithubFake::start(world());
    fake.with(|world| {
        for number in 0..249 {
            world.comment("acme/shop", 7, "octocat", &format!("comment {number}"));
        }
    });
    for run in [1, 2] {
        let ended = Step::of_push(&fake, run)
            .file("k8s-ee.yaml", INVALID)
            .exits(3, &["validate"]);
        assert_eq!(ended.output("valid"), "false");
        assert!(
            ended
                .printed
                .stderr
                .contains("::error file=k8s-ee.yaml,line=3"),
            "{}",
            ended.printed.both()
        );
        assert!(
            ended.summary.contains("unknown key `prot`"),
            "{}",
            ended.summary
        );
    }
    let said = comment(&fake);
    assert!(
        said.contains("### 🔴 The configuration is not valid"),
        "{said}"
    );
    let sha = Pull::default().sha;
    let place =
        format!("[`k8s-ee.yaml:3`](https://github.com/acme/shop/blob/{sha}/k8s-ee.yaml#L3)");
    assert!(
        said.contains(&place) && said.contains("did you mean `port`?"),
        "{said}"
    );
    assert_eq!(
        statuses(&fake),
        vec![("k8s-ee".to_owned(), "failure".to_owned()); 2]
    );
}

#[test]
fn two_runs_at_once_leave_one_comment() {
    let fake = GithubFake::start(world());
    let steps: Vec<Step> = (1..=3)
        .map(|run| Step::of_push(&fake, run).file("k8s-ee.yaml", INVALID))
        .collect();
    let running: Vec<Child> = steps.iter().map(|step| step.start(&["validate"])).collect();
    for (step, child) in steps.iter().zip(running) {
        step.end(child, 3);
    }
    // Of comments that were written at the same moment the next run leaves one, if they did not themselves.
    Step::of_push(&fake, 4)
        .file("k8s-ee.yaml", INVALID)
        .exits(3, &["validate"]);
    comment(&fake);
}

#[tokio::test]
async fn what_is_preserved_stays_and_the_comment_says_until_when() {
    let fake = GithubFake::start(world());
    let cluster = preserved_until("2999-12-01T12:00:00Z").await;
    let url = "https://shop-pr-7.preview.example.com";
    let up = ["--job", "deploy=success", "--preview-url", url];
    Step::of_push(&fake, 1).exits(0, &[&["comment"], &up[..]].concat());
    let before = statuses(&fake);

    let step = Step::of_push(&fake, 2)
        .file("kubeconfig", &kubeconfig(&cluster.uri()))
        .env("KUBECONFIG", "kubeconfig");
    let ended = step.exits(0, &["down"]);
    for (name, value) in [
        ("state", "preserved"),
        ("deleted", "false"),
        ("reason", "preserved"),
    ] {
        assert_eq!(ended.output(name), value, "{name}");
    }
    assert_nothing_written(&cluster).await;
    let said = comment(&fake);
    assert_eq!(state(&fake), "### 📌 Preview is preserved", "{said}");
    for text in [url, "until 2999-12-01 12:00 UTC", "`/destroy-preview`"] {
        assert!(said.contains(text), "`{text}` is not in\n{said}");
    }
    // It never said that it goes, and what is there is as good as it was.
    assert_eq!(statuses(&fake), before);
    let last_job = ["--job", "destroy=success", "--state", "preserved"];
    Step::of_push(&fake, 2).exits(0, &[&["comment"], &last_job[..]].concat());
    assert_eq!(comment(&fake), said);
}
