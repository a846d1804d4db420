//! The graph of components: which must be up before which, in waves that may start together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Environment, Seed};

impl Environment {
    /// What each component waits for, by name: what it names in `dependsOn` and the databases whose variables it gets.
    /// A seed waits for its databases and for what it is `after`; without that, every service waits for the seed.
    #[must_use]
    pub fn dependencies(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let databases = self.databases.iter().map(|d| d.kind.name());
        let mut graph: BTreeMap<&str, BTreeSet<&str>> =
            databases.map(|name| (name, BTreeSet::new())).collect();
        for service in &self.services {
            let named = service.depends_on.iter().map(String::as_str);
            let injected = service.databases.iter().map(|kind| kind.name());
            let seeds = self.seeds.iter().filter(|seed| seed.after.is_none());
            let seeds = seeds.map(|seed| seed.name.as_str());
            graph.insert(&service.name, named.chain(injected).chain(seeds).collect());
        }
        for (n, seed) in self.seeds.iter().enumerate() {
            let databases = seed.databases.iter().map(|kind| kind.name());
            let after = seed.after.iter().map(String::as_str);
            let before = self.seeds[..n]
                .iter()
                .filter(|other| goes_before(other, seed));
            let before = before.map(|other| other.name.as_str());
            graph.insert(&seed.name, databases.chain(after).chain(before).collect());
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

/// Seeds that start at the same point and use the same database run in the order of the list. Between those of different
/// points the services that they are after decide.
fn goes_before(other: &Seed, seed: &Seed) -> bool {
    let shares = |kind| seed.databases.contains(kind);
    other.after == seed.after && other.databases.iter().any(shares)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{
        config::{Config, Source},
        model::{Environment, EnvironmentKey, build::Request, settings::PlatformSettings},
    };

    fn waves(yaml: &str) -> Vec<Vec<String>> {
        let text = format!("projectId: shop\n{yaml}");
        let config = Config::parse(Source::new("k8s-ee.yaml", text));
        let config = config.unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
        let request = Request {
            key: EnvironmentKey::Pr(7),
            image: None,
            images: BTreeMap::new(),
            commit: None,
            branch: None,
            repository: None,
            domain: None,
            profile: crate::model::Profile::Default,
            placeholders: true,
        };
        let environment = Environment::build(
            &config,
            &request,
            &PlatformSettings::default(),
            &crate::model::operator::LiveDatabases::default(),
        );
        environment.expect("an environment").waves()
    }

    #[test]
    fn seeds_run_between_databases_and_services() {
        let yaml = "databases: {postgresql: true, redis: true}\n\
            services: {api: {}, web: {dependsOn: [api]}}\n\
            seed: {file: a.sql}\n";
        assert_eq!(
            waves(yaml),
            [
                vec!["postgresql", "redis"],
                vec!["seed"],
                vec!["api"],
                vec!["web"]
            ]
        );
    }

    #[test]
    fn a_seed_after_a_service_holds_up_those_who_name_it_only() {
        let yaml = "databases: {postgresql: true}\n\
            services: {api: {}, web: {}, worker: {dependsOn: [data]}}\n\
            seed: {name: data, file: a.sql, after: api}\n";
        assert_eq!(
            waves(yaml),
            [
                vec!["postgresql"],
                vec!["api", "web"],
                vec!["data"],
                vec!["worker"]
            ]
        );
    }

    #[test]
    fn seeds_of_one_database_run_in_the_order_of_the_list() {
        let yaml = "databases: {postgresql: true, redis: true}\n\
            services: {api: {}}\n\
            seed:\n\
            - {name: z, file: a.sql}\n\
            - {name: y, file: a.redis}\n\
            - {name: x, file: b.sql}\n\
            - {name: w, image: seeder}\n";
        assert_eq!(
            waves(yaml),
            [
                vec!["postgresql", "redis"],
                vec!["y", "z"],
                vec!["x"],
                vec!["w"],
                vec!["api"]
            ]
        );
    }
}
