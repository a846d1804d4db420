//! Ports that a service of a compose file listens on.

use crate::{config::document::Found, init::note::Kind};

use super::reader::Reader;

/// A TCP port of the container.
#[derive(Clone, Copy)]
pub(super) struct Port<'a> {
    pub(super) number: u16,
    /// Whether it is reached from outside of the network.
    pub(super) is_published: bool,
    /// Where it stands.
    pub(super) at: Found<'a>,
}

/// Published ports first, then those that are only exposed; each once. The first is that of the service.
pub(super) fn of<'a>(reader: &Reader<'_>, service: Found<'a>) -> Vec<Port<'a>> {
    let mut ports: Vec<Port<'a>> = Vec::new();
    for (key, is_published) in [("ports", true), ("expose", false)] {
        let items = service.child(key).map(|list| list.items());
        for at in items.unwrap_or_default() {
            let number = if at.is_map() {
                let is_udp = reader.member(at, "protocol").as_deref() == Some("udp");
                reader.member(at, "target").filter(|_| !is_udp)
            } else {
                reader.text(at)
            };
            let Some(number) = number.as_deref().and_then(container_port) else {
                if !at.is_map() || at.child("target").is_none() {
                    reader.note(Kind::Left, at, "this is no TCP port that could be taken");
                }
                continue;
            };
            if !ports.iter().any(|port| port.number == number) {
                ports.push(Port {
                    number,
                    is_published,
                    at,
                });
            }
        }
    }
    // What speaks HTTP comes first: that is what is asked for its health.
    ports.sort_by_key(|port| OTHERS.contains(&port.number));
    ports
}

/// Ports of mail, debuggers and the like.
const OTHERS: [u16; 10] = [22, 25, 465, 587, 1025, 5005, 5678, 9003, 9229, 40000];

/// The port in the container of `3000`, `8080:80`, `127.0.0.1:8080:80/tcp`, `3000-3005`.
fn container_port(text: &str) -> Option<u16> {
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let last = text.rsplit(':').next()?;
    let first = last.split('-').next()?;
    let port: u16 = first.trim().parse().ok()?;
    (protocol.eq_ignore_ascii_case("tcp") && port != 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::container_port;

    #[test]
    fn the_last_number_is_that_of_the_container() {
        for (text, port) in [
            ("3000", Some(3000)),
            ("8080:80", Some(80)),
            ("127.0.0.1:8080:80", Some(80)),
            ("[::1]:8080:80/tcp", Some(80)),
            ("9000-9002:3000-3002", Some(3000)),
            ("127.0.0.1::80", Some(80)),
            ("53:53/udp", None),
            ("0", None),
            ("99999", None),
            ("", None),
            ("a:b", None),
        ] {
            assert_eq!(container_port(text), port, "{text}");
        }
    }
}
