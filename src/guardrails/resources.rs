//! The bounds of an environment: its ResourceQuota and its LimitRange.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec, ResourceQuota, ResourceQuotaSpec},
    apimachinery::pkg::api::resource::Quantity,
};

use super::{LIMITS, QUOTA, metadata};
use crate::{
    model::{
        object::Object,
        settings::{Amounts, LimitSettings},
    },
    quota::Quota,
};

pub(super) fn resource_quota(namespace: &str, quota: &Quota) -> Object {
    let hard = quota.hard_strings().into_iter();
    Object::typed(&ResourceQuota {
        metadata: metadata(namespace, QUOTA),
        spec: Some(ResourceQuotaSpec {
            hard: Some(
                hard.map(|(name, amount)| (name, Quantity(amount)))
                    .collect(),
            ),
            ..ResourceQuotaSpec::default()
        }),
        ..ResourceQuota::default()
    })
}

pub(super) fn limit_range(namespace: &str, limits: &LimitSettings) -> Object {
    let storage = |size: crate::quantity::Quantity| {
        Some(BTreeMap::from([(
            "storage".to_owned(),
            Quantity(size.to_string()),
        )]))
    };
    let container = LimitRangeItem {
        type_: "Container".to_owned(),
        default: Some(amounts(limits.default)),
        default_request: Some(amounts(limits.default_request)),
        min: Some(amounts(limits.container_min)),
        max: Some(amounts(limits.container_max)),
        ..LimitRangeItem::default()
    };
    let pod = LimitRangeItem {
        type_: "Pod".to_owned(),
        max: Some(amounts(limits.pod_max)),
        ..LimitRangeItem::default()
    };
    let claim = LimitRangeItem {
        type_: "PersistentVolumeClaim".to_owned(),
        min: storage(limits.storage_min),
        max: storage(limits.storage_max),
        ..LimitRangeItem::default()
    };
    Object::typed(&LimitRange {
        metadata: metadata(namespace, LIMITS),
        spec: Some(LimitRangeSpec {
            limits: vec![container, pod, claim],
        }),
    })
}

fn amounts(amounts: Amounts) -> BTreeMap<String, Quantity> {
    // Printed exactly: a bound that was rounded would refuse what it names.
    [("cpu", amounts.cpu), ("memory", amounts.memory)]
        .map(|(name, amount)| (name.to_owned(), Quantity(amount.to_string())))
        .into()
}
