//! The URL in a command that asks for health, such as `curl -f http://localhost:3000/health || exit 1`.

/// What a health check asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::init) struct Asked {
    pub(in crate::init) path: String,
    pub(in crate::init) port: Option<u16>,
}

/// The URL of this container that a command asks.
pub(in crate::init) fn path(command: &str) -> Option<Asked> {
    let asks = ["curl", "wget", "http", "fetch"];
    if !asks.iter().any(|word| command.contains(word)) {
        return None;
    }
    command
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '(' | ')' | ';'))
        .find_map(asked)
}

fn asked(word: &str) -> Option<Asked> {
    let is_here = |host: &str| {
        matches!(
            host,
            "localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]" | "$HOSTNAME" | "::1"
        )
    };
    let rest = match word.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        Some(_) => return None,
        None => word,
    };
    let (authority, path) = match rest.find(['/', '?']) {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    };
    let is_plain = path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic());
    (is_here(host) && is_plain).then(|| Asked {
        path: path.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_this_container_are_found() {
        for (command, path_, port) in [
            (
                "curl -f http://localhost:3000/health || exit 1",
                "/health",
                Some(3000),
            ),
            (
                "wget --spider -q localhost:8080/healthz",
                "/healthz",
                Some(8080),
            ),
            ("CMD wget -qO- http://127.0.0.1/", "/", None),
            (
                "curl --fail \"http://localhost:80/a?b=c\"",
                "/a?b=c",
                Some(80),
            ),
            (
                "python -c \"import urllib.request as r; r.urlopen('http://localhost:8000/up')\"",
                "/up",
                Some(8000),
            ),
            (
                "node -e \"fetch('http://localhost:3000').then(r => 0)\"",
                "/",
                Some(3000),
            ),
        ] {
            let expected = Asked {
                path: path_.to_owned(),
                port,
            };
            assert_eq!(path(command), Some(expected), "{command}");
        }
        for none in [
            "pg_isready -U app",
            "redis-cli ping",
            "curl http://other:80/x",
            "",
            "wget",
        ] {
            assert_eq!(path(none), None, "{none}");
        }
    }
}
