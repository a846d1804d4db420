//! What is decided before anything is done: the command line, the file, helm, the kubeconfig.

use insta::assert_snapshot;

use crate::common::{k8s_ee, root};

const FILE: &str = "projectId: shop\napp:\n  port: 8080\n";

#[test]
fn without_a_verb_the_help_is_an_error() {
    let printed = k8s_ee(&[]).exits(2);
    assert_eq!(printed.stdout, "");
    assert!(
        printed.stderr.contains("Usage: k8s-ee [OPTIONS] <COMMAND>"),
        "{}",
        printed.both()
    );
}

#[test]
fn help_is_data() {
    let printed = k8s_ee(&["--help"]).exits(0);
    assert!(
        printed.stdout.contains("Usage: k8s-ee [OPTIONS] <COMMAND>"),
        "{}",
        printed.both()
    );
    assert_eq!(printed.stderr, "");
}

#[test]
fn quiet_says_nothing_of_what_went_well() {
    let printed = k8s_ee(&["validate", "--quiet"])
        .file("k8s-ee.yaml", FILE)
        .exits(0);
    assert_eq!(printed.both(), "--- stdout\n--- stderr\n");
}

#[test]
fn quiet_still_says_what_is_wrong() {
    let printed = k8s_ee(&["validate", "--quiet"])
        .file("k8s-ee.yaml", "projectId: Shop\n")
        .exits(3);
    assert!(
        printed.stderr.contains("k8s-ee.yaml:1:12"),
        "{}",
        printed.both()
    );
}

#[test]
fn colours_only_where_they_are_asked_for() {
    let wrong = "projectId: Shop\n";
    let plain = k8s_ee(&["validate"]).file("k8s-ee.yaml", wrong).exits(3);
    assert!(!plain.stderr.contains('\u{1b}'), "{:?}", plain.stderr);
    let forced = k8s_ee(&["validate"])
        .file("k8s-ee.yaml", wrong)
        .env("CLICOLOR_FORCE", "1")
        .exits(3);
    assert!(forced.stderr.contains('\u{1b}'), "{:?}", forced.stderr);
    let never = k8s_ee(&["validate"])
        .file("k8s-ee.yaml", wrong)
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .exits(3);
    assert!(!never.stderr.contains('\u{1b}'), "{:?}", never.stderr);
}

#[test]
fn mistakes_are_annotations_in_github_actions_only() {
    let wrong = "projectId: shop\napp:\n  prot: 80\n";
    let here = k8s_ee(&["validate"]).file("k8s-ee.yaml", wrong).exits(3);
    assert!(!here.stderr.contains("::error"), "{}", here.both());
    let there = k8s_ee(&["validate"])
        .file("k8s-ee.yaml", wrong)
        .env("GITHUB_ACTIONS", "true")
        .exits(3);
    let annotations: Vec<&str> = there
        .stderr
        .lines()
        .filter(|line| line.starts_with("::error"))
        .collect();
    assert_eq!(
        annotations,
        [
            "::error file=k8s-ee.yaml,line=3,col=3,title=Invalid configuration::unknown key `prot` in `app`%0Ahint: did \
             you mean `port`?"
        ]
    );
}

#[test]
fn json_stays_json_in_github_actions() {
    let printed = k8s_ee(&["validate", "-o", "json"])
        .file("k8s-ee.yaml", "projectId: shop\nx: 1\n")
        .env("GITHUB_ACTIONS", "true")
        .exits(3);
    assert_eq!(printed.json()["valid"], false);
}

/// Its version is asked for only when it has failed.
#[cfg(unix)]
#[test]
fn a_helm_that_is_too_old_is_told_so() {
    let helm = root()
        .join("tests/fixtures/helm-too-old")
        .display()
        .to_string();
    let printed = k8s_ee(&["quota", "--pr", "7"])
        .file("k8s-ee.yaml", "projectId: shop\napp:\n  port: 8080\n")
        .env("K8S_EE_HELM", &helm)
        .replace(&helm, "[HELM]")
        .exits(10);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    error: cannot work out the environment's objects

    Caused by:
      helm 3.10.3 is too old: 3.14 or newer is needed, or 4
      `[HELM] template` failed (exit status: 1):
      Error: unknown flag: --skip-tests

    hint: install helm 3.14 or newer, or name it in K8S_EE_HELM; see https://helm.sh/docs/intro/install/
    ");
}

#[test]
fn without_helm_the_next_step_is_to_install_it() {
    let printed = k8s_ee(&["plan", "--pr", "7", "--offline"])
        .file("k8s-ee.yaml", FILE)
        .env("K8S_EE_HELM", "helm-that-is-not-there")
        .exits(10);
    assert_snapshot!(printed.stderr, @"
    error: cannot work out the environment's objects

    Caused by:
      helm could not render the built-in chart
      `helm-that-is-not-there` is not installed or not on PATH

    hint: install helm 3.14 or newer, or name it in K8S_EE_HELM; see https://helm.sh/docs/intro/install/
    ");
}

#[test]
fn without_a_kubeconfig_the_error_says_where_it_was_looked_for() {
    let printed = k8s_ee(&["list"]).exits(4);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    error: no cluster is configured: there is no kubeconfig at [DIR]/.kube/config

    hint: pass --kubeconfig FILE, or set KUBECONFIG; without a cluster, `k8s-ee plan --offline` and `k8s-ee render` still work
    ");
}

#[test]
fn a_kubeconfig_that_is_not_there_is_named() {
    let printed = k8s_ee(&["list", "--kubeconfig", "nowhere"]).exits(4);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    error: no cluster is configured: there is no kubeconfig at nowhere

    hint: pass --kubeconfig FILE, or set KUBECONFIG; without a cluster, `k8s-ee plan --offline` and `k8s-ee render` still work
    ");
}

#[test]
fn a_kubeconfig_that_is_not_one_is_an_error_of_the_cluster() {
    let printed = k8s_ee(&["list", "--kubeconfig", "broken"])
        .file("broken", "clusters: 7\n")
        .exits(4);
    assert!(
        printed
            .stderr
            .starts_with("error: the kubeconfig broken cannot be used\n"),
        "{}",
        printed.both()
    );
}

#[test]
fn a_kubeconfig_without_a_current_context_asks_for_one() {
    let printed = k8s_ee(&["list", "--kubeconfig", "config"])
        .file(
            "config",
            "contexts: [{name: one, context: {cluster: a, user: a}}]\n",
        )
        .exits(4);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: the kubeconfig config names no current context

    hint: choose one with --context: one
    ");
}

/// What a login program printed may be a token, unless it was for people.
#[test]
fn a_login_program_is_named_when_it_fails() {
    let with = |command: &str| {
        let kubeconfig = format!(
            "current-context: one\ncontexts: [{{name: one, context: {{cluster: a, user: a}}}}]\n\
             clusters: [{{name: a, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n\
             users: [{{name: a, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, \
             interactiveMode: Never, {command}}}}}}}]\n"
        );
        let printed = k8s_ee(&["list", "--kubeconfig", "config"]);
        printed.file("config", &kubeconfig).exits(4).both()
    };
    assert_snapshot!(with("command: no-such-login"), @"
    --- stdout
    --- stderr
    error: context `one` cannot log in with `no-such-login`: No such file or directory (os error 2)

    hint: see that `no-such-login` is installed and that you are logged in with it
    ");
    let failing =
        "command: sh, args: [-c, 'echo s3cret; echo the session has expired >&2; exit 1']";
    assert_snapshot!(with(failing), @"
    --- stdout
    --- stderr
    error: context `one` cannot log in with `sh`: the session has expired

    hint: see that `sh` is installed and that you are logged in with it
    ");
}

#[test]
fn a_context_that_is_not_there_is_told_beside_those_that_are() {
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: one\ncontexts:\n\
                      - {name: one, context: {cluster: a, user: a}}\n\
                      - {name: two, context: {cluster: a, user: a}}\n";
    let printed = k8s_ee(&["list", "--kubeconfig", "config", "--context", "three"])
        .file("config", kubeconfig)
        .exits(4);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    error: the kubeconfig config has no context `three`

    hint: choose one with --context: one, two
    ");
}

#[test]
fn an_environment_over_the_ceiling_is_refused_before_the_cluster_is_looked_at() {
    let printed = k8s_ee(&[
        "plan",
        "--pr",
        "7",
        "--offline",
        "--platform",
        "platform.yaml",
    ])
    .file(
        "k8s-ee.yaml",
        "projectId: shop\nservices:\n  api:\n    replicas: 9\n    image: ghcr.io/acme/api:1\n",
    )
    .file(
        "platform.yaml",
        "quota:\n  ceiling:\n    limits.cpu: \"1\"\n",
    )
    .exits(5);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: needs 2000m CPU (limits.cpu), allowed 1000m: api 2000m (10 × 200m, 1 for the rollout)
     --> k8s-ee.yaml:3:3
      |
    3 |   api:
      |   ^^^
      |
      = hint: lower `services.api.resources.limits.cpu` at k8s-ee.yaml:3, or raise `quota.ceiling` for `limits.cpu` in the platform settings

    error: shop-pr-7 needs more than the platform allows; nothing was changed

    hint: lower what is marked above, or ask whoever runs the platform to raise its ceiling
    ");
}

#[test]
fn a_wrong_key_of_the_platform_settings_is_an_error() {
    let printed = k8s_ee(&["quota", "--pr", "7", "--platform", "platform.yaml"])
        .file("k8s-ee.yaml", FILE)
        .file("platform.yaml", "domian: preview.example.com\n")
        .exits(3);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: the platform settings platform.yaml are invalid

    Caused by:
      unknown field `domian`, expected one of domain, ingress, network, quota, limits, access, forks, lifecycle, databases, dashboards, commentTemplate, imagePullSecrets, priorityClassName at line 1, column 1

    hint: every key is described in docs/reference/platform-settings.md
    ");
}

#[test]
fn json_of_the_offline_verbs_has_the_documented_shape() {
    for (section, args, code) in [
        ("validate", &["validate", "-o", "json"][..], 3),
        ("quota", &["quota", "--pr", "7", "-o", "json"], 0),
        ("plan", &["plan", "--pr", "7", "--offline", "-o", "json"], 0),
        (
            "plan --reachability",
            &[
                "plan",
                "--pr",
                "7",
                "--offline",
                "--reachability",
                "-o",
                "json",
            ],
            0,
        ),
    ] {
        let file = if code == 0 {
            FILE
        } else {
            "projectId: shop\napp:\n  prot: 8080\n"
        };
        let printed = k8s_ee(args).file("k8s-ee.yaml", file).exits(code);
        crate::pages::assert_documented(section, &printed.json());
    }
}

/// The exit code tells of changes only when that is asked for.
#[test]
fn plan_says_by_its_exit_code_that_something_changes() {
    for (more, code) in [(&[][..], 0), (&["--exit-code"], 12)] {
        let args = [&["plan", "--pr", "7", "--offline"], more].concat();
        k8s_ee(&args).file("k8s-ee.yaml", FILE).exits(code);
    }
    let both = [
        "plan",
        "--pr",
        "7",
        "--offline",
        "--exit-code",
        "--reachability",
    ];
    k8s_ee(&both).file("k8s-ee.yaml", FILE).exits(2);
}
