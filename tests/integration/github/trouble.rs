//! GitHub in trouble, or in no mood: what is tried again, how long, and what is said in the end.

use std::{
    io::Write,
    sync::Mutex,
    time::{Duration, Instant},
};

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Access, Token as Holder},
};
use insta::assert_snapshot;
use k8s_ee::github::{
    Client, ENVIRONMENT_MARKER as MARKER, GithubError, Patience, pulls::PullRequest,
};

use super::{PERSONAL, QUICK, TOKEN, client, client_of, count, head, printed, shop, token, world};

async fn read(client: &Client) -> Result<PullRequest, GithubError> {
    client.pull_request(&shop(), 7).await
}

#[tokio::test]
async fn trouble_that_passes_is_not_noticed() {
    for trouble in [500, 502, 503, 504]
        .map(Trouble::Status)
        .into_iter()
        .chain([Trouble::Close])
    {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble).times(3));
        let client = client(&fake);
        assert_eq!(
            read(&client).await.expect("it is read").number,
            7,
            "{trouble:?}"
        );
        assert_eq!(client.requests().reads, 4, "{trouble:?}");
    }
}

#[tokio::test]
async fn trouble_that_stays_is_told() {
    let fake = GithubFake::start(world());
    fake.trouble(Fault::new(Trouble::Status(502)).times(99));
    let error = read(&client(&fake)).await.expect_err("no answer");
    assert!(error.may_have_happened());
    assert_snapshot!(printed(error, &fake), @"
    error: cannot read pull request acme/shop#7: GitHub failed (502), 4 times

    hint: try again later; whether GitHub knows of it: https://www.githubstatus.com
    ");
    assert_eq!(count(&fake, "GET", "/pulls/7"), 4);
}

#[tokio::test]
async fn no_answer_is_waited_for_only_so_long() {
    let fake = GithubFake::start(world());
    // The first answer takes the fake longer than all others.
    read(&client(&fake)).await.expect("it is read");
    let hurried = Patience {
        answer: Duration::from_secs(2),
        tries: 3,
        ..QUICK
    };
    let client = Client::new(fake.url(), &token(TOKEN), hurried).expect("a client");
    fake.trouble(Fault::new(Trouble::Hang));
    assert_eq!(read(&client).await.expect("it is read").number, 7);
    assert!(client.requests().reads >= 2);

    let hurried = Patience {
        hung_tries: 2,
        ..hurried
    };
    let client = Client::new(fake.url(), &token(TOKEN), hurried).expect("a client");
    fake.trouble(Fault::new(Trouble::Hang).times(99));
    let begun = Instant::now();
    let error = read(&client).await.expect_err("no answer");
    assert_eq!(client.requests().reads, 2);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_snapshot!(printed(error, &fake), @"
    error: cannot read pull request acme/shop#7: no answer from [API]

    Caused by:
      error sending request
      operation timed out

    hint: check that it can be reached from here, by a proxy in HTTPS_PROXY if there is one: curl -sS [API]/zen
    ");
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = Client::new(&url, &token(TOKEN), QUICK).expect("a client");
    let error = read(&client).await.expect_err("no answer");
    // Nothing can have been done where nobody is.
    assert!(!error.may_have_happened());
    assert_eq!(client.requests().reads, 4);
    let text = k8s_ee::error::Failure::from(error)
        .to_string()
        .replace(&url, "[API]");
    assert_snapshot!(text, @"
    error: cannot read pull request acme/shop#7: no answer from [API]

    Caused by:
      error sending request
      client error (Connect)
      tcp connect error
      Connection refused (os error 111)

    hint: check that it can be reached from here, by a proxy in HTTPS_PROXY if there is one: curl -sS [API]/zen
    ");
}

#[tokio::test]
async fn a_limit_that_is_lifted_soon_is_waited_for() {
    for trouble in [Trouble::Primary(1), Trouble::Secondary(1)] {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble));
        let begun = Instant::now();
        read(&client(&fake)).await.expect("it is read");
        let waited = begun.elapsed();
        assert!(waited >= Duration::from_secs(1), "{trouble:?}: {waited:?}");
        assert_eq!(count(&fake, "GET", "/pulls/7"), 2, "{trouble:?}");
    }
}

/// What was refused for a limit was not done, so it may be tried again whatever it is.
#[tokio::test]
async fn a_limit_does_not_make_a_second_comment() {
    let fake = GithubFake::start(world());
    fake.trouble(Fault::new(Trouble::Secondary(1)).on("POST", "/comments"));
    client(&fake)
        .create_comment(&shop(), 7, "x")
        .await
        .expect("a comment");
    fake.with(|world| assert_eq!(world.repository("acme/shop").comments.len(), 1));
}

#[tokio::test]
async fn a_limit_that_lasts_is_told_at_once() {
    for (trouble, seconds) in [
        (Trouble::Primary(3600), 3600),
        (Trouble::Secondary(120), 120),
        (Trouble::SecondaryUntold, 60),
    ] {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble).times(99));
        let now = jiff::Timestamp::now();
        let error = read(&client(&fake)).await.expect_err("a limit");
        let GithubError::RateLimited { until, .. } = &error else {
            panic!("{trouble:?}: {error:?}");
        };
        let wait = until.as_second() - now.as_second();
        assert!(
            (seconds..seconds + 60).contains(&wait),
            "{trouble:?}: {wait}"
        );
        assert_eq!(count(&fake, "GET", "/pulls/7"), 1, "{trouble:?}");
        let until = until.to_string();
        let text = printed(error, &fake).replace(&until, "[UNTIL]");
        match trouble {
            Trouble::Primary(_) => assert_snapshot!(text, @"
            error: cannot read pull request acme/shop#7 before [UNTIL]: the requests of this hour are used up

            hint: try again after [UNTIL]; a token of a GitHub App has a limit of its own
            "),
            _ => assert_eq!(
                text,
                "error: cannot read pull request acme/shop#7 before [UNTIL]: GitHub asks for a pause\n\nhint: try again after [UNTIL]"
            ),
        }
    }
}

#[tokio::test]
async fn a_limit_that_comes_back_ends_patience() {
    let fake = GithubFake::start(world());
    fake.trouble(Fault::new(Trouble::Secondary(0)).times(99));
    let error = read(&client(&fake)).await.expect_err("a limit");
    assert!(
        matches!(error, GithubError::RateLimited { .. }),
        "{error:?}"
    );
    assert_eq!(count(&fake, "GET", "/pulls/7"), 4);
}

#[tokio::test]
async fn a_comment_is_not_written_twice_for_want_of_an_answer() {
    let fake = GithubFake::start(world());
    fake.trouble(
        Fault::new(Trouble::Status(502))
            .on("POST", "/comments")
            .late(),
    );
    let error = client(&fake)
        .create_comment(&shop(), 7, "x")
        .await
        .expect_err("no answer");
    assert!(error.may_have_happened());
    assert_snapshot!(printed(error, &fake), @"
    error: cannot write a comment on acme/shop#7: GitHub failed (502)

    hint: try again later; whether GitHub knows of it: https://www.githubstatus.com
    ");
    assert_eq!(count(&fake, "POST", "/comments"), 1);
}

#[tokio::test]
async fn a_token_that_is_not_known() {
    let fake = GithubFake::start(world());
    let error = read(&client_of(&fake, "ghs_expired"))
        .await
        .expect_err("not known");
    assert_snapshot!(printed(error, &fake), @"
    error: cannot read pull request acme/shop#7: [API] does not accept the token

    hint: the token may have expired or been withdrawn; one of Actions ends with its job
    ");
    assert_eq!(count(&fake, "GET", "/pulls/7"), 1);
}

#[tokio::test]
async fn a_missing_permission_is_named_as_a_workflow_writes_it() {
    let mut world = world();
    let permissions = [("pull_requests", Access::Write)];
    world
        .tokens
        .insert(TOKEN.to_owned(), Holder::actions(&permissions));
    world
        .tokens
        .insert(PERSONAL.to_owned(), Holder::of("dev-1", &permissions));
    let fake = GithubFake::start(world);
    let of_bot = client(&fake)
        .deployment(&shop(), "shop-pr-7", &head(), "")
        .await;
    assert_snapshot!(printed(of_bot.expect_err("not allowed"), &fake), @"
    error: not allowed to create a deployment of 6dcb09b to shop-pr-7: Resource not accessible by integration

    hint: give the job that permission: `permissions: { deployments: write }`; on a `pull_request` from a fork the token can only read whatever the workflow says, write from a `workflow_run` job there
    ");
    let of_person = client_of(&fake, PERSONAL)
        .deployment(&shop(), "shop-pr-7", &head(), "")
        .await;
    assert_snapshot!(printed(of_person.expect_err("not allowed"), &fake), @"
    error: not allowed to create a deployment of 6dcb09b to shop-pr-7: Resource not accessible by personal access token

    hint: give the token the permission `deployments: write`: https://github.com/settings/tokens
    ");
}

#[tokio::test]
async fn an_organization_that_asks_for_a_sign_on() {
    let fake = GithubFake::start(world());
    fake.trouble(Fault::new(Trouble::SignOn));
    let error = read(&client(&fake)).await.expect_err("not let in");
    assert_snapshot!(printed(error, &fake), @"
    error: not allowed to read pull request acme/shop#7: Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.

    hint: let the token into the organization: https://github.com/orgs/acme/sso?authorization_request=x
    ");
}

#[tokio::test]
async fn what_a_token_does_not_see_may_be_there() {
    let mut world = world();
    world.repository("acme/shop").private = true;
    let mut elsewhere = Holder::writer();
    elsewhere.repositories = vec!["acme/other".to_owned()];
    world.tokens.insert(TOKEN.to_owned(), elsewhere);
    let fake = GithubFake::start(world);
    let error = read(&client(&fake)).await.expect_err("not shown");
    assert!(error.is_not_found() && !error.may_have_happened());
    assert_snapshot!(printed(error, &fake), @"
    error: cannot read pull request acme/shop#7: GitHub has no such thing, or does not show it to this token

    hint: of a private repository the token sees nothing without a permission: in Actions `pull-requests: read`
    ");
    let seen = client_of(&fake, PERSONAL)
        .repository(&shop())
        .await
        .expect("it is shown");
    assert!(seen.private && seen.name == shop() && seen.default_branch == "main");
}

/// What all tests of this program log.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = LOG.lock().expect("nothing panics with it");
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Not in an error, not in what a client shows of itself, and not in the finest log of any library.
#[tokio::test]
async fn the_token_is_never_printed() {
    // For the whole program: one for this thread only would depend on which thread logs first.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(|| Log)
        .init();
    let mut texts = vec![format!("{:?}", token(TOKEN))];
    for trouble in [
        Trouble::Status(401),
        Trouble::Status(403),
        Trouble::Status(404),
        Trouble::Status(422),
        Trouble::Status(500),
        Trouble::Close,
        Trouble::Primary(3600),
    ] {
        let fake = GithubFake::start(world());
        let client = client(&fake);
        client
            .keep_comment(&shop(), 7, MARKER, "x")
            .await
            .expect("a comment");
        fake.trouble(Fault::new(trouble).times(4));
        let error = read(&client).await.expect_err("trouble");
        texts.push(format!("{client:?} {error:?}"));
        texts.push(printed(error, &fake));
    }
    let log = LOG.lock().expect("nothing panics with it");
    let log = String::from_utf8_lossy(&log);
    assert!(
        log.contains("/repos/acme/shop/pulls/7"),
        "the log has nothing in it"
    );
    texts.push(log.into_owned());
    for text in texts {
        assert!(!text.contains("not-to-be-printed"), "{text}");
    }
}
