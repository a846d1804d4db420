//! The labels and annotations that an environment is known by: every part that writes or reads one takes its key from
//! here.

/// Label of the component an object belongs to.
pub use super::object::COMPONENT_LABEL as COMPONENT;

/// Label: who looks after the object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY`] on the namespaces of environments; the label by which clean-up knows that it may delete one.
pub const MANAGED_BY_NAMESPACE: &str = "github-actions";
/// Value of [`MANAGED_BY`] on the objects in them.
pub const MANAGED_BY_OBJECT: &str = "k8s-ee";

/// Label: what a namespace or a guardrail is.
pub const TYPE: &str = "k8s-ee/type";
/// Value of [`TYPE`] on the namespaces of environments.
pub const TYPE_ENVIRONMENT: &str = "ephemeral";
/// Value of [`TYPE`] on the network policies of an environment.
pub const TYPE_NETWORK_POLICY: &str = "network-policy";

/// Value of [`TYPE`] on the Job of a seed and on what it reads.
pub const TYPE_SEED: &str = "seed";
/// Annotation of the Job of a seed: what tells it from another version of it.
pub const SEED_DIGEST: &str = "k8s-ee/seed-digest";
/// Annotation of the Job of a seed: the databases that it was for, joined by commas.
pub const SEED_DATABASES: &str = "k8s-ee/seed-databases";

/// Label: `projectId` of the file.
pub const PROJECT_ID: &str = "k8s-ee/project-id";
/// Label: number of the pull request; only on its environment.
pub const PR_NUMBER: &str = "k8s-ee/pr-number";
/// Label: name of an environment that belongs to no pull request.
pub const NAME: &str = "k8s-ee/name";
/// Label: branch, made fit for a label by [`branch`].
pub const BRANCH: &str = "k8s-ee/branch";
/// Label: commit.
pub const COMMIT_SHA: &str = "k8s-ee/commit-sha";
/// Label: `fork` on an environment that is not trusted; absent on all others.
pub const PROFILE: &str = "k8s-ee/profile";
/// Annotation: where in its life the environment is, one of the `STATE_` values.
pub const STATE: &str = "k8s-ee/state";
/// Value of [`STATE`]: an `up` is at work, or was when it was ended.
pub const STATE_STARTING: &str = "starting";
/// Value of [`STATE`]: everything is up.
pub const STATE_RUNNING: &str = "running";
/// Value of [`STATE`]: the last `up` failed.
pub const STATE_FAILED: &str = "failed";
/// Value of [`STATE`]: a `prepare` is at work, or was when it was ended.
pub const STATE_PREPARING: &str = "preparing";
/// Value of [`STATE`]: the databases are up, the services are not there yet.
pub const STATE_PREPARED: &str = "prepared";
/// Shown for an environment whose namespace is being deleted.
pub const STATE_DESTROYING: &str = "destroying";
/// Label: `true` while the environment is kept from being cleaned up.
pub const PRESERVE: &str = "preserve";

/// Annotation: when the environment was made, RFC 3339 in UTC.
pub const CREATED_AT: &str = "k8s-ee/created-at";
/// Annotation: when it was last deployed, RFC 3339 in UTC.
pub const LAST_UPDATED: &str = "k8s-ee/last-updated";
/// Annotation: what made it.
pub const CREATED_BY: &str = "k8s-ee/created-by";
/// Value of [`CREATED_BY`].
pub const CREATED_BY_WORKFLOW: &str = "pr-environment-workflow";
/// Annotation: `owner/repo` that owns the environment.
pub const REPOSITORY: &str = "k8s-ee/repository";
/// Annotation: until when it is preserved, RFC 3339 in UTC.
pub const PRESERVE_UNTIL: &str = "k8s-ee/preserve-until";
/// Annotation: who asked for that.
pub const PRESERVED_BY: &str = "k8s-ee/preserved-by";
/// Annotation: `true` once the end of the preservation has been announced.
pub const PRESERVE_WARNING_SENT: &str = "k8s-ee/preserve-warning-sent";

/// Annotation: how long the environment may stay after it was last changed, such as `72h`.
pub const TTL: &str = "k8s-ee/ttl";

/// Annotation of a Secret: when its values last changed after pods had read them, RFC 3339 in UTC.
pub const CHANGED_AT: &str = "k8s-ee/changed-at";
/// Annotation of pods: the newest [`CHANGED_AT`] of the Secrets that they read.
pub const CREDENTIALS: &str = "k8s-ee/credentials";

/// Most characters of a label's value.
const MAX_VALUE: usize = 63;

/// Makes a branch fit for a label: other characters than letters, digits, `.`, `_` and `-` become `-`, several `-` one;
/// it starts and ends with a letter or digit and has at most 63 characters; `unknown` when nothing is left.
#[must_use]
pub fn branch(name: &str) -> String {
    let mut value = String::new();
    for c in name.chars() {
        let c = if is_inner(c) { c } else { '-' };
        if !(c == '-' && value.ends_with('-')) {
            value.push(c);
        }
    }
    let value = value.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let value = &value[..value.len().min(MAX_VALUE)];
    let value = value.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    if value.is_empty() {
        "unknown".to_owned()
    } else {
        value.to_owned()
    }
}

/// Whether Kubernetes takes the value as that of a label.
#[must_use]
pub fn is_label_value(value: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= MAX_VALUE
        && value.chars().all(is_inner)
        && ends(value.chars().next())
        && ends(value.chars().next_back())
}

fn is_inner(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn branches_become_label_values() {
        for (given, label) in [
            ("main", "main"),
            ("feature/ABC-12_x.y", "feature-ABC-12_x.y"),
            ("a//b--c", "a-b-c"),
            ("/-_.x-", "x"),
            ("über", "ber"),
            ("###", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(branch(given), label, "{given}");
        }
        assert_eq!(branch(&format!("{}-b", "a".repeat(62))), "a".repeat(62));
    }

    proptest! {
        #[test]
        fn any_branch_becomes_a_label_value(name in any::<String>()) {
            let value = branch(&name);
            prop_assert!(is_label_value(&value) && !value.is_empty(), "{value}");
            prop_assert_eq!(branch(&value), value);
        }
    }
}
