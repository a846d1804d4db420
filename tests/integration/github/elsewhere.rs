//! Servers that are not what they should be: what GitHub itself would never answer, so not the fake but plain answers.

use insta::assert_snapshot;
use k8s_ee::{
    error::Failure,
    github::{Client, GithubError},
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path},
};

use super::{QUICK, TOKEN, shop, token};

async fn server(answer: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = Client::new(&server.uri(), &token(TOKEN), QUICK).expect("a client");
    (server, client)
}

fn printed(error: GithubError, server: &MockServer) -> String {
    Failure::from(error)
        .to_string()
        .replace(&server.uri(), "[API]")
}

#[tokio::test]
async fn a_redirect_to_another_server_does_not_get_the_token() {
    let other = MockServer::start().await;
    let there = format!("{}/repos/acme/shop/pulls/7", other.uri());
    let (server, client) =
        server(ResponseTemplate::new(301).insert_header("location", there.as_str())).await;
    let error = client
        .pull_request(&shop(), 7)
        .await
        .expect_err("elsewhere");
    let text = printed(error, &server).replace(&there, "[THERE]");
    assert_snapshot!(text, @"error: cannot read pull request acme/shop#7: GitHub refuses it (301): it is at another server, which does not get the token: [THERE]");
    assert_eq!(
        other.received_requests().await.map(|asked| asked.len()),
        Some(0)
    );
}

#[tokio::test]
async fn a_redirect_within_the_server_is_followed_but_not_for_ever() {
    let (server, client) =
        server(ResponseTemplate::new(307).insert_header("location", "/again")).await;
    let error = client
        .pull_request(&shop(), 7)
        .await
        .expect_err("round and round");
    assert_snapshot!(printed(error, &server), @"
    error: cannot read pull request acme/shop#7: the answer is not what GitHub documents

    Caused by:
      error following redirect
      too many redirects
    ");

    let renamed = MockServer::start().await;
    Mock::given(path("/repos/acme/shop"))
        .respond_with(ResponseTemplate::new(301).insert_header("location", "/repositories/1"))
        .mount(&renamed)
        .await;
    let facts =
        serde_json::json!({"full_name": "acme/store", "private": false, "default_branch": "main"});
    Mock::given(path("/repositories/1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(facts))
        .mount(&renamed)
        .await;
    let client = Client::new(&renamed.uri(), &token(TOKEN), QUICK).expect("a client");
    let facts = client.repository(&shop()).await.expect("it is read");
    assert_eq!(facts.name.to_string(), "acme/store");
}

#[tokio::test]
async fn a_page_that_is_elsewhere_does_not_get_the_token() {
    let other = MockServer::start().await;
    let link = format!("<{}/more>; rel=\"next\"", other.uri());
    let answer = ResponseTemplate::new(200).set_body_json(serde_json::json!([]));
    let (server, client) = server(answer.insert_header("link", link.as_str())).await;
    let error = client.comments(&shop(), 7).await.expect_err("elsewhere");
    assert_snapshot!(printed(error, &server), @"
    error: cannot read the comments on acme/shop#7: the answer is not what GitHub documents

    Caused by:
      the next page is elsewhere, at 127.0.0.1
    ");
    assert_eq!(
        other.received_requests().await.map(|asked| asked.len()),
        Some(0)
    );
}

#[tokio::test]
async fn a_list_without_end_is_ended() {
    let server = MockServer::start().await;
    let link = format!(
        "<{}/repos/acme/shop/issues/7/comments>; rel=\"next\"",
        server.uri()
    );
    let answer = ResponseTemplate::new(200).set_body_json(serde_json::json!([]));
    Mock::given(method("GET"))
        .respond_with(answer.insert_header("link", link.as_str()))
        .mount(&server)
        .await;
    let client = Client::new(&server.uri(), &token(TOKEN), QUICK).expect("a client");
    let error = client.comments(&shop(), 7).await.expect_err("no end");
    assert_snapshot!(printed(error, &server), @"error: cannot read the comments on acme/shop#7: there are more than 10000 of them");
    assert_eq!(client.requests().reads, 100);
}

#[tokio::test]
async fn another_document_than_githubs() {
    for body in [
        serde_json::json!({"number": 7}),
        serde_json::json!({"number": "seven"}),
        serde_json::json!(["a list"]),
    ] {
        let (_server, client) = server(ResponseTemplate::new(200).set_body_json(&body)).await;
        let error = client
            .pull_request(&shop(), 7)
            .await
            .expect_err("not a pull request");
        assert!(
            matches!(error, GithubError::Unexpected { .. }),
            "{body}: {error:?}"
        );
    }
    let (server, client) = server(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let error = client
        .pull_request(&shop(), 7)
        .await
        .expect_err("not a pull request");
    assert_snapshot!(printed(error, &server), @"
    error: cannot read pull request acme/shop#7: the answer is not what GitHub documents

    Caused by:
      expected value at line 1 column 1
    ");
}

#[test]
fn a_url_that_is_none() {
    for wrong in [
        "",
        "api.github.com",
        "ftp://api.github.com",
        "https://x/?y=1",
        "file:///tmp",
    ] {
        let client = Client::new(wrong, &token(TOKEN), QUICK);
        assert!(matches!(client, Err(GithubError::BadUrl { .. })), "{wrong}");
    }
}

#[tokio::test]
async fn a_server_of_ones_own_has_the_api_below_a_path() {
    let server = MockServer::start().await;
    let viewer = serde_json::json!({"data": {"viewer": {"login": "github-actions[bot]"}}});
    Mock::given(method("POST"))
        .and(path("/api/graphql"))
        .respond_with(ResponseTemplate::new(200).set_body_json(viewer))
        .expect(1)
        .mount(&server)
        .await;
    let facts =
        serde_json::json!({"full_name": "acme/shop", "private": true, "default_branch": "main"});
    Mock::given(path("/api/v3/repos/acme/shop"))
        .respond_with(ResponseTemplate::new(200).set_body_json(facts))
        .expect(1)
        .mount(&server)
        .await;
    for base in ["/api/v3"] {
        let client = Client::new(&format!("{}{base}", server.uri()), &token(TOKEN), QUICK)
            .expect("a client");
        client.viewer().await.expect("a login");
        // Asked once.
        client.viewer().await.expect("a login");
        client.repository(&shop()).await.expect("it is read");
    }
}

#[tokio::test]
async fn a_question_that_is_refused_with_a_good_status() {
    let body = serde_json::json!({"data": null, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible"}]});
    let (server, client) = server(ResponseTemplate::new(200).set_body_json(body)).await;
    let error = client.viewer().await.expect_err("no login");
    assert_snapshot!(printed(error, &server), @"error: cannot find out whose the token is: Resource not accessible");
}
