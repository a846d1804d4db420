//! `build` and `push`: what Docker and its friends are told. None of them runs here.

use std::fs;

use serde_json::json;

use super::shell::Shell;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// BuildKit, as far as its metadata go; the digest follows from the tag.
const DOCKER: &str = r#"
[[ $1 == buildx ]] && printf '::warning::from a Dockerfile\n'
[[ $1 == login ]] && { cat >>"$RUNNER_TEMP/passwords"; printf '\n' >>"$RUNNER_TEMP/passwords"; }
while (($#)); do
  case $1 in
    --metadata-file) printf '{"containerimage.digest":"sha256:%s"}' "${tag##*/}" >"$2" ;;
    --tag) tag=${2%%:*} ;;
  esac
  shift
done
[[ -z ${BROKEN-} || $BROKEN != "${tag##*/}" ]]"#;

fn builds() -> String {
    json!([
        {"service": "web", "context": "web app", "dockerfile": "Dockerfile", "image": "ghcr.io/acme/shop/shop-web"},
        {"service": "api", "context": ".", "dockerfile": "api/Dockerfile", "image": "ghcr.io/acme/shop/shop-api"},
    ])
    .to_string()
}

fn shell() -> Shell {
    let shell = Shell::new()
        .input("builds", &builds())
        .input("pr-number", "12")
        .input("commit-sha", SHA)
        .input("platforms", "linux/amd64")
        .input("cache", "gha")
        .input("push", "true")
        .input("scan", "false")
        .input("sbom", "false")
        .input("archives", "images")
        .input("registry-username", "octocat")
        .input("registry-password", "pass\"w0rd")
        .variable("ACTIONS_RUNTIME_TOKEN", "there");
    fs::create_dir_all(shell.path("work/web app")).expect("a folder");
    fs::create_dir_all(shell.path("work/api")).expect("a folder");
    fs::write(shell.path("work/web app/Dockerfile"), "").expect("a file");
    fs::write(shell.path("work/api/Dockerfile"), "").expect("a file");
    shell.program("docker", DOCKER);
    shell
}

#[test]
fn images_are_built_beside_each_other_and_given_by_digest() {
    let shell = shell();
    let ended = shell.run("build/build.sh", &["build"]).ok();
    let mut calls = shell.calls();
    assert_eq!(
        calls.remove(0),
        "docker [login] [--username] [octocat] [--password-stdin] [--] [ghcr.io]"
    );
    assert_eq!(
        fs::read_to_string(shell.path("temp/passwords")).expect("a text"),
        "pass\"w0rd\n"
    );
    // They run at once, in either order.
    calls.sort();
    let metadata = |call: &str| {
        let at = call.find(" [--metadata-file] [").expect("metadata");
        let end = call[at + 19..].find(']').expect("an end") + at + 20;
        format!("{}{}", &call[..at], &call[end..])
    };
    let calls: Vec<String> = calls.iter().map(|call| metadata(call)).collect();
    let expected = |file: &str, service: &str, context: &str| {
        format!(
            "docker [buildx] [build] [--platform] [linux/amd64] [--file] [{file}] \
             [--tag] [ghcr.io/acme/shop/shop-{service}:pr-12-{SHA}] [--label] [org.opencontainers.image.revision={SHA}] \
             [--label] [org.opencontainers.image.source=https://github.com/acme/shop] [--provenance=false] [--progress=plain] \
             [--push] [--cache-from] [type=gha,scope=k8s-ee-{service}] \
             [--cache-to] [type=gha,scope=k8s-ee-{service},mode=max,ignore-error=true] [--] [{context}]"
        )
    };
    assert_eq!(
        calls,
        [
            expected("./api/Dockerfile", "api", "."),
            expected("web app/Dockerfile", "web", "web app")
        ]
    );
    let images = "web=ghcr.io/acme/shop/shop-web@sha256:shop-web\napi=ghcr.io/acme/shop/shop-api@sha256:shop-api";
    assert_eq!(shell.output("images").as_deref(), Some(images));
    assert_eq!(shell.output("image-tag"), Some(format!("pr-12-{SHA}")));
    assert_eq!(
        shell.output("image-digest").as_deref(),
        Some("sha256:shop-web")
    );
    // What a build prints is no command to Actions.
    let stopped = ended
        .stdout
        .find("::stop-commands::")
        .expect("they are stopped");
    assert!(
        stopped < ended.stdout.find("::warning::").expect("the build's"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_build_that_fails_is_named_and_the_others_are_ended() {
    let shell = shell().variable("BROKEN", "shop-api");
    let ended = shell.run("build/build.sh", &["build"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .stdout
            .ends_with("::error title=k8s-ee::the build of api failed; its log is above\n"),
        "{}",
        ended.stdout
    );
    assert_eq!(shell.output("images"), None);
}

#[test]
fn without_the_right_to_push_there_are_archives() {
    let shell = shell().input("push", "false").input("cache", "none");
    shell.run("build/build.sh", &["build"]).ok();
    let calls = shell.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(
        calls
            .iter()
            .any(|call| call.contains("[--output] [type=oci,dest=images/web.tar]")),
        "{calls:?}"
    );
    assert!(
        calls
            .iter()
            .all(|call| !call.contains("--push") && !call.contains("cache")),
        "{calls:?}"
    );
    assert!(shell.path("work/images").is_dir());
}

#[test]
fn ecr_gives_a_role_for_the_identity_of_the_job() {
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let builds = json!([{"service": "app", "context": ".", "dockerfile": "api/Dockerfile", "image": format!("{host}/shop")}]);
    let shell = shell().input("builds", &builds.to_string()).input(
        "ecr-role-to-assume",
        "arn:aws:iam::123456789012:role/preview",
    );
    shell.program(
        "curl",
        "cat >>\"$RUNNER_TEMP/asked\"; printf '{\"value\":\"identity\"}'",
    );
    shell.program(
        "aws",
        "[[ $2 == describe-repositories ]] && exit 1\n[[ $2 == get-login-password ]] && printf 'from aws'\n\
         printf '%s %s %s\\n' \"$AWS_ROLE_ARN\" \"$AWS_REGION\" \"$(<\"$AWS_WEB_IDENTITY_TOKEN_FILE\")\" >>\"$RUNNER_TEMP/aws\"",
    );
    shell.run("build/build.sh", &["build"]).dies(
        "the job has no identity to take on the role with: give it `permissions: id-token: write`",
    );

    let shell = shell
        .variable("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.example/?a=b")
        .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request");
    shell.run("build/build.sh", &["build"]).ok();
    let calls = shell.calls();
    let has = |call: &str| {
        assert!(
            calls.iter().any(|made| made == call),
            "{call} is not in {calls:#?}"
        )
    };
    has("aws [ecr] [create-repository] [--repository-name] [shop]");
    has(&format!(
        "docker [login] [--username] [AWS] [--password-stdin] [--] [{host}]"
    ));
    // Neither token is ever an argument.
    assert!(
        calls
            .iter()
            .all(|call| !call.contains("bearer") && !call.contains("identity]")),
        "{calls:#?}"
    );
    let seen = |name: &str| fs::read_to_string(shell.path("temp").join(name)).expect("a text");
    assert_eq!(
        seen("asked"),
        "header = \"Authorization: bearer request\"\n"
    );
    assert!(seen("aws").starts_with("arn:aws:iam::123456789012:role/preview eu-west-1 identity\n"));
    assert_eq!(seen("passwords"), "from aws\n");
}

#[test]
fn what_cannot_be_built_is_refused_before_anything_runs() {
    let entry = |member: &str, value: &str| {
        let mut entry = json!({"service": "app", "context": ".", "dockerfile": "Dockerfile", "image": "ghcr.io/acme/shop"});
        entry[member] = value.into();
        json!([entry]).to_string()
    };
    for builds in [
        "[]".to_owned(),
        "{}".to_owned(),
        "nothing".to_owned(),
        entry("service", "../x"),
        entry("service", "App\n"),
        entry("context", "/etc"),
        entry("context", "a/../.."),
        entry("context", "--push"),
        entry("context", "https://evil.example/x.git"),
        entry("dockerfile", ""),
        entry("image", "ghcr.io/acme/shop --push"),
        entry("image", "-x"),
    ] {
        let shell = shell().input("builds", &builds);
        let ended = shell.run("build/build.sh", &["check"]);
        assert_eq!(ended.code, 2, "{builds}: {ended:#?}");
        assert!(
            ended
                .stdout
                .starts_with("::error title=k8s-ee::the input `builds` "),
            "{builds}: {ended:#?}"
        );
        assert_eq!(shell.calls(), [""; 0]);
    }
    let refused = |name: &str, value: &str| {
        shell()
            .input(name, value)
            .run("build/build.sh", &["check"])
            .code
    };
    assert_eq!(refused("commit-sha", "main"), 2);
    assert_eq!(refused("platforms", "linux/amd64 --push"), 2);
    assert_eq!(refused("platforms", ""), 2);
    assert_eq!(refused("ecr-role-to-assume", "x"), 2);
    assert_eq!(refused("cache", "s3"), 2);
}

#[test]
fn other_platforms_are_emulated() {
    let other = if cfg!(target_arch = "aarch64") {
        "linux/amd64"
    } else {
        "linux/arm64"
    };
    let shell = shell().input("platforms", &format!("linux/amd64,{other},linux/arm64"));
    shell.run("build/build.sh", &["check"]).ok();
    assert_eq!(shell.output("emulate").as_deref(), Some("true"));
}

#[test]
fn archives_of_a_fork_are_pushed_under_names_of_ours() {
    let shell = shell()
        .input("artifact", "k8s-ee-images")
        .input("github-token", "t0ken");
    shell.program("gh", "case $2 in list) printf '1\\n2\\n' ;; download) [[ $3 == 2 ]] && mkdir images && touch images/{web,api}.tar ;; esac");
    shell.program("skopeo", "printf 'sha256:%s' \"${6##*/}\" >\"$4\"");
    shell.run("push/push.sh", &[]).ok();
    let images = format!(
        "web=ghcr.io/acme/shop/shop-web@sha256:shop-web:pr-12-{SHA}\napi=ghcr.io/acme/shop/shop-api@sha256:shop-api:pr-12-{SHA}"
    );
    assert_eq!(shell.output("images").as_deref(), Some(images.as_str()));
    let calls = shell.calls();
    assert!(
        calls[0].starts_with(&format!(
            "gh [run] [list] [--commit] [{SHA}] [--event] [pull_request] [--status] [success]"
        )),
        "{calls:#?}"
    );
    assert_eq!(
        calls[1],
        "gh [run] [download] [1] [--name] [k8s-ee-images] [--dir] [images]"
    );

    // A link in the artifact leads nowhere.
    let shell = self::shell();
    fs::create_dir(shell.path("work/images")).expect("a folder");
    std::os::unix::fs::symlink("/etc/passwd", shell.path("work/images/web.tar")).expect("a link");
    shell.program("skopeo", "");
    shell
        .run("push/push.sh", &[])
        .dies("the image of web was not handed over");
}
