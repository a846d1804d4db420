//! One container of a pod: its state, how often it ended, and what it is called in a sentence.

use k8s_openapi::api::core::v1::{
    Container as Spec, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod,
};

use super::scene::pod_name;

/// A container of a pod that counts, with its state.
#[derive(Clone, Copy)]
pub(super) struct Container<'a> {
    pub(super) pod: &'a Pod,
    pub(super) component: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) init: bool,
    pub(super) status: &'a ContainerStatus,
    pub(super) spec: Option<&'a Spec>,
}

impl<'a> Container<'a> {
    /// The containers of a pod that have a state, init containers first.
    pub(super) fn of(pod: &'a Pod, component: Option<&'a str>) -> Vec<Self> {
        let status = pod.status.as_ref();
        let spec = pod.spec.as_ref();
        let init_specs = spec.map(|spec| spec.init_containers.iter().flatten());
        let main_specs = spec.map(|spec| spec.containers.iter());
        let specs: Vec<&Spec> = init_specs
            .into_iter()
            .flatten()
            .chain(main_specs.into_iter().flatten())
            .collect();
        let make = |status: &'a ContainerStatus, init| Self {
            pod,
            component,
            name: &status.name,
            init,
            status,
            spec: specs.iter().find(|spec| spec.name == status.name).copied(),
        };
        let init = status
            .into_iter()
            .flat_map(|s| s.init_container_statuses.iter().flatten());
        let main = status
            .into_iter()
            .flat_map(|s| s.container_statuses.iter().flatten());
        init.map(|status| make(status, true))
            .chain(main.map(|status| make(status, false)))
            .collect()
    }

    /// What it waits for, while it does not run.
    pub(super) fn waiting(&self) -> Option<&'a ContainerStateWaiting> {
        self.status.state.as_ref()?.waiting.as_ref()
    }

    /// Whether it runs now.
    pub(super) fn is_running(&self) -> bool {
        self.status
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some())
    }

    /// Whether it does what it is for: it serves, or has done its work where that has an end.
    pub(super) fn is_well(&self) -> bool {
        let state = self.status.state.as_ref();
        let done = state.and_then(|state| state.terminated.as_ref());
        let restarts = self
            .pod
            .spec
            .as_ref()
            .and_then(|spec| spec.restart_policy.as_deref());
        let may_end = self.init || matches!(restarts, Some("Never" | "OnFailure"));
        self.status.ready || (may_end && done.is_some_and(|end| end.exit_code == 0))
    }

    /// How it ended the last time.
    pub(super) fn end(&self) -> Option<&'a ContainerStateTerminated> {
        let now = self
            .status
            .state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        let before = self
            .status
            .last_state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        now.or(before)
    }

    /// How often it ended so far.
    pub(super) fn ends(&self) -> u32 {
        let before = u32::try_from(self.status.restart_count).unwrap_or(0);
        before + u32::from(!self.is_running() && self.end().is_some())
    }

    /// What it is called in a sentence: by its component when it is the one that matters there.
    pub(super) fn subject(&self) -> String {
        let of = match self.component {
            Some(component) => component.to_owned(),
            None => format!("pod {}", pod_name(self.pod)),
        };
        let alone = self
            .pod
            .spec
            .as_ref()
            .is_some_and(|spec| spec.containers.len() == 1);
        if self.init {
            format!("init container {} of {of}", self.name)
        } else if alone || Some(self.name) == self.component {
            of
        } else {
            format!("container {} of {of}", self.name)
        }
    }

    /// A line of evidence about it.
    pub(super) fn line(&self, text: &str) -> String {
        let pod = pod_name(self.pod);
        format!("Pod {pod}, container {}: {text}", self.name)
    }

    /// The image it was told to run.
    pub(super) fn image(&self) -> &'a str {
        self.spec
            .and_then(|spec| spec.image.as_deref())
            .unwrap_or(&self.status.image)
    }
}
