//! A connection of which only so much is read, and what can go wrong on it.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

/// Most that a server may say in one try. Greetings and refusals are a few hundred bytes.
const LIMIT: usize = 16 * 1024;

/// Why a try brought no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What came is not of the protocol, or more than anybody has to say in it.
    #[error("it does not speak the protocol")]
    Foreign,
    /// The server's own words for why it does not serve the application. They may repeat what it was told.
    #[error("{0}")]
    Said(String),
}

/// The connection: a socket, or bytes in a test.
pub(super) struct Wire<S> {
    stream: BufReader<S>,
    left: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::with_capacity(1024, stream),
            left: LIMIT,
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next `N` bytes.
    pub(super) async fn array<const N: usize>(&mut self) -> Result<[u8; N], Trouble> {
        self.reserve(N)?;
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    /// The next `length` bytes; room is made for them only if that many may come.
    pub(super) async fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Trouble> {
        self.reserve(length)?;
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Result<String, Trouble> {
        let mut line = Vec::new();
        loop {
            match self.array().await? {
                [b'\n'] => break,
                [byte] => line.push(byte),
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn reserve(&mut self, length: usize) -> Result<(), Trouble> {
        self.left = self.left.checked_sub(length).ok_or(Trouble::Foreign)?;
        Ok(())
    }
}

/// Text up to the next NUL, and what follows it.
pub(super) fn until_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
