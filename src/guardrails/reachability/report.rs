//! Who can reach whom, for people and for programs: a table, JSON, DOT, and a picture.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

pub use super::svg::svg;
use super::{Party, Ports, Reachability};
use crate::report::table::table;

/// A row for each end and set of ports, with all that may connect to it; ends that nobody reaches are there too. It is as
/// wide as `width` allows.
#[must_use]
pub fn human(found: &Reachability, width: Option<usize>) -> String {
    let rows: Vec<Vec<String>> = callers(found)
        .into_iter()
        .map(|(to, ports, from)| {
            let names: Vec<String> = from.iter().map(ToString::to_string).collect();
            if names.is_empty() {
                vec![to.to_string(), "-".to_owned(), "nobody".to_owned()]
            } else {
                vec![to.to_string(), ports.to_string(), names.join(", ")]
            }
        })
        .collect();
    table(&["TO", "PORTS", "FROM"], &rows, width)
}

/// For each end and set of ports all that may connect to it; an end outside that nobody reaches is there without ports,
/// unless all it does is to connect.
fn callers(found: &Reachability) -> Vec<(&Party, Ports, Vec<&Party>)> {
    let mut rows: BTreeMap<(&Party, String), (Ports, Vec<&Party>)> = BTreeMap::new();
    for connection in &found.connections {
        let ports = connection.ports.to_string();
        let row = rows.entry((&connection.to, ports));
        let row = row.or_insert_with(|| (connection.ports.clone(), Vec::new()));
        row.1.push(&connection.from);
    }
    for party in &found.parties {
        let reached = rows.keys().any(|(to, _)| *to == party);
        if !reached && !party.only_calls() {
            rows.insert((party, String::new()), (Ports::none(), Vec::new()));
        }
    }
    let rows = rows.into_iter();
    rows.map(|((to, _), (ports, from))| (to, ports, from))
        .collect()
}

/// For programs, version 1: everybody who was looked at, and what is open.
#[must_use]
pub fn json(found: &Reachability, namespace: &str) -> Value {
    let kind = |party: &Party| match party {
        Party::Component(_) => "component",
        _ => "outside",
    };
    let parties = found.parties.iter();
    let connections = found.connections.iter().map(|connection| {
        json!({
            "from": connection.from.to_string(),
            "to": connection.to.to_string(),
            "ports": connection.ports,
        })
    });
    json!({
        "version": 1,
        "namespace": namespace,
        "parties": parties.map(|party| json!({"name": party.to_string(), "kind": kind(party)})).collect::<Vec<_>>(),
        "connections": connections.collect::<Vec<_>>(),
    })
}

/// For Graphviz.
#[must_use]
pub fn dot(found: &Reachability, namespace: &str) -> String {
    let quoted = |text: &dyn std::fmt::Display| {
        let text = text.to_string().replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{text}\"")
    };
    let (inside, outside): (Vec<&Party>, Vec<&Party>) = found
        .parties
        .iter()
        .partition(|party| matches!(party, Party::Component(_)));
    let mut text = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n  subgraph cluster_environment {{\n    label={};\n",
        quoted(&"reachability"),
        quoted(&namespace)
    );
    for party in inside {
        let _ = writeln!(text, "    {};", quoted(party));
    }
    text.push_str("  }\n");
    for party in outside {
        let is_end = |c: &super::Connection| c.from == *party || c.to == *party;
        let closed = !found.connections.iter().any(is_end);
        let style = if closed { " [style=dashed]" } else { "" };
        let _ = writeln!(text, "  {}{style};", quoted(party));
    }
    for connection in &found.connections {
        let _ = writeln!(
            text,
            "  {} -> {} [label={}];",
            quoted(&connection.from),
            quoted(&connection.to),
            quoted(&connection.ports)
        );
    }
    text.push_str("}\n");
    text
}
