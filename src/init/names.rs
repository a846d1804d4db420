//! Names that fit: of the project, of services.

use std::collections::BTreeSet;

use super::{
    Repository, Request,
    draft::Reasoned,
    note::{Kind, Notes},
};

/// Longest name of a project.
const PROJECT: usize = 20;
/// Longest name of a service.
pub(super) const SERVICE: usize = 30;

/// Lower-case letters, digits and single `-`, with letters or digits at both ends; none when nothing is left.
pub(super) fn label(text: &str, longest: usize) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(longest);
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// A name for a service that none of `taken` has.
pub(super) fn service(text: &str, taken: &BTreeSet<String>) -> String {
    let mut name = label(text, SERVICE).unwrap_or_else(|| "app".to_owned());
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name = label(&format!("s-{name}"), SERVICE).expect("it begins with a letter");
    }
    if !taken.contains(&name) {
        return name;
    }
    (2..)
        .map(|n| {
            let end = format!("-{n}");
            let start = label(&name, SERVICE - end.len()).expect("it has a letter");
            start + &end
        })
        .find(|name| !taken.contains(name))
        .expect("there are more numbers than names")
}

/// The name of the project: the one that was asked for, else that of the compose file, the remote, the directory.
pub(super) fn project(
    repository: &Repository,
    request: &Request,
    compose: Option<Reasoned<String>>,
    notes: &mut Notes,
) -> Option<Reasoned<String>> {
    if let Some(name) = &request.project {
        return Some(Reasoned::new(name.clone(), "as asked for"));
    }
    let of_remote = repository.remote.as_deref().and_then(|remote| {
        let name = remote
            .trim()
            .trim_end_matches('/')
            .rsplit(['/', ':'])
            .next()?;
        Some(name.strip_suffix(".git").unwrap_or(name))
    });
    let candidates = [
        (
            compose.as_ref().map(|name| name.value.as_str()),
            "`name` of the compose file",
        ),
        (of_remote, "name of the repository"),
        (Some(repository.directory.as_str()), "name of the directory"),
    ];
    let found = candidates.into_iter().find_map(|(text, why)| {
        let name = label(text?, PROJECT)?;
        Some(Reasoned::new(name, why))
    });
    let project = found.unwrap_or_else(|| Reasoned::new("app".to_owned(), "nothing had a name"));
    notes.add(
        Kind::Guessed,
        None,
        format!("`projectId: {}` ({})", project.value, project.why),
    );
    Some(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_to_fit() {
        assert_eq!(label("My_Shop.API", 20).as_deref(), Some("my-shop-api"));
        assert_eq!(label("--a--b--", 20).as_deref(), Some("a-b"));
        assert_eq!(label("abcdefghi-jkl", 10).as_deref(), Some("abcdefghi"));
        assert_eq!(label("Ärger", 20).as_deref(), Some("rger"));
        assert_eq!(label("…", 20), None);
        let taken = BTreeSet::from(["web".to_owned(), "web-2".to_owned()]);
        assert_eq!(service("web", &taken), "web-3");
        assert_eq!(service("2fa", &taken), "s-2fa");
        assert_eq!(service("_", &taken), "app");
        let long = "x".repeat(40);
        let first = service(&long, &BTreeSet::new());
        assert_eq!(first.len(), SERVICE);
        let second = service(&long, &BTreeSet::from([first]));
        assert_eq!(second.len(), SERVICE);
        assert!(second.ends_with("-2"), "{second}");
    }
}
