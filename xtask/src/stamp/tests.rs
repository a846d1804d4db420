//! Tried on a copy of this repository's own files.

use super::*;

fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("xtask has a parent").to_owned()
}

/// A copy of every file that is stamped.
fn copy() -> tempfile::TempDir {
    let (from, to) = (repository(), tempfile::tempdir().expect("a scratch folder"));
    let mut files: Vec<PathBuf> = places(&from)
        .expect("this repository")
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    files.push("CHANGELOG.md".into());
    let manifest: toml::Table =
        toml::from_str(&read(&from.join("Cargo.toml")).expect("there")).expect("TOML");
    let members = manifest["workspace"]["members"].as_array();
    for member in members.expect("members") {
        files.push(Path::new(member.as_str().expect("a path")).join("Cargo.toml"));
    }
    for file in files {
        let place = to.path().join(&file);
        fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        fs::copy(from.join(&file), &place).expect("copied");
    }
    to
}

#[test]
fn one_step_stamps_everything_and_a_second_nothing() {
    let copy = copy();
    let before = version_of(copy.path()).expect("a version");
    let changed = stamp(copy.path(), "9.8.7-rc.1", "2026-11-28").expect("stamped");
    for file in [
        "Cargo.toml",
        "Cargo.lock",
        "charts/redis/Chart.yaml",
        "CHANGELOG.md",
    ] {
        assert!(
            changed.contains(&PathBuf::from(file)),
            "{file}: {changed:?}"
        );
    }
    assert_eq!(version_of(copy.path()).expect("a version"), "9.8.7-rc.1");
    let wrong = places_of_another(copy.path(), "9.8.7-rc.1").expect("checked");
    assert_eq!(wrong, Vec::<String>::new());
    let again = stamp(copy.path(), "9.8.7-rc.1", "2026-11-29").expect("stamped");
    assert_eq!(again, Vec::<PathBuf>::new());

    let wrong = places_of_another(copy.path(), &before).expect("checked");
    assert!(
        wrong
            .iter()
            .any(|place| place.starts_with("charts/k8s-ee-app/Chart.yaml:")),
        "{wrong:?}"
    );
    // The version of Redis is not ours.
    let chart = read(&copy.path().join("charts/redis/Chart.yaml")).expect("there");
    assert!(chart.contains("\nversion: 9.8.7-rc.1\n"), "{chart}");
    assert!(chart.contains("\nappVersion: \"7.4\"\n"), "{chart}");
    // Nothing but the version has changed.
    for (file, kind) in places(copy.path()).expect("the same places") {
        let stamped = read(&copy.path().join(&file)).expect("there");
        let original = read(&repository().join(&file)).expect("there");
        assert_eq!(
            kind.stamp(&stamped, &before),
            original,
            "{}",
            file.display()
        );
    }
}

#[test]
fn the_lock_file_is_one_that_cargo_accepts() {
    let text = "[[package]]\nname = \"other\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"k8s-ee\"\nversion = \"0.1.0\"\n";
    let kind = Kind::Lock(BTreeSet::from(["k8s-ee".to_owned()]));
    let stamped = kind.stamp(text, "0.2.0");
    assert_eq!(
        stamped,
        text.replacen(
            "k8s-ee\"\nversion = \"0.1.0",
            "k8s-ee\"\nversion = \"0.2.0",
            1
        )
    );
}

#[test]
fn pages_name_the_version_where_they_name_us() {
    for (line, stamped) in [
        (
            "uses: koder-cat/k8s-ee/action/setup@v0.1.0",
            "uses: koder-cat/k8s-ee/action/setup@v2.0.0",
        ),
        (
            "image: ghcr.io/koder-cat/k8s-ee:0.1.0 # ours",
            "image: ghcr.io/koder-cat/k8s-ee:2.0.0 # ours",
        ),
        (
            "helm install p oci://ghcr.io/koder-cat/charts/k8s-ee-platform --version 0.1.0 \\",
            "helm install p oci://ghcr.io/koder-cat/charts/k8s-ee-platform --version 2.0.0 \\",
        ),
        (
            "uses: koder-cat/k8s-ee/action/setup@v0",
            "uses: koder-cat/k8s-ee/action/setup@v0",
        ),
        (
            "uses: actions/checkout@v0.1.0",
            "uses: actions/checkout@v0.1.0",
        ),
        ("  K8S_EE_VERSION: 0.1.0", "  K8S_EE_VERSION: 2.0.0"),
        ("since version 0.1.0", "since version 0.1.0"),
    ] {
        assert_eq!(in_words(line, "2.0.0"), stamped);
    }
}

#[test]
fn the_changelog_gets_a_section_when_there_is_something_to_say() {
    let text =
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A.\n\n## [0.1.0] - 2026-01-01\n\n- B.\n";
    let stamped = released(text, "0.2.0", "2026-11-28").expect("stamped");
    assert!(
        stamped.contains(
            "## [Unreleased]\n\n## [0.2.0] - 2026-11-28\n\n### Added\n\n- A.\n\n## [0.1.0]"
        ),
        "{stamped}"
    );
    let nothing = "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- B.\n";
    let error = released(nothing, "0.2.0", "2026-11-28").expect_err("it says nothing");
    assert!(
        error.to_string().contains("what is new in 0.2.0?"),
        "{error}"
    );
}

#[test]
fn the_actions_learn_the_digests_of_the_archives() {
    let before = "# What is installed.\nhelm v3.19.0 linux-amd64 aa https://x\nk8s-ee v0.1.0 linux-amd64 bb https://y\n";
    let digest = "0".repeat(64);
    let sums = format!(
        "{digest}  k8s-ee-v0.2.0-linux-amd64.tar.gz\n{digest} *k8s-ee-v0.2.0-darwin-arm64.tar.gz\n{digest}  k8s-ee-app-0.2.0.tgz\n"
    );
    let after = with_archives(before, "0.2.0", &sums).expect("written");
    let url = "https://github.com/koder-cat/k8s-ee/releases/download/v0.2.0";
    assert_eq!(
        after,
        format!(
            "# What is installed.\nhelm v3.19.0 linux-amd64 aa https://x\n\
             k8s-ee v0.2.0 linux-amd64 {digest} {url}/k8s-ee-v0.2.0-linux-amd64.tar.gz\n\
             k8s-ee v0.2.0 darwin-arm64 {digest} {url}/k8s-ee-v0.2.0-darwin-arm64.tar.gz\n"
        )
    );
    assert!(with_archives(before, "0.3.0", &sums).is_err());
    let cut = "00  k8s-ee-v0.2.0-linux-amd64.tar.gz";
    assert!(with_archives(before, "0.2.0", cut).is_err());
}

#[test]
fn versions_are_those_that_cargo_and_registries_take() {
    for good in ["0.1.0", "1.20.300", "1.0.0-rc.1", "1.0.0-a-b"] {
        assert!(is_version(good), "{good}");
    }
    for bad in [
        "1",
        "1.2",
        "v1.2.3",
        "1.2.3.4",
        "01.2.3",
        "1.2.3+build",
        "1.2.3-",
        "1.2.x",
        "\"7.4\"",
    ] {
        assert!(!is_version(bad), "{bad}");
    }
}
