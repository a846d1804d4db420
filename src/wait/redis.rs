//! Redis: the password, and a `PING` that is answered.

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    target::Login,
    wire::{Trouble, Wire},
};

pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    login: &Login,
) -> Result<(), Trouble> {
    if let Some(password) = &login.password {
        let mut auth = vec!["AUTH"];
        auth.extend(login.user.as_deref());
        auth.push(password.expose());
        wire.send(&command(&auth)).await?;
        expect(wire, "OK").await?;
    }
    wire.send(&command(&["PING"])).await?;
    expect(wire, "PONG").await
}

async fn expect<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    word: &str,
) -> Result<(), Trouble> {
    let line = wire.line().await?;
    match line.split_at_checked(1) {
        Some(("+", text)) if text == word => Ok(()),
        // `LOADING`, `NOAUTH`, `WRONGPASS` and the like, with words of explanation.
        Some(("-", text)) => Err(Trouble::Said(text.to_owned())),
        _ => Err(Trouble::Foreign),
    }
}

/// Words as Redis takes them from programs: each with its length, so that a password may have any characters.
fn command(words: &[&str]) -> Vec<u8> {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    text.into_bytes()
}
