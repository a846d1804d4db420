//! Every console block of the pages, and the cases in `tests/cmd`, run as they stand and print what they show.
//!
//! What is shown is brought up to date with `TRYCMD=overwrite cargo test --test integration console`.

use std::process::Command;

use crate::common::root;

/// Marks the copy of this test that runs in the scrubbed environment.
const SCRUBBED: &str = "K8S_EE_TEST_SCRUBBED";

#[test]
fn console_blocks_show_what_is_printed() {
    if std::env::var_os(SCRUBBED).is_some() {
        let home = std::env::var("HOME").expect("it is set below");
        trycmd::TestCases::new()
            .insert_var("[HOME]", home)
            .expect("the name is in brackets")
            .register_bin("k8s-ee", std::path::Path::new(env!("CARGO_BIN_EXE_k8s-ee")))
            .case("README.md")
            .case("docs/**/*.md")
            .case("examples/**/*.md")
            .case("tests/cmd/*.trycmd");
        return;
    }
    // trycmd hands its own environment on to the blocks of a page, so it gets one with nothing in it: no cluster, no
    // GitHub, no colours.
    let home = tempfile::TempDir::new().expect("a temporary directory can be made");
    let test = std::env::current_exe().expect("a running test knows its own path");
    let mut scrubbed = Command::new(test);
    scrubbed
        .args([
            "--exact",
            "console::console_blocks_show_what_is_printed",
            "--nocapture",
        ])
        .current_dir(root())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env(SCRUBBED, "1");
    if let Some(mode) = std::env::var_os("TRYCMD") {
        scrubbed.env("TRYCMD", mode);
    }
    let ran = scrubbed
        .output()
        .expect("a running test can be started again");
    let text = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{text}");
    // A name that matches no test would be a success too.
    assert!(text.contains("1 passed"), "{text}");
}
