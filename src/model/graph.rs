//! The graph of components: which must be up before which, in waves that may start together.

use std::collections::{BTreeMap, BTreeSet};

use super::Environment;

impl Environment {
    /// What each component waits for, by name: what it names in `dependsOn` and the databases whose variables it gets.
    #[must_use]
    pub fn dependencies(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let databases = self.databases.iter().map(|d| d.kind.name());
        let mut graph: BTreeMap<&str, BTreeSet<&str>> =
            databases.map(|name| (name, BTreeSet::new())).collect();
        for service in &self.services {
            let named = service.depends_on.iter().map(String::as_str);
            let injected = service.databases.iter().map(|kind| kind.name());
            graph.insert(&service.name, named.chain(injected).collect());
        }
        graph
    }

    /// The components in waves: each wave waits for those before it only. The loader refuses cycles with their path,
    /// so a file that was accepted has none; what is left of a cycle in a record edited by hand comes last, together.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<String>> {
        let mut waiting = self.dependencies();
        let mut waves = Vec::new();
        while !waiting.is_empty() {
            let known: BTreeSet<&str> = waiting.keys().copied().collect();
            let mut wave: Vec<&str> = waiting
                .iter()
                .filter(|(_, on)| on.is_disjoint(&known))
                .map(|(name, _)| *name)
                .collect();
            if wave.is_empty() {
                wave = known.into_iter().collect();
            }
            for name in &wave {
                waiting.remove(name);
            }
            waves.push(wave.into_iter().map(str::to_owned).collect());
        }
        waves
    }
}
