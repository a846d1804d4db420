//! `k8s-ee pr` without an event that is about a pull request: somebody types it, or starts the workflow by hand.

use super::*;

#[test]
fn outside_of_actions_it_is_asked_by_number() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    let by_hand = |args: &[&str]| {
        k8s_ee(args)
            .env("GITHUB_API_URL", fake.url())
            .replace(fake.url(), "[API]")
    };
    let args = ["pr", "--pr", "7", "--repository", "acme/shop", "-o", "json"];
    let printed = by_hand(&args).env("GITHUB_TOKEN", TOKEN).exits(0);
    crate::pages::assert_documented("pr", &printed.json());
    assert_snapshot!(printed.both(), @r#"
    --- stdout
    {
      "version": 1,
      "action": "create",
      "reason": "every pull request has an environment",
      "prNumber": 7,
      "headSha": "6dcb09b5b57875f334f61aebed695e2e4193db5e",
      "headRef": "new-topic",
      "headRepository": "acme/shop",
      "isFork": false,
      "profile": "default",
      "projectId": "shop",
      "namespace": "shop-pr-7",
      "waitsForApproval": false,
      "preserveFor": null,
      "force": false
    }
    --- stderr
    "#);
    assert_snapshot!(by_hand(&args).exits(2).both(), @"
    --- stdout
    --- stderr
    error: looking at a pull request takes a token for GitHub, and there is none

    hint: set GITHUB_TOKEN; in Actions: `env: { GITHUB_TOKEN: ${{ github.token }} }` at the step
    ");
    assert_snapshot!(by_hand(&["pr", "--repository", "acme/shop"]).env("GITHUB_TOKEN", TOKEN).exits(2).both(), @"
    --- stdout
    --- stderr
    error: which pull request is meant is not known

    hint: name it with --pr NUMBER
    ");
    assert_snapshot!(by_hand(&["pr", "--pr", "7"]).env("GITHUB_TOKEN", TOKEN).exits(2).both(), @"
    --- stdout
    --- stderr
    error: which repository is meant is not known

    hint: name it with --repository OWNER/REPO
    ");
    let unknown = ["pr", "--pr", "70", "--repository", "acme/shop"];
    assert_snapshot!(by_hand(&unknown).env("GITHUB_TOKEN", TOKEN).exits(1).both(), @"
    --- stdout
    --- stderr
    error: cannot read pull request acme/shop#70: GitHub has no such thing, or does not show it to this token

    hint: of a private repository the token sees nothing without a permission: in Actions `pull-requests: read`
    ");
}

#[test]
fn a_run_started_by_hand_names_its_pull_request() {
    let fake = GithubFake::start(shop("projectId: shop\ntrigger: on-demand\n"));
    let named = json!({"inputs": {"pr-number": "7"}});
    assert_eq!(
        action(in_actions(&fake, "workflow_dispatch", &named)),
        "create"
    );
    for inputs in [
        json!({}),
        json!({"pr-number": "7; id"}),
        json!({"pr-number": "0"}),
    ] {
        let event = json!({"inputs": inputs});
        let printed = in_actions(&fake, "workflow_dispatch", &event).exits(2);
        assert!(
            printed
                .stderr
                .contains("without the number of a pull request"),
            "{}",
            printed.both()
        );
    }
    let scheduled = in_actions_with(&fake, "schedule", &json!({}), &["pr", "--pr", "7"]);
    assert_eq!(action(scheduled), "nothing", "nobody asked for it");
}
