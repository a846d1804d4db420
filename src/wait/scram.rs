//! The client's half of SCRAM-SHA-256 (RFC 5802 and 7677), the way to log in that PostgreSQL has by default.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

/// Name of the mechanism.
pub(super) const MECHANISM: &str = "SCRAM-SHA-256";

/// Most rounds of hashing that a server may ask for: servers have 4096, and this many take some tenths of a second.
const MOST_ROUNDS: u32 = 200_000;

/// "No channel binding", and no name: PostgreSQL takes the one that it was told before.
const HEADER: &str = "n,,";

/// A login that has begun.
#[derive(Debug)]
pub(super) struct Scram {
    nonce: String,
}

impl Scram {
    /// Begins one. The nonce is any text without commas that was never used before.
    pub(super) fn new(nonce: String) -> Self {
        Self { nonce }
    }

    /// A text that was never used before.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub(super) fn nonce() -> Result<String, getrandom::Error> {
        let mut bytes = [0; 18];
        getrandom::fill(&mut bytes)?;
        Ok(BASE64.encode(bytes))
    }

    fn bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("{HEADER}{}", self.bare())
    }

    /// The last message, which proves that the password is known; nothing if the server's message is none. That the server
    /// knows it too is not looked at: nothing is entrusted to it.
    pub(super) fn last(&self, server: &str, password: &str) -> Option<String> {
        self.prove(&self.bare(), server, password)
    }

    fn prove(&self, bare: &str, server: &str, password: &str) -> Option<String> {
        let mut parts = server.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = BASE64.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let rounds: NonZeroU32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        if !nonce.starts_with(&self.nonce) || rounds.get() > MOST_ROUNDS {
            return None;
        }
        let without_proof = format!("c={},r={nonce}", BASE64.encode(HEADER));
        let signed = format!("{bare},{server},{without_proof}");

        let mut salted = [0; digest::SHA256_OUTPUT_LEN];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let signature = sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, signature)| key ^ signature)
            .collect();
        Some(format!("{without_proof},p={}", BASE64.encode(proof)))
    }
}

fn sign(key: &[u8], data: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_that_of_the_standard() {
        // The example of RFC 7677, in which the client's message has a name.
        let scram = Scram::new("rOprNGfwEbeRWgbNEkqO".to_owned());
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram
                .prove("n=user,r=rOprNGfwEbeRWgbNEkqO", server, "pencil")
                .as_deref(),
            Some(
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
            )
        );
    }

    #[test]
    fn what_the_server_must_not_ask_is_not_answered() {
        let scram = Scram::new("abc".to_owned());
        assert_eq!(scram.first(), "n,,n=,r=abc");
        assert!(scram.last("r=abcd,s=AAAA,i=1", "x").is_some());
        for server in [
            "",
            "r=abcd",
            "r=abcd,s=AAAA",
            "r=abcd,s=AAAA,i=0",
            "r=abcd,s=AAAA,i=4000000000",
            "r=abcd,s=A,i=1",
            "r=other,s=AAAA,i=1",
            "e=other-error",
        ] {
            assert_eq!(scram.last(server, "x"), None, "{server}");
        }
    }

    #[test]
    fn no_nonce_comes_twice() {
        let nonce = || Scram::nonce().expect("randomness");
        assert_ne!(nonce(), nonce());
        assert!(!nonce().contains(','));
    }

    proptest::proptest! {
        #[test]
        fn any_text_of_a_server_is_answered_or_not(server in "(r=abc)?.{0,40}(,s=[A-Za-z0-9=]{0,12})?(,i=[0-9]{0,4})?") {
            drop(Scram::new("abc".to_owned()).last(&server, "x"));
        }
    }
}
