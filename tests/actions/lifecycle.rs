//! From the first push to the end of a pull request.

use crate::{
    harness::{eventually, kubectl},
    shop::{APP, DEPLOYED, DESTROYED, ONE, PR, REPOSITORY, Shop, TWO},
};

#[test]
fn opened_pushed_and_closed() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    let first = shop.comment_says(&["Preview is running", &shop.url()]);
    shop.shows_version(1);

    let sha = shop.push(APP, TWO);
    shop.run("synchronize").jobs(&DEPLOYED);
    let second = shop.comment_says(&["Preview is running", &shop.url(), &sha[..7]]);
    assert_eq!(first, second, "it is the same comment");
    shop.shows_version(2);

    shop.run("closed").jobs(&DESTROYED);
    assert!(!shop.is_there());
    let last = shop.comment_says(&["Preview is gone"]);
    assert_eq!(first, last, "it is the same comment");

    // Beside the merge button: each deploy, and none that is still active.
    shop.github.with(|world| {
        let repository = world.repository(REPOSITORY);
        let last = |deployment: &github_fake::world::Deployment| {
            deployment
                .statuses
                .last()
                .map(|status| status.state.clone())
        };
        let states: Vec<_> = repository.deployments.values().map(last).collect();
        assert_eq!(states.len(), 2, "{:#?}", repository.deployments);
        assert!(
            states
                .iter()
                .all(|state| state.as_deref() == Some("inactive")),
            "{:#?}",
            repository.deployments
        );
        assert!(!repository.statuses.is_empty());
    });
}

#[test]
fn closing_it_needs_no_valid_file() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    shop.push("app: [\n", ONE);
    shop.run("closed").jobs(&DESTROYED);
    assert!(!shop.is_there());
    shop.comment_says(&["Preview is gone"]);
}

#[test]
fn of_two_quick_pushes_only_the_newer_is_deployed() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    let older = shop.start("opened", true);
    // It is in the middle of its build when the next push comes. act knows no concurrency: GitHub would end it here, so this
    // shows what holds without that.
    eventually("the older run builds", || {
        older.text().contains("build stand-in").then_some(())
    });
    let sha = shop.push(APP, TWO);
    shop.run("synchronize").jobs(&DEPLOYED);
    older.release();
    let older = older.wait();
    assert!(!older.log.contains("Run Main Deploy"), "{}", older.log);
    shop.shows_version(2);
    shop.comment_says(&["Preview is running", &sha[..7]]);
}

#[test]
fn on_demand() {
    let shop = Shop::new("on-demand.yml", &format!("{APP}trigger: on-demand\n"), ONE);
    shop.comment("octocat", "what a nice change").jobs(&[]);
    shop.comment("reader", "/deploy-preview")
        .jobs(&[("decide", "success")]);
    assert!(!shop.is_there());
    assert_eq!(shop.reactions(), [vec![], vec!["-1".to_owned()]]);

    shop.comment("octocat", "/deploy-preview").jobs(&DEPLOYED);
    shop.comment_says(&["Preview is running"]);
    shop.comment("octocat", "/destroy-preview").jobs(&DESTROYED);
    shop.comment_says(&["Preview is gone"]);
    assert!(!shop.is_there());
    let answered = shop.reactions();
    assert!(
        answered[2..]
            .iter()
            .all(|reactions| reactions.iter().any(|r| r == "eyes")),
        "{answered:?}"
    );
}

#[test]
fn there_is_one_comment_among_hundreds() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.github.with(|world| {
        for number in 0..249 {
            world.comment(REPOSITORY, PR, "octocat", &format!("comment {number}"));
        }
    });
    shop.run("opened").jobs(&DEPLOYED);
    let first = shop.comment_says(&["Preview is running"]);
    shop.push(APP, TWO);
    shop.run("synchronize").jobs(&DEPLOYED);
    assert_eq!(shop.comment_says(&["Preview is running"]), first);
}

#[test]
fn what_stands_in_the_way_of_removing_it_is_said() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.change_workflow(|text| text + "    with: {destroy-timeout: 20s}\n");
    shop.run("opened").jobs(&DEPLOYED);
    let namespace = shop.namespace();
    let finalizer = |value: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{value}}}}}"#);
        let patched = kubectl(&[
            "patch",
            "-n",
            &namespace,
            "configmap",
            "stubborn",
            "--type=merge",
            "-p",
            &patch,
        ]);
        assert!(patched.status.success(), "{patched:?}");
    };
    assert!(
        kubectl(&["create", "-n", &namespace, "configmap", "stubborn"])
            .status
            .success()
    );
    finalizer(r#"["example.org/stubborn"]"#);
    let ran = shop.run("closed");
    finalizer("null");
    ran.jobs(&[
        ("decide", "success"),
        ("destroy", "failure"),
        ("comment", "success"),
    ]);
    shop.comment_says(&[
        "Preview could not be removed",
        "stubborn",
        "example.org/stubborn",
    ]);
}
