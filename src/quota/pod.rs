//! What one pod costs: its containers with the defaults of the LimitRange, added up the way the scheduler does it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Cost, QuotaError};
use crate::{
    model::{
        object::Object,
        settings::{Amounts, LimitSettings},
    },
    quantity::Quantity,
};

/// A container with what it will have once the API server and the LimitRange have filled in what it leaves out.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) name: String,
    /// An init container that keeps running beside the containers (`restartPolicy: Always`).
    pub(super) sidecar: bool,
    /// By `requests.<resource>` and `limits.<resource>`.
    pub(super) amounts: Cost,
}

/// The containers of one pod and what else it brings.
#[derive(Clone, Debug, Default)]
pub(super) struct Pod {
    pub(super) init: Vec<Container>,
    pub(super) containers: Vec<Container>,
    /// `spec.resources`: bounds of the whole pod.
    whole: Cost,
    overhead: Cost,
    /// Sizes of the volumes that live and die with the pod but are claims of their own.
    pub(super) claims: Vec<Quantity>,
}

/// Amounts of one pod, and the init container that each of them is owed to, where it is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PodCost {
    pub(super) amounts: Cost,
    pub(super) dominated_by: BTreeMap<String, String>,
}

/// Amounts as an object gives them, before any defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Resources {
    requests: BTreeMap<String, Quantity>,
    limits: BTreeMap<String, Quantity>,
}

impl Resources {
    pub(super) fn new(requests: Amounts, limits: Amounts) -> Self {
        let named = |amounts: Amounts| {
            [("cpu", amounts.cpu), ("memory", amounts.memory)]
                .map(|(name, amount)| (name.to_owned(), amount))
                .into()
        };
        Self {
            requests: named(requests),
            limits: named(limits),
        }
    }

    /// Reads `{requests, limits}` at a JSON pointer of the object.
    pub(super) fn read(object: &Object, pointer: &str) -> Result<Self, QuotaError> {
        Ok(Self {
            requests: amounts(object, &format!("{pointer}/requests"))?,
            limits: amounts(object, &format!("{pointer}/limits"))?,
        })
    }

    /// Takes from `defaults` what it does not name itself.
    pub(super) fn or(mut self, defaults: Self) -> Self {
        for (name, amount) in defaults.requests {
            self.requests.entry(name).or_insert(amount);
        }
        for (name, amount) in defaults.limits {
            self.limits.entry(name).or_insert(amount);
        }
        self
    }

    fn into_cost(self) -> Cost {
        let requests = self.requests.into_iter().map(|(n, q)| ("requests.", n, q));
        let limits = self.limits.into_iter().map(|(n, q)| ("limits.", n, q));
        requests
            .chain(limits)
            .map(|(prefix, name, amount)| (prefix.to_owned() + &name, amount))
            .collect()
    }
}

impl Container {
    /// Fills in what is missing in the order in which the API server does: a missing request becomes the limit that
    /// was written, and only then the LimitRange gives defaults to what is still missing.
    pub(super) fn new(name: &str, mut resources: Resources, limits: &LimitSettings) -> Self {
        for (resource, limit) in &resources.limits {
            let request = resources.requests.entry(resource.clone());
            request.or_insert(*limit);
        }
        let defaults = Resources::new(limits.default_request, limits.default);
        Self {
            name: name.to_owned(),
            sidecar: false,
            amounts: resources.or(defaults).into_cost(),
        }
    }
}

impl Pod {
    /// A pod of nothing but containers.
    pub(super) fn new(init: Vec<Container>, containers: Vec<Container>) -> Self {
        Self {
            init,
            containers,
            ..Self::default()
        }
    }

    /// Reads the pod spec at a JSON pointer of the object.
    pub(super) fn read(
        object: &Object,
        spec: &str,
        limits: &LimitSettings,
    ) -> Result<Self, QuotaError> {
        let mut claims = Vec::new();
        for i in 0..len(object, &format!("{spec}/volumes")) {
            let template = format!("{spec}/volumes/{i}/ephemeral/volumeClaimTemplate");
            if object.get(&template).is_some() {
                claims.push(claim_size(object, &template)?);
            }
        }
        let overhead = amounts(object, &format!("{spec}/overhead"))?;
        let overhead = overhead.into_iter().flat_map(|(name, amount)| {
            [
                (format!("requests.{name}"), amount),
                (format!("limits.{name}"), amount),
            ]
        });
        Ok(Self {
            init: containers(object, &format!("{spec}/initContainers"), limits)?,
            containers: containers(object, &format!("{spec}/containers"), limits)?,
            whole: Resources::read(object, &format!("{spec}/resources"))?.into_cost(),
            overhead: overhead.collect(),
            claims,
        })
    }

    /// What the containers come to, which is what the LimitRange holds against its bounds for pods.
    pub(super) fn of_containers(&self) -> PodCost {
        let mut running = Cost::default();
        let sidecars = self.init.iter().filter(|c| c.sidecar);
        for container in self.containers.iter().chain(sidecars) {
            running.add_all(&container.amounts);
        }
        let mut cost = PodCost {
            amounts: running,
            dominated_by: BTreeMap::new(),
        };
        let mut sidecars_so_far = Cost::default();
        for container in &self.init {
            if container.sidecar {
                sidecars_so_far.add_all(&container.amounts);
                continue;
            }
            let mut starting = sidecars_so_far.clone();
            starting.add_all(&container.amounts);
            for (resource, amount) in starting.iter() {
                if amount > cost.amounts.get(resource) {
                    cost.amounts.set(resource, amount);
                    cost.dominated_by
                        .insert(resource.to_owned(), container.name.clone());
                }
            }
        }
        cost
    }

    /// What the pod counts for in a quota.
    pub(super) fn cost(&self) -> PodCost {
        let mut cost = self.of_containers();
        cost.amounts.raise_to(&self.whole);
        cost.amounts.add_all(&self.overhead);
        cost
    }
}

fn containers(
    object: &Object,
    list: &str,
    limits: &LimitSettings,
) -> Result<Vec<Container>, QuotaError> {
    (0..len(object, list))
        .map(|i| {
            let name = object.str(&format!("{list}/{i}/name")).unwrap_or_default();
            let resources = Resources::read(object, &format!("{list}/{i}/resources"))?;
            let mut container = Container::new(name, resources, limits);
            container.sidecar = object.str(&format!("{list}/{i}/restartPolicy")) == Some("Always");
            Ok(container)
        })
        .collect()
}

/// How many entries the list at the pointer has; none when there is no list.
pub(super) fn len(object: &Object, pointer: &str) -> usize {
    object
        .get(pointer)
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

/// The storage that a claim, or a template of one, asks for.
pub(super) fn claim_size(object: &Object, claim: &str) -> Result<Quantity, QuotaError> {
    quantity(object, &format!("{claim}/spec/resources/requests/storage"))
}

/// The quantity at a pointer; nothing when it is not given.
pub(super) fn quantity(object: &Object, pointer: &str) -> Result<Quantity, QuotaError> {
    match object.get(pointer) {
        None | Some(Value::Null) => Ok(Quantity::ZERO),
        Some(value) => parse(value).ok_or_else(|| QuotaError::unreadable(object, pointer, value)),
    }
}

fn amounts(object: &Object, pointer: &str) -> Result<BTreeMap<String, Quantity>, QuotaError> {
    let Some(map) = object.get(pointer).and_then(Value::as_object) else {
        return Ok(BTreeMap::new());
    };
    let given = map.iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| {
            let amount = parse(value).ok_or_else(|| {
                QuotaError::unreadable(object, &format!("{pointer}/{name}"), value)
            })?;
            Ok((name.clone(), amount))
        })
        .collect()
}

/// Kubernetes takes quantities as strings and as bare numbers; less than nothing it refuses.
fn parse(value: &Value) -> Option<Quantity> {
    let amount: Quantity = match value {
        Value::String(text) => text.parse().ok()?,
        Value::Number(number) => number.to_string().parse().ok()?,
        _ => return None,
    };
    (amount >= Quantity::ZERO).then_some(amount)
}
