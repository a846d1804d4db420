//! Environments that stay although their pull request is closed.

use github_fake::world::Deployment;
use serde_json::Value;

use crate::{
    harness::kubectl_json,
    shop::{APP, BOT, DEPLOYED, DESTROYED, FORK, ONE, REPOSITORY, Shop},
};

/// The jobs when an environment is preserved, and when that ends.
pub(crate) const PRESERVED: [(&str, &str); 2] = [("decide", "success"), ("preserve", "success")];

/// What the namespace says about being preserved: the label, until when, by whom.
fn said(shop: &Shop) -> [Value; 3] {
    let namespace = kubectl_json(&["get", "namespace", &shop.namespace()]);
    let about = &namespace["metadata"];
    let annotation = |key: &str| about["annotations"][key].clone();
    [
        about["labels"]["preserve"].clone(),
        annotation("k8s-ee/preserve-until"),
        annotation("k8s-ee/preserved-by"),
    ]
}

/// The one comment about being preserved, beside that of the environment.
#[track_caller]
fn preserve_comment(shop: &Shop) -> String {
    let ours: Vec<String> = shop.github.with(|world| {
        let all = world.repository(REPOSITORY).comments.values();
        let ours = all.filter(|comment| {
            comment.author == BOT && comment.body.starts_with("<!-- k8s-ee-preserve -->")
        });
        ours.map(|comment| comment.body.clone()).collect()
    });
    assert_eq!(ours.len(), 1, "{ours:#?}");
    ours.into_iter().next().expect("there is one")
}

#[test]
fn it_stays_when_the_pull_request_is_closed_until_somebody_lets_go() {
    let shop = Shop::new("preserve.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    shop.comment_says(&["Preview is running", "`/preserve`"]);
    shop.comment("octocat", "please /preserve it").jobs(&[]);
    shop.comment("reader", "/preserve 1h")
        .jobs(&[("decide", "success")]);
    assert_eq!(said(&shop), [Value::Null, Value::Null, Value::Null]);

    shop.comment("octocat", "/preserve 1h").jobs(&PRESERVED);
    assert_eq!(
        shop.reactions(),
        [&[][..], &["-1"], &["eyes", "rocket"]].map(|all| all.to_vec())
    );
    let [label, until, by] = said(&shop);
    assert_eq!((&label, &by), (&"true".into(), &"octocat".into()));
    let until: jiff::Timestamp = until.as_str().and_then(|t| t.parse().ok()).expect("a time");
    let left = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3000..=3600).contains(&left), "{left}");
    assert!(preserve_comment(&shop).contains("Preserved until"));

    shop.run("closed").jobs(&DESTROYED);
    assert!(shop.is_there());
    shop.shows_version(1);
    let until = until.strftime("%Y-%m-%d %H:%M UTC").to_string();
    shop.comment_says(&[
        "Preview is preserved",
        &until,
        &shop.url(),
        "`/destroy-preview`",
    ]);
    // Beside the merge button it is still to be had.
    let last = |deployment: &Deployment| {
        let status = deployment.statuses.last();
        status.map(|status| status.state.clone())
    };
    let states: Vec<_> = shop.github.with(|world| {
        let deployments = world.repository(REPOSITORY).deployments.values();
        deployments.map(last).collect()
    });
    assert_eq!(states, [Some("success".to_owned())]);

    // A closed one can be kept for longer, and let go.
    shop.comment("octocat", "/preserve 2h").jobs(&PRESERVED);
    assert!(said(&shop)[1].as_str() > Some(until.as_str()), "{until}");
    shop.comment("octocat", "/preserve off").jobs(&DESTROYED);
    assert!(!shop.is_there());
    shop.comment_says(&["Preview is gone"]);
    assert!(preserve_comment(&shop).contains("is removed: `octocat` asked for it."));
    // What is gone cannot be kept.
    shop.comment("octocat", "/preserve")
        .jobs(&[("decide", "success")]);
    let last = shop.reactions().pop().expect("a comment");
    assert_eq!(last, ["confused"]);
}

#[test]
fn what_a_person_wants_removed_goes_although_it_is_preserved() {
    let shop = Shop::new("preserve.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    shop.comment("octocat", "/preserve").jobs(&PRESERVED);
    shop.comment("octocat", "/destroy-preview").jobs(&DESTROYED);
    assert!(!shop.is_there());
    shop.comment_says(&["Preview is gone"]);
}

#[test]
fn more_than_the_platform_allows_is_refused_and_said() {
    let shop = Shop::new("preserve.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    shop.comment("octocat", "/preserve 49h")
        .jobs(&[("decide", "success"), ("preserve", "failure")]);
    assert_eq!(said(&shop)[0], Value::Null);
    assert_eq!(
        shop.reactions(),
        [["eyes", "confused"].map(str::to_owned).to_vec()]
    );
    let refused = preserve_comment(&shop);
    assert!(refused.contains("48h"), "{refused}");
}

/// Where there is a workflow for forks beside this one, that does it.
#[test]
fn environments_of_forks_are_for_the_other_workflow() {
    let shop = Shop::new("preserve.yml", APP, ONE);
    shop.pull(|pull| pull.head_repository = Some(FORK.to_owned()));
    for text in ["/preserve", "/preserve off"] {
        shop.comment("octocat", text).jobs(&[("decide", "success")]);
    }
}
