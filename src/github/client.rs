//! The connection to GitHub's REST API: every request goes through here, is counted, repeated where that is safe, and
//! put into words when it fails.

mod answer;
mod call;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use reqwest::{Url, redirect};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use answer::Answer;
pub(super) use call::{Call, Pages};

use super::{GithubError, Login, Repository, Token, limits};

/// Version of the API that we are written for.
const API_VERSION: &str = "2022-11-28";

/// Pages that are read of a list at most, 100 entries each.
const MOST_PAGES: usize = 100;

/// Redirects that are followed, as those of a renamed repository.
const MOST_REDIRECTS: usize = 5;

/// Longest that connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How often and how long it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often a request is sent at most.
    pub tries: u32,
    /// How often at most one that was not answered in time.
    pub hung_tries: u32,
    /// Pause after the first try that failed; it doubles from try to try.
    pub first_pause: Duration,
    /// Longest of these pauses.
    pub longest_pause: Duration,
    /// Longest that one request waits in all for limits to be lifted.
    pub longest_wait: Duration,
    /// Longest that one try may take.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 5,
            hung_tries: 2,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            longest_wait: Duration::from_secs(90),
            // GitHub itself gives up on a request after 10 seconds, and says so.
            answer: Duration::from_secs(15),
        }
    }
}

/// A connection to GitHub with one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    patience: Patience,
    requests: Arc<Count>,
    pub(super) viewer: Arc<OnceCell<Login>>,
}

#[derive(Debug, Default)]
struct Count {
    reads: AtomicUsize,
    writes: AtomicUsize,
}

/// How many requests were sent, repetitions included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Those that read.
    pub reads: usize,
    /// Those that write.
    pub writes: usize,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let base = self.base.as_str();
        f.debug_struct("Client")
            .field("base", &base)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Sets up a connection to the API at `url`, as in `GITHUB_API_URL`; nothing is sent yet.
    ///
    /// # Errors
    /// The URL is not one of http or https, or the system's certificates cannot be used.
    pub fn new(url: &str, token: &Token, patience: Patience) -> Result<Self, GithubError> {
        let base = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
            .ok_or_else(|| GithubError::BadUrl {
                url: url.to_owned(),
            })?;
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, token.header());
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/vnd.github+json"),
        );
        headers.insert(
            "x-github-api-version",
            HeaderValue::from_static(API_VERSION),
        );
        let http = reqwest::Client::builder()
            .user_agent(concat!("k8s-ee/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .timeout(patience.answer)
            .connect_timeout(CONNECT_LIMIT)
            .redirect(redirect::Policy::custom(follow))
            .build()
            .map_err(GithubError::Setup)?;
        Ok(Self {
            http,
            base,
            patience,
            requests: Arc::default(),
            viewer: Arc::default(),
        })
    }

    /// Requests so far, those of clones included.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests {
            reads: self.requests.reads.load(Ordering::Relaxed),
            writes: self.requests.writes.load(Ordering::Relaxed),
        }
    }

    /// The URL of something in a repository; each segment is encoded.
    pub(super) fn repository_url(&self, repository: &Repository, segments: &[&str]) -> Url {
        let whole = [&["repos", repository.owner(), repository.name()], segments].concat();
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("a URL of http has a path")
            .pop_if_empty()
            .extend(whole);
        url
    }

    /// Where questions in GraphQL go: beside the REST API, which on a server of one's own has a version in its path.
    pub(super) fn graphql_url(&self) -> Url {
        let mut url = self.base.clone();
        let path = url.path().trim_end_matches('/');
        let root = path.strip_suffix("/v3").unwrap_or(path);
        let path = format!("{root}/graphql");
        url.set_path(&path);
        url
    }

    /// A short pause, for what is tried again by those who call us.
    pub(super) async fn pause(&self) {
        tokio::time::sleep(self.patience.first_pause).await;
    }

    /// Sends a request until it is answered, refused, or patience ends.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, GithubError> {
        let mut pause = self.patience.first_pause;
        let mut waited = Duration::ZERO;
        let (mut tries, mut hung) = (0, 0);
        loop {
            tries += 1;
            let last = tries >= self.patience.tries;
            let wait = match self.try_once(call).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => {
                    let now = Timestamp::now();
                    let message = answer.message();
                    if let Some(limit) =
                        limits::reached(answer.status, &answer.headers, &message, now)
                    {
                        waited = waited.saturating_add(limit.wait);
                        if last || waited > self.patience.longest_wait {
                            return Err(GithubError::RateLimited {
                                doing: call.doing.clone(),
                                kind: limit.kind,
                                until: after(now, limit.wait),
                            });
                        }
                        limit.wait.max(pause)
                    } else if answer.status.is_server_error() {
                        if last || !call.repeat {
                            return Err(GithubError::Failed {
                                doing: call.doing.clone(),
                                status: answer.status.as_u16(),
                                tries,
                                uncertain: true,
                            });
                        }
                        pause
                    } else {
                        return Err(self.refusal(call, &answer, message));
                    }
                }
                Err(source) => {
                    // Without a connection nothing was asked.
                    let uncertain = !source.is_connect();
                    if source.is_redirect() {
                        return Err(GithubError::Unexpected {
                            doing: call.doing.clone(),
                            source: Box::new(source.without_url()),
                        });
                    }
                    hung += u32::from(source.is_timeout());
                    let enough = last || hung >= self.patience.hung_tries;
                    if enough || (uncertain && !call.repeat) {
                        return Err(GithubError::Unreachable {
                            doing: call.doing.clone(),
                            server: self.server(),
                            uncertain,
                            source: source.without_url(),
                        });
                    }
                    pause
                }
            };
            tracing::debug!(call = %call.doing, tries, ?wait, "trying again");
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(self.patience.longest_pause);
        }
    }

    /// Reads a list page by page.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        mut call: Call,
        pages: Pages,
    ) -> Result<Vec<T>, GithubError> {
        let (size, most) = match pages {
            Pages::All => (100, MOST_PAGES),
            Pages::First(entries) => (entries, 1),
        };
        call.url
            .query_pairs_mut()
            .append_pair("per_page", &size.to_string());
        let mut all = Vec::new();
        for _ in 0..most {
            let answer = self.send(&call).await?;
            all.extend(answer.json::<Vec<T>>()?);
            let Some(next) = answer.next_page() else {
                return Ok(all);
            };
            // The token goes nowhere else.
            if next.origin() != self.base.origin() {
                return Err(GithubError::Unexpected {
                    doing: call.doing,
                    source: format!("the next page is elsewhere, at {}", host(&next)).into(),
                });
            }
            call.url = next;
        }
        match pages {
            Pages::First(_) => Ok(all),
            Pages::All => Err(GithubError::TooMany {
                doing: call.doing,
                most: MOST_PAGES * usize::from(size),
            }),
        }
    }

    async fn try_once(&self, call: &Call) -> Result<Answer, reqwest::Error> {
        let counter = if call.method == Method::GET {
            &self.requests.reads
        } else {
            &self.requests.writes
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let mut request = self.http.request(call.method.clone(), call.url.clone());
        if let Some(body) = &call.body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status();
        let headers = response.headers().clone();
        tracing::debug!(method = %call.method, url = %call.url, status = status.as_u16(), "request");
        Ok(Answer {
            status,
            headers,
            body: response.bytes().await?.to_vec(),
            doing: call.doing.clone(),
        })
    }

    fn refusal(&self, call: &Call, answer: &Answer, message: String) -> GithubError {
        let doing = call.doing.clone();
        let needs = answer.needs(call.needs);
        match answer.status {
            StatusCode::UNAUTHORIZED => GithubError::Unauthorized {
                doing,
                server: self.server(),
            },
            StatusCode::FORBIDDEN => GithubError::Forbidden {
                doing,
                message,
                needs,
                sign_on: answer.sign_on(),
            },
            StatusCode::NOT_FOUND | StatusCode::GONE => GithubError::NotFound { doing, needs },
            status => GithubError::Refused {
                doing,
                status: status.as_u16(),
                message: match answer.header("location") {
                    Some(there) if status.is_redirection() => {
                        format!("it is at another server, which does not get the token: {there}")
                    }
                    _ => message,
                },
            },
        }
    }

    fn server(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }
}

/// Follows a redirect within the same server only: the token is for that one.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("too many redirects");
    }
    let first = attempt.previous().first().map(Url::origin);
    if first == Some(attempt.url().origin()) {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("nowhere")
}

/// A time some seconds from another, to the second.
fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(now.as_second().saturating_add(seconds)).unwrap_or(Timestamp::MAX)
}
