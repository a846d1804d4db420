//! What is read from GitHub: pull requests, rights, files; and labels.

use github_fake::{
    GithubFake,
    world::{Pull, Role},
};
use insta::assert_snapshot;
use k8s_ee::github::{access::Permission, pulls::Association};

use super::{client, head, printed, shop, world};

const FORKED: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn forked() -> Pull {
    Pull {
        sha: FORKED.to_owned(),
        branch: "patch-1".to_owned(),
        head_repository: Some("stranger/shop".to_owned()),
        author: "stranger".to_owned(),
        association: "FIRST_TIME_CONTRIBUTOR".to_owned(),
        draft: true,
        labels: vec!["preview".to_owned()],
        ..Pull::default()
    }
}

#[tokio::test]
async fn a_pull_request() {
    let mut world = world();
    world.repository("acme/shop").pulls.insert(8, forked());
    let fake = GithubFake::start(world);
    let client = client(&fake);
    let own = client.pull_request(&shop(), 7).await.expect("it is read");
    assert!(own.open && !own.merged && !own.draft && !own.is_fork());
    assert_eq!(
        (&own.head.sha, own.head.branch.as_str()),
        (&head(), "new-topic")
    );
    assert_eq!(own.base.branch, "main");
    assert_eq!(own.url, "https://github.com/acme/shop/pull/7");

    let fork = client.pull_request(&shop(), 8).await.expect("it is read");
    assert!(fork.is_fork() && fork.draft && fork.has_label("Preview"));
    assert_eq!(fork.association, Association::Outsider);
    assert_eq!(fork.author.expect("somebody").as_str(), "stranger");
    assert_eq!(
        fork.head.repository,
        Some("stranger/shop".parse().expect("a repository"))
    );

    fake.with(|world| {
        let pull = world
            .repository("acme/shop")
            .pulls
            .get_mut(&8)
            .expect("it is there");
        (pull.open, pull.merged) = (false, true);
    });
    let merged = client.pull_request(&shop(), 8).await.expect("it is read");
    assert!(!merged.open && merged.merged && merged.is_fork());
}

#[tokio::test]
async fn a_fork_that_was_deleted_is_still_one() {
    let mut world = world();
    let gone = Pull {
        head_repository: Some(String::new()),
        ..forked()
    };
    world.repository("acme/shop").pulls.insert(8, gone);
    let fake = GithubFake::start(world);
    let pull = client(&fake)
        .pull_request(&shop(), 8)
        .await
        .expect("it is read");
    assert!(pull.is_fork());
    assert_eq!(pull.head.repository, None);
    // GitHub answers so, whatever it describes.
    let said = fake.take_violations();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter()
            .all(|said| said.contains("/head/") && said.contains("null is not of type")),
        "{said:?}"
    );
}

/// After another workflow ran, the event of a fork says nothing of its pull request.
#[tokio::test]
async fn the_pull_request_of_a_fork_is_found_by_its_branch() {
    let mut world = world();
    let pulls = &mut world.repository("acme/shop").pulls;
    pulls.insert(8, forked());
    pulls.insert(
        9,
        Pull {
            open: false,
            ..forked()
        },
    );
    pulls.insert(
        10,
        Pull {
            head_repository: None,
            ..forked()
        },
    );
    let fake = GithubFake::start(world);
    let client = client(&fake);
    let found = client
        .pull_requests_from(&shop(), "stranger", "patch-1")
        .await
        .expect("a list");
    let numbers: Vec<u64> = found.iter().map(|pull| pull.number).collect();
    assert_eq!(numbers, [9, 8]);
    assert!(
        found
            .iter()
            .all(|pull| pull.head.sha.as_str() == FORKED && pull.is_fork())
    );

    let of_commit = client
        .pull_requests_with(&shop(), &FORKED.parse().expect("a commit"))
        .await;
    let numbers: Vec<u64> = of_commit
        .expect("a list")
        .iter()
        .map(|pull| pull.number)
        .collect();
    assert_eq!(
        numbers,
        [10],
        "only commits of the repository itself are known"
    );
}

#[tokio::test]
async fn many_pull_requests_of_one_branch_are_all_read() {
    let mut world = world();
    let pulls = &mut world.repository("acme/shop").pulls;
    pulls.extend((100..305).map(|number| (number, forked())));
    let fake = GithubFake::start(world);
    let found = client(&fake)
        .pull_requests_from(&shop(), "stranger", "patch-1")
        .await;
    assert_eq!(found.expect("a list").len(), 205);
}

#[tokio::test]
async fn what_somebody_may_do() {
    let mut world = world();
    for (login, permission, name) in [
        ("boss", "admin", "admin"),
        ("keeper", "write", "maintain"),
        ("dependabot[bot]", "write", "write"),
        ("helper", "read", "triage"),
        ("releaser", "write", "release-manager"),
    ] {
        let role = Role {
            permission: permission.to_owned(),
            name: name.to_owned(),
        };
        world
            .repository("acme/shop")
            .collaborators
            .insert(login.to_owned(), role);
    }
    let fake = GithubFake::start(world);
    let client = client(&fake);
    for (login, permission) in [
        ("boss", Permission::Admin),
        ("keeper", Permission::Maintain),
        ("dependabot[bot]", Permission::Write),
        ("releaser", Permission::Write),
        ("helper", Permission::Triage),
        ("passer-by", Permission::Read),
    ] {
        let login = login.parse().expect("a login");
        assert_eq!(
            client.permission(&shop(), &login).await.expect("an answer"),
            permission,
            "{login}"
        );
    }
}

#[tokio::test]
async fn files_are_read_as_data() {
    let mut world = world();
    let repository = world.repository("acme/shop");
    let commit = head().as_str().to_owned();
    let files = [
        ("k8s-ee.yaml", "projectId: shop\n".to_owned()),
        (
            "deploy/pre view/k8s-ee.yaml",
            "projectId: größer\n".to_owned(),
        ),
        ("large.bin", "x".repeat(1024 * 1024 + 1)),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    repository.files.insert(commit.clone(), files.into());
    let links = [
        ("link.yaml", "k8s-ee.yaml"),
        ("way-out", "../../etc/passwd"),
    ];
    let links = links.map(|(path, target)| (path.to_owned(), target.to_owned()));
    repository.links.insert(commit, links.into());
    let fake = GithubFake::start(world);
    let client = client(&fake);
    let read = async |path: &str| {
        let file = client.file(&shop(), path, &head()).await;
        file.map(|bytes| bytes.map(|bytes| String::from_utf8(bytes).expect("text")))
    };
    assert_eq!(
        read("k8s-ee.yaml").await.expect("an answer").as_deref(),
        Some("projectId: shop\n")
    );
    assert_eq!(
        read("deploy/pre view/k8s-ee.yaml")
            .await
            .expect("an answer")
            .as_deref(),
        Some("projectId: größer\n")
    );
    assert_eq!(
        read("link.yaml").await.expect("an answer").as_deref(),
        Some("projectId: shop\n")
    );
    assert_eq!(read("other.yaml").await.expect("an answer"), None);

    let mut refused = Vec::new();
    for path in [
        "deploy",
        "way-out",
        "large.bin",
        "../k8s-ee.yaml",
        "/etc/passwd",
        "a//b",
        "",
    ] {
        refused.push(printed(read(path).await.expect_err(path), &fake));
    }
    assert_snapshot!(refused.join("\n"), @"
    error: cannot read deploy of acme/shop@6dcb09b: it is a folder
    error: cannot read way-out of acme/shop@6dcb09b: it is a symbolic link
    error: cannot read large.bin of acme/shop@6dcb09b: it is larger than 1 MiB
    error: cannot read ../k8s-ee.yaml of acme/shop@6dcb09b: it is not a path from the root of the repository
    error: cannot read /etc/passwd of acme/shop@6dcb09b: it is not a path from the root of the repository
    error: cannot read a//b of acme/shop@6dcb09b: it is not a path from the root of the repository
    error: cannot read  of acme/shop@6dcb09b: it is not a path from the root of the repository
    ");
    let elsewhere = client
        .file(&shop(), "k8s-ee.yaml", &FORKED.parse().expect("a commit"))
        .await;
    assert_eq!(elsewhere.expect("an answer"), None);
}

#[tokio::test]
async fn labels_come_and_go() {
    let fake = GithubFake::start(world());
    let client = client(&fake);
    for label in ["preview: now/later", "k8s-ee", "k8s-ee"] {
        client
            .add_label(&shop(), 7, label)
            .await
            .expect("it is added");
    }
    let labels = async || {
        client
            .pull_request(&shop(), 7)
            .await
            .expect("it is read")
            .labels
    };
    assert_eq!(labels().await, ["preview: now/later", "k8s-ee"]);
    assert!(
        client
            .remove_label(&shop(), 7, "preview: now/later")
            .await
            .expect("an answer")
    );
    assert!(
        !client
            .remove_label(&shop(), 7, "preview: now/later")
            .await
            .expect("an answer")
    );
    // These would leave the path of all labels.
    for label in ["", ".", ".."] {
        client
            .remove_label(&shop(), 7, label)
            .await
            .expect_err("no label");
    }
    assert_eq!(labels().await, ["k8s-ee"]);
}
