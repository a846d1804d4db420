//! The chart `k8s-ee-platform` on the tests' cluster, and accounts that have its rights.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex, Weak},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::{
        apply, context, eventually, kubectl, kubectl_json, kubectl_with, platform_settings,
        random_id,
    },
    image::IMAGE,
};

/// Account for all projects; the chart's own default.
pub(crate) const ANYBODY: &str = "k8s-ee-deployer";

/// Account of the CronJob, and its name.
pub(crate) const SWEEP: &str = "k8s-ee-sweep";

/// Where the chart puts what has a namespace.
pub(crate) const SYSTEM: &str = "k8s-ee-system";

/// The chart on the cluster, for as long as a test needs it.
pub(crate) struct Platform {
    dir: TempDir,
    /// Account for one project, and that project.
    pub(crate) somebody: String,
    pub(crate) project: String,
}

impl Platform {
    /// Installs the chart, unless another test has; the last one removes it.
    pub(crate) fn installed() -> Arc<Self> {
        static INSTALLED: Mutex<Weak<Platform>> = Mutex::new(Weak::new());
        let mut installed = INSTALLED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(platform) = installed.upgrade() {
            return platform;
        }
        let platform = Arc::new(Self::install());
        *installed = Arc::downgrade(&platform);
        platform
    }

    fn install() -> Self {
        let platform = Self {
            dir: TempDir::new().expect("a temporary directory"),
            somebody: format!("{}-deployer", random_id()),
            project: random_id(),
        };
        let mut settings: Value =
            serde_saphyr::from_str(&platform_settings()).expect("the settings are YAML");
        // Whose workflows may have environments.
        settings["access"] = json!({"organizations": ["acme"]});
        let values = json!({
            "settings": settings,
            "deployers": [
                {"name": ANYBODY},
                {"name": platform.somebody, "projects": [platform.project]},
            ],
            // On a day that never comes: a test starts it when it needs it. Nobody answers to this token.
            "sweep": {
                "enabled": true,
                "schedule": "0 0 31 2 *",
                "image": IMAGE,
                "tokenSecret": {"name": SWEEP},
                "comment": "off",
                // In the sandbox's image there is nobody to believe, and nobody is asked.
                "env": [{"name": "SSL_CERT_FILE", "value": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"}],
            },
        });
        let file = platform.dir.path().join("values.json");
        std::fs::write(&file, values.to_string()).expect("the values are written");
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/k8s-ee-platform");
        helm(&[
            "upgrade",
            "--install",
            "k8s-ee-platform",
            &chart.display().to_string(),
            "--namespace",
            SYSTEM,
            "--create-namespace",
            // Other tests may have made the PriorityClasses already.
            "--take-ownership",
            "--force-conflicts",
            "--values",
            &file.display().to_string(),
        ]);
        apply(&json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": SWEEP, "namespace": SYSTEM}, "stringData": {"token": "ghs_of-nobody"}}));
        for account in [ANYBODY, &platform.somebody, SWEEP] {
            platform.log_in(account);
            // An API server takes a moment to notice a policy.
            let unlike = environment("kube", 1);
            eventually("the policies count", || {
                let create = ["create", "--dry-run=server", "-f", "-"];
                let asked = platform.kubectl(account, &create, &unlike);
                String::from_utf8_lossy(&asked.stderr)
                    .contains("begins with kube-")
                    .then_some(())
            });
        }
        platform
    }

    /// Writes the kubeconfig of an account.
    fn log_in(&self, account: &str) {
        let token = kubectl(&["--namespace", SYSTEM, "create", "token", account]);
        assert!(token.status.success(), "{token:?}");
        let cluster = kubectl_json(&["config", "view", "--raw", "--minify"])["clusters"].take();
        let name = &cluster[0]["name"];
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": cluster,
            "users": [{"name": account, "user": {"token": String::from_utf8_lossy(&token.stdout).trim()}}],
            "contexts": [{"name": context(), "context": {"cluster": name, "user": account}}],
            "current-context": context(),
        });
        std::fs::write(self.kubeconfig(account), kubeconfig.to_string())
            .expect("the kubeconfig is written");
    }

    pub(crate) fn kubeconfig(&self, account: &str) -> PathBuf {
        self.dir.path().join(account)
    }

    /// `kubectl` as an account.
    pub(crate) fn kubectl(&self, account: &str, args: &[&str], input: &Value) -> Output {
        let kubeconfig = self.kubeconfig(account).display().to_string();
        let args = [&["--kubeconfig", &kubeconfig], args].concat();
        kubectl_with(&args, &input.to_string())
    }

    /// What an account does must be refused, for this reason.
    #[track_caller]
    pub(crate) fn refused(&self, account: &str, args: &[&str], input: &Value, why: &str) {
        let output = self.kubectl(account, args, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(why),
            "{account}: kubectl {args:?} {input} should be refused with `{why}`: {said}{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    #[track_caller]
    pub(crate) fn allowed(&self, account: &str, args: &[&str], input: &Value) {
        let output = self.kubectl(account, args, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{account}: kubectl {args:?}: {said}"
        );
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let removed = helm_output(&["uninstall", "k8s-ee-platform", "--namespace", SYSTEM]);
        if !removed.status.success() {
            eprintln!("helm: {}", String::from_utf8_lossy(&removed.stderr));
        }
    }
}

#[track_caller]
fn helm(args: &[&str]) {
    let output = helm_output(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {args:?}: {said}");
}

fn helm_output(args: &[&str]) -> Output {
    Command::new("helm")
        .args(args)
        .args(["--kube-context", &context()])
        .output()
        .expect("helm starts")
}

/// The namespace of an environment, as k8s-ee makes it.
pub(crate) fn environment(project: &str, number: u32) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": format!("{project}-pr-{number}"),
            "labels": {
                "k8s-ee/type": "ephemeral",
                "app.kubernetes.io/managed-by": "github-actions",
                "k8s-ee/project-id": project,
                "k8s-ee/pr-number": number.to_string(),
                "pod-security.kubernetes.io/enforce": "restricted",
            },
        },
    })
}
