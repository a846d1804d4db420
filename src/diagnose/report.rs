//! Causes as people read them, and as programs do.

use serde_json::{Value, json};

use super::cause::Cause;

/// The causes for a terminal, root causes first; empty without causes. `locate` turns a JSON pointer into a place such as
/// `k8s-ee.yaml:14`, or none when the file has nothing there.
#[must_use]
pub fn human(causes: &[Cause], locate: &dyn Fn(&str) -> Option<String>) -> String {
    let blocks: Vec<String> = causes.iter().map(|cause| block(cause, locate)).collect();
    blocks.join("\n")
}

fn block(cause: &Cause, locate: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = format!("error[{}]: {}\n", cause.code, cause.summary);
    if let Some(place) = place(cause, locate) {
        text.push_str(&format!("  --> {place}\n"));
    }
    for line in &cause.evidence {
        text.push_str(&format!("  | {line}\n"));
    }
    text.push_str(&format!("hint: {}\n", cause.fix.text));
    for line in cause.fix.yaml().iter().flat_map(|yaml| yaml.lines()) {
        text.push_str(&format!("    {line}\n"));
    }
    if let Some(command) = &cause.fix.command {
        text.push_str(&format!("  $ {command}\n"));
    }
    text
}

/// The causes as JSON: a list of objects whose members keep their names and meaning. `fix.location` is where
/// `fix.pointer` stands, or where its nearest parent does; `fix.yaml` is the change below all its keys.
#[must_use]
pub fn json(causes: &[Cause], locate: &dyn Fn(&str) -> Option<String>) -> Value {
    let one = |cause: &Cause| {
        let fix = &cause.fix;
        json!({
            "code": cause.code.to_string(),
            "component": cause.component,
            "summary": cause.summary,
            "evidence": cause.evidence,
            "fix": {
                "text": fix.text,
                "pointer": fix.pointer,
                "location": fix.pointer.as_deref().and_then(|pointer| nearest(pointer, locate)),
                "change": fix.change,
                "yaml": fix.yaml(),
                "command": fix.command,
            },
        })
    };
    Value::Array(causes.iter().map(one).collect())
}

/// Where the change belongs: the place of the pointer or of its nearest parent that the file has. Without any, its keys,
/// unless the change shows them anyway.
fn place(cause: &Cause, locate: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let pointer = cause.fix.pointer.as_deref()?;
    let keys = || {
        let keys: Vec<&str> = pointer.split('/').skip(1).collect();
        format!("`{}` in k8s-ee.yaml", keys.join("."))
    };
    nearest(pointer, locate).or_else(|| cause.fix.change.is_none().then(keys))
}

fn nearest(pointer: &str, locate: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut pointer = pointer;
    loop {
        if pointer.is_empty() {
            return None;
        }
        if let Some(place) = locate(pointer) {
            return Some(place);
        }
        pointer = pointer.rsplit_once('/')?.0;
    }
}
