//! Pull requests from forks: built without anything that is worth stealing, deployed after somebody's word.

use github_fake::world::Pull;

use crate::{
    preserve::PRESERVED,
    shop::{APP, DESTROYED, FORK, ONE, SECRET, Shop},
};

/// The jobs when there is nothing to do but to say what it waits for.
const WAITING: [(&str, &str); 2] = [("decide", "success"), ("comment", "success")];

fn fork(starter: &str) -> Shop {
    let shop = Shop::new(starter, APP, ONE);
    shop.pull(|pull: &mut Pull| {
        pull.head_repository = Some(FORK.to_owned());
        pull.author = "stranger".to_owned();
        pull.association = "NONE".to_owned();
    });
    shop
}

#[test]
fn the_first_half_has_no_secret_and_no_cluster() {
    let shop = fork("fork-safe.yml");
    // GitHub hands no secret to such a run; act hands all of them on, and even then none is reached.
    let ran = shop.run("opened").jobs(&[
        ("decide", "success"),
        ("validate", "success"),
        ("build", "success"),
    ]);
    assert!(!shop.is_there());
    assert!(shop.comments().is_empty());
    let ran = ran
        .says("build stand-in: push=false")
        .says("artifact stand-in: k8s-ee-images has app.tar");
    // Where code of the fork is, there is no other secret than the job's own token, which GitHub lets only read.
    for line in ran
        .log
        .lines()
        .filter(|line| line.contains("build stand-in env:"))
    {
        assert!(
            !line.contains(SECRET) && !line.contains("certificate-authority"),
            "{line}"
        );
    }
    assert!(
        ran.log
            .contains("build stand-in env: GITHUB_REPOSITORY=acme/shop"),
        "{}",
        ran.log
    );
}

#[test]
fn the_second_half_deploys_the_approved_commit_and_no_other() {
    let shop = fork("fork-safe-deploy.yml");
    let sha = shop.push(APP, ONE);
    // Its images are built: the comment says what it waits for, and the commit is said to wait too.
    shop.run_after("success").jobs(&WAITING);
    let first = shop.comment_says(&[
        "Preview waits for approval",
        &format!("\n/deploy-preview {sha}\n"),
    ]);
    // Whoever may not push approves nothing.
    shop.comment("reader", &format!("/deploy-preview {sha}"))
        .jobs(&[("decide", "success")]);
    // An approval names one commit by all its digits.
    shop.comment("octocat", "/deploy-preview")
        .jobs(&[("decide", "success")]);
    assert!(!shop.is_there());

    shop.comment("octocat", &format!("/deploy-preview {sha}"))
        .jobs(&[
            ("decide", "success"),
            ("validate", "success"),
            ("push", "success"),
            ("deploy", "success"),
            ("comment", "success"),
        ]);
    shop.comment_says(&["Preview is running", &sha[..7]]);

    // The next push waits for the next approval, and what was approved stays.
    let next = shop.push(APP, ONE);
    shop.run_after("success").jobs(&WAITING);
    let again = shop.comment_says(&[
        "An update waits for approval, the version before is still up",
        &format!("\n/deploy-preview {next}\n"),
        &format!("still up: [`{}`]", &sha[..7]),
    ]);
    assert_eq!(first, again, "it is the same comment");
    assert!(shop.is_there());
    // Somebody who may push keeps it when it is closed, which is no word about the commit that waits.
    shop.comment("octocat", "/preserve 1h").jobs(&PRESERVED);
    shop.run_after("success").jobs(&WAITING);
    shop.pull(|pull| pull.open = false);
    shop.run_after("success").jobs(&DESTROYED);
    shop.comment_says(&["Preview is preserved"]);
    assert!(shop.is_there());
    // Let go, it goes without anybody's approval, as it does when it was never preserved.
    shop.comment("octocat", "/preserve off").jobs(&DESTROYED);
    assert!(!shop.is_there());
    shop.comment_says(&["Preview is gone"]);
}
