//! Deployments as GitHub shows them on a pull request, and the status of a commit.

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Deployment, Pull},
};
use insta::assert_snapshot;
use k8s_ee::github::{
    Client, Sha,
    deployments::{DeploymentState, Progress},
    statuses::{CommitState, CommitStatus},
};

use super::{client, count, head, printed, shop, world};

const ENVIRONMENT: &str = "shop-pr-7";
const NEWER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const UP: Progress<'static> = Progress {
    state: DeploymentState::Success,
    description: "Ready",
    environment_url: Some("https://shop-pr-7.example.org"),
    log_url: Some("https://github.com/acme/shop/actions/runs/1"),
};

/// The deployments of the environment, the oldest first.
fn deployments(fake: &GithubFake) -> Vec<Deployment> {
    fake.with(|world| {
        world
            .repository("acme/shop")
            .deployments
            .values()
            .cloned()
            .collect()
    })
}

fn states(deployment: &Deployment) -> Vec<&str> {
    deployment
        .statuses
        .iter()
        .map(|status| status.state.as_str())
        .collect()
}

async fn deploy(client: &Client, commit: &Sha) -> u64 {
    let deployment = client
        .deployment(&shop(), ENVIRONMENT, commit, "Preview of #7")
        .await;
    let id = deployment.expect("a deployment").id;
    client
        .report_deployment(&shop(), id, &UP)
        .await
        .expect("it is told");
    let retired = client
        .retire_deployments(&shop(), ENVIRONMENT, Some(id))
        .await;
    retired.expect("the others are told");
    id
}

#[tokio::test]
async fn from_the_first_commit_to_the_end() {
    let fake = GithubFake::start(world());
    let client = client(&fake);
    let first = deploy(&client, &head()).await;
    let known = deployments(&fake);
    assert!(known[0].transient && !known[0].production);
    assert_eq!(
        (known[0].environment.as_str(), known[0].sha.as_str()),
        (ENVIRONMENT, head().as_str())
    );
    let status = &known[0].statuses[0];
    assert_eq!(status.environment_url, "https://shop-pr-7.example.org");
    assert_eq!(
        status.log_url,
        "https://github.com/acme/shop/actions/runs/1"
    );

    // The same commit again is the same deployment.
    assert_eq!(deploy(&client, &head()).await, first);
    assert_eq!(deployments(&fake).len(), 1);

    fake.with(|world| {
        world
            .repository("acme/shop")
            .pulls
            .get_mut(&7)
            .expect("it is there")
            .sha = NEWER.to_owned()
    });
    let second = deploy(&client, &NEWER.parse().expect("a commit")).await;
    let known = deployments(&fake);
    assert_eq!(states(&known[0]), ["success", "success", "inactive"]);
    assert_eq!(states(&known[1]), ["success"]);
    let state = client.deployment_state(&shop(), second).await;
    assert_eq!(state.expect("an answer"), Some(DeploymentState::Success));

    let retired = client.retire_deployments(&shop(), ENVIRONMENT, None).await;
    assert_eq!(retired.expect("they are told"), 1);
    let again = client.retire_deployments(&shop(), ENVIRONMENT, None).await;
    assert_eq!(again.expect("they are told"), 0);
    let known = deployments(&fake);
    assert_eq!(states(&known[0]), ["success", "success", "inactive"]);
    assert_eq!(states(&known[1]), ["success", "inactive"]);
    assert_eq!(
        known[1].statuses[1].description,
        "The environment was removed"
    );
}

#[tokio::test]
async fn only_the_environment_that_is_meant_is_retired() {
    let fake = GithubFake::start(world());
    let client = client(&fake);
    let other = client
        .deployment(&shop(), "shop-pr-8", &head(), "")
        .await
        .expect("a deployment");
    deploy(&client, &head()).await;
    let retired = client.retire_deployments(&shop(), ENVIRONMENT, None).await;
    assert_eq!(retired.expect("they are told"), 1);
    let state = client.deployment_state(&shop(), other.id).await;
    assert_eq!(state.expect("an answer"), None);
}

#[tokio::test]
async fn all_of_many_are_retired() {
    let fake = GithubFake::start(world());
    fake.with(|world| {
        let known = Deployment {
            sha: Pull::default().base_sha,
            environment: ENVIRONMENT.to_owned(),
            description: String::new(),
            transient: true,
            production: false,
            creator: "octocat".to_owned(),
            created_at: "2026-01-02T03:04:05Z".to_owned(),
            statuses: Vec::new(),
        };
        let deployments = &mut world.repository("acme/shop").deployments;
        deployments.extend((1000..1105).map(|id| (id, known.clone())));
    });
    let retired = client(&fake)
        .retire_deployments(&shop(), ENVIRONMENT, None)
        .await;
    assert_eq!(retired.expect("they are told"), 105);
    assert!(
        deployments(&fake)
            .iter()
            .all(|known| states(known) == ["inactive"])
    );
}

/// Asking for each would take longer with every commit.
#[tokio::test]
async fn the_next_of_many_asks_for_few() {
    let fake = GithubFake::start(world());
    let client = client(&fake);
    for number in 0..12 {
        let sha = format!("{number:040}");
        fake.with(|world| {
            let pull = world.repository("acme/shop").pulls.get_mut(&7);
            pull.expect("it is there").sha.clone_from(&sha);
        });
        let before = client.requests();
        deploy(&client, &sha.parse().expect("a commit")).await;
        let (reads, writes) = (
            client.requests().reads - before.reads,
            client.requests().writes - before.writes,
        );
        assert!(
            reads <= 4 && writes <= 3,
            "{number}: {reads} reads, {writes} writes"
        );
    }
    let up = deployments(&fake)
        .iter()
        .filter(|known| states(known).last() == Some(&"success"))
        .count();
    assert_eq!(up, 1);
}

#[tokio::test]
async fn an_answer_that_got_lost_does_not_make_a_second_one() {
    let fake = GithubFake::start(world());
    fake.trouble(
        Fault::new(Trouble::Status(502))
            .on("POST", "/deployments")
            .late(),
    );
    deploy(&client(&fake), &head()).await;
    assert_eq!(deployments(&fake).len(), 1);
    assert_eq!(count(&fake, "POST", "/deployments"), 1);
}

#[tokio::test]
async fn a_deployment_waits_for_no_checks() {
    let fake = GithubFake::start(world());
    let client = client(&fake);
    let pending = CommitStatus {
        context: "ci/slow",
        state: CommitState::Pending,
        description: "",
        url: None,
    };
    client
        .set_commit_status(&shop(), &head(), &pending)
        .await
        .expect("it is set");
    deploy(&client, &head()).await;
}

#[tokio::test]
async fn a_commit_that_the_repository_does_not_have() {
    let fake = GithubFake::start(world());
    fake.with(|world| {
        let pull = world
            .repository("acme/shop")
            .pulls
            .get_mut(&7)
            .expect("it is there");
        pull.head_repository = Some("stranger/shop".to_owned());
    });
    let deployment = client(&fake)
        .deployment(&shop(), ENVIRONMENT, &head(), "")
        .await;
    assert_snapshot!(printed(deployment.expect_err("no such commit"), &fake), @"error: cannot create a deployment of 6dcb09b to shop-pr-7: GitHub refuses it (422): No ref found for: 6dcb09b5b57875f334f61aebed695e2e4193db5e");
}

#[tokio::test]
async fn words_are_cut_to_what_github_takes() {
    let fake = GithubFake::start(world());
    let client = client(&fake);
    let long = "it did not come up, and there is much to be said about why ".repeat(5);
    let deployment = client
        .deployment(&shop(), ENVIRONMENT, &head(), &long)
        .await
        .expect("a deployment");
    let failed = Progress {
        state: DeploymentState::Failure,
        description: &long,
        environment_url: None,
        log_url: None,
    };
    client
        .report_deployment(&shop(), deployment.id, &failed)
        .await
        .expect("it is told");
    let status = CommitStatus {
        context: "k8s-ee/preview",
        state: CommitState::Failure,
        description: &long,
        url: Some("https://github.com/acme/shop/actions/runs/1"),
    };
    client
        .set_commit_status(&shop(), &head(), &status)
        .await
        .expect("it is set");
    fake.with(|world| {
        let shop = world.repository("acme/shop");
        let status = &shop.statuses[0];
        assert_eq!(
            (status.context.as_str(), status.state.as_str()),
            ("k8s-ee/preview", "failure")
        );
        assert!(status.description.ends_with('…'));
        assert_eq!(
            status.target_url.as_deref(),
            Some("https://github.com/acme/shop/actions/runs/1")
        );
        let statuses = &shop.deployments[&deployment.id].statuses;
        assert_eq!(
            (
                statuses[0].state.as_str(),
                statuses[0].environment_url.as_str()
            ),
            ("failure", "")
        );
    });
}
