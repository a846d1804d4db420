//! MongoDB: a `hello` that says that the server is a primary, which takes writes. It needs no login.

use tokio::io::{AsyncRead, AsyncWrite};

use super::wire::{Trouble, Wire, until_nul};

/// The one kind of message that there has been since MongoDB 5.1.
const OP_MSG: i32 = 2013;

/// `{hello: 1, $db: "admin"}` as BSON.
const HELLO: &[u8] = b"\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";

/// Bytes before the document: the header, no flags, and a section of one document.
const HEADER: usize = 16;
const BEFORE: usize = HEADER + 4 + 1;

pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
) -> Result<(), Trouble> {
    let length = i32::try_from(BEFORE + HELLO.len()).expect("a short message");
    let mut message = Vec::new();
    for number in [length, 1, 0, OP_MSG, 0] {
        message.extend(number.to_le_bytes());
    }
    message.push(0);
    message.extend(HELLO);
    wire.send(&message).await?;

    let header: [u8; HEADER] = wire.array().await?;
    let (Some(length), Some(kind)) = (int(&header), int(&header[12..])) else {
        return Err(Trouble::Foreign);
    };
    let length = usize::try_from(length).unwrap_or_default();
    if kind != OP_MSG || length < BEFORE {
        return Err(Trouble::Foreign);
    }
    let body = wire.bytes(length - HEADER).await?;
    let answer = Answer::read(&body[BEFORE - HEADER..]).ok_or(Trouble::Foreign)?;
    if answer.primary {
        Ok(())
    } else {
        Err(Trouble::Said(answer.message.unwrap_or_else(|| {
            "this is not the primary (yet)".to_owned()
        })))
    }
}

/// What is looked at of the answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    primary: bool,
    message: Option<String>,
}

impl Answer {
    /// Reads the fields at the top of a BSON document.
    fn read(document: &[u8]) -> Option<Self> {
        let mut rest = document.get(4..)?;
        let mut answer = Self::default();
        loop {
            let (&kind, after) = rest.split_first()?;
            if kind == 0 {
                return Some(answer);
            }
            let (name, value) = until_nul(after)?;
            let length = length(kind, value)?;
            let (value, after) = value.split_at_checked(length)?;
            match (name, kind) {
                (b"isWritablePrimary", 0x08) => answer.primary = value == [1],
                // Of a server that has not joined its set yet, and of one that refuses the question.
                (b"info" | b"errmsg", 0x02) => {
                    let text = value.get(4..value.len().checked_sub(1)?)?;
                    answer.message = Some(String::from_utf8_lossy(text).into_owned());
                }
                _ => {}
            }
            rest = after;
        }
    }
}

/// Bytes of a value of this kind, which begins there.
fn length(kind: u8, value: &[u8]) -> Option<usize> {
    let counted = || usize::try_from(int(value)?).ok();
    match kind {
        // Null, and the ends of the order of values.
        0x0a | 0x7f | 0xff => Some(0),
        // Truth.
        0x08 => Some(1),
        // 32 bits.
        0x10 => Some(4),
        // Numbers and times of 64 bits.
        0x01 | 0x09 | 0x11 | 0x12 => Some(8),
        // An object's id, and a number of 128 bits.
        0x07 => Some(12),
        0x13 => Some(16),
        // A text counts itself, documents and lists count their length too, bytes have a kind besides.
        0x02 => counted()?.checked_add(4),
        0x03 | 0x04 => counted().filter(|length| *length >= 4),
        0x05 => counted()?.checked_add(5),
        _ => None,
    }
}

fn int(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().map(|bytes| i32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(fields: &[&[u8]]) -> Vec<u8> {
        let mut document = vec![0; 4];
        for field in fields {
            document.extend(*field);
        }
        document.push(0);
        document
    }

    #[test]
    fn fields_of_every_kind_are_passed_over() {
        let fields: &[&[u8]] = &[
            b"\x03topologyVersion\0\x1c\0\0\0\x07processId\0abcdefghijkl\0",
            b"\x02me\0\x03\0\0\0a:\0",
            b"\x01a\0abcdefgh",
            b"\x04b\0\x05\0\0\0\0",
            b"\x05c\0\x02\0\0\0\0xy",
            b"\x07d\0abcdefghijkl",
            b"\x09e\0abcdefgh",
            b"\x0af\0",
            b"\x10g\0abcd",
            b"\x11h\0abcdefgh",
            b"\x12i\0abcdefgh",
            b"\x13j\0abcdefghijklmnop",
            b"\x08isWritablePrimary\0\x01",
        ];
        let answer = Answer::read(&document(fields)).expect("a document");
        assert_eq!(
            answer,
            Answer {
                primary: true,
                message: None
            }
        );
    }

    #[test]
    fn a_server_that_is_no_primary_says_why() {
        let answer = |fields: &[&[u8]]| Answer::read(&document(fields)).expect("a document");
        assert_eq!(
            answer(&[b"\x08isWritablePrimary\0\0", b"\x02info\0\x04\0\0\0why\0"]),
            Answer {
                primary: false,
                message: Some("why".to_owned())
            }
        );
        assert_eq!(
            answer(&[b"\x10isWritablePrimary\0\x01\0\0\0"]),
            Answer::default()
        );
    }

    #[test]
    fn what_ends_too_soon_is_no_document() {
        let whole = document(&[b"\x02info\0\x04\0\0\0why\0", b"\x08isWritablePrimary\0\x01"]);
        for end in 0..whole.len() {
            assert_eq!(Answer::read(&whole[..end]), None, "{end}");
        }
        assert_eq!(Answer::read(&document(&[b"\x02info\0\0\0\0\0"])), None);
        assert_eq!(
            Answer::read(&document(&[b"\x02info\0\xff\xff\xff\xff"])),
            None
        );
        assert_eq!(Answer::read(&document(&[b"\x55x\0"])), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_document_or_not(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            drop(Answer::read(&bytes));
        }
    }
}
