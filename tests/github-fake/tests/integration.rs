//! The fake asked from outside: that it finds what is wrong, and that it runs as a program.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use github_fake::{
    GithubFake,
    world::{Pull, Token, World},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const TOKEN: &str = "ghs_test";

/// Path of the comments under pull request 7.
const COMMENTS: &str = "/repos/acme/shop/issues/7/comments";

fn world() -> World {
    let mut world = World::default();
    world.tokens.insert(TOKEN.to_owned(), Token::writer());
    world
        .repository("acme/shop")
        .pulls
        .insert(7, Pull::default());
    world
}

/// Asks with good manners, but for the headers that are left out.
async fn ask(
    url: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
    without: &str,
) -> (StatusCode, Value) {
    let mut request = Client::new().request(method, format!("{url}{path}"));
    for (name, value) in [
        ("accept", "application/vnd.github+json"),
        ("authorization", "Bearer ghs_test"),
        ("content-type", "application/json"),
        ("user-agent", "test"),
        ("x-github-api-version", "2022-11-28"),
    ] {
        if name != without {
            request = request.header(name, value);
        }
    }
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a text");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

async fn get(url: &str, path: &str) -> (StatusCode, Value) {
    ask(url, Method::GET, path, None, "").await
}

#[tokio::test]
async fn what_is_right_passes() {
    let fake = GithubFake::start(world());
    let body = json!({"body": "hello"});
    let (status, made) = ask(fake.url(), Method::POST, COMMENTS, Some(body), "").await;
    assert_eq!(
        (status, &made["body"]),
        (StatusCode::CREATED, &json!("hello"))
    );
    let (status, list) = get(fake.url(), &format!("{COMMENTS}?per_page=100")).await;
    assert_eq!((status, &list[0]["id"]), (StatusCode::OK, &made["id"]));
    assert_eq!(fake.take_violations(), [""; 0]);
    let asked = fake.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        (asked[0].login.as_str(), asked[0].status),
        ("github-actions[bot]", Some(201))
    );
}

#[tokio::test]
async fn what_is_wrong_is_found() {
    let fake = GithubFake::start(world());
    let said = || fake.take_violations().join("\n");
    let url = fake.url();
    get(url, &format!("{COMMENTS}?per_page=101")).await;
    assert!(said().contains("`per_page` is 1 to 100, not 101"));
    get(url, &format!("{COMMENTS}?sort=created")).await;
    assert!(said().contains("there is no parameter `sort`"));
    get(url, "/repos/acme/shop/pulls?state=opened").await;
    assert!(said().contains("parameter `state`"));
    let (status, _) = get(url, "/repos/acme/shop/branches").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(said().contains("describes no such operation"));
    let (status, _) = ask(url, Method::POST, COMMENTS, Some(json!({"text": "x"})), "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(said().contains("\"body\" is a required property"));
    for header in ["accept", "x-github-api-version", "user-agent"] {
        ask(url, Method::GET, COMMENTS, None, header).await;
        assert!(said().contains(&format!("`{header}`")), "{header}");
    }
    ask(
        url,
        Method::POST,
        COMMENTS,
        Some(json!({"body": "x"})),
        "content-type",
    )
    .await;
    assert!(said().contains("not said to be JSON"));
    // Not a mistake of form: that is what GitHub is asked to refuse.
    let (status, _) = ask(url, Method::GET, COMMENTS, None, "authorization").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(said(), "");
}

#[tokio::test]
#[should_panic(expected = "1 times not as GitHub describes it")]
async fn what_is_wrong_fails_the_test() {
    let fake = GithubFake::start(world());
    get(fake.url(), "/repos/acme/shop/branches").await;
}

#[tokio::test]
async fn pages_are_linked_by_the_number_of_the_repository() {
    let fake = GithubFake::start(world());
    fake.with(|world| {
        for number in 0..70 {
            world.comment("acme/shop", 7, "octocat", &number.to_string());
        }
    });
    let response = Client::new()
        .get(format!("{}{COMMENTS}?page=2", fake.url()))
        .header("authorization", "Bearer ghs_test")
        .send()
        .await
        .expect("an answer");
    let link = response.headers()["link"]
        .to_str()
        .expect("text")
        .replace(fake.url(), "");
    let page = |number: u32, name: &str| {
        format!("</repositories/1/issues/7/comments?page={number}>; rel=\"{name}\"")
    };
    let wanted = [
        page(1, "prev"),
        page(3, "next"),
        page(3, "last"),
        page(1, "first"),
    ];
    assert_eq!(link, wanted.join(", "));
    let list: Value = serde_json::from_str(&response.text().await.expect("text")).expect("JSON");
    assert_eq!(
        list.as_array().map(Vec::len),
        Some(30),
        "as many as GitHub gives unasked"
    );
    let (status, rest) = get(fake.url(), "/repositories/1/issues/7/comments?page=3").await;
    assert_eq!(
        (status, rest.as_array().map(Vec::len)),
        (StatusCode::OK, Some(10))
    );
    // The first request had no manners.
    assert_eq!(fake.take_violations().len(), 3);
}

/// What is in the list is served, each with an answer that is not a refusal.
#[tokio::test]
async fn every_operation_of_the_list() {
    let mut world = world();
    let pull = Pull::default();
    let commit = pull.sha.clone();
    world.repository("acme/shop").pulls.insert(
        7,
        Pull {
            labels: vec!["bug".to_owned()],
            ..pull
        },
    );
    let file = ("k8s-ee.yaml".to_owned(), "projectId: shop\n".to_owned());
    world
        .repository("acme/shop")
        .files
        .insert(commit.clone(), [file].into());
    let comment = world.comment("acme/shop", 7, "octocat", "x").to_string();
    let fake = GithubFake::start(world);
    let new = json!({"ref": commit, "auto_merge": false, "required_contexts": []});
    let (_, deployment) = ask(
        fake.url(),
        Method::POST,
        "/repos/acme/shop/deployments",
        Some(new.clone()),
        "",
    )
    .await;
    let deployment = deployment["id"].to_string();
    // Those that remove something come last.
    let mut operations: Vec<&str> = include_str!("../openapi/operations.txt").lines().collect();
    operations.sort_by_key(|operation| operation.starts_with("DELETE"));
    for operation in operations {
        let (method, template) = operation.split_once(' ').expect("a method and a path");
        let mut path = template.to_owned();
        for (name, value) in [
            ("owner", "acme"),
            ("repo", "shop"),
            ("username", "octocat"),
            ("commit_sha", commit.as_str()),
            ("sha", commit.as_str()),
            ("path", "k8s-ee.yaml"),
            ("pull_number", "7"),
            ("issue_number", "7"),
            ("comment_id", comment.as_str()),
            ("deployment_id", deployment.as_str()),
            ("name", "bug"),
        ] {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        if path.contains("/contents/") {
            path = format!("{path}?ref={commit}");
        }
        let body = match (method, path.rsplit('/').next()) {
            ("POST", Some("deployments")) => Some(new.clone()),
            ("POST", Some("labels")) => Some(json!({"labels": ["new"]})),
            ("POST", Some("reactions")) => Some(json!({"content": "eyes"})),
            ("POST", Some("comments")) | ("PATCH", _) => Some(json!({"body": "y"})),
            ("POST", _) => Some(json!({"state": "success"})),
            _ => None,
        };
        let method = method.parse().expect("a method");
        let (status, answer) = ask(fake.url(), method, &path, body, "").await;
        assert!(status.is_success(), "{operation}: {status} {answer}");
    }
}

/// The program, ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn as_a_program() {
    let world = tempfile();
    let mut child = Command::new(env!("CARGO_BIN_EXE_github-fake"))
        .args(["--listen", "127.0.0.1:0", "--world"])
        .arg(&world)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = child.stdout.take().expect("it was asked for");
    let _program = Program(child);
    let mut url = String::new();
    BufReader::new(stdout)
        .read_line(&mut url)
        .expect("it prints its URL");
    std::fs::remove_file(world).expect("it is there");
    let url = url.trim();

    let (status, pull) = get(url, "/repos/acme/shop/pulls/7").await;
    assert_eq!((status, &pull["title"]), (StatusCode::OK, &json!("Prices")));
    assert_eq!(pull["base"]["repo"]["full_name"], "acme/shop");

    let patch =
        json!({"repositories": {"acme/shop": {"pulls": {"7": {"open": false, "merged": true}}}}});
    let (status, _) = ask(url, Method::PATCH, "/_fake/world", Some(patch), "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, pull) = get(url, "/repos/acme/shop/pulls/7").await;
    assert_eq!(
        (&pull["state"], &pull["merged"], &pull["title"]),
        (&json!("closed"), &json!(true), &json!("Prices"))
    );
    let wrong = json!({"repositories": {"acme/shop": {"pulls": {"7": {"opened": false}}}}});
    let (status, error) = ask(url, Method::PATCH, "/_fake/world", Some(wrong), "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("unknown field `opened`")),
        "{error}"
    );

    let fault = json!({"trouble": {"secondary": 7}, "method": "GET", "path": "/pulls", "times": 1});
    ask(url, Method::POST, "/_fake/faults", Some(fault), "").await;
    assert_eq!(
        get(url, "/repos/acme/shop/pulls/7").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(get(url, "/repos/acme/shop/pulls/7").await.0, StatusCode::OK);

    let (_, requests) = get(url, "/_fake/requests").await;
    let statuses: Vec<&Value> = requests
        .as_array()
        .into_iter()
        .flatten()
        .map(|asked| &asked["status"])
        .collect();
    assert_eq!(statuses, [200, 200, 403, 200]);
    assert!(!requests.to_string().contains(TOKEN));
    assert_eq!(get(url, "/_fake/violations").await.1, json!([]));
    let (_, known) = get(url, "/_fake/world").await;
    assert_eq!(
        known["repositories"]["acme/shop"]["pulls"]["7"]["merged"],
        true
    );
}

/// A file with a small world, removed by whoever asked for it.
fn tempfile() -> std::path::PathBuf {
    let world = json!({
        "tokens": {TOKEN: {"login": "github-actions[bot]", "permissions": {"pull_requests": "write"}}},
        "repositories": {"acme/shop": {"pulls": {"7": {"title": "Prices"}}}},
    });
    let path = std::env::temp_dir().join(format!("github-fake-{}.json", std::process::id()));
    std::fs::write(&path, world.to_string()).expect("it is written");
    path
}
