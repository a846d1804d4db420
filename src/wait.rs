//! Waits until databases answer: what an init container does in front of an application whose chart was installed by helm
//! alone. An environment of `up` has none, its components start in the order of their dependencies.
//!
//! A database answers when it would serve this application: PostgreSQL, MariaDB and Redis have taken its login, MongoDB is
//! a primary, MinIO says that it is ready. For that, a few messages of each protocol are all it takes. Connections are not
//! encrypted.

mod mariadb;
mod minio;
mod mongodb;
mod postgresql;
mod redis;
mod scram;
pub mod target;
#[cfg(test)]
mod tests;
mod url;
mod wire;

use std::{fmt, io, time::Duration};

use futures::future::join_all;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, sleep_until, timeout_at},
};

pub use self::url::Address;
use self::{
    target::Target,
    wire::{Trouble, Wire},
};
use crate::{
    config::databases::DatabaseKind,
    diagnose::{Secret, shown},
    progress::Progress,
    signal,
};

/// Longest that one try may take, names included.
const TRY_LIMIT: Duration = Duration::from_secs(5);

/// Pause after the first try; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A database that does not answer.
#[derive(Debug)]
pub struct Open {
    /// Which one.
    pub kind: DatabaseKind,
    /// What the last try showed.
    pub reason: Reason,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.reason)
    }
}

/// What a try showed, in words that may be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The name has no address: the resolver's message.
    #[error("the name {host} has no address ({message})")]
    Unknown {
        /// The name.
        host: String,
        /// The resolver's message.
        message: String,
    },
    /// Nobody listens there.
    #[error("connection refused at {0}")]
    Refused(Address),
    /// Nothing came back in time.
    #[error("no answer from {0}")]
    Silent(Address),
    /// The connection was made and closed.
    #[error("{0} closes the connection")]
    Closed(Address),
    /// The connection could not be made, or broke.
    #[error("no connection to {address}: {message}")]
    Broken {
        /// Where.
        address: Address,
        /// The system's message.
        message: String,
    },
    /// Something else listens there.
    #[error("what listens at {address} is not {kind}")]
    Foreign {
        /// Where.
        address: Address,
        /// What was looked for.
        kind: &'static str,
    },
    /// It answers, and says why it does not serve the application; without secrets.
    #[error("{address} says: {message}")]
    Said {
        /// Where.
        address: Address,
        /// Its words.
        message: String,
    },
}

/// Why the wait ended without an answer from all.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The time is over.
    #[error("the time is over")]
    TimedOut(Vec<Open>),
    /// A signal stopped us.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

/// Waits until all of them answer, all at the same time.
///
/// # Errors
/// When one does not in time, or a signal comes.
pub async fn all(
    targets: &[Target],
    timeout: Duration,
    progress: &Progress,
) -> Result<(), WaitError> {
    // The first process of a container has to look out for signals: it has no default action for them.
    signal::expect();
    let deadline = Instant::now() + timeout;
    let answers = join_all(
        targets
            .iter()
            .map(|target| until_answered(target, deadline, progress)),
    );
    let answers = tokio::select! {
        answers = answers => answers,
        signal = signal::next() => return Err(WaitError::Interrupted(signal)),
    };
    let open: Vec<Open> = answers.into_iter().filter_map(Result::err).collect();
    if open.is_empty() {
        Ok(())
    } else {
        Err(WaitError::TimedOut(open))
    }
}

async fn until_answered(
    target: &Target,
    deadline: Instant,
    progress: &Progress,
) -> Result<(), Open> {
    let name = target.kind.name();
    let mut pause = FIRST_PAUSE;
    let mut last: Option<Reason> = None;
    loop {
        let reason = match ask_any(target, deadline).await {
            Ok(address) => {
                progress.done(name, &format!("answers at {address}"));
                return Ok(());
            }
            // A try that the deadline cut short shows less than the one before.
            Err(reason) if Instant::now() >= deadline => last.unwrap_or(reason),
            Err(reason) => reason,
        };
        progress.state(name, &reason.to_string());
        // Nothing announces that a server has begun to listen, so it is asked again and again, not watched.
        let next = Instant::now() + pause;
        if next >= deadline {
            return Err(Open {
                kind: target.kind,
                reason,
            });
        }
        last = Some(reason);
        sleep_until(next).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Asks one server after the other. Of several that do not answer, the reason of the first is told.
async fn ask_any(target: &Target, deadline: Instant) -> Result<Address, Reason> {
    let mut first = None;
    for address in &target.addresses {
        match ask(target, address, deadline).await {
            Ok(()) => return Ok(address.clone()),
            Err(reason) => first = first.or(Some(reason)),
        }
    }
    Err(first.expect("a target has at least one address"))
}

async fn ask(target: &Target, address: &Address, deadline: Instant) -> Result<(), Reason> {
    let limit = deadline.min(Instant::now() + TRY_LIMIT);
    let answer = timeout_at(limit, async {
        let stream = connect(address, limit).await?;
        converse(target, address, stream)
            .await
            .map_err(|trouble| reason(target, address, trouble))
    });
    answer
        .await
        .unwrap_or_else(|_| Err(Reason::Silent(address.clone())))
}

async fn connect(address: &Address, limit: Instant) -> Result<TcpStream, Reason> {
    let lookup = lookup_host((address.host.as_str(), address.port));
    let unknown = |message| Reason::Unknown {
        host: address.host.clone(),
        message,
    };
    let found: Vec<_> = match timeout_at(limit, lookup).await {
        Ok(found) => found
            .map_err(|error| unknown(resolver_message(&error)))?
            .collect(),
        Err(_) => return Err(unknown("no answer from the name servers".to_owned())),
    };
    TcpStream::connect(&found[..])
        .await
        .map_err(|error| broken(address, &error))
}

/// The system's own words, without those that every error of the resolver begins with.
fn resolver_message(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.strip_prefix("failed to lookup address information: ");
    words.unwrap_or(&text).to_owned()
}

async fn converse<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    target: &Target,
    address: &Address,
    stream: S,
) -> Result<(), Trouble> {
    let mut wire = Wire::new(stream);
    match target.kind {
        DatabaseKind::Postgresql => postgresql::ask(&mut wire, &target.login).await,
        DatabaseKind::Mongodb => mongodb::ask(&mut wire).await,
        DatabaseKind::Redis => redis::ask(&mut wire, &target.login).await,
        DatabaseKind::Minio => minio::ask(&mut wire, address).await,
        DatabaseKind::Mariadb => mariadb::ask(&mut wire, &target.login).await,
    }
}

fn reason(target: &Target, address: &Address, trouble: Trouble) -> Reason {
    let address = address.clone();
    match trouble {
        Trouble::Io(error) => broken(&address, &error),
        Trouble::Foreign => Reason::Foreign {
            address,
            kind: target.kind.name(),
        },
        Trouble::Said(message) => {
            let secrets: Vec<Secret> = target.login.password.iter().cloned().collect();
            Reason::Said {
                address,
                message: shown(&message, &secrets),
            }
        }
    }
}

fn broken(address: &Address, error: &io::Error) -> Reason {
    let address = address.clone();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Reason::Refused(address),
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => Reason::Closed(address),
        _ => Reason::Broken {
            address,
            message: error.to_string(),
        },
    }
}
