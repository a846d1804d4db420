//! The page, filled in from the variables that every preview environment has.

/// Rows of the table: what it says, and the variable behind it.
const ROWS: [(&str, &str); 4] = [
    ("Pull request", "PR_NUMBER"),
    ("Branch", "BRANCH_NAME"),
    ("Commit", "COMMIT_SHA"),
    ("Version", "VERSION"),
];

const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1rem;\
color:#1c2733;background:#f6f8fa}main{background:#fff;border-radius:.8rem;padding:2rem;box-shadow:0 2px 12px #0001}\
h1{margin:0 0 1rem}th{text-align:left;padding-right:2rem;color:#5b6b7b;font-weight:500}code{font-size:.95em}";

/// The page; `variable` looks a variable up. A row whose variable is missing is left out.
pub(crate) fn render(variable: impl Fn(&str) -> Option<String>) -> String {
    let greeting =
        variable("GREETING").unwrap_or_else(|| "Hello from a preview environment".to_owned());
    let rows: String = ROWS
        .iter()
        .filter_map(|(label, name)| {
            let value = escape(&variable(name)?);
            Some(format!(
                "<tr><th>{label}</th><td><code>{value}</code></td></tr>"
            ))
        })
        .collect();
    let greeting = escape(&greeting);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{greeting}</title><style>{STYLE}</style>\
<main><h1>{greeting}</h1><table>{rows}</table></main></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_is_known_and_escapes_it() {
        let page = render(|name| match name {
            "PR_NUMBER" => Some("42".to_owned()),
            "BRANCH_NAME" => Some("<script>".to_owned()),
            _ => None,
        });
        assert!(page.contains("<th>Pull request</th><td><code>42</code>"));
        assert!(page.contains("<code>&lt;script&gt;</code>"));
        assert!(!page.contains("Commit"));
    }
}
