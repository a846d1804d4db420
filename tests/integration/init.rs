//! `k8s-ee init` as a user has it: files that are written, and files that are not.

use insta::assert_snapshot;

use crate::common::k8s_ee;

const DOCKERFILE: &str = "FROM node:22\nEXPOSE 8080\n";

#[test]
fn both_files_are_written_and_valid() {
    let run = k8s_ee(&["init", "--project", "shop"]).file("Dockerfile", DOCKERFILE);
    let (printed, run) = run.exits_keeping(0);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    found    Dockerfile: the service `app` is built with it
    found    `port: 8080` of `app` (EXPOSE at Dockerfile:2)
    guessed  `healthPath: /` of `app` (nothing says what is asked)
    next     does `app` answer 2xx or 3xx at / when it is up? Else set its `healthPath`
    next     containers run without root, with a read-only file system but for /tmp: what else a service writes to belongs into `writableDirs`
    next     k8s-ee validate && k8s-ee quota --pr 1 && k8s-ee plan --pr 1 --offline
    wrote ./k8s-ee.yaml
    wrote ./.github/workflows/pr-environment.yml; set `preview-domain` in it to the platform's domain
    ");
    let config = run.read("k8s-ee.yaml");
    assert!(config.contains("port: 8080"), "{config}");
    assert_snapshot!(run.read(".github/workflows/pr-environment.yml"), @"
    # An environment for every pull request, as k8s-ee.yaml says; it goes when the pull request is closed.
    # Works on GitHub; elsewhere call `k8s-ee up` and `k8s-ee down` from a pipeline.
    name: PR environment
    on:
      pull_request:
        types: [opened, reopened, synchronize, closed]
    permissions: {}
    jobs:
      environment:
        permissions:
          contents: read        # check out, read k8s-ee.yaml
          packages: write       # push the image
          pull-requests: write  # the comment
          deployments: write    # the deployment on the pull request
          statuses: write       # the status of the commit
        uses: koder-cat/k8s-ee/.github/workflows/pr-environment-reusable.yml@v0.1.0
        with:
          pr-number: ${{ github.event.pull_request.number }}
          pr-action: ${{ github.event.action }}
          head-sha: ${{ github.event.pull_request.head.sha }}
          head-ref: ${{ github.head_ref }}
          repository: ${{ github.repository }}
          preview-domain: preview.example.com  # as in the platform settings
        secrets: inherit
    ");
    let printed = run.with_args(&["validate"]).exits(0);
    assert_eq!(printed.stderr, "k8s-ee.yaml is valid\n");
}

#[test]
fn a_file_that_is_there_is_never_overwritten() {
    let run = k8s_ee(&["init"])
        .file("Dockerfile", DOCKERFILE)
        .file("k8s-ee.yaml", "projectId: mine\n");
    let (printed, run) = run.exits_keeping(1);
    assert!(printed.stdout.contains("port: 8080"), "{}", printed.stdout);
    assert_snapshot!(printed.stderr, @"
    error: ./k8s-ee.yaml is there already; nothing was written

    hint: what would have been written is printed above; to begin anew, move the file away first
    ");
    assert_eq!(run.read("k8s-ee.yaml"), "projectId: mine\n");
    assert!(!run.has(".github"));

    let workflow = ".github/workflows/pr-environment.yml";
    let run = k8s_ee(&["init", "--quiet"])
        .file("Dockerfile", DOCKERFILE)
        .file(workflow, "mine\n");
    let (printed, run) = run.exits_keeping(0);
    assert_eq!(printed.both(), "--- stdout\n--- stderr\n");
    assert_eq!(run.read(workflow), "mine\n");
    assert!(run.has("k8s-ee.yaml"));
}

#[test]
fn print_writes_nothing() {
    let run = k8s_ee(&["init", "--print", "--project", "shop"]).file("web/Dockerfile", DOCKERFILE);
    let (printed, run) = run.exits_keeping(0);
    assert_snapshot!(printed.stdout, @"
    # k8s-ee.yaml
    # yaml-language-server: $schema=https://github.com/koder-cat/k8s-ee/raw/main/schema/k8s-ee.schema.json
    # A first version by `k8s-ee init`: what is guessed says so. `k8s-ee validate` checks it. Every key:
    # https://github.com/koder-cat/k8s-ee/blob/main/docs/reference/config.md

    projectId: shop             # as asked for

    app:
      port: 8080                # EXPOSE at web/Dockerfile:2
      healthPath: /             # guessed: nothing says what is asked

    image:
      context: web
      dockerfile: Dockerfile

    ---
    # .github/workflows/pr-environment.yml
    # An environment for every pull request, as k8s-ee.yaml says; it goes when the pull request is closed.
    # Works on GitHub; elsewhere call `k8s-ee up` and `k8s-ee down` from a pipeline.
    name: PR environment
    on:
      pull_request:
        types: [opened, reopened, synchronize, closed]
    permissions: {}
    jobs:
      environment:
        permissions:
          contents: read        # check out, read k8s-ee.yaml
          packages: write       # push the image
          pull-requests: write  # the comment
          deployments: write    # the deployment on the pull request
          statuses: write       # the status of the commit
        uses: koder-cat/k8s-ee/.github/workflows/pr-environment-reusable.yml@v0.1.0
        with:
          pr-number: ${{ github.event.pull_request.number }}
          pr-action: ${{ github.event.action }}
          head-sha: ${{ github.event.pull_request.head.sha }}
          head-ref: ${{ github.head_ref }}
          repository: ${{ github.repository }}
          preview-domain: preview.example.com  # as in the platform settings
        secrets: inherit
    ");
    assert!(!run.has("k8s-ee.yaml"));
}

#[test]
fn a_compose_file_may_be_anywhere_in_the_repository() {
    let printed = k8s_ee(&[
        "init",
        "--print",
        "--project",
        "shop",
        "--from",
        "deploy/dev.yaml",
    ])
    .file(
        "deploy/dev.yaml",
        "services:\n  api:\n    build:\n      context: ../api\n    volumes: [./x:/x]\n",
    )
    .file("api/Dockerfile", DOCKERFILE)
    .exits(0);
    assert!(
        printed.stdout.contains("context: api\n"),
        "{}",
        printed.stdout
    );
    assert!(
        printed.stdout.contains("EXPOSE at api/Dockerfile:2"),
        "{}",
        printed.stdout
    );
    assert!(
        printed
            .stderr
            .contains("left out deploy/dev.yaml:5: `./x` is not mounted"),
        "{}",
        printed.stderr
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let printed = k8s_ee(&["init", "--from", "compose.yaml"]).exits(3);
    assert!(
        printed
            .stderr
            .starts_with("error: `compose.yaml` does not exist"),
        "{}",
        printed.stderr
    );
    let printed = k8s_ee(&["init", "nowhere"]).exits(1);
    assert_snapshot!(printed.stderr, @"
    error: cannot look at the directory nowhere

    Caused by:
      No such file or directory (os error 2)

    hint: name the directory of the repository: k8s-ee init DIRECTORY
    ");
    let printed = k8s_ee(&["init"])
        .file("compose.yml", "services: {a: [}\n")
        .exits(3);
    assert_snapshot!(printed.stderr, @"
    error: the brackets or commas before this do not match
     --> compose.yml:1:15
      |
    1 | services: {a: [}
      |               ^
      |
      = hint: close every `[` and `{`, put `,` between items, and texts that start with one in quotes
    error: compose.yml cannot be converted; nothing was written
    ");
}

/// Others' files must not be read through links, nor anything outside.
#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let run = k8s_ee(&["init", "--print", "--project", "shop"])
        .link("Dockerfile", "/etc/passwd")
        .link("web", "/etc");
    let printed = run.exits(0);
    assert!(
        printed.stdout.contains("nothing says where it listens"),
        "{}",
        printed.stdout
    );
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let printed = k8s_ee(&["completions", shell]).exits(0);
        assert!(printed.stdout.contains("port-forward"), "{shell}");
        assert_eq!(printed.stderr, "");
    }
}
