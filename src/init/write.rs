//! The text of a configuration, with the reasons as comments.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{config::shorten, render::yaml::as_json};

use super::draft::{Amounts, Database, Draft, Image, Service};

const HEAD: &str = "\
# yaml-language-server: $schema=https://github.com/koder-cat/k8s-ee/raw/main/schema/k8s-ee.schema.json
# A first version by `k8s-ee init`: what is guessed says so. `k8s-ee validate` checks it. Every key:
# https://github.com/koder-cat/k8s-ee/blob/main/docs/reference/config.md
";

/// Column of the comments behind values.
const COLUMN: usize = 28;

pub(super) fn config(draft: &Draft) -> String {
    let mut text = Text(HEAD.to_owned());
    text.0.push('\n');
    if let Some(project) = &draft.project {
        text.line(
            0,
            &format!("projectId: {}", scalar(&project.value)),
            &project.why,
        );
    }
    match draft.services.as_slice() {
        [one] if !draft.is_general => text.short_form(one),
        [] => {}
        several => {
            text.0.push_str("\nservices:\n");
            for (n, service) in several.iter().enumerate() {
                if n > 0 {
                    text.0.push('\n');
                }
                text.service(service);
            }
        }
    }
    text.databases(&draft.databases);
    text.0
}

/// A text that YAML reads as this string.
pub(super) fn scalar(value: &str) -> String {
    let is_plain = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
        && !is_word(value);
    if is_plain || value == "." {
        return value.to_owned();
    }
    as_json(&Value::from(value))
}

/// What YAML, of whichever version, takes for something else than a text.
fn is_word(value: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    WORDS.contains(&value.to_ascii_lowercase().as_str())
}

fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| scalar(value)).collect();
    format!("[{}]", values.join(", "))
}

struct Text(String);

impl Text {
    /// A line, and a reason behind it.
    fn line(&mut self, indent: usize, text: &str, why: &str) {
        let mut line = format!("{:indent$}{text}", "");
        if !why.is_empty() {
            while line.chars().count() < COLUMN - 1 {
                line.push(' ');
            }
            let _ = write!(line, " # {}", one_line(why));
        }
        self.0.push_str(&line);
        self.0.push('\n');
    }

    fn comment(&mut self, indent: usize, text: &str) {
        self.line(indent, &format!("# {}", one_line(text)), "");
    }

    fn short_form(&mut self, service: &Service) {
        if let Some(comment) = &service.comment {
            self.0.push('\n');
            self.comment(0, comment);
        }
        self.0.push_str("\napp:\n");
        self.listening(2, service);
        if let Some(image) = &service.image {
            self.0.push('\n');
            self.image(0, image);
        }
        self.resources(0, service);
    }

    fn listening(&mut self, indent: usize, service: &Service) {
        if let Some(port) = &service.port {
            self.line(indent, &format!("port: {}", port.value), &port.why);
        }
        if let Some(health) = &service.health {
            self.line(
                indent,
                &format!("healthPath: {}", scalar(&health.value)),
                &health.why,
            );
        }
    }

    fn service(&mut self, service: &Service) {
        if let Some(comment) = &service.comment {
            self.comment(2, comment);
        }
        let is_empty =
            service.image.is_none() && service.port.is_none() && service.health.is_none();
        let rest = if is_empty { " {}" } else { "" };
        self.line(2, &format!("{}:{rest}", service.name), "");
        if is_empty {
            return;
        }
        if let Some(image) = &service.image {
            self.image(4, image);
        }
        self.listening(4, service);
        if service.is_public {
            self.line(4, "public: true", "gets a URL");
        }
        if let Some(replicas) = service.replicas {
            self.line(4, &format!("replicas: {replicas}"), "");
        }
        for (key, values) in [
            ("dependsOn", &service.depends_on),
            ("command", &service.command),
            ("args", &service.args),
            ("writableDirs", &service.writable_dirs),
        ] {
            if !values.is_empty() {
                self.line(4, &format!("{key}: {}", list(values)), "");
            }
        }
        self.resources(4, service);
        if !service.env.is_empty() {
            self.line(4, "env:", "");
            for (key, value) in &service.env {
                self.line(6, &format!("{key}: {}", scalar(value)), "");
            }
        }
    }

    fn image(&mut self, indent: usize, image: &Image) {
        match image {
            Image::Reference(reference) => {
                self.line(indent, &format!("image: {}", scalar(reference)), "");
            }
            Image::Build {
                context,
                dockerfile,
            } => {
                self.line(indent, "image:", "");
                self.line(indent + 2, &format!("context: {}", scalar(context)), "");
                self.line(
                    indent + 2,
                    &format!("dockerfile: {}", scalar(dockerfile)),
                    "",
                );
            }
        }
    }

    fn resources(&mut self, indent: usize, service: &Service) {
        let amounts = |of: fn(&Amounts) -> Option<&String>| {
            let parts = [("cpu", &service.cpu), ("memory", &service.memory)];
            let parts = parts
                .into_iter()
                .filter_map(|(name, amounts)| Some(format!("{name}: {}", scalar(of(amounts)?))));
            let parts: Vec<String> = parts.collect();
            (!parts.is_empty()).then(|| format!("{{{}}}", parts.join(", ")))
        };
        let requests = amounts(|amounts| amounts.request.as_ref());
        let limits = amounts(|amounts| amounts.limit.as_ref());
        if requests.is_none() && limits.is_none() {
            return;
        }
        self.line(indent, "resources:", "");
        for (name, amounts) in [("requests", requests), ("limits", limits)] {
            if let Some(amounts) = amounts {
                self.line(indent + 2, &format!("{name}: {amounts}"), "");
            }
        }
    }

    fn databases(&mut self, databases: &[Database]) {
        if databases.is_empty() {
            return;
        }
        let all_are_offers = databases.iter().all(|database| database.is_offer);
        let head = if all_are_offers {
            "# databases:"
        } else {
            "databases:"
        };
        let _ = write!(self.0, "\n{head}\n");
        for database in databases {
            let indent = if database.is_offer { "# " } else { "" };
            let kind = database.kind;
            if database.options.is_empty() {
                self.line(2, &format!("{indent}{kind}: true"), &database.why);
                continue;
            }
            self.line(2, &format!("{indent}{kind}:"), &database.why);
            for (key, value) in &database.options {
                self.line(4, &format!("{indent}{key}: {value}"), "");
            }
        }
    }
}

/// What stood in files of others must not end a comment.
fn one_line(text: &str) -> String {
    let words = text.split(' ');
    words.map(shorten).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        for (text, written) in [
            ("web", "web"),
            ("/health", "/health"),
            ("16", "\"16\""),
            ("1.10", "\"1.10\""),
            ("true", "\"true\""),
            ("No", "\"No\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("a\nb", "\"a\\nb\""),
            ("\u{2028}", "\"\\u2028\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }
}
