//! The client against a GitHub with a memory, which fails the test when either side is not as GitHub describes it.

mod adversity;
mod comments;
mod deployments;
mod elsewhere;
mod last_job;
mod pr;
mod preserve;
mod reading;
mod step;
mod sweep;
mod trouble;
mod trusted;
mod user;
mod verbs;
mod waiting;

use std::time::Duration;

use github_fake::{
    GithubFake,
    world::{Access, Pull, Token as Holder, World},
};
use k8s_ee::{
    error::Failure,
    github::{Client, GithubError, Patience, Repository, Sha, Token},
};

/// A token that must never be seen again.
const TOKEN: &str = "ghs_not-to-be-printed";

/// The same for somebody who is no bot.
const PERSONAL: &str = "ghp_not-to-be-printed";

/// Patience enough for a test.
const QUICK: Patience = Patience {
    tries: 4,
    hung_tries: 3,
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_millis(20),
    longest_wait: Duration::from_secs(5),
    answer: Duration::from_secs(10),
};

fn shop() -> Repository {
    "acme/shop".parse().expect("a repository")
}

/// Newest commit of pull request 7.
fn head() -> Sha {
    Pull::default().sha.parse().expect("a commit")
}

/// Pull request 7 of `acme/shop`, and two tokens that may do everything that we do.
fn world() -> World {
    let mut world = World::default();
    world.tokens.insert(TOKEN.to_owned(), Holder::writer());
    let may = Holder::writer().permissions;
    let may: Vec<(&str, Access)> = may
        .iter()
        .map(|(name, access)| (name.as_str(), *access))
        .collect();
    world
        .tokens
        .insert(PERSONAL.to_owned(), Holder::of("dev-1", &may));
    world
        .repository("acme/shop")
        .pulls
        .insert(7, Pull::default());
    world
}

fn token(text: &str) -> Token {
    Token::new(text, "a test").expect("a token")
}

fn client(fake: &GithubFake) -> Client {
    client_of(fake, TOKEN)
}

fn client_of(fake: &GithubFake, text: &str) -> Client {
    Client::new(fake.url(), &token(text), QUICK).expect("a client")
}

/// What a person reads, with the fake's address taken out.
fn printed(error: GithubError, fake: &GithubFake) -> String {
    Failure::from(error)
        .to_string()
        .replace(fake.url(), "[API]")
}

/// Requests of a kind so far.
fn count(fake: &GithubFake, method: &str, path: &str) -> usize {
    let asked = fake.requests();
    asked
        .iter()
        .filter(|asked| asked.method == method && asked.path.ends_with(path))
        .count()
}
