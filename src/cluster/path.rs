//! Where the API server keeps objects: paths from kind and name, without asking it for its list of kinds.

use crate::model::object::ObjectId;

/// All objects of a kind, in one namespace or in all.
#[derive(Clone, Copy, Debug)]
pub struct Collection<'a> {
    /// Group and version, such as `apps/v1`.
    pub api_version: &'a str,
    /// Kind, such as `Deployment`.
    pub kind: &'a str,
    /// Namespace; all when absent.
    pub namespace: Option<&'a str>,
}

impl Collection<'_> {
    pub(super) fn path(&self) -> String {
        collection(self.api_version, self.kind, self.namespace)
    }
}

pub(super) fn of(id: &ObjectId) -> String {
    format!("{}/{}", collection_of(id), encode(&id.name))
}

pub(super) fn collection_of(id: &ObjectId) -> String {
    collection(&id.api_version, &id.kind, id.namespace.as_deref())
}

fn collection(api_version: &str, kind: &str, namespace: Option<&str>) -> String {
    let namespace =
        namespace.map_or_else(String::new, |name| format!("/namespaces/{}", encode(name)));
    format!("{}{namespace}/{}", group(api_version), plural(kind))
}

/// What the API server has of a version of a group.
pub(super) fn group(api_version: &str) -> String {
    let root = if api_version.contains('/') {
        "/apis"
    } else {
        "/api"
    };
    format!("{root}/{api_version}")
}

/// The plural that names a kind in paths, by the rule that Kubernetes and its code generators follow.
pub(super) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    // Its authors chose no plural.
    if lower == "mongodbcommunity" || lower == "endpoints" {
        return lower;
    }
    if let Some(stem) = lower.strip_suffix('y') {
        return format!("{stem}ies");
    }
    if ["s", "x", "ch", "sh"]
        .iter()
        .any(|end| lower.ends_with(end))
    {
        return format!("{lower}es");
    }
    format!("{lower}s")
}

/// Percent-encodes what may not stand in a path or a query.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_api() {
        let id = |api_version: &str, kind: &str, namespace: Option<&str>| ObjectId {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: "x".to_owned(),
        };
        assert_eq!(of(&id("v1", "Namespace", None)), "/api/v1/namespaces/x");
        assert_eq!(
            of(&id("networking.k8s.io/v1", "NetworkPolicy", Some("a"))),
            "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies/x"
        );
        assert_eq!(
            of(&id("networking.k8s.io/v1", "Ingress", Some("a"))),
            "/apis/networking.k8s.io/v1/namespaces/a/ingresses/x"
        );
        assert_eq!(plural("PriorityClass"), "priorityclasses");
        assert_eq!(plural("ResourceQuota"), "resourcequotas");
        assert_eq!(plural("MongoDBCommunity"), "mongodbcommunity");
        assert_eq!(encode("a=b,c in (d)"), "a%3Db%2Cc%20in%20%28d%29");
    }
}
