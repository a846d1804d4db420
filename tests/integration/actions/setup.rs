//! `setup`: what is downloaded is what was pinned.

use std::{fs, process::Command};

use super::shell::{Shell, executable};
use crate::common::read;

fn shell() -> Shell {
    let shell = Shell::new()
        .input("source", "false")
        .input("helm", "pinned")
        .input("artifact", "")
        .input("binary", "");
    let versions = shell.path("versions").display().to_string();
    shell.variable("K8S_EE_VERSIONS", &versions)
}

/// An archive with a program, and its digest. The program `curl` gives it.
fn archive(shell: &Shell, program: &str) -> String {
    let folder = shell.path("archive");
    fs::create_dir_all(folder.join("linux")).expect("a folder");
    executable(
        &folder.join("linux").join(program),
        "#!/bin/sh\necho \"$0 0.1.0 $*\"\n",
    );
    let file = shell.path(&format!("{program}.tar.gz"));
    let packed = Command::new("tar")
        .arg("-czf")
        .arg(&file)
        .arg("-C")
        .arg(&folder)
        .arg(".")
        .status();
    assert!(packed.expect("tar starts").success());
    let output = Command::new("sha256sum")
        .arg(&file)
        .output()
        .expect("sha256sum starts");
    fs::remove_dir_all(folder).expect("it goes");
    String::from_utf8_lossy(&output.stdout)[..64].to_owned()
}

fn pin(shell: &Shell, k8s_ee: &str, helm: &str) {
    let mut text = String::from("# a comment\n");
    for platform in ["linux-amd64", "linux-arm64"] {
        for (program, digest) in [("k8s-ee", k8s_ee), ("helm", helm)] {
            text += &format!(
                "{program} v0.1.0 {platform} {digest} https://example.org/{program}.tar.gz\n"
            );
        }
    }
    fs::write(shell.path("versions"), text).expect("it is written");
    let folder = shell.path("").display().to_string();
    // Where it is to go comes before the last two, which are `--` and the address.
    shell.program("curl", &format!("for a; do [[ ${{p-}} == --output ]] && to=$a; p=$a; done; cp -- '{folder}'\"${{p##*/}}\" \"$to\""));
}

#[test]
fn programs_are_compared_with_their_digest_and_kept() {
    let shell = shell();
    let digests = (archive(&shell, "k8s-ee"), archive(&shell, "helm"));
    pin(&shell, &digests.0, &digests.1);
    let ended = shell.run("setup/setup.sh", &[]).ok();
    assert!(
        ended.stdout.contains("attestation not checked"),
        "{}",
        ended.stdout
    );
    let binary = shell.output("binary").expect("its path");
    assert!(
        binary.starts_with(&shell.path("tools").display().to_string()),
        "{binary}"
    );
    let path = fs::read_to_string(shell.path("path")).expect("a text");
    assert_eq!(path.lines().count(), 2, "{path}");
    assert_eq!(shell.calls().len(), 2);

    // The second job of the runner downloads nothing.
    shell.run("setup/setup.sh", &[]).ok();
    assert_eq!(shell.calls().len(), 2);
}

#[test]
fn another_digest_is_refused() {
    let shell = shell();
    archive(&shell, "k8s-ee");
    pin(&shell, &"0".repeat(64), &"0".repeat(64));
    let ended = shell.run("setup/setup.sh", &[]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(
        ended.stdout.contains("and should have 0000"),
        "{}",
        ended.stdout
    );
    assert!(!shell.path("tools/k8s-ee").exists());
}

#[test]
fn whoever_built_it_is_asked_for_where_that_can_be() {
    let shell = shell().input("github-token", "t0ken");
    let digests = (archive(&shell, "k8s-ee"), archive(&shell, "helm"));
    pin(&shell, &digests.0, &digests.1);
    shell.program(
        "gh",
        "[[ $2 == --help ]] || { printf '%s' \"$GH_TOKEN\" >>seen; exit 1; }",
    );
    let ended = shell.run("setup/setup.sh", &[]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("was not built by the release workflow"),
        "{}",
        ended.stdout
    );
    assert_eq!(
        fs::read_to_string(shell.path("work/seen")).expect("a text"),
        "t0ken"
    );
    assert!(!shell.path("tools/k8s-ee").exists());
}

#[test]
fn a_binary_of_ones_own_and_what_is_there_already() {
    let shell = shell().input("helm", "path").input("binary", "mine");
    executable(&shell.path("work/mine"), "#!/bin/sh\necho k8s-ee 9.9.9\n");
    shell.program("helm", "");
    shell.run("setup/setup.sh", &[]).ok();
    assert_eq!(shell.output("version").as_deref(), Some("9.9.9"));

    // What the other actions run: with a k8s-ee in PATH there is nothing to do.
    let shell = Shell::new();
    shell.program("k8s-ee", "");
    shell.run("setup/setup.sh", &["ensure"]).ok();
    assert_eq!(shell.calls(), [""; 0]);
    // And without one in a version that was never released, it says what can be done.
    let unreleased = self::shell();
    fs::write(unreleased.path("versions"), "").expect("it is written");
    unreleased.run("setup/setup.sh", &["ensure"]).dies(
        "these actions are of no released version: use a release such as `@v0`, or give `binary` or `source`",
    );
}

#[test]
fn inputs_that_exclude_each_other() {
    let both = shell().input("binary", "mine").input("source", "true");
    both.run("setup/setup.sh", &[])
        .dies("the inputs `binary`, `artifact` and `source` exclude each other");
    let missing = shell().input("binary", "nowhere");
    missing
        .run("setup/setup.sh", &[])
        .dies("the input `binary` is `nowhere`, which is not a program");
    let unknown = shell().input("source", "maybe");
    unknown
        .run("setup/setup.sh", &[])
        .dies("the input `source` is `maybe`; allowed: `true`, `false`");
}

#[test]
fn the_pinned_programs_have_digests_and_addresses() {
    let text = read("action/setup/versions");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, version, platform, digest, url] = words[..] else {
            panic!("{line}");
        };
        assert!(version.starts_with('v') && platform.contains('-'), "{line}");
        assert!(
            digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()),
            "{line}"
        );
        assert!(
            url.starts_with("https://") && url.contains(version),
            "{line}"
        );
        count += 1;
    }
    assert!(count >= 4, "{count}");
}
