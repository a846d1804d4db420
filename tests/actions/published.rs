//! Our repository, and those of the actions of others, as a simulated runner or a forge gets them; `README.md` says what is not
//! as it is on GitHub.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tempfile::TempDir;

use crate::harness::root;

/// How callers name us.
const OURS: &str = "koder-cat/k8s-ee";

/// The reference under which everything is to be had.
pub(crate) const REF: &str = "v0";

/// A repository: what it is called, and its files.
pub(crate) struct Published {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
}

/// All repositories, made once for this run of the tests.
pub(crate) fn published() -> &'static [Published] {
    static PUBLISHED: OnceLock<(TempDir, Vec<Published>)> = OnceLock::new();
    let (_, published) = PUBLISHED.get_or_init(|| {
        let folder = TempDir::new().expect("a temporary directory");
        let published = publish(folder.path());
        (folder, published)
    });
    published
}

fn publish(folder: &Path) -> Vec<Published> {
    let stand_ins = root().join("tests/actions/standins");
    let mut published = Vec::new();
    let mut add = |name: &'static str| {
        let folder = folder.join(name);
        published.push(Published {
            name,
            folder: folder.clone(),
        });
        folder
    };
    let ours = add(OURS);
    for part in ["action", ".github/workflows"] {
        copy(&root().join(part), &ours.join(part));
    }
    for action in ["build", "push"] {
        put(
            &stand_ins.join(format!("{action}.yml")),
            &ours.join(format!("action/{action}/action.yml")),
        );
    }
    put(
        &stand_ins.join("checkout.yml"),
        &add("actions/checkout").join("action.yml"),
    );
    for name in ["actions/upload-artifact", "actions/download-artifact"] {
        put(
            &stand_ins.join("artifact.yml"),
            &add(name).join("action.yml"),
        );
    }
    published
}

fn put(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("it is in a folder")).expect("a folder");
    fs::copy(from, to).expect("a copy");
}

/// Copies a folder, with the modes of its files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder of ours") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = fs::read_to_string(&path).expect("a text");
            let lines = text.lines().map(|line| by_name(line) + "\n");
            fs::write(target, lines.collect::<String>()).expect("it is written");
        } else {
            fs::copy(&path, target).expect("a copy");
        }
    }
}

/// A line of a workflow. Only GitHub knows `$/`, the repository that a workflow itself is in, and only there an action has the
/// commit that we name.
fn by_name(line: &str) -> String {
    let Some((before, used)) = line.split_once("uses: ") else {
        return line.to_owned();
    };
    if !before.trim_start_matches([' ', '-']).is_empty() {
        return line.to_owned();
    }
    if let Some(path) = used.strip_prefix("$/") {
        return format!("{before}uses: {OURS}/{path}@{REF}");
    }
    match used.split_once('@') {
        Some((name, _)) => format!("{before}uses: {name}@{REF}"),
        None => line.to_owned(),
    }
}
