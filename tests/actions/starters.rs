//! The starters for other CI, GitLab and Jenkins: their lines, out of the committed files, in a shell with the variables that
//! these set. What starts them, and the image that they run in, is not here: `README.md`.

mod gitlab;
mod jenkins;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::harness::{DOMAIN, eventually, http, kubectl, random_id};

/// Number of the pull request, which is not that of others on the cluster: where there is no file, all of them are looked at.
const PR: &str = "41";

/// A commit, for a version of the image.
fn commit(version: u32) -> String {
    format!("{version:040}")
}

/// A project on a machine of another CI.
struct Machine {
    /// `projectId`.
    id: String,
    folder: TempDir,
}

/// What a job says, and what is around it.
struct Job {
    /// Its lines, which are run by one shell.
    script: String,
    /// Its variables, beside those of the machine.
    variables: BTreeMap<String, String>,
}

impl Machine {
    /// One with k8s-ee and helm, and with stand-ins for what builds images: what they "push" is a copy of the image that the
    /// file `image` names, under the name that they were told.
    fn new() -> Self {
        let machine = Self {
            id: random_id(),
            folder: TempDir::new().expect("a temporary directory"),
        };
        for folder in ["bin", "home", "checkout", "empty"] {
            fs::create_dir(machine.path(folder)).expect("a folder");
        }
        fs::write(machine.path("kubeconfig"), crate::shop::kubeconfig()).expect("it is written");
        let ours = env!("CARGO_BIN_EXE_k8s-ee");
        std::os::unix::fs::symlink(ours, machine.path("bin/k8s-ee")).expect("a link");
        // The last argument names the image, in the words of the one or the other.
        let push = format!(
            "#!/bin/sh\nset -e\nfor last; do :; done\n\
             case $1 in push | build) ;; *) echo \"$0 $*: not known here\" >&2; exit 1 ;; esac\n\
             case $0 in */docker) [ \"$1\" = push ] || exit 0 ;; esac\n\
             name=${{last#*name=}}; name=${{name%%,*}}; name=${{name#*/}}\n\
             from=$(cat image); from=${{from#*/}}\n\
             registry=http://{registry}/v2\n\
             type=application/vnd.oci.image.manifest.v1+json\n\
             curl -sSf -H \"Accept: $type\" -o \"$HOME/manifest\" \"$registry/${{from%:*}}/manifests/${{from#*:}}\"\n\
             curl -sSf -X PUT -H \"Content-Type: $type\" --data-binary @\"$HOME/manifest\" \"$registry/${{name%:*}}/manifests/${{name#*:}}\"\n",
            registry =
                std::env::var("K8S_EE_E2E_REGISTRY").expect("`cargo xtask test actions` sets it"),
        );
        for name in ["docker", "buildctl-daemonless.sh"] {
            machine.program(name, &push);
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text).expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode is set");
    }

    /// A commit of the project, which is built as this version of the image.
    fn checks_out(&self, version: u32) {
        let checkout = self.path("checkout");
        let file = format!("projectId: {}\napp: {{port: 8080}}\n", self.id);
        fs::write(checkout.join("k8s-ee.yaml"), file).expect("it is written");
        fs::write(
            checkout.join("image"),
            format!("registry.test/hello:{version}"),
        )
        .expect("it is written");
    }

    /// Starts a job in a folder.
    fn start(&self, job: &Job, folder: &str) -> Child {
        let path = std::env::var("PATH").expect("a PATH");
        Command::new("sh")
            .args(["-e", "-c", &job.script])
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("K8S_EE_PLAIN_HTTP", "1")
            .env("KUBECONFIG", self.path("kubeconfig"))
            .envs(&job.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sh starts")
    }

    /// Runs jobs of one stage, all at once as both do, to their end.
    #[track_caller]
    fn run(&self, jobs: &[Job], folder: &str) {
        let running: Vec<Child> = jobs.iter().map(|job| self.start(job, folder)).collect();
        for (job, child) in jobs.iter().zip(running) {
            let output = child.wait_with_output().expect("it ends");
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            assert!(
                output.status.success(),
                "{}\n--- {}\n{}{}",
                job.script,
                output.status,
                text(&output.stdout),
                text(&output.stderr)
            );
        }
    }

    fn namespace(&self) -> String {
        format!("{}-pr-{PR}", self.id)
    }

    fn host(&self) -> String {
        format!("{}.{DOMAIN}", self.namespace())
    }

    /// The page is that of this version of the image.
    #[track_caller]
    fn shows_version(&self, version: u32) {
        let row = format!("<th>Version</th><td><code>{version}</code>");
        eventually(&format!("version {version} on the page"), || {
            let page = http(&self.host(), "/").ok()?;
            (page.0 == 200 && page.1.contains(&row)).then_some(())
        });
    }

    fn is_there(&self) -> bool {
        kubectl(&["get", "namespace", &self.namespace()])
            .status
            .success()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(kubectl(&[
            "delete",
            "namespace",
            &self.namespace(),
            "--ignore-not-found",
            "--wait=false",
        ]));
    }
}

/// A starter.
fn starter(name: &str) -> String {
    let path = Path::new("workflows").join(name);
    fs::read_to_string(crate::harness::root().join(path)).expect("a starter of ours")
}
