//! JSON pointers (RFC 6901), and the way paths are written for people.

use std::{borrow::Cow, fmt::Write};

/// The tokens of a pointer, unescaped.
pub(super) fn tokens(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(unescape)
}

/// The pointer of a member of what `parent` points at.
pub(super) fn child(parent: &str, key: &str) -> String {
    let mut pointer = String::with_capacity(parent.len() + 1 + key.len());
    pointer.push_str(parent);
    pointer.push('/');
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            _ => pointer.push(c),
        }
    }
    pointer
}

/// The pointer of what holds the member, and the member's own name.
pub(super) fn split(pointer: &str) -> Option<(&str, Cow<'_, str>)> {
    let (parent, token) = pointer.rsplit_once('/')?;
    Some((parent, unescape(token)))
}

/// The path as people write it: `services.api.env`, `envFrom[0]`, `annotations["a.b/c"]`.
pub(super) fn path(pointer: &str) -> String {
    let mut path = String::new();
    for token in tokens(pointer) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
            let _ = write!(path, "[{token}]");
        } else if !token.is_empty() && token.chars().all(plain) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&token);
        } else {
            let _ = write!(path, "[\"{}\"]", super::words::shorten(&token));
        }
    }
    path
}

fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_way_there_and_back() {
        for key in ["env", "", "a/b", "a~b", "~1", "~01", "ä b", "0"] {
            let pointer = child("/services", key);
            assert_eq!(split(&pointer), Some(("/services", Cow::Borrowed(key))));
            assert_eq!(tokens(&pointer).nth(1).as_deref(), Some(key));
        }
    }

    #[test]
    fn paths_read_as_people_write_them() {
        assert_eq!(path(""), "");
        assert_eq!(
            path("/services/api/envFrom/0/secretRef"),
            "services.api.envFrom[0].secretRef"
        );
        assert_eq!(
            path("/ingress/annotations/a.b~1c"),
            "ingress.annotations[\"a.b/c\"]"
        );
    }
}
