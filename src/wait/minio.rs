//! MinIO: the question over HTTP whether it is ready. Other stores with the same protocol know nothing of it, so any answer
//! but a failure of the server will do.

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    url::Address,
    wire::{Trouble, Wire},
};

pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    address: &Address,
) -> Result<(), Trouble> {
    let request =
        format!("GET /minio/health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    wire.send(request.as_bytes()).await?;
    let line = wire.line().await?;
    match status(&line).ok_or(Trouble::Foreign)? {
        ..500 => Ok(()),
        _ => Err(Trouble::Said(line)),
    }
}

/// The number in `HTTP/1.1 200 OK`.
fn status(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let number = rest.split(' ').next()?;
    let valid = version.starts_with("HTTP/1.") && number.len() == 3;
    let number = number.parse().ok().filter(|_| valid)?;
    (100..600).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_has_a_status() {
        assert_eq!(status("HTTP/1.1 200 OK"), Some(200));
        assert_eq!(status("HTTP/1.0 503"), Some(503));
        for line in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 ",
            "HTTP/1.1 2000 x",
            "HTTP/1.1 +20",
            "HTTP/1.1 099",
            "SSH-2.0-x 200",
        ] {
            assert_eq!(status(line), None, "{line}");
        }
    }
}
