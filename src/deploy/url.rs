//! The check through the path that a user takes: DNS (or the platform's fixed address), ingress controller, service.

use std::{net::SocketAddr, time::Duration};

use tokio::time::Instant;

use crate::{
    diagnose::{UrlCheck, UrlOutcome},
    model::{Environment, build::PLACEHOLDER_DOMAIN, settings::PlatformSettings},
};

/// One URL that must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Service behind it.
    pub service: String,
    /// URL of its health path.
    pub url: String,
    host: String,
}

impl Target {
    /// Whether its host was made up because nobody named a domain.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.host.is_empty() || self.host.ends_with(PLACEHOLDER_DOMAIN)
    }
}

/// Longest that one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// Pause after the first failed request; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The URLs of the public services.
#[must_use]
pub fn targets(environment: &Environment) -> Vec<Target> {
    let scheme = &environment.identity.scheme;
    environment
        .services
        .iter()
        .filter_map(|service| {
            let host = service.ingress.as_ref()?.host.clone();
            Some(Target {
                service: service.name.clone(),
                url: format!("{scheme}://{host}{}", service.readiness().0),
                host,
            })
        })
        .collect()
}

/// Asks a URL until it answers 2xx or 3xx.
///
/// # Errors
/// What the last try showed, when the deadline has passed.
pub async fn wait(
    target: &Target,
    settings: &PlatformSettings,
    deadline: Instant,
) -> Result<u16, UrlCheck> {
    let failed = |outcome| UrlCheck {
        url: target.url.clone(),
        outcome,
    };
    let client = client(target, settings)
        .await
        .map_err(|reason| failed(UrlOutcome::Other(reason)))?;
    let mut pause = FIRST_PAUSE;
    loop {
        let outcome = match client.get(&target.url).send().await {
            Ok(response) => {
                let status = response.status();
                if status.is_success() || status.is_redirection() {
                    return Ok(status.as_u16());
                }
                UrlOutcome::Status(status.as_u16())
            }
            Err(error) => outcome(&error),
        };
        // Nothing announces that an ingress controller has taken up a route, so this is asked for, not watched.
        let next = Instant::now() + pause;
        if next >= deadline {
            return Err(failed(outcome));
        }
        tokio::time::sleep_until(next).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn client(target: &Target, settings: &PlatformSettings) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .timeout(REQUEST_LIMIT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    if let Some(address) = &settings.ingress.address {
        let default_port = if settings.ingress.tls { 443 } else { 80 };
        builder = builder.resolve(&target.host, resolve(address, default_port).await?);
    }
    builder.build().map_err(|error| error.to_string())
}

/// `host`, `host:port` or an address of the platform settings as a socket address.
async fn resolve(address: &str, default_port: u16) -> Result<SocketAddr, String> {
    let with_port = if address.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{address}]:{default_port}")
    } else if address.contains(':') {
        address.to_owned()
    } else {
        format!("{address}:{default_port}")
    };
    tokio::net::lookup_host(&with_port)
        .await
        .map_err(|error| format!("`ingress.address` {address} of the platform settings: {error}"))?
        .next()
        .ok_or_else(|| {
            format!("`ingress.address` {address} of the platform settings has no address")
        })
}

fn outcome(error: &reqwest::Error) -> UrlOutcome {
    if error.is_timeout() {
        return UrlOutcome::TimedOut;
    }
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return UrlOutcome::Refused;
        }
        text = cause.to_string();
        let lower = text.to_lowercase();
        if lower.contains("dns error") || lower.contains("failed to lookup") {
            let detail = cause.source().map_or(text, ToString::to_string);
            return UrlOutcome::Dns(detail);
        }
        if lower.contains("certificate") || lower.contains("handshake") {
            return UrlOutcome::Tls(text);
        }
        next = cause.source();
    }
    UrlOutcome::Other(text)
}
