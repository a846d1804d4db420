//! MariaDB and MySQL: the server's greeting, and a login as the application.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, digest};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    target::Login,
    wire::{Trouble, Wire, until_nul},
};
use crate::diagnose::Secret;

/// The only version of the protocol that there has been since 1998.
const VERSION: u8 = 10;

/// First bytes of the packets that a server sends during a login.
const OK: u8 = 0;
const ERROR: u8 = 0xff;
const SWITCH: u8 = 0xfe;
const MORE: u8 = 1;

/// The command that ends a connection, without which the server would log that it was aborted.
const QUIT: u8 = 1;

/// The way to log in that MariaDB has by default.
const PLUGIN: &[u8] = b"mysql_native_password";

/// What the client can do: the present form of packets and logins, and naming a database and the way to log in.
const LONG_PASSWORD: u32 = 1;
const CONNECT_WITH_DATABASE: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;

/// UTF-8 of up to four bytes, which every server knows.
const UTF8MB4: u8 = 45;

/// Bytes of the server's challenge.
const CHALLENGE: usize = 20;

pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    login: &Login,
) -> Result<(), Trouble> {
    let (mut number, greeting) = packet(wire).await?;
    let mut challenge = match greeting.split_first() {
        Some((&ERROR, body)) => return Err(Trouble::Said(error(body))),
        Some((&VERSION, body)) => challenge(body).ok_or(Trouble::Foreign)?,
        _ => return Err(Trouble::Foreign),
    };
    let Some(user) = &login.user else {
        return Ok(());
    };
    let password = login.password.as_ref().map_or("", Secret::expose);
    let mut answer = response(
        user,
        &proof(password, &challenge),
        login.database.as_deref(),
    );
    // The greeting proposes a way to log in, and the server may then ask once for that of the user.
    for _ in 0..2 {
        send(wire, number, &answer).await?;
        let (next, body) = packet(wire).await?;
        number = next;
        match body.split_first() {
            Some((&OK, _)) => return send(wire, 0, &[QUIT]).await,
            Some((&ERROR, body)) => return Err(Trouble::Said(error(body))),
            Some((&SWITCH, body)) => match until_nul(body) {
                Some((PLUGIN, data)) => {
                    challenge = *data.first_chunk().ok_or(Trouble::Foreign)?;
                    answer = proof(password, &challenge);
                }
                _ => return Ok(()),
            },
            // Here and above, it asks for the password in another way: it serves this user, and the application's driver
            // may know the way.
            Some((&MORE, _)) => return Ok(()),
            _ => return Err(Trouble::Foreign),
        }
    }
    Err(Trouble::Foreign)
}

/// The next packet, and the number that the answer to it has.
async fn packet<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
) -> Result<(u8, Vec<u8>), Trouble> {
    let [a, b, c, number] = wire.array().await?;
    let length = u32::from_le_bytes([a, b, c, 0]);
    let body = wire.bytes(usize::try_from(length).map_err(|_| Trouble::Foreign)?);
    Ok((number.wrapping_add(1), body.await?))
}

/// A packet with its number in the conversation.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    number: u8,
    body: &[u8],
) -> Result<(), Trouble> {
    let length = u32::try_from(body.len()).expect("packets are made of variables");
    let [a, b, c, _] = length.to_le_bytes();
    wire.send(&[&[a, b, c, number], body].concat()).await
}

/// The challenge of a greeting, which stands in two parts.
fn challenge(greeting: &[u8]) -> Option<[u8; CHALLENGE]> {
    let (_version, rest) = until_nul(greeting)?;
    let (_connection, rest) = rest.split_first_chunk::<4>()?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    // A NUL, capabilities, collation, status, more capabilities, the length of the challenge, and room.
    let (_, rest) = rest.split_first_chunk::<19>()?;
    let second = rest.first_chunk::<12>()?;
    let mut challenge = [0; CHALLENGE];
    challenge[..8].copy_from_slice(first);
    challenge[8..].copy_from_slice(second);
    Some(challenge)
}

fn response(user: &str, proof: &[u8], database: Option<&str>) -> Vec<u8> {
    let mut capabilities = LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;
    if database.is_some() {
        capabilities |= CONNECT_WITH_DATABASE;
    }
    let mut body = capabilities.to_le_bytes().to_vec();
    // The longest packet that would be taken.
    body.extend((1_u32 << 24).to_le_bytes());
    body.push(UTF8MB4);
    body.extend([0; 23]);
    body.extend(user.as_bytes());
    body.push(0);
    body.push(u8::try_from(proof.len()).expect("a proof is 20 bytes or none"));
    body.extend(proof);
    if let Some(database) = database {
        body.extend(database.as_bytes());
        body.push(0);
    }
    body.extend(PLUGIN);
    body.push(0);
    body
}

/// What proves that the password is known: `SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password)))`.
fn proof(password: &str, challenge: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = digest(&SHA1, password.as_bytes());
    let twice = digest(&SHA1, once.as_ref());
    let mask = digest(&SHA1, &[challenge, twice.as_ref()].concat());
    once.as_ref()
        .iter()
        .zip(mask.as_ref())
        .map(|(once, mask)| once ^ mask)
        .collect()
}

/// Text and number of an error: `Too many connections (1040)`.
fn error(body: &[u8]) -> String {
    let Some((number, text)) = body.split_first_chunk() else {
        return "an error without a number".to_owned();
    };
    // The state of SQL stands before the text as soon as the client has said what it can do.
    let text = match text.strip_prefix(b"#") {
        Some(rest) => rest.get(5..).unwrap_or_default(),
        None => text,
    };
    format!(
        "{} ({})",
        String::from_utf8_lossy(text),
        u16::from_le_bytes(*number)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_with_and_without_the_state_of_sql() {
        assert_eq!(
            error(b"\x10\x04Too many connections"),
            "Too many connections (1040)"
        );
        assert_eq!(
            error(b"\x19\x04#42000Unknown database 'shop'"),
            "Unknown database 'shop' (1049)"
        );
        assert_eq!(error(b"\x19"), "an error without a number");
        assert_eq!(error(b"\x19\x04#42"), " (1049)");
    }

    #[test]
    fn the_proof_is_one_for_a_server_that_knows_a_hash() {
        let challenge = *b"01234567890123456789";
        let stored = digest(&SHA1, digest(&SHA1, b"hunter2").as_ref());
        let mask = digest(&SHA1, &[&challenge, stored.as_ref()].concat());
        let once: Vec<u8> = proof("hunter2", &challenge)
            .iter()
            .zip(mask.as_ref())
            .map(|(proof, mask)| proof ^ mask)
            .collect();
        assert_eq!(digest(&SHA1, &once).as_ref(), stored.as_ref());
        assert_eq!(proof("", &challenge), Vec::<u8>::new());
    }
}
