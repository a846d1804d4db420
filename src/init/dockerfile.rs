//! What a Dockerfile says about the container: its ports, its user, how its health is asked.

use std::collections::HashMap;

use super::compose::health;

/// What the last stage of a Dockerfile says, each with its line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    /// The first TCP port of `EXPOSE`.
    pub(super) port: Option<(u16, usize)>,
    /// Path that `HEALTHCHECK` asks.
    pub(super) health: Option<(String, usize)>,
    /// Directories of `VOLUME`.
    pub(super) volumes: Vec<(String, usize)>,
    /// Image that the last stage starts from.
    pub(super) base: String,
}

/// Reads a Dockerfile. What it does not understand it passes over.
pub(super) fn read(text: &str) -> Dockerfile {
    let mut found = Dockerfile::default();
    let mut variables: HashMap<String, String> = HashMap::new();
    for (line, instruction, rest) in instructions(text) {
        match instruction.as_str() {
            "FROM" => {
                let images = rest
                    .split_whitespace()
                    .filter(|word| !word.starts_with("--"));
                found = Dockerfile {
                    base: images.take(1).collect(),
                    ..Dockerfile::default()
                };
            }
            "ARG" | "ENV" => {
                // `ENV NAME value`, the old form, beside `NAME=value NAME=value`.
                if let Some((name, value)) = rest.split_once(char::is_whitespace)
                    && !name.contains('=')
                {
                    let value = resolve(value.trim(), &variables);
                    variables.insert(name.to_owned(), value);
                    continue;
                }
                for pair in rest.split_whitespace() {
                    if let Some((name, value)) = pair.split_once('=') {
                        let value = value.trim_matches(['"', '\'']);
                        let value = resolve(value, &variables);
                        variables.insert(name.to_owned(), value);
                    }
                }
            }
            "EXPOSE" if found.port.is_none() => {
                let ports = rest
                    .split_whitespace()
                    .map(|word| resolve(word, &variables));
                found.port = ports
                    .filter(|port| !port.ends_with("/udp"))
                    .find_map(|port| {
                        let number = port.split(['/', '-']).next()?.parse().ok()?;
                        (number != 0).then_some((number, line))
                    });
            }
            "HEALTHCHECK" => {
                let words: Vec<String> = rest
                    .split_whitespace()
                    .map(|word| resolve(word, &variables))
                    .collect();
                found.health = health::path(&words.join(" ")).map(|url| (url.path, line));
            }
            "VOLUME" => {
                let words = rest.trim_matches(['[', ']']).split([',', ' ']);
                let paths = words.map(|word| word.trim_matches(['"', '\'', ' ']).to_owned());
                found.volumes.extend(
                    paths
                        .filter(|path| !path.is_empty())
                        .map(|path| (path, line)),
                );
            }
            _ => {}
        }
    }
    found
}

/// Line, name in capitals and arguments of each instruction; lines that end with `\` go on.
fn instructions(text: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let (start, mut whole) = open.take().unwrap_or((n + 1, String::new()));
        let goes_on = line.ends_with('\\');
        whole.push_str(line.trim_end_matches('\\'));
        if goes_on {
            whole.push(' ');
            open = Some((start, whole));
        } else {
            found.push((start, whole));
        }
    }
    found.extend(open);
    found
        .into_iter()
        .filter_map(|(line, whole)| {
            let (name, rest) = whole.split_once(char::is_whitespace)?;
            Some((line, name.to_ascii_uppercase(), rest.trim().to_owned()))
        })
        .collect()
}

/// Replaces `$NAME`, `${NAME}` and `${NAME:-default}` where they are a whole word, or the port of one.
fn resolve(word: &str, variables: &HashMap<String, String>) -> String {
    let Some(start) = word.find('$') else {
        return word.to_owned();
    };
    let rest = &word[start + 1..];
    let (name, end) = match rest.strip_prefix('{') {
        Some(inside) => match inside.split_once('}') {
            Some((name, end)) => (name, end),
            None => return word.to_owned(),
        },
        None => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            rest.split_at(end.unwrap_or(rest.len()))
        }
    };
    let (name, default) = name.split_once(":-").unwrap_or((name, ""));
    let value = variables.get(name).map_or(default, String::as_str);
    format!("{}{value}{end}", &word[..start])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_counts() {
        let found = read(
            "FROM node:22 AS build\nEXPOSE 9999\nRUN npm ci\n\nFROM gcr.io/distroless/nodejs22\n\
             ARG PORT=8080\nENV PORT=$PORT\nEXPOSE 53/udp \\\n  ${PORT}/tcp 9090\nUSER 1000\n\
             HEALTHCHECK --interval=5s CMD wget -qO- http://localhost:${PORT}/healthz || exit 1\n\
             VOLUME [\"/data\", \"/cache\"]\n",
        );
        assert_eq!(
            found,
            Dockerfile {
                port: Some((8080, 8)),
                health: Some(("/healthz".to_owned(), 11)),
                volumes: vec![("/data".to_owned(), 12), ("/cache".to_owned(), 12)],
                base: "gcr.io/distroless/nodejs22".to_owned(),
            }
        );
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        for text in [
            "",
            "EXPOSE",
            "EXPOSE x 0 99999",
            "EXPOSE ${",
            "FROM",
            "\\",
            "EXPOSE $X",
        ] {
            assert_eq!(read(text).port, None, "{text}");
        }
        assert_eq!(
            read("FROM a\nENV PORT 81\nexpose $PORT").port,
            Some((81, 3))
        );
    }
}
