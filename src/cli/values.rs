//! Values of options, checked where they come in.

use crate::{config::databases::DatabaseKind, github::Sha, model::Profile};

pub(super) const PROFILES: [Profile; 2] = [Profile::Default, Profile::Fork];

pub(super) fn profile(name: String) -> Profile {
    let known = PROFILES.into_iter().find(|profile| profile.name() == name);
    known.expect("clap has compared it with the names of all profiles")
}

use super::comment::JobResult;

pub(super) fn database(name: String) -> DatabaseKind {
    DatabaseKind::from_name(&name).expect("clap has compared it with the names of all kinds")
}

pub(super) fn parse_pr(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("the number of a pull request is 1 or more".to_owned()),
    }
}

pub(super) fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as 90s, 10m or 1h");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    if number == 0 || number > 100_000 {
        return Err(wrong());
    }
    Ok(std::time::Duration::from_secs(number * seconds))
}

pub(super) fn parse_commit(text: &str) -> Result<String, String> {
    let hex = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && (7..=40).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("a commit is 7 to 40 digits of 0-9 and a-f".to_owned())
    }
}

pub(super) fn parse_whole_commit(text: &str) -> Result<Sha, String> {
    text.parse()
        .map_err(|_| "it takes all 40 digits of a commit".to_owned())
}

pub(super) fn parse_repository(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    // On GitLab it may be deeper: GROUP/SUBGROUP/REPO.
    if text.contains('/') && text.split('/').all(part) {
        return Ok(text.to_owned());
    }
    Err("a repository is OWNER/REPO".to_owned())
}

pub(super) fn parse_registry(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-:".contains(&b))
    };
    if text.len() <= 200 && text.contains('/') && text.split('/').all(part) {
        Ok(text.to_owned())
    } else {
        Err("a place for images is HOST/PATH in lower case, such as ghcr.io/acme/shop".to_owned())
    }
}

pub(super) fn parse_domain(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if text.len() <= 189 && text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err(
            "a domain is labels of a-z, 0-9 and `-` with dots between, such as preview.example.com"
                .to_owned(),
        )
    }
}

pub(super) fn parse_project(text: &str) -> Result<String, String> {
    parse_label(text, 20).ok_or_else(|| {
        "a project is 1 to 20 characters of a-z, 0-9 and `-`, not `-` first or last".to_owned()
    })
}

pub(super) fn parse_name(text: &str) -> Result<String, String> {
    let name = parse_label(text, 20).ok_or_else(|| {
        "a name is 1 to 20 characters of a-z, 0-9 and `-`, not `-` first or last".to_owned()
    })?;
    // `pr-12` as a name would be the environment of pull request 12.
    if name
        .strip_prefix("pr-")
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(format!(
            "`{name}` is the environment of a pull request: use --pr {}",
            &name[3..]
        ));
    }
    Ok(name)
}

pub(super) fn parse_job(text: &str) -> Result<(String, JobResult), String> {
    let (name, result) = text
        .split_once('=')
        .ok_or_else(|| "a job is NAME=RESULT, such as build=success".to_owned())?;
    let is_name = (1..=100).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_name {
        return Err("the name of a job has letters, digits, `-` and `_`".to_owned());
    }
    let result = match result {
        "success" => JobResult::Success,
        "failure" => JobResult::Failure,
        "cancelled" => JobResult::Cancelled,
        // `needs` has nothing for a job that was not started.
        "skipped" | "" => JobResult::Skipped,
        _ => {
            return Err(format!(
                "the result of the job `{name}` is success, failure, cancelled or skipped"
            ));
        }
    };
    Ok((name.to_owned(), result))
}

pub(super) fn parse_namespace(text: &str) -> Result<String, String> {
    parse_label(text, 63).ok_or_else(|| {
        "a namespace is 1 to 63 characters of a-z, 0-9 and `-`, not `-` first or last".to_owned()
    })
}

pub(super) fn parse_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"'`\\|".contains(&b);
    match rest {
        Some(rest) if !rest.is_empty() && text.len() <= 500 && text.bytes().all(plain) => {
            Ok(text.to_owned())
        }
        _ => Err("a URL is https://HOST/PATH or http://HOST/PATH".to_owned()),
    }
}

fn parse_label(text: &str, longest: usize) -> Option<String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let valid = (1..=longest).contains(&bytes.len())
        && inner(bytes[0])
        && inner(bytes[bytes.len() - 1])
        && bytes.iter().all(|&b| inner(b) || b == b'-');
    valid.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_at_the_edge() {
        assert_eq!(
            parse_duration("90s"),
            Ok(std::time::Duration::from_secs(90))
        );
        for wrong in ["", "10", "m", "0s", "1d", "-1s", "99999999999999999999s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert!(parse_commit("0123abc").is_ok());
        assert!(parse_commit("0123ABC").is_err());
        assert!(parse_repository("a/b").is_ok());
        assert!(parse_repository("a/b/c").is_ok());
        assert!(parse_repository("a/b/").is_err() && parse_repository("a//b").is_err());
        assert!(parse_domain("preview.example.com").is_ok());
        assert!(parse_domain("Preview.example.com").is_err());
        assert!(parse_domain("a..b").is_err());
        assert!(parse_name("pr-12").is_err());
        assert_eq!(
            parse_job("build=success"),
            Ok(("build".to_owned(), JobResult::Success))
        );
        assert_eq!(
            parse_job("build="),
            Ok(("build".to_owned(), JobResult::Skipped))
        );
        for wrong in ["build", "=success", "a b=success", "build=ok"] {
            assert!(parse_job(wrong).is_err(), "{wrong}");
        }
        assert!(parse_registry("ghcr.io/acme/shop").is_ok());
        assert!(parse_registry("localhost:5000/acme").is_ok());
        for wrong in ["ghcr.io", "ghcr.io/Acme", "ghcr.io//a", "a b/c"] {
            assert!(parse_registry(wrong).is_err(), "{wrong}");
        }
        assert!(parse_url("https://a.example.com/x?y=1").is_ok());
        for wrong in [
            "a.example.com",
            "https://",
            "javascript:x",
            "https://a|b",
            "https://a b",
        ] {
            assert!(parse_url(wrong).is_err(), "{wrong}");
        }
        assert!(parse_name("pr-x").is_ok());
    }
}
