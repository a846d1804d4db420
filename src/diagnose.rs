//! Why an environment does not come up: from what was seen of it to causes, each with its evidence and the change that
//! repairs it.
//!
//! Pure: what was seen comes in as [`Observed`], nothing is asked, no clock is read. A family of causes is a file; each
//! looks at the same scene and returns what it found. What a family cannot tell for certain it does not say.

mod admission;
mod bootstrap;
mod cause;
mod container;
mod dependency;
mod exits;
mod image;
mod limits;
mod listening;
mod logs;
mod mask;
mod missing;
mod observed;
mod probe;
mod program;
pub mod recording;
pub mod report;
mod scene;
mod scheduling;
mod seed;
#[cfg(test)]
mod tests;
mod url;
mod volume;
mod waiting;

pub use self::{
    cause::{Cause, CauseCode, Fix},
    mask::shown,
    observed::{LogTail, Observed, Operated, Refusal, Secret, UrlCheck, UrlOutcome},
};

use self::{cause::Finding, container::Container, mask::Masker, scene::Scene};
use crate::model::Environment;

/// Every cause that was found, root causes first: a service that waits for a failing database comes after the database.
/// Empty when all is well.
#[must_use]
pub fn diagnose(env: &Environment, observed: &Observed) -> Vec<Cause> {
    let scene = Scene::new(env, observed);
    let mut found = findings(&scene);
    let explained: Vec<String> = found
        .iter()
        .filter_map(|f| f.cause.component.clone())
        .collect();
    let explained: Vec<&str> = explained.iter().map(String::as_str).collect();
    let stopped_early = found.iter().any(|finding| finding.fatal);
    found.extend(waiting::findings(&scene, &explained, stopped_early));
    if found.is_empty() {
        found = waiting::absent(&scene);
    }
    sort(&scene, &mut found);
    show(observed, found)
}

/// Why the API server refuses objects, and nothing else: for what is only planned.
#[must_use]
pub fn refused(env: &Environment, observed: &Observed) -> Vec<Cause> {
    let scene = Scene::new(env, observed);
    let mut found = admission::findings(&scene);
    sort(&scene, &mut found);
    show(observed, found)
}

impl Observed {
    /// The ends of the logs, fit to be shown.
    #[must_use]
    pub fn shown_logs(&self) -> Vec<LogTail> {
        let masker = Masker::new(&self.secrets);
        let shown = |log: &LogTail| LogTail {
            lines: log.lines.iter().map(|line| masker.line(line)).collect(),
            ..log.clone()
        };
        self.logs.iter().map(shown).collect()
    }
}

/// The first cause that waiting longer cannot heal, so that waiting can stop; none while the environment may still come
/// up.
#[must_use]
pub fn fatal(env: &Environment, observed: &Observed) -> Option<Cause> {
    let scene = Scene::new(env, observed);
    let mut found = findings(&scene);
    found.retain(|finding| finding.fatal);
    sort(&scene, &mut found);
    show(observed, found).into_iter().next()
}

/// What the families found, in the order in which a pod comes into being.
fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = scheduling::findings(scene);
    found.extend(volume::findings(scene));
    found.extend(missing::mounted(scene));
    found.extend(
        scene
            .containers()
            .iter()
            .filter_map(|c| of_container(scene, c)),
    );
    // A component that is up has no cause, whatever an old event or a pod that was replaced still says.
    found.retain(|finding| {
        let component = finding.cause.component.as_deref();
        !component.is_some_and(|component| scene.is_ready(component))
    });
    let mut all = admission::findings(scene);
    all.extend(found);
    all.extend(seed::without_a_trace(scene, &all));
    all.extend(url::finding(scene));
    all
}

/// At most one cause per container: the state that it is in says which family to ask.
fn of_container(scene: &Scene<'_>, container: &Container<'_>) -> Option<Finding> {
    if container.is_well() {
        return None;
    }
    if probe::is_answering(scene, container) {
        return probe::finding(scene, container, false);
    }
    image::finding(scene, container)
        .or_else(|| missing::finding(scene, container))
        .or_else(|| match scene.seed(container.component) {
            Some(_) => seed::finding(scene, container),
            None => exits::finding(scene, container),
        })
        .or_else(|| probe::finding(scene, container, false))
}

/// Causes before their consequences, then in the order in which components start; what concerns no component first.
fn sort(scene: &Scene<'_>, found: &mut [Finding]) {
    let order = scene.order();
    found.sort_by_key(|finding| {
        let cause = &finding.cause;
        let position = cause
            .component
            .as_ref()
            .and_then(|component| order.get(component));
        (cause.code.is_consequence(), position.copied())
    });
}

/// Fit to be shown, and each said once: copies of a service fail alike.
fn show(observed: &Observed, found: Vec<Finding>) -> Vec<Cause> {
    let masker = Masker::new(&observed.secrets);
    let mut causes: Vec<Cause> = Vec::new();
    for mut finding in found {
        masker.apply(&mut finding.cause);
        let cause = finding.cause;
        let same = |known: &Cause| {
            known.code == cause.code
                && known.component == cause.component
                && known.summary == cause.summary
        };
        if !causes.iter().any(same) {
            causes.push(cause);
        }
    }
    causes
}
