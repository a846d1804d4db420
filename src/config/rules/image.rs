//! References of container images: `[host[:port]/]path[:tag][@digest]`.

use crate::config::{
    Config, file::Image, pointer, problem::Problem, services::Named, words::shorten,
};

pub(super) fn check(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    match &named.service.image {
        Some(Image::Reference(text)) => {
            reference(config, &named.pointer("image"), text, true, problems);
        }
        Some(Image::Build(build)) => {
            if let Some(repository) = &build.repository {
                let at = named.pointer("image/repository");
                reference(config, &at, repository, false, problems);
            }
        }
        None => {}
    }
}

/// Why a text is no reference, if it is none.
pub(in crate::config) fn check_reference(text: &str) -> Result<(), String> {
    parse(text, true).map_err(|wrong| wrong.why)
}

/// A reference, with or without a tag or a digest.
pub(super) fn reference(
    config: &Config,
    at: &str,
    text: &str,
    may_have_tag: bool,
    problems: &mut Vec<Problem>,
) {
    let Err(wrong) = parse(text, may_have_tag) else {
        return;
    };
    problems.push(config.problem(
        at,
        format!(
            "`{}` is no image reference: {}",
            pointer::path(at),
            wrong.why
        ),
        Some(wrong.hint),
    ));
}

#[derive(Debug)]
struct Wrong {
    why: String,
    hint: String,
}

fn wrong(why: impl Into<String>, hint: impl Into<String>) -> Wrong {
    Wrong {
        why: why.into(),
        hint: hint.into(),
    }
}

/// Checks a reference, part by part from its end.
fn parse(text: &str, may_have_tag: bool) -> Result<(), Wrong> {
    const EXAMPLE: &str = "for example `ghcr.io/acme/shop:1.2`";
    if text.is_empty() {
        return Err(wrong("it is empty", EXAMPLE));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("it has a space or line break in it", EXAMPLE));
    }
    if let Some((_, rest)) = text.split_once("://") {
        return Err(wrong(
            "it begins like a URL",
            format!("write it without the scheme: `{}`", shorten(rest)),
        ));
    }
    if text.contains('$') || text.contains('{') {
        return Err(wrong(
            "variables are not replaced here",
            "write the reference out",
        ));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last..].split_once(':') {
        Some((end, tag)) => (&rest[..last + end.len()], Some(tag)),
        None => (rest, None),
    };
    if !may_have_tag && (tag.is_some() || digest.is_some()) {
        return Err(wrong(
            "tags are chosen by k8s-ee",
            format!("write `{}`", shorten(name)),
        ));
    }
    check_digest(digest)?;
    check_tag(tag)?;
    check_name(name, &text[name.len()..])
}

fn check_digest(digest: Option<&str>) -> Result<(), Wrong> {
    let Some(digest) = digest else { return Ok(()) };
    let hex = |s: &str| s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.split_once(':') {
        Some(("sha256", hash)) if hash.len() == 64 && hex(hash) => Ok(()),
        Some(("sha512", hash)) if hash.len() == 128 && hex(hash) => Ok(()),
        _ => Err(wrong(
            format!("`{}` is no digest", shorten(digest)),
            "a digest is `sha256:` and 64 characters from `0` to `9` and `a` to `f`",
        )),
    }
}

fn check_tag(tag: Option<&str>) -> Result<(), Wrong> {
    let Some(tag) = tag else { return Ok(()) };
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let starts_well = !tag.starts_with(['.', '-']);
    if !tag.is_empty() && tag.len() <= 128 && starts_well && tag.bytes().all(inside) {
        return Ok(());
    }
    let why = match tag {
        "" => "the tag after `:` is empty".to_owned(),
        _ => format!("`{}` is no tag", shorten(tag)),
    };
    Err(wrong(
        why,
        "a tag has up to 128 letters, digits, `_`, `.` and `-`, and begins with one of the first three",
    ))
}

/// Checks the name; what follows it is for the hint.
fn check_name(name: &str, rest: &str) -> Result<(), Wrong> {
    const LONGEST: usize = 255;
    if name.len() > LONGEST {
        return Err(wrong(
            format!("the name is longer than {LONGEST} characters"),
            "shorten it",
        ));
    }
    let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    let path = match name.split_once('/') {
        Some((host, path)) if is_host(host) => {
            check_host(host)?;
            path
        }
        _ => name,
    };
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(wrong(
            format!("`{}` has capital letters", shorten(path)),
            format!("write `{}{}`", name.to_ascii_lowercase(), shorten(rest)),
        ));
    }
    for part in path.split('/') {
        if !is_path_part(part) {
            let why = if part.is_empty() {
                "a part of the path is empty".to_owned()
            } else {
                format!("`{}` cannot be part of its path", shorten(part))
            };
            return Err(wrong(
                why,
                "parts are lower-case letters and digits, joined by `.`, `_`, `__` or dashes",
            ));
        }
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), Wrong> {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !name.split('.').all(label) {
        return Err(wrong(
            format!("`{}` is no host", shorten(name)),
            "for example `ghcr.io`",
        ));
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(wrong(
            format!("`{}` is no port", shorten(port)),
            "a port is a number from 1 to 65535, and a tag stands after the last `/`",
        )),
        _ => Ok(()),
    }
}

/// Letters and digits with separators between them, never at the ends and never mixed.
fn is_path_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separator =
        |s: &str| matches!(s, "." | "_" | "__") || (!s.is_empty() && s.bytes().all(|b| b == b'-'));
    let bytes = part.as_bytes();
    let ends_well =
        bytes.first().is_some_and(|b| word(*b)) && bytes.last().is_some_and(|b| word(*b));
    ends_well
        && part
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|between| between.is_empty() || separator(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_registries_take() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for good in [
            "redis",
            "redis:7.4-alpine",
            "acme/shop",
            "ghcr.io/acme/shop:1.2",
            "localhost:5000/shop",
            "localhost/shop",
            "registry.example.com:5000/a/b/c:tag_1",
            "a__b/c--d/e.f_g:T.a-g",
            "Registry.Example.com/shop",
            &format!("shop@{digest}"),
            &format!("ghcr.io/acme/shop:1@{digest}"),
        ] {
            assert!(parse(good, true).is_ok(), "{good}: {:?}", parse(good, true));
        }
    }

    #[test]
    fn what_they_do_not() {
        for bad in [
            "",
            " redis",
            "redis latest",
            "redis:",
            "redis:-1",
            ":1",
            "/redis",
            "redis/",
            "a//b",
            "Acme/shop",
            "acme/-shop",
            "acme/shop-",
            "acme/a._b",
            "acme/a___b",
            "acme/a..b",
            "ghcr.io:port/acme/shop",
            "ghcr.io:99999/acme/shop",
            "-ghcr.io/acme/shop",
            "https://ghcr.io/acme/shop",
            "ghcr.io/acme/${SHA}",
            "shop@sha256:abc",
            "shop@md5:abc",
            "shop@",
            "shöp",
        ] {
            assert!(parse(bad, true).is_err(), "{bad} was accepted");
        }
        assert!(parse("ghcr.io/acme/shop:1", false).is_err());
        assert!(parse("localhost:5000/shop", false).is_ok());
    }
}
