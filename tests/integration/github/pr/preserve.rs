//! `/preserve` in comments.

use super::*;

/// A comment of somebody under pull request 7, and the run of it.
fn write(fake: &GithubFake, author: &str, body: &str) -> (u64, Run) {
    let id = fake.with(|world| world.comment("acme/shop", 7, author, body));
    let event = comment(id, 7, author, body);
    (id, in_actions(fake, "issue_comment", &event))
}

fn close(fake: &GithubFake) {
    fake.with(|world| {
        let pull = world.repository("acme/shop").pulls.get_mut(&7);
        pull.expect("it is there").open = false;
    });
}

/// What is handed to the steps that follow: the action, how long, and whether it is to be removed in any case.
fn handed_on(run: Run) -> [String; 3] {
    let outputs = outputs(&run.exits(0));
    ["action", "preserve-for", "force"].map(|name| outputs[name].clone())
}

#[test]
fn who_may_push_has_it_kept_and_is_answered() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    tell_state(&fake, 7, "running", HEAD);
    for (text, keep) in [
        ("/preserve", ""),
        ("/preserve 24h\r\nfor the demo", "24h"),
        ("/preserve off", "off"),
    ] {
        let (id, run) = write(&fake, "dev-1", text);
        assert_eq!(handed_on(run), ["preserve", keep, "false"], "{text}");
        assert_eq!(reactions(&fake, id), ["eyes"]);
    }
    for (author, text, answer) in [
        ("reader", "/preserve", "-1"),
        ("stranger", "/preserve 24h", "-1"),
        ("dev-1", "/preserve two days", "confused"),
        ("dev-1", "/preserve 24h $(curl evil)", "confused"),
    ] {
        let (id, run) = write(&fake, author, text);
        assert_eq!(handed_on(run), ["nothing", "", "false"], "{author} {text}");
        assert_eq!(reactions(&fake, id), [answer], "{author} {text}");
    }
    let (_, run) = write(&fake, "dev-1", "/preserves");
    assert_eq!(handed_on(run), ["nothing", "", "false"]);
}

#[test]
fn when_it_is_closed_it_can_be_kept_for_longer_or_let_go() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    tell_state(&fake, 7, "preserved", HEAD);
    close(&fake);
    // It ends by itself, as ever, and what is preserved is not taken by that.
    let closed = in_actions(&fake, "pull_request", &pull_request("closed", 7));
    assert_eq!(handed_on(closed), ["destroy", "", "false"]);
    let (_, run) = write(&fake, "dev-1", "/preserve 12h");
    assert_eq!(handed_on(run), ["preserve", "12h", "false"]);
    for text in ["/preserve off", "/destroy-preview"] {
        let (id, run) = write(&fake, "dev-1", text);
        assert_eq!(handed_on(run), ["destroy", "", "true"], "{text}");
        assert_eq!(reactions(&fake, id), ["eyes"]);
    }
}

#[test]
fn what_is_gone_cannot_be_kept() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    tell_state(&fake, 7, "destroyed", HEAD);
    let (id, run) = write(&fake, "dev-1", "/preserve");
    let (action, reason) = decided(&run.exits(0));
    assert_eq!(action, "nothing");
    assert_eq!(reason, "its environment is gone");
    assert_eq!(reactions(&fake, id), ["confused"]);
}

/// It is no word about what is deployed, before it or after it.
#[test]
fn it_hides_no_command_before_it() {
    let fake = GithubFake::start(shop("projectId: shop\ntrigger: on-demand\n"));
    write(&fake, "dev-1", "/deploy-preview");
    write(&fake, "dev-1", "/preserve");
    let pushed = in_actions(&fake, "pull_request", &pull_request("synchronize", 7));
    assert_eq!(action(pushed), "create");

    // The approval of a fork's commit.
    let approval = format!("/deploy-preview {FORKED}");
    fake.with(|world| {
        for text in [approval.as_str(), "/preserve", "/preserve off"] {
            world.comment("acme/shop", 8, "dev-1", text);
        }
    });
    let opened = in_actions(&fake, "pull_request", &pull_request("opened", 8));
    assert_eq!(action(opened), "create");
}

/// A run that starts late does not take back what was said after it.
#[test]
fn of_several_words_about_keeping_it_the_last_one_counts() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    tell_state(&fake, 7, "running", HEAD);
    let (_, late) = write(&fake, "dev-1", "/preserve off");
    // A stranger's comment has no say, and one about deploying is about something else.
    write(&fake, "reader", "/preserve off");
    let (_, newest) = write(&fake, "dev-1", "/preserve 24h");
    write(&fake, "dev-1", "/deploy-preview");
    assert_eq!(handed_on(late), ["nothing", "", "false"]);
    assert_eq!(handed_on(newest), ["preserve", "24h", "false"]);
    let (_, removed) = write(&fake, "dev-1", "/preserve");
    write(&fake, "dev-1", "/destroy-preview");
    assert_eq!(handed_on(removed), ["nothing", "", "false"]);
}
