//! Volumes over the life of an environment: which ones nobody uses any more, which ones grow, and what cannot be done to
//! one that has data in it.
//!
//! A StatefulSet makes its claims from templates and never touches them again, so the claims themselves are what the
//! file is compared with.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{Action, Change, Live};
use crate::{
    model::{
        object::{COMPONENT_LABEL, Object, ObjectId},
        operator::Operator,
    },
    quantity::Quantity,
};

/// A volume claim that does not simply go on being used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeChange {
    /// Name of the claim.
    #[serde(serialize_with = "name")]
    pub claim: ObjectId,
    /// Component that it is, or was, of.
    pub component: String,
    /// Its size now.
    #[serde(serialize_with = "size")]
    pub size: Quantity,
    /// What becomes of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What becomes of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Fate {
    /// Nobody uses it; it stays.
    Keep,
    /// Nobody uses it; it is removed with its data.
    Remove,
    /// It grows.
    Grow {
        /// To this size.
        #[serde(serialize_with = "size")]
        to: Quantity,
    },
}

/// What the file asks of a volume that has data in it already, and that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageProblem {
    /// Name of the claim.
    pub claim: String,
    /// Component that it is of.
    pub component: String,
    /// What cannot be done.
    pub kind: StorageProblemKind,
}

/// What cannot be done to a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageProblemKind {
    /// It would have to shrink.
    Smaller {
        /// Size now.
        from: Quantity,
        /// Size that the file asks for.
        to: Quantity,
    },
    /// It would have to move to another storage class.
    OtherClass {
        /// Class now.
        from: String,
        /// Class that the file asks for.
        to: String,
    },
    /// It would have to grow, and its storage class does not let volumes grow.
    CannotGrow {
        /// Size now.
        from: Quantity,
        /// Size that the file asks for.
        to: Quantity,
        /// Its class; none for a volume that was made by hand.
        class: Option<String>,
    },
}

/// The claims that are there, compared with those that are to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    /// Those that nobody uses any more, and those that grow.
    pub(crate) changes: Vec<VolumeChange>,
    /// What cannot be done.
    pub(crate) problems: Vec<StorageProblem>,
}

/// The template that a claim is made from.
struct Template<'a> {
    component: &'a str,
    size: Quantity,
    class: Option<&'a str>,
}

/// Compares the claims that are there with the objects that are to be. Only claims of components are looked at: others
/// are none of ours, and so are those of a component that an operator runs.
pub(crate) fn compare(objects: &[Object], live: &Live) -> Comparison {
    let by_operators: BTreeSet<&str> = objects
        .iter()
        .filter(|object| Operator::of(object).is_some())
        .filter_map(Object::component)
        .collect();
    let mut found = Comparison::default();
    for claim in live.values().filter(|object| is_claim(object)) {
        let leaving = claim.str("/metadata/deletionTimestamp").is_some();
        let Some(component) = claim.component().filter(|_| !leaving) else {
            continue;
        };
        match template_of(claim, objects) {
            Some(template) => judge(claim, &template, &mut found),
            None if by_operators.contains(component) || is_wanted(claim, objects) => {}
            None => found.changes.push(VolumeChange {
                claim: claim.id(),
                component: component.to_owned(),
                size: size_of(claim, ""),
                fate: Fate::Keep,
            }),
        }
    }
    found
}

fn judge(claim: &Object, template: &Template<'_>, found: &mut Comparison) {
    let problem = |kind| StorageProblem {
        claim: claim.name().to_owned(),
        component: template.component.to_owned(),
        kind,
    };
    let (from, to) = (size_of(claim, ""), template.size);
    let class = claim.str("/spec/storageClassName");
    if let (Some(from), Some(to)) = (class, template.class)
        && from != to
    {
        let (from, to) = (from.to_owned(), to.to_owned());
        found
            .problems
            .push(problem(StorageProblemKind::OtherClass { from, to }));
    } else if to < from {
        found
            .problems
            .push(problem(StorageProblemKind::Smaller { from, to }));
    } else if to > from {
        found.changes.push(VolumeChange {
            claim: claim.id(),
            component: template.component.to_owned(),
            size: from,
            fate: Fate::Grow { to },
        });
    }
}

impl Comparison {
    /// The storage classes of the claims that are to grow.
    pub(crate) fn classes(&self, live: &Live) -> BTreeSet<String> {
        let growing = self.changes.iter().filter(|change| change.grows());
        growing
            .filter_map(|change| class_of(live.get(&change.claim)?))
            .collect()
    }

    /// Turns growth that a storage class does not allow into problems.
    pub(crate) fn refuse_growth(&mut self, live: &Live, may_grow: impl Fn(&str) -> bool) {
        let mut refused = Vec::new();
        self.changes.retain(|change| {
            let Fate::Grow { to } = change.fate else {
                return true;
            };
            let class = live.get(&change.claim).and_then(class_of);
            if class.as_deref().is_some_and(&may_grow) {
                return true;
            }
            refused.push(StorageProblem {
                claim: change.claim.name.clone(),
                component: change.component.clone(),
                kind: StorageProblemKind::CannotGrow {
                    from: change.size,
                    to,
                    class,
                },
            });
            false
        });
        self.problems.extend(refused);
    }
}

/// Makes the templates of objects say what the claims that are there have, where a claim cannot become what they say:
/// for going back to a version from before a volume grew.
pub(crate) fn follow_claims(objects: &mut [Object], live: &Live) {
    for claim in live.values().filter(|object| is_claim(object)) {
        let (size, class) = (size_of(claim, ""), class_of(claim));
        for set in objects
            .iter_mut()
            .filter(|o| o.kind() == "StatefulSet" && o.component() == claim.component())
        {
            let Some(index) = template_index(claim, set) else {
                continue;
            };
            let spec = &mut set.as_map_mut()["spec"]["volumeClaimTemplates"][index]["spec"];
            let wanted = spec["resources"]["requests"]["storage"].as_str();
            if wanted.and_then(|text| text.parse().ok()) < Some(size) {
                spec["resources"]["requests"]["storage"] = size.as_bytes().into();
            }
            if let (Some(class), true) = (&class, spec.get("storageClassName").is_some()) {
                spec["storageClassName"] = class.as_str().into();
            }
        }
    }
}

impl VolumeChange {
    /// Whether it grows.
    #[must_use]
    pub fn grows(&self) -> bool {
        matches!(self.fate, Fate::Grow { .. })
    }

    /// The claim with its new size and nothing else, as it is applied; none unless it grows.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        let Fate::Grow { to } = self.fate else {
            return None;
        };
        let claim = serde_json::json!({
            "apiVersion": self.claim.api_version,
            "kind": self.claim.kind,
            "metadata": {"name": self.claim.name, "namespace": self.claim.namespace},
            "spec": {"resources": {"requests": {"storage": to.as_bytes()}}},
        });
        Some(Change {
            id: self.claim.clone(),
            action: Action::Update,
            fields: Vec::new(),
            object: Object::new(claim).expect("a claim with a name"),
        })
    }

    /// In words for people; `up` is the command line that would remove it.
    #[must_use]
    pub fn text(&self, up: &str) -> String {
        let Self {
            claim,
            component,
            size,
            fate,
        } = self;
        let (name, size) = (&claim.name, size.as_bytes());
        match fate {
            Fate::Keep => {
                format!(
                    "volume {name} ({size}) of {component} is kept; `{up} --prune-data` removes it"
                )
            }
            Fate::Remove => {
                format!(
                    "volume {name} ({size}) of {component} is removed, and the data in it with it"
                )
            }
            Fate::Grow { to } => format!(
                "volume {name} of {component} grows from {size} to {}",
                to.as_bytes()
            ),
        }
    }
}

impl fmt::Display for StorageProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            claim, component, ..
        } = self;
        write!(f, "{component} has its data on the volume {claim}")?;
        match &self.kind {
            StorageProblemKind::Smaller { from, to } => write!(
                f,
                " of {}, which cannot shrink to {}",
                from.as_bytes(),
                to.as_bytes()
            ),
            StorageProblemKind::OtherClass { from, to } => {
                write!(f, " of the storage class {from}, which cannot move to {to}")
            }
            StorageProblemKind::CannotGrow { from, to, class } => {
                let (from, to) = (from.as_bytes(), to.as_bytes());
                write!(f, " of {from}, which cannot grow to {to}: ")?;
                match class {
                    Some(class) => write!(f, "its storage class {class} does not allow that"),
                    None => write!(f, "it has no storage class that could do that"),
                }
            }
        }
    }
}

impl StorageProblem {
    /// JSON pointer in `k8s-ee.yaml` of what to change.
    #[must_use]
    pub fn pointer(&self) -> String {
        format!("/databases/{}/storage", self.component)
    }

    /// What to do about it; `up` is the command line that would remove volumes.
    #[must_use]
    pub fn hint(&self, up: &str) -> String {
        let component = &self.component;
        let keep = match &self.kind {
            StorageProblemKind::Smaller { from, .. }
            | StorageProblemKind::CannotGrow { from, .. } => {
                format!("keep the size {}", from.as_bytes())
            }
            StorageProblemKind::OtherClass { from, .. } => {
                format!("keep `storageClass: {from}`")
            }
        };
        let start_again = format!(
            "to start again without the data, take `databases.{component}` out of the file, run `{up} --prune-data`, \
             and put it back"
        );
        match &self.kind {
            StorageProblemKind::CannotGrow {
                class: Some(class), ..
            } => format!(
                "{keep}, or have whoever runs the cluster allow it: kubectl patch storageclass {class} -p \
                 '{{\"allowVolumeExpansion\": true}}'; {start_again}"
            ),
            _ => format!("{keep}; {start_again}"),
        }
    }
}

/// A claim that nobody uses as a component of its own: it takes its part of the quota, but not the least amounts that
/// its database would.
pub(crate) fn alone(claim: &Object) -> Object {
    let mut claim = claim.clone();
    let name = claim.name().to_owned();
    claim.set_label(COMPONENT_LABEL, &name);
    claim
}

/// Whether an object is a volume claim.
pub(crate) fn is_claim(object: &Object) -> bool {
    (object.api_version(), object.kind()) == ("v1", "PersistentVolumeClaim")
}

/// Whether a claim was made from the template of one of the StatefulSets among these objects.
pub(super) fn is_of_template(claim: &Object, objects: &[Object]) -> bool {
    template_of(claim, objects).is_some()
}

/// Whether a StatefulSet keeps anything beyond its pods.
pub(crate) fn has_claims(set: &Object) -> bool {
    templates(set).next().is_some()
}

fn templates(set: &Object) -> impl Iterator<Item = &serde_json::Value> {
    let templates = set.get("/spec/volumeClaimTemplates");
    templates.and_then(|t| t.as_array()).into_iter().flatten()
}

/// The template that a claim is made from, by the name that Kubernetes gives it: template, StatefulSet, number.
fn template_of<'a>(claim: &Object, objects: &'a [Object]) -> Option<Template<'a>> {
    let sets = objects.iter().filter(|o| o.kind() == "StatefulSet");
    sets.filter(|set| set.namespace() == claim.namespace())
        .find_map(|set| {
            let index = template_index(claim, set)?;
            let spec = format!("/spec/volumeClaimTemplates/{index}");
            Some(Template {
                component: set.component().unwrap_or_default(),
                size: size_of(set, &spec),
                class: set.str(&format!("{spec}/spec/storageClassName")),
            })
        })
}

fn template_index(claim: &Object, set: &Object) -> Option<usize> {
    templates(set).position(|template| {
        let prefix = template["metadata"]["name"]
            .as_str()
            .map(|name| format!("{name}-{}-", set.name()));
        let number = prefix.and_then(|prefix| claim.name().strip_prefix(&prefix));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether a claim is an object of its own among those that are to be, or pods mount it by its name.
fn is_wanted(claim: &Object, objects: &[Object]) -> bool {
    let mounts = |object: &Object| {
        let volumes = object.get("/spec/template/spec/volumes");
        let volumes = volumes.and_then(|v| v.as_array()).into_iter().flatten();
        let mut names = volumes.map(|volume| &volume["persistentVolumeClaim"]["claimName"]);
        names.any(|name| name == claim.name())
    };
    objects
        .iter()
        .any(|object| object.id() == claim.id() || mounts(object))
}

fn class_of(claim: &Object) -> Option<String> {
    let class = claim.str("/spec/storageClassName");
    class.filter(|class| !class.is_empty()).map(str::to_owned)
}

fn size_of(object: &Object, at: &str) -> Quantity {
    let text = object.str(&format!("{at}/spec/resources/requests/storage"));
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn name<S: serde::Serializer>(id: &ObjectId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&id.name)
}

fn size<S: serde::Serializer>(size: &Quantity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&size.as_bytes())
}
