//! One comment under a pull request, whatever else is there and whoever else writes.

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Comment, Token as Holder},
};
use insta::assert_snapshot;
use k8s_ee::github::{
    ENVIRONMENT_MARKER as MARKER,
    comments::Reaction,
    sticky::{Change, Kept},
};

use super::{PERSONAL, TOKEN, client, client_of, count, printed, shop, world};

const BOT: &str = "github-actions[bot]";

/// Bodies of the comments of somebody that begin with the marker, the oldest first.
fn bodies(fake: &GithubFake, author: &str) -> Vec<String> {
    let ours = |comment: &&Comment| comment.author == author && comment.body.starts_with(MARKER);
    fake.with(|world| {
        let comments = world.repository("acme/shop").comments.values();
        comments
            .filter(ours)
            .map(|comment| comment.body.clone())
            .collect()
    })
}

async fn keep(fake: &GithubFake, body: &str) -> Kept {
    let kept = client(fake).keep_comment(&shop(), 7, MARKER, body).await;
    kept.unwrap_or_else(|error| panic!("{error:?}"))
}

#[tokio::test]
async fn it_is_found_behind_any_number_of_others() {
    let fake = GithubFake::start(world());
    fake.with(|world| {
        for number in 0..249 {
            world.comment("acme/shop", 7, "octocat", &format!("comment {number}"));
        }
    });
    let first = keep(&fake, "## Preparing").await;
    assert_eq!((first.change, first.removed), (Change::Created, 0));
    fake.with(|world| world.comment("acme/shop", 7, "octocat", "one more"));

    let second = keep(&fake, "## Ready").await;
    assert_eq!((second.change, second.id), (Change::Updated, first.id));
    assert!(
        second.url.ends_with(&format!("#issuecomment-{}", first.id)),
        "{}",
        second.url
    );
    assert_eq!(bodies(&fake, BOT), [format!("{MARKER}\n## Ready")]);
    // Three pages to find that there is none, three to see that nobody else was faster, three to find it.
    let lists = fake.requests();
    let lists = lists
        .iter()
        .filter(|asked| asked.method == "GET" && asked.path.ends_with("/comments"));
    assert_eq!(lists.count(), 9);
}

#[tokio::test]
async fn the_same_words_are_not_written_again() {
    let fake = GithubFake::start(world());
    keep(&fake, "## Ready\n\nhttps://shop-pr-7.example.org").await;
    let client = client(&fake);
    let body = format!("{MARKER}\r\n## Ready\r\n\r\nhttps://shop-pr-7.example.org\r\n");
    let again = client.keep_comment(&shop(), 7, MARKER, &body).await;
    assert_eq!(again.expect("a comment").change, Change::Unchanged);
    // Asking whose the token is, is a POST as well.
    assert_eq!(client.requests().writes, 1);
    assert_eq!(count(&fake, "PATCH", ""), 0);
}

#[tokio::test]
async fn what_others_write_under_the_marker_is_theirs() {
    let fake = GithubFake::start(world());
    let theirs = format!("{MARKER}\nclick here: https://evil.example");
    fake.with(|world| {
        world.comment("acme/shop", 7, "mallory", &theirs);
        world.comment("acme/shop", 7, "name.of.old", &theirs);
        world.comment("acme/shop", 7, "other-app[bot]", &theirs);
        // The name of the bot without the end that only an app has.
        world.comment("acme/shop", 7, "github-actions", &theirs);
        // Ours, but about something else.
        world.comment("acme/shop", 7, BOT, &format!("> {MARKER}\nquoted"));
    });
    let kept = keep(&fake, "## Ready").await;
    assert_eq!(kept.change, Change::Created);
    assert_eq!(bodies(&fake, "mallory"), [theirs.as_str()]);
    assert_eq!(bodies(&fake, "other-app[bot]"), [theirs.as_str()]);
    assert_eq!(bodies(&fake, "github-actions"), [theirs.as_str()]);
    assert_eq!(keep(&fake, "## Gone").await.id, kept.id);
    assert_eq!(count(&fake, "DELETE", ""), 0);
    fake.with(|world| assert_eq!(world.repository("acme/shop").comments.len(), 6));
}

#[tokio::test]
async fn each_token_has_its_own() {
    let fake = GithubFake::start(world());
    keep(&fake, "## By the bot").await;
    let by_hand = client_of(&fake, PERSONAL);
    assert_eq!(by_hand.viewer().await.expect("a login").as_str(), "dev-1");
    let kept = by_hand.keep_comment(&shop(), 7, MARKER, "## By hand").await;
    assert_eq!(kept.expect("a comment").change, Change::Created);
    assert_eq!(bodies(&fake, BOT), [format!("{MARKER}\n## By the bot")]);
    assert_eq!(bodies(&fake, "dev-1"), [format!("{MARKER}\n## By hand")]);
}

#[tokio::test]
async fn of_several_of_ours_the_oldest_stays() {
    let fake = GithubFake::start(world());
    let ids = fake.with(|world| {
        [
            (BOT, "## One"),
            ("mallory", "## Not ours"),
            (BOT, "## Two"),
            (BOT, "## Three"),
        ]
        .map(|(author, body)| world.comment("acme/shop", 7, author, &format!("{MARKER}\n{body}")))
    });
    let kept = keep(&fake, "## Ready").await;
    assert_eq!(
        (kept.id, kept.removed, kept.change),
        (ids[0], 2, Change::Updated)
    );
    fake.with(|world| {
        let left: Vec<u64> = world
            .repository("acme/shop")
            .comments
            .keys()
            .copied()
            .collect();
        assert_eq!(left, ids[..2]);
    });
}

#[tokio::test]
async fn runs_at_the_same_time_leave_one() {
    for _ in 0..5 {
        let fake = GithubFake::start(world());
        let (one, two, three) = (client(&fake), client(&fake), client(&fake));
        let shop = shop();
        let kept = tokio::join!(
            one.keep_comment(&shop, 7, MARKER, "## One"),
            two.keep_comment(&shop, 7, MARKER, "## Two"),
            three.keep_comment(&shop, 7, MARKER, "## Three"),
        );
        let ids = [kept.0, kept.1, kept.2].map(|kept| kept.expect("a comment").id);
        assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
        assert_eq!(bodies(&fake, BOT).len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_got_lost_does_not_make_a_second_one() {
    for trouble in [Trouble::Status(502), Trouble::Status(500), Trouble::Close] {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble).on("POST", "/comments").late());
        keep(&fake, "## Ready").await;
        assert_eq!(
            bodies(&fake, BOT),
            [format!("{MARKER}\n## Ready")],
            "{trouble:?}"
        );
        assert_eq!(count(&fake, "POST", "/comments"), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_question_that_got_lost_is_asked_again() {
    for trouble in [Trouble::Status(502), Trouble::Status(500), Trouble::Close] {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble).on("POST", "/comments"));
        keep(&fake, "## Ready").await;
        assert_eq!(
            bodies(&fake, BOT),
            [format!("{MARKER}\n## Ready")],
            "{trouble:?}"
        );
        assert_eq!(count(&fake, "POST", "/comments"), 2, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_comment_that_is_never_taken_is_an_error_in_the_end() {
    let fake = GithubFake::start(world());
    fake.trouble(
        Fault::new(Trouble::Status(502))
            .on("POST", "/comments")
            .times(99),
    );
    let kept = client(&fake)
        .keep_comment(&shop(), 7, MARKER, "## Ready")
        .await;
    assert_snapshot!(printed(kept.expect_err("no comment"), &fake), @"
    error: cannot write a comment on acme/shop#7: GitHub failed (502)

    hint: try again later; whether GitHub knows of it: https://www.githubstatus.com
    ");
}

#[tokio::test]
async fn one_that_is_deleted_meanwhile_is_written_anew() {
    let fake = GithubFake::start(world());
    let first = keep(&fake, "## Ready").await;
    // Gone between the list and the change, for the client; the fake still has it for a moment.
    fake.trouble(Fault::new(Trouble::Status(404)).on("PATCH", "/comments/"));
    let again = keep(&fake, "## Changed").await;
    assert_eq!((again.id, again.change), (first.id, Change::Updated));

    fake.with(|world| world.repository("acme/shop").comments.clear());
    let new = keep(&fake, "## Anew").await;
    assert_eq!(new.change, Change::Created);
    assert_ne!(new.id, first.id);
}

#[tokio::test]
async fn what_github_does_not_take_is_told_in_its_words() {
    let fake = GithubFake::start(world());
    let long = "x".repeat(70_000);
    let kept = client(&fake).keep_comment(&shop(), 7, MARKER, &long).await;
    assert_snapshot!(printed(kept.expect_err("too long"), &fake), @"error: cannot write a comment on acme/shop#7: GitHub refuses it (422): Validation Failed: body is too long (maximum is 65536 characters)");

    fake.with(|world| {
        world
            .repository("acme/shop")
            .pulls
            .get_mut(&7)
            .expect("it is there")
            .locked = true
    });
    let kept = client(&fake).keep_comment(&shop(), 7, MARKER, "x").await;
    assert_snapshot!(printed(kept.expect_err("locked"), &fake), @"
    error: not allowed to write a comment on acme/shop#7: Unable to create comment because issue is locked.

    hint: unlock the conversation of the pull request
    ");

    let kept = client(&fake).keep_comment(&shop(), 8, MARKER, "x").await;
    assert_snapshot!(printed(kept.expect_err("no such pull request"), &fake), @"
    error: cannot read the comments on acme/shop#8: GitHub has no such thing, or does not show it to this token

    hint: of a private repository the token sees nothing without a permission: in Actions `pull-requests: read`
    ");
}

#[tokio::test]
async fn the_token_of_a_fork_cannot_write_and_says_so() {
    let mut world = world();
    world.tokens.insert(TOKEN.to_owned(), Holder::reader());
    let fake = GithubFake::start(world);
    let kept = client(&fake)
        .keep_comment(&shop(), 7, MARKER, "## Ready")
        .await;
    assert_snapshot!(printed(kept.expect_err("only to read"), &fake), @"
    error: not allowed to write a comment on acme/shop#7: Resource not accessible by integration

    hint: give the job that permission: `permissions: { pull-requests: write }`; on a `pull_request` from a fork the token can only read whatever the workflow says, write from a `workflow_run` job there
    ");
    assert_eq!(count(&fake, "POST", "/comments"), 1);
}

#[tokio::test]
async fn a_reaction_is_there_once() {
    let fake = GithubFake::start(world());
    let id = fake.with(|world| world.comment("acme/shop", 7, "octocat", "/preserve"));
    let client = client(&fake);
    for reaction in [Reaction::Eyes, Reaction::Eyes, Reaction::Rocket] {
        client
            .react(&shop(), id, reaction)
            .await
            .expect("a reaction");
    }
    fake.with(|world| {
        let reactions = &world.repository("acme/shop").comments[&id].reactions;
        let contents: Vec<&str> = reactions
            .iter()
            .map(|reaction| reaction.content.as_str())
            .collect();
        assert_eq!(contents, ["eyes", "rocket"]);
    });
}

#[tokio::test]
async fn what_is_gone_is_gone_already() {
    let fake = GithubFake::start(world());
    let id = fake.with(|world| world.comment("acme/shop", 7, "octocat", "x"));
    let client = client(&fake);
    assert!(client.delete_comment(&shop(), id).await.expect("an answer"));
    assert!(!client.delete_comment(&shop(), id).await.expect("an answer"));
    let changed = client
        .update_comment(&shop(), id, "y")
        .await
        .expect("an answer");
    assert_eq!(changed, None);
}
