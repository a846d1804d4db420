//! The page: one HTML document without scripts and without anything to fetch.

use crate::{
    settings::About,
    status::{Kind, State, States, Stored, milliseconds, missing},
};

const STYLE: &str = include_str!("page.css");

/// The page's icon, in the page itself.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect \
width='16' height='16' rx='4' fill='%232457c5'/%3E%3Cpath d='M4 5h8M4 8h8M4 11h5' stroke='%23fff' \
stroke-width='1.6' stroke-linecap='round'/%3E%3C/svg%3E";

/// What the page may do: show itself, and send its own form.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; \
base-uri 'none'; frame-ancestors 'none'";

/// Characters of a commit that are enough to tell it from others.
const COMMIT: usize = 10;

/// The page. `stored` is what became of the visit that was just to be stored, if there was one.
pub(crate) fn render(about: &About, states: &States, stored: &Stored) -> String {
    let title = escape(&about.greeting);
    let lead = lead(states);
    let facts = facts(about);
    let cards: String = states
        .iter()
        .map(|(kind, state)| card(*kind, state, stored))
        .collect();
    format!(
        "<!doctype html>\n\
<html lang=\"en\">\n\
<head>\n\
<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
<title>{title}</title>\n\
<link rel=\"icon\" href=\"{ICON}\">\n\
<style>\n{STYLE}</style>\n\
</head>\n\
<body>\n\
<main>\n\
<h1>{title}</h1>\n\
<p class=\"lead\">{lead}</p>\n\
{facts}\
<div class=\"grid\">\n\
{cards}\
<section class=\"card\">\n\
<header><h2>Leave a visit</h2></header>\n\
<p class=\"hint\">Every database counts visits for itself. The numbers outlive this service, and go with the \
environment.</p>\n\
<form method=\"post\" action=\"/api/visit\"><button>Add a visit to each</button></form>\n\
</section>\n\
</div>\n\
</main>\n\
<footer><a href=\"/api/status\">/api/status</a><a href=\"/health\">/health</a><a href=\"/ready\">/ready</a>\
<a href=\"/metrics\">/metrics</a></footer>\n\
</body>\n\
</html>\n"
    )
}

/// The sentence that says how things are.
fn lead(states: &States) -> String {
    let configured = states
        .iter()
        .filter(|(_, state)| *state != State::NotConfigured)
        .count();
    let missing = missing(states);
    match (configured, missing.as_slice()) {
        (0, _) => "No database is configured.".to_owned(),
        (1, []) => "Its database answers.".to_owned(),
        (_, []) => format!("All {configured} databases answer."),
        (_, missing) => {
            let names: Vec<&str> = missing.iter().map(|(kind, _)| label(*kind)).collect();
            let verb = if names.len() == 1 { "does" } else { "do" };
            format!("{} {verb} not answer.", names.join(", "))
        }
    }
}

/// What the environment was made from. What is not known is left out.
fn facts(about: &About) -> String {
    let commit = about.commit.as_ref();
    let commit = commit.map(|commit| commit.chars().take(COMMIT).collect());
    let known = [
        ("Pull request", &about.pull_request),
        ("Branch", &about.branch),
        ("Commit", &commit),
        ("Version", &about.version),
    ];
    let items: String = known
        .iter()
        .filter_map(|(name, value)| {
            let value = escape(value.as_ref()?);
            Some(format!(
                "<li><span>{name}</span> <code>{value}</code></li>\n"
            ))
        })
        .collect();
    if items.is_empty() {
        return items;
    }
    format!("<ul class=\"facts\">\n{items}</ul>\n")
}

fn card(kind: Kind, state: &State, stored: &Stored) -> String {
    let (class, word, body) = match state {
        State::NotConfigured => (
            "off",
            "not configured",
            format!(
                "<p class=\"hint\"><code>databases.{}</code> is not in the environment’s file.</p>\n",
                kind.name()
            ),
        ),
        State::Down(why) => (
            "down",
            "down",
            format!("<p class=\"why\">{}</p>\n", escape(why)),
        ),
        State::Up(seen) => {
            let unit = if seen.visits == 1 { "visit" } else { "visits" };
            let lost = stored.iter().find_map(|(of, result)| match result {
                Err(why) if *of == kind => Some(format!(
                    "<p class=\"why\">The visit was not stored: {}</p>\n",
                    escape(why)
                )),
                _ => None,
            });
            let body = format!(
                "<p class=\"count\">{}<small> {unit}</small></p>\n\
{}\
<dl>\n\
<dt>Server</dt><dd>{}</dd>\n\
<dt>Round trip</dt><dd>{:.2} ms</dd>\n\
<dt>Counted in</dt><dd>{}</dd>\n\
<dt>Driver</dt><dd>{}</dd>\n\
</dl>\n",
                seen.visits,
                lost.unwrap_or_default(),
                escape(&seen.version),
                milliseconds(seen.round_trip),
                place(kind),
                driver(kind),
            );
            ("up", "up", body)
        }
    };
    format!(
        "<section class=\"card {class}\">\n\
<header><h2>{}</h2><span class=\"state\">{word}</span></header>\n\
{body}</section>\n",
        label(kind)
    )
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgresql => "PostgreSQL",
        Kind::Mariadb => "MariaDB",
        Kind::Mongodb => "MongoDB",
        Kind::Redis => "Redis",
        Kind::Minio => "MinIO",
    }
}

fn place(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgresql | Kind::Mariadb => "table <code>visits</code>",
        Kind::Mongodb => "collection <code>visits</code>",
        Kind::Redis => "key <code>visits</code>",
        Kind::Minio => "object <code>visits</code>",
    }
}

fn driver(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgresql | Kind::Mariadb => "<code>sqlx</code>",
        Kind::Mongodb => "<code>mongodb</code>",
        Kind::Redis => "<code>redis</code>",
        Kind::Minio => "<code>rusty-s3</code>",
    }
}

/// Text, as it may stand between tags and in quotes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::tests::states;

    #[test]
    fn shows_each_state() {
        let page = render(&About::default(), &states(), &Vec::new());
        assert!(page.contains("<p class=\"lead\">Redis does not answer.</p>"));
        assert!(page.contains("<p class=\"count\">7<small> visits</small></p>"));
        assert!(page.contains("<dd>15.18</dd>"));
        assert!(page.contains("<dd>1.23 ms</dd>"));
        assert!(page.contains("<code>databases.mariadb</code>"));
        assert!(page.contains("<p class=\"why\">connection &lt;refused&gt;</p>"));
    }

    #[test]
    fn a_lost_visit_is_told_where_it_was_lost() {
        let stored = vec![(Kind::Postgresql, Err("disk is <full>".to_owned()))];
        let page = render(&About::default(), &states(), &stored);
        assert!(page.contains("The visit was not stored: disk is &lt;full&gt;"));
        assert!(page.contains("7<small> visits</small>"));
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        let evil = || Some("<script>\"'&".to_owned());
        let about = About {
            greeting: "<script>".to_owned(),
            pull_request: evil(),
            branch: evil(),
            commit: evil(),
            version: evil(),
            url: evil(),
        };
        let page = render(&about, &states(), &Vec::new());
        assert!(!page.contains("<script"));
        assert!(page.contains("<code>&lt;script&gt;&quot;&#39;&amp;</code>"));
    }

    #[test]
    fn says_how_many_answer() {
        let mut states = states();
        states[3].1 = State::NotConfigured;
        assert_eq!(lead(&states), "Its database answers.");
        states[4].1 = states[0].1.clone();
        assert_eq!(lead(&states), "All 2 databases answer.");
        states[1].1 = State::Down(String::new());
        states[2].1 = State::Down(String::new());
        assert_eq!(lead(&states), "MariaDB, MongoDB do not answer.");
        let none = states.map(|(kind, _)| (kind, State::NotConfigured));
        assert_eq!(lead(&none), "No database is configured.");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let about = About {
            commit: Some("0123456789abcdef".to_owned()),
            ..About::default()
        };
        let page = render(&about, &states(), &Vec::new());
        assert!(page.contains("<span>Commit</span> <code>0123456789</code>"));
        assert!(!page.contains("Branch"));
        assert!(!render(&About::default(), &states(), &Vec::new()).contains("class=\"facts\""));
    }
}
