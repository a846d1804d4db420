//! Runs the real binary in a scrubbed environment, asserts how it ends, and makes what it prints the same everywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use tempfile::TempDir;

/// Root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Every Markdown page of the repository that people read on its site, in a fixed order.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(PathBuf::from)
        .into();
    for folder in ["action", "docs", "examples", "sandbox", "workflows"] {
        collect(Path::new(folder), "md", &mut pages);
    }
    pages.sort();
    pages
}

/// Adds the files below a folder of the repository that end so.
pub(crate) fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("an entry of a folder of the repository can be read");
        let path = folder.join(entry.file_name());
        let kind = entry
            .file_type()
            .expect("an entry of a folder of the repository has a type");
        if kind.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|end| end == extension) {
            files.push(path);
        }
    }
}

/// Compares a generated file with the committed one; with `UPDATE_GENERATED=1` it is written instead.
pub(crate) fn check_generated(path: &str, text: &str) {
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        fs::write(root().join(path), text)
            .unwrap_or_else(|error| panic!("cannot write {path}: {error}"));
        return;
    }
    assert!(
        read(path) == text,
        "{path} is out of date: run `UPDATE_GENERATED=1 cargo test --test integration` and commit the file"
    );
}

/// One run of `k8s-ee` in a directory of its own, with nothing of the environment but `PATH` and a `HOME`.
pub(crate) struct Run {
    dir: Arc<TempDir>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    names: Vec<(String, String)>,
}

/// `k8s-ee` with these arguments.
pub(crate) fn k8s_ee(args: &[&str]) -> Run {
    Run {
        dir: Arc::new(TempDir::new().expect("a temporary directory can be made")),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        env: Vec::new(),
        names: Vec::new(),
    }
}

impl Run {
    /// Puts a file into the directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        let folder = path.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("the temporary directory can be written to");
        fs::write(path, text).expect("the temporary directory can be written to");
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Shows `name` wherever `text` is printed.
    pub(crate) fn replace(mut self, text: &str, name: &str) -> Self {
        self.names.push((text.to_owned(), name.to_owned()));
        self
    }

    /// Puts a symbolic link into the directory.
    #[cfg(unix)]
    pub(crate) fn link(self, name: &str, to: &str) -> Self {
        std::os::unix::fs::symlink(to, self.dir.path().join(name))
            .expect("the temporary directory can be written to");
        self
    }

    /// The same directory, with other arguments.
    pub(crate) fn with_args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|&arg| arg.to_owned()).collect();
        self
    }

    /// A file of the directory.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).expect("the file is there")
    }

    /// Whether there is something of this name in the directory.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.dir.path().join(name).exists()
    }

    /// Runs it, checks its exit code, and returns what it printed.
    pub(crate) fn exits(self, code: i32) -> Printed {
        self.exits_keeping(code).0
    }

    /// The same, and the directory for a look at what is there then.
    pub(crate) fn exits_keeping(self, code: i32) -> (Printed, Self) {
        let output = Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
            .args(&self.args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .output()
            .expect("the binary that cargo has built can be started");
        let printed = Printed {
            stdout: self.same_everywhere(output.stdout),
            stderr: self.same_everywhere(output.stderr),
            dir: Arc::clone(&self.dir),
        };
        assert_eq!(
            output.status.code(),
            Some(code),
            "k8s-ee {}\n{}",
            self.args.join(" "),
            printed.both()
        );
        (printed, self)
    }

    fn same_everywhere(&self, bytes: Vec<u8>) -> String {
        let mut text = String::from_utf8(bytes).expect("k8s-ee prints UTF-8");
        for (text_there, name) in &self.names {
            text = text.replace(text_there, name);
        }
        text.replace(&self.dir.path().display().to_string(), "[DIR]")
    }
}

/// What a run printed.
#[derive(Debug)]
pub(crate) struct Printed {
    /// Data.
    pub(crate) stdout: String,
    /// Words for people.
    pub(crate) stderr: String,
    /// Where it ran.
    pub(crate) dir: Arc<TempDir>,
}

impl Printed {
    /// Both streams, for a snapshot or a message.
    pub(crate) fn both(&self) -> String {
        format!("--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }

    /// A file of the directory, as the run left it.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}:\n{}", self.both()))
    }

    /// The data, which is JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}", self.both()))
    }
}
