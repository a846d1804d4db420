//! What each operation does.

mod code;
mod deploys;
mod discussion;

use serde_json::Value;

use crate::{
    answer::Answer,
    openapi::Description,
    show::Show,
    world::{Access, Repository, Token, World},
};

/// A request that may be asked, and what it is asked of.
pub(crate) struct Ask<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) description: &'a Description,
    pub(crate) base: &'a str,
    pub(crate) token: &'a Token,
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: &'a Value,
    /// The path as it was asked.
    pub(crate) path: &'a str,
    /// `owner/name`, as the repository is called.
    pub(crate) name: String,
}

/// An answer, or the refusal that came before it.
type Outcome = Result<Answer, Answer>;

/// Does what a request of a described operation asks for. `parts` are those of its path.
pub(crate) fn answer(ask: &mut Ask<'_>, method: &str, parts: &[&str]) -> Answer {
    let ["repos", owner, name, rest @ ..] = parts else {
        return Answer::not_found();
    };
    let asked = format!("{owner}/{name}");
    let known = ask
        .world
        .repositories
        .keys()
        .find(|known| known.eq_ignore_ascii_case(&asked));
    let Some(known) = known.cloned() else {
        return Answer::not_found();
    };
    // What a token may not see is not there.
    if !ask
        .world
        .may(ask.token, &known, Access::Read, &["metadata"])
    {
        return Answer::not_found();
    }
    ask.name = known;
    let outcome = match (method, rest) {
        ("GET", []) => code::repository(ask),
        ("GET", ["collaborators", login, "permission"]) => code::permission(ask, login),
        ("GET", ["commits", sha, "pulls"]) => code::pulls_with(ask, sha),
        ("GET", ["contents", path @ ..]) => code::contents(ask, &path.join("/")),
        ("GET", ["pulls"]) => code::pulls(ask),
        ("GET", ["pulls", number]) => code::pull(ask, number),
        ("GET", ["deployments"]) => deploys::list(ask),
        ("POST", ["deployments"]) => deploys::create(ask),
        ("GET", ["deployments", id, "statuses"]) => deploys::statuses(ask, id),
        ("POST", ["deployments", id, "statuses"]) => deploys::report(ask, id),
        ("POST", ["statuses", sha]) => deploys::commit_status(ask, sha),
        ("PATCH", ["issues", "comments", id]) => discussion::update(ask, id),
        ("DELETE", ["issues", "comments", id]) => discussion::delete(ask, id),
        ("POST", ["issues", "comments", id, "reactions"]) => discussion::react(ask, id),
        ("GET", ["issues", number, "comments"]) => discussion::list(ask, number),
        ("POST", ["issues", number, "comments"]) => discussion::create(ask, number),
        ("POST", ["issues", number, "labels"]) => discussion::label(ask, number),
        ("DELETE", ["issues", number, "labels", label]) => discussion::unlabel(ask, number, label),
        _ => Err(Answer::not_found()),
    };
    outcome.unwrap_or_else(|refusal| refusal)
}

impl Ask<'_> {
    /// The repository that it is about.
    fn repository(&mut self) -> &mut Repository {
        self.world.repository(&self.name)
    }

    fn show(&self) -> Show<'_> {
        Show {
            description: self.description,
            base: self.base,
            name: &self.name,
            repository: &self.world.repositories[&self.name],
        }
    }

    /// Refuses unless the token has one of these permissions.
    fn may(&self, access: Access, any: &[&str]) -> Result<(), Answer> {
        if self.world.may(self.token, &self.name, access, any) {
            return Ok(());
        }
        let message = if self.token.is_app() {
            "Resource not accessible by integration"
        } else {
            "Resource not accessible by personal access token"
        };
        let level = if access == Access::Write {
            "write"
        } else {
            "read"
        };
        let sets: Vec<String> = any.iter().map(|name| format!("{name}={level}")).collect();
        Err(Answer::refusal(403, message).header("x-accepted-github-permissions", sets.join("; ")))
    }

    /// A member of the body that the description asks for.
    fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A page of a list, with the links to the others. They go by the number of the repository, as GitHub's do.
    fn page<T>(&self, items: &[T], show: impl Fn(&Show<'_>, &T) -> Value) -> Answer {
        let number = |name: &str, default: usize| {
            let given = self.parameter(name).and_then(|text| text.parse().ok());
            given.filter(|number| *number > 0).unwrap_or(default)
        };
        let size = number("per_page", 30).min(100);
        let page = number("page", 1);
        let last = items.len().div_ceil(size).max(1);
        let about = self.show();
        let shown = items.iter().skip((page - 1) * size).take(size);
        let answer = Answer::new(200, shown.map(|item| show(&about, item)).collect());
        let mut links = Vec::new();
        for (there, to, name) in [
            (page > 1, page - 1, "prev"),
            (page < last, page + 1, "next"),
            (page < last, last, "last"),
            (page > 1, 1, "first"),
        ] {
            if there {
                links.push(format!("<{}>; rel=\"{name}\"", self.url_of_page(to)));
            }
        }
        if links.is_empty() {
            return answer;
        }
        answer.header("link", links.join(", "))
    }

    fn url_of_page(&self, page: usize) -> String {
        let rest: Vec<&str> = self.path.splitn(5, '/').collect();
        let id = self.world.repositories[&self.name].id;
        let mut url = format!(
            "{}/repositories/{id}/{}?",
            self.base,
            rest.get(4).unwrap_or(&"")
        );
        for (name, value) in self.query.iter().filter(|(name, _)| name != "page") {
            let value =
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            url.push_str(&format!("{name}={value}&"));
        }
        format!("{url}page={page}")
    }
}

/// A number in a path.
fn number(text: &str) -> Result<u64, Answer> {
    text.parse().map_err(|_| Answer::not_found())
}
