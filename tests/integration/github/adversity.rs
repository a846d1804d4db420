//! The verbs in a run of Actions when something is not as it should be: GitHub, the token, the cluster, the run itself.

use std::{fs, process::Command};

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Access, Pull, Token as Holder},
};

use super::{
    TOKEN,
    step::{INVALID, Step, comment, kubeconfig, ours, pull_request, state, statuses},
    world,
};

#[test]
fn trouble_that_passes_is_not_noticed() {
    for trouble in [
        Trouble::Primary(1),
        Trouble::Secondary(1),
        Trouble::Status(500),
        Trouble::Status(502),
        Trouble::Close,
    ] {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble).on("GET", "/comments"));
        fake.trouble(Fault::new(trouble).on("POST", "/statuses/"));
        let ended = Step::of_push(&fake, 1)
            .file("k8s-ee.yaml", INVALID)
            .exits(3, &["validate"]);
        assert!(
            !ended.printed.stderr.contains("::warning"),
            "{trouble:?}: {}",
            ended.printed.both()
        );
        assert!(comment(&fake).contains("not valid"), "{trouble:?}");
        assert_eq!(statuses(&fake).len(), 1, "{trouble:?}");
    }
}

#[test]
fn github_that_is_down_is_told_and_changes_nothing() {
    let fake = GithubFake::start(world());
    fake.trouble(Fault::new(Trouble::Primary(3600)).times(99));
    let ended = Step::of_push(&fake, 1)
        .file("k8s-ee.yaml", INVALID)
        .exits(3, &["validate"]);
    let stderr = &ended.printed.stderr;
    assert!(
        stderr.contains("the requests of this hour are used up"),
        "{stderr}"
    );
    assert!(stderr.contains("::warning title=k8s-ee::"), "{stderr}");
    assert!(stderr.contains("nothing else depends on it"), "{stderr}");
    assert_eq!(ended.output("valid"), "false");
    assert!(ours(&fake).is_empty());
    // What only writes the comment says that it did not.
    let ended = Step::of_push(&fake, 1).exits(1, &["comment", "--job", "build=failure"]);
    assert!(
        ended.printed.stderr.starts_with("error: cannot"),
        "{}",
        ended.printed.both()
    );
}

#[test]
fn the_permission_that_is_missing_is_named() {
    let mut world = world();
    let reader = Holder::actions(&[("contents", Access::Read), ("pull_requests", Access::Read)]);
    world.tokens.insert(TOKEN.to_owned(), reader);
    let fake = GithubFake::start(world);
    let ended = Step::of_push(&fake, 1)
        .file("k8s-ee.yaml", INVALID)
        .exits(3, &["validate"]);
    let stderr = &ended.printed.stderr;
    assert!(
        stderr.contains("`permissions: { pull-requests: write }`"),
        "{stderr}"
    );
    assert!(
        stderr.contains("`permissions: { statuses: write }`"),
        "{stderr}"
    );
}

#[test]
fn a_run_for_a_fork_does_not_try() {
    let fake = GithubFake::start(world());
    let mut payload = pull_request("synchronize", &Pull::default().sha);
    payload["pull_request"]["head"]["repo"]["full_name"] = "mallory/shop".into();
    let step = Step::new(fake.url(), 1, "pull_request", &payload).file("k8s-ee.yaml", INVALID);
    let ended = step.exits(3, &["validate"]);
    assert!(
        ended.printed.stderr.contains("from a fork may only read"),
        "{}",
        ended.printed.both()
    );
    step.exits(0, &["comment", "--job", "validate=failure"]);
    assert!(fake.requests().iter().all(|asked| asked.method == "GET"));
}

#[test]
fn without_a_token_the_rest_works() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1)
        .file("k8s-ee.yaml", INVALID)
        .env("GITHUB_TOKEN", "");
    let ended = step.exits(3, &["validate"]);
    assert!(
        ended.printed.stderr.contains("there is no token"),
        "{}",
        ended.printed.both()
    );
    assert_eq!(ended.output("valid"), "false");
    assert!(ended.summary.contains("prot"), "{}", ended.summary);
    assert!(fake.requests().is_empty());
}

#[test]
fn a_cluster_that_cannot_be_reached_is_the_reason_that_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it has an address");
    drop(listener);
    let fake = GithubFake::start(world());
    let ended = Step::of_push(&fake, 1)
        .file("kubeconfig", &kubeconfig(&format!("http://{address}")))
        .env("KUBECONFIG", "kubeconfig")
        .exits(
            4,
            &["up", "--image", "shop:1", "--domain", "preview.example.com"],
        );
    let said = comment(&fake);
    assert!(said.contains("### 🔴 Preview did not come up"), "{said}");
    assert!(
        said.contains("cannot reach the API server") && said.contains("💡"),
        "{said}"
    );
    for (name, value) in [
        ("state", "failed"),
        ("release-status", "failed"),
        ("changed", "false"),
    ] {
        assert_eq!(ended.output(name), value, "{name}");
    }
    assert!(
        ended.summary.contains("cannot reach the API server"),
        "{}",
        ended.summary
    );
}

#[test]
fn a_run_that_is_told_to_stop_says_so_before_it_goes() {
    // An API server that never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it has an address");
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1)
        .file("kubeconfig", &kubeconfig(&format!("http://{address}")))
        .env("KUBECONFIG", "kubeconfig");
    let child = step.start(&["up", "--image", "shop:1", "--domain", "preview.example.com"]);
    // It is at work once it has asked.
    let asked = listener.accept().expect("it asks");
    let stopped = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(stopped.expect("kill can be started").success());
    let begun = std::time::Instant::now();
    let ended = step.end(child, 130);
    // A runner kills it after 10 seconds.
    assert!(begun.elapsed().as_secs_f64() < 9.0, "{:?}", begun.elapsed());
    drop(asked);
    assert_eq!(
        state(&fake),
        "### ⚪ The run was cancelled before the preview was up"
    );
    assert_eq!(ended.output("state"), "failed");
}

#[test]
fn a_broken_template_is_told_with_its_line_and_another_is_used() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1).file("k8s-ee.yaml", INVALID);
    for (text, place) in [
        ("{{ state }}\n{% if %}", "mine.j2:2"),
        ("\n\n{{ nothing }}", "mine.j2:3"),
    ] {
        let step_args = ["validate", "--comment-template", "mine.j2"];
        fs::write(step.dir.path().join("mine.j2"), text).expect("it is written");
        let ended = step.exits(3, &step_args);
        assert!(
            ended
                .printed
                .stderr
                .contains(&format!("the template {place} cannot be used")),
            "{}",
            ended.printed.both()
        );
        assert!(comment(&fake).contains("### 🔴 The configuration is not valid"));
    }
    fs::write(step.dir.path().join("mine.j2"), "It is {{ state|code }}.").expect("it is written");
    step.exits(3, &["validate", "--comment-template", "mine.j2"]);
    assert_eq!(state(&fake), "It is `invalid`.");
}
