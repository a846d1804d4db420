//! What a command asks of the API server, by its own account, and what it is answered, by a relay in between.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;

/// The audit log is complete when it has not grown for so long.
const QUIET: Duration = Duration::from_millis(200);

/// Passes connections on, and counts the bytes that come back: as they come over the wire, encryption included.
pub(super) struct Relay {
    pub(super) port: u16,
    answered: Arc<AtomicU64>,
}

impl Relay {
    /// To a port of loopback, until this program ends.
    ///
    /// # Errors
    /// There is no free port.
    pub(super) fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let answered = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&answered);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client whose connection ends here says so itself.
                let _ = pass_on(client, to, &counter);
            }
        });
        Ok(Self { port, answered })
    }

    /// Bytes that were answered so far.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

fn pass_on(client: TcpStream, to: u16, answered: &Arc<AtomicU64>) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", to))?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    let answered = Arc::clone(answered);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from_server.read(&mut buffer) {
            answered.fetch_add(length as u64, Ordering::Relaxed);
            if to_client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// The API server's account of what was asked.
pub(super) struct Audit {
    pub(super) log: PathBuf,
}

impl Audit {
    /// How long the log is.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn position(&self) -> Result<u64> {
        let quiet = |length: u64| -> Result<bool> {
            let begun = Instant::now();
            while begun.elapsed() < QUIET {
                thread::sleep(QUIET / 10);
                if self.length()? != length {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        loop {
            let length = self.length()?;
            if quiet(length)? {
                return Ok(length);
            }
        }
    }

    /// How many calls there were since the log was so long.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn calls_since(&self, position: u64) -> Result<usize> {
        self.position()?;
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(position))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        count(&text)
    }

    fn length(&self) -> Result<u64> {
        match self.log.metadata() {
            Ok(file) => Ok(file.len()),
            // Nobody has asked for anything yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.log.display())),
        }
    }
}

/// Calls in lines of the log: a watch has one when it begins and one when it ends.
fn count(lines: &str) -> Result<usize> {
    let mut calls = BTreeSet::new();
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line)?;
        let id = event["auditID"].as_str().context("no auditID")?;
        calls.insert(id.to_owned());
    }
    Ok(calls.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_one_call() {
        let lines = "{\"auditID\":\"a\",\"stage\":\"ResponseStarted\"}\n{\"auditID\":\"b\"}\n{\"auditID\":\"a\"}\n";
        assert_eq!(count(lines).expect("events"), 2);
    }

    #[test]
    fn what_comes_back_is_counted() {
        let server = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let relay = Relay::start(server.local_addr().expect("an address").port()).expect("a relay");
        let mut client = TcpStream::connect(("127.0.0.1", relay.port)).expect("the relay");
        client.write_all(b"question").expect("written");
        let (mut peer, _) = server.accept().expect("a connection");
        let mut question = [0; 8];
        peer.read_exact(&mut question).expect("the question");
        peer.write_all(b"answer").expect("written");
        drop(peer);
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("the answer");
        assert_eq!((answer.as_str(), relay.answered()), ("answer", 6));
    }
}
