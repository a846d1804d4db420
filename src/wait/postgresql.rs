//! PostgreSQL: a login as the application, up to the message that the server is ready for queries.

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    scram::{MECHANISM, Scram},
    target::Login,
    wire::{Trouble, Wire, until_nul},
};
use crate::diagnose::Secret;

/// Version 3.0 of the protocol.
const VERSION: i32 = 196_608;

/// What the server may ask for after the start-up message.
mod authentication {
    pub(super) const OK: i32 = 0;
    pub(super) const SASL: i32 = 10;
    pub(super) const SASL_CONTINUE: i32 = 11;
    pub(super) const SASL_FINAL: i32 = 12;
}

pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    login: &Login,
) -> Result<(), Trouble> {
    wire.send(&start_up(login)).await?;
    let mut scram = None;
    loop {
        let [kind, length @ ..] = wire.array::<5>().await?;
        let length = i32::from_be_bytes(length)
            .checked_sub(4)
            .and_then(|length| usize::try_from(length).ok())
            .ok_or(Trouble::Foreign)?;
        // Of a stranger's first bytes, a length must not be waited for.
        if !b"RESKNvZ".contains(&kind) {
            return Err(Trouble::Foreign);
        }
        let body = wire.bytes(length).await?;
        match kind {
            b'R' => {
                let Some((code, data)) = body.split_first_chunk() else {
                    return Err(Trouble::Foreign);
                };
                match i32::from_be_bytes(*code) {
                    authentication::OK | authentication::SASL_FINAL => {}
                    authentication::SASL => {
                        // A password with other characters would have to be normalized first.
                        let known = login.password.as_ref().map(Secret::expose);
                        if !offers(data) || !known.is_some_and(str::is_ascii) {
                            return Ok(());
                        }
                        let nonce = Scram::nonce().map_err(std::io::Error::other)?;
                        let begun = Scram::new(nonce);
                        wire.send(&sasl_first(&begun)).await?;
                        scram = Some(begun);
                    }
                    authentication::SASL_CONTINUE => {
                        let (Some(scram), Some(password)) = (&scram, &login.password) else {
                            return Err(Trouble::Foreign);
                        };
                        let proof = std::str::from_utf8(data)
                            .ok()
                            .and_then(|server| scram.last(server, password.expose()))
                            .ok_or(Trouble::Foreign)?;
                        wire.send(&message(b'p', proof.as_bytes())).await?;
                    }
                    // It asks for the password in another way: it serves this user, and the application's driver may know
                    // the way.
                    _ => return Ok(()),
                }
            }
            b'E' => return Err(Trouble::Said(error(&body))),
            b'Z' => return wire.send(&message(b'X', b"")).await,
            // Notices and parameters.
            _ => {}
        }
    }
}

fn start_up(login: &Login) -> Vec<u8> {
    let user = login.user.as_deref().unwrap_or("postgres");
    let mut body = VERSION.to_be_bytes().to_vec();
    for text in [
        "user",
        user,
        "database",
        login.database.as_deref().unwrap_or(user),
    ] {
        body.extend(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    with_length(body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(with_length(body.to_vec()));
    message
}

/// The length counts itself.
fn with_length(body: Vec<u8>) -> Vec<u8> {
    let length = i32::try_from(body.len() + 4).expect("messages are made of variables");
    [length.to_be_bytes().to_vec(), body].concat()
}

fn sasl_first(scram: &Scram) -> Vec<u8> {
    let first = scram.first();
    let length = i32::try_from(first.len()).expect("a nonce is short");
    let mut body = [MECHANISM.as_bytes(), &[0]].concat();
    body.extend(length.to_be_bytes());
    body.extend(first.as_bytes());
    message(b'p', &body)
}

/// Whether the mechanism is among those of the list.
fn offers(mut list: &[u8]) -> bool {
    while let Some((name, rest)) = until_nul(list) {
        if name == MECHANISM.as_bytes() {
            return true;
        }
        list = rest;
    }
    false
}

/// Text and code of an error: `the database system is starting up (57P03)`.
fn error(mut body: &[u8]) -> String {
    let (mut text, mut code) = (String::new(), String::new());
    while let Some((field, rest)) = until_nul(body) {
        let Some((kind, value)) = field.split_first() else {
            break;
        };
        let value = String::from_utf8_lossy(value).into_owned();
        match kind {
            b'M' => text = value,
            b'C' => code = value,
            _ => {}
        }
        body = rest;
    }
    format!("{text} ({code})")
}
