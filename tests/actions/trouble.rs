//! When something goes wrong: with the file, with the image, with GitHub, with the run.

use std::time::{Duration, Instant};

use github_fake::{Fault, Trouble};

use crate::{
    harness::eventually,
    shop::{APP, DEPLOYED, ONE, REPOSITORY, Shop, TWO},
};

#[test]
fn a_mistake_in_the_file_is_in_the_comment_and_the_version_before_stays() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    shop.push("app: {prot: 8080}\n", TWO);
    shop.run("synchronize").jobs(&[
        ("decide", "success"),
        ("validate", "failure"),
        ("comment", "success"),
    ]);
    shop.comment_says(&["The configuration is not valid", "k8s-ee.yaml:2", "port"]);
    shop.shows_version(1);

    // Mended, it goes on.
    shop.push(APP, TWO);
    shop.run("synchronize").jobs(&DEPLOYED);
    shop.comment_says(&["Preview is running"]);
    shop.shows_version(2);
}

#[test]
fn an_image_that_is_not_there_is_the_cause_in_the_comment() {
    let shop = Shop::new("minimal.yml", APP, "registry.test/hello:missing");
    shop.run("opened").jobs(&[
        ("decide", "success"),
        ("validate", "success"),
        ("prepare", "success"),
        ("build", "success"),
        ("deploy", "failure"),
        ("comment", "success"),
    ]);
    shop.comment_says(&["Preview did not come up", "registry.test/hello:missing"]);
}

#[test]
fn github_in_trouble_is_asked_again() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    let comments = format!("/repos/{REPOSITORY}/issues");
    for fault in [
        Fault::new(Trouble::Primary(2)).on("GET", "/comments"),
        Fault::new(Trouble::Status(500)).on("GET", "/contents/"),
        Fault::new(Trouble::Close).on("POST", &comments),
        Fault::new(Trouble::Secondary(1)).on("PATCH", &comments),
        Fault::new(Trouble::Status(502))
            .on("PATCH", &comments)
            .late(),
    ] {
        shop.github.trouble(fault);
    }
    shop.run("opened").jobs(&DEPLOYED);
    shop.comment_says(&["Preview is running"]);
    shop.shows_version(1);
}

#[test]
fn a_github_that_takes_no_comments_changes_nothing_about_the_deploy() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.github.trouble(
        Fault::new(Trouble::Status(500))
            .on("POST", "/comments")
            .times(1000),
    );
    let ran = shop.run("opened");
    for job in ["prepare", "build", "deploy"] {
        assert_eq!(ran.jobs[job], "success", "{}", ran.log);
    }
    // And it is said that the comment is missing.
    ran.says("::warning");
    shop.shows_version(1);
    assert!(shop.comments().is_empty());
}

#[test]
fn a_github_that_hangs_is_not_waited_for_long() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    for path in ["/comments", "/deployments"] {
        let hangs = Fault::new(Trouble::Hang).on("POST", path);
        shop.github.trouble(hangs.times(1000));
    }
    let begun = Instant::now();
    let ran = shop.run("opened");
    for job in ["prepare", "build", "deploy"] {
        assert_eq!(ran.jobs[job], "success", "{}", ran.log);
    }
    shop.shows_version(1);
    // The shortest limit of a job, which act does not hold them to, is that of all of them together here.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(300), "{took:?}: {}", ran.log);
    // What was not told is said, and the job that is for the comment alone fails.
    assert_eq!(ran.jobs["comment"], "failure", "{}", ran.log);
    let ran = ran
        .says("cannot write a comment on acme/shop#1: no answer from")
        .says("cannot create a deployment of");
    assert!(ran.log.contains("::warning"), "{}", ran.log);
    assert!(shop.comments().is_empty());
}

#[test]
fn after_a_cancelled_run_the_next_one_brings_it_up() {
    let shop = Shop::new("minimal.yml", APP, "registry.test/hello:missing");
    let running = shop.start("opened", false);
    eventually("it deploys", || {
        running.text().contains("Run Main Deploy").then_some(())
    });
    running.cancel();
    drop(running.wait());
    shop.push(APP, ONE);
    shop.run("synchronize").jobs(&DEPLOYED);
    shop.comment_says(&["Preview is running"]);
    shop.shows_version(1);
}
