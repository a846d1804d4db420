//! Paths: of HTTP requests, of the build, and of directories in the container.

use std::collections::HashMap;

use crate::config::{
    Config,
    file::Image,
    pointer,
    problem::{MOST, Problem},
    services::Named,
    words::shorten,
};

pub(super) fn check(config: &Config, service: &Named<'_>, problems: &mut Vec<Problem>) {
    http(config, service, problems);
    build(config, service, problems);
    writable_dirs(config, service, problems);
}

fn http(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    let service = &named.service;
    for (key, path) in [
        ("healthPath", &service.health_path),
        ("livenessPath", &service.liveness_path),
        ("readinessPath", &service.readiness_path),
        ("metricsPath", &service.metrics_path),
    ] {
        let Some(path) = path else { continue };
        if path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let at = named.pointer(key);
            problems.push(config.problem(
                &at,
                format!("`{}` has a space or line break in it", pointer::path(&at)),
                Some("write `%20` for a space".to_owned()),
            ));
        }
    }
}

fn build(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    let Some(Image::Build(build)) = &named.service.image else {
        return;
    };
    for (key, path, base) in [
        (
            "image/context",
            &build.context,
            "the root of the repository",
        ),
        ("image/dockerfile", &build.dockerfile, "the build context"),
    ] {
        let Some(path) = path else { continue };
        let Some(wrong) = is_not_relative(path) else {
            continue;
        };
        let at = named.pointer(key);
        problems.push(config.problem(
            &at,
            format!("`{}` {wrong}", pointer::path(&at)),
            Some(format!("give a path relative to {base}")),
        ));
    }
}

/// What is wrong with a path that must lead into the repository, if anything is.
pub(super) fn is_not_relative(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("must not be empty")
    } else if path.starts_with('/') {
        Some("must not be an absolute path")
    } else if path.split('/').any(|part| part == "..") {
        Some("must not contain `..`")
    } else if path.contains("://") {
        Some("must not be a URL")
    } else if path.chars().any(char::is_control) {
        Some("must not contain line breaks or other control characters")
    } else {
        None
    }
}

fn writable_dirs(config: &Config, named: &Named<'_>, problems: &mut Vec<Problem>) {
    let dirs = named.service.writable_dirs.as_deref().unwrap_or_default();
    let list = named.pointer("writableDirs");
    let mut seen = HashMap::new();
    for (n, dir) in dirs.iter().enumerate() {
        if problems.len() > MOST {
            return;
        }
        let dir = dir.0.as_str();
        let parts: Vec<&str> = dir
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        let shown = shorten(dir);
        let (message, hint) = if parts.contains(&"..") {
            (
                format!("`{shown}` must not contain `..`"),
                "write the directory without detour",
            )
        } else if parts.is_empty() {
            (
                format!("`{shown}` is the whole file system of the container"),
                "name the directories that the service writes to, such as `/var/cache/app`",
            )
        } else if parts == ["tmp"] {
            ("`/tmp` is always writable".to_owned(), "remove it")
        } else if let Some(first) = seen.insert(parts, n) {
            let line = config
                .place(&pointer::child(&list, &first.to_string()))
                .line;
            (
                format!("`{shown}` is already there, on line {line}"),
                "keep one of the two",
            )
        } else {
            continue;
        };
        problems.push(config.problem(
            &pointer::child(&list, &n.to_string()),
            message,
            Some(hint.to_owned()),
        ));
    }
}
