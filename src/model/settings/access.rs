//! `access`: which repositories get environments, and who may look into them.

use serde::{Deserialize, Serialize};

/// Which repositories get environments by way of their workflows, and who may look into them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessSettings {
    /// How the lists are meant.
    pub mode: AccessMode,
    /// Organizations and users whose repositories are all meant. Capitals do not count.
    pub organizations: Vec<String>,
    /// Repositories, `owner/repo`. Capitals do not count.
    pub repositories: Vec<String>,
    /// Groups of the cluster's users that may read everything but Secrets in every environment, logs included.
    pub viewers: Vec<String>,
}

/// How the lists are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// Those in the lists may, nobody else.
    #[default]
    Allowlist,
    /// Those in the lists may not, everybody else may.
    Denylist,
    /// The lists do not count: everybody may.
    Disabled,
}

impl AccessSettings {
    /// Whether a repository may have environments.
    #[must_use]
    pub fn lets_in(&self, owner: &str, name: &str) -> bool {
        let has = |list: &[String], wanted: &str| {
            let mut entries = list.iter().map(|entry| entry.trim());
            entries.any(|entry| entry.eq_ignore_ascii_case(wanted))
        };
        let listed =
            has(&self.organizations, owner) || has(&self.repositories, &format!("{owner}/{name}"));
        match self.mode {
            AccessMode::Allowlist => listed,
            AccessMode::Denylist => !listed,
            AccessMode::Disabled => true,
        }
    }

    /// An entry that can never be meant, such as a repository without an owner.
    #[must_use]
    pub fn mistake(&self) -> Option<String> {
        let is_name = |text: &str| {
            let mut letters = text.chars();
            !text.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let wrong = self.organizations.iter().find(|name| !is_name(name.trim()));
        if let Some(wrong) = wrong {
            return Some(format!(
                "`{wrong}` in `access.organizations` is not an organization or a user, such as `acme`"
            ));
        }
        let is_repository = |text: &str| {
            let parts = text.trim().split_once('/');
            parts.is_some_and(|(owner, name)| is_name(owner) && is_name(name))
        };
        let wrong = self.repositories.iter().find(|name| !is_repository(name))?;
        Some(format!(
            "`{wrong}` in `access.repositories` is not a repository, such as `acme/shop`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> AccessSettings {
        serde_saphyr::from_str(text).expect("it is valid")
    }

    #[test]
    fn an_allowlist_lets_in_who_is_named() {
        let list = settings("organizations: [Acme]\nrepositories: [other/Shop]\n");
        for (owner, name) in [("acme", "shop"), ("ACME", "x"), ("Other", "SHOP")] {
            assert!(list.lets_in(owner, name), "{owner}/{name}");
        }
        for (owner, name) in [("other", "shop2"), ("acmes", "shop"), ("acme-evil", "shop")] {
            assert!(!list.lets_in(owner, name), "{owner}/{name}");
        }
        assert!(
            !settings("{}").lets_in("acme", "shop"),
            "an empty list lets nobody in"
        );
    }

    #[test]
    fn a_denylist_keeps_out_who_is_named() {
        let list = settings("mode: denylist\norganizations: [acme]\nrepositories: [other/shop]\n");
        assert!(!list.lets_in("Acme", "shop") && !list.lets_in("other", "Shop"));
        assert!(list.lets_in("other", "web"));
        assert!(settings("mode: disabled\norganizations: [acme]\n").lets_in("x", "y"));
    }

    #[test]
    fn what_cannot_be_meant_is_a_mistake() {
        for (text, wrong) in [
            ("organizations: ['acme/shop']", "acme/shop"),
            ("organizations: ['']", "``"),
            ("repositories: [shop]", "shop"),
            ("repositories: ['acme/shop/x']", "acme/shop/x"),
            ("repositories: ['acme/*']", "acme/*"),
        ] {
            let mistake = settings(text).mistake().expect("a mistake");
            assert!(mistake.contains(wrong), "{mistake}");
        }
        let right =
            settings("organizations: [acme, ' octo-cat ']\nrepositories: [acme/shop.web]\n");
        assert_eq!(right.mistake(), None);
        assert!(serde_saphyr::from_str::<AccessSettings>("mode: open").is_err());
    }
}
