//! The text of `k8s-ee.yaml` as it was read, and the places in it.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
};

use super::problem::Place;

/// Largest file that is read, in bytes. A thousand times what real files need.
pub const MAX_BYTES: usize = 1 << 20;

/// The text of a configuration file, with the name that messages show for it.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Byte at which each line starts.
    lines: Vec<usize>,
}

/// Why a configuration file could not be read. Every message names the path.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// The path is a directory.
    #[error("`{}` is a directory, not a file", .0.display())]
    Directory(PathBuf),
    /// The operating system refused.
    #[error("cannot read `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file has more than [`MAX_BYTES`].
    #[error("`{}` is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    /// Some bytes are not UTF-8.
    #[error("`{}` is not UTF-8 text: line {line}, byte {offset}", .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first such byte, from 1.
        line: usize,
        /// Offset of the first such byte in the file, from 0.
        offset: usize,
    },
    /// There is a NUL byte, so it is not a text file.
    #[error("`{}` is not a text file: NUL byte on line {line}", .path.display())]
    Nul {
        /// The file.
        path: PathBuf,
        /// Line of the first NUL, from 1.
        line: usize,
    },
}

impl ReadError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some(
                "write a first one: k8s-ee init; or give the path of another file: --config PATH"
                    .to_owned(),
            ),
            Self::Directory(path) => Some(format!(
                "give the path of the file: `{}`",
                path.join("k8s-ee.yaml").display()
            )),
            Self::Unreadable { path, .. } => {
                Some(format!("see who may read it: `ls -l {}`", path.display()))
            }
            Self::TooLarge(_) => Some(
                "a configuration takes a few kilobytes; is this the file you meant?".to_owned(),
            ),
            Self::NotUtf8 { .. } | Self::Nul { .. } => {
                Some("save it as plain text in the encoding UTF-8".to_owned())
            }
        }
    }
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// When the path is no readable file of at most [`MAX_BYTES`] of UTF-8 text.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = read_bytes(path)?;
        if bytes.len() > MAX_BYTES {
            return Err(ReadError::TooLarge(path.to_owned()));
        }
        let line_of = |offset: usize| 1 + bytes[..offset].iter().filter(|b| **b == b'\n').count();
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) => {
                return Err(ReadError::NotUtf8 {
                    path: path.to_owned(),
                    line: line_of(error.valid_up_to()),
                    offset: error.valid_up_to(),
                });
            }
        };
        if let Some(offset) = text.find('\0') {
            return Err(ReadError::Nul {
                path: path.to_owned(),
                line: line_of(offset),
            });
        }
        Ok(Self::new(path.display().to_string(), text))
    }

    /// Takes a text that was read elsewhere. A byte-order mark at its start is dropped.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            name: name.into(),
            text,
            lines,
        }
    }

    /// The name that messages show: the path as the user gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, without byte-order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of some bytes of the text; what lies outside of the text is cut off.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end).max(start);
        let line = self.line_at(start);
        Place {
            line,
            column: self.text[self.lines[line - 1]..start].chars().count() + 1,
            span: start..end,
        }
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The line of a byte, from 1.
    pub(crate) fn line_at(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte)
    }

    /// The text of a line, from 1, without its end, and the byte at which it starts.
    pub(super) fn line(&self, line: usize) -> (usize, &str) {
        let start = self.lines[line - 1];
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        (start, self.text[start..end].trim_end_matches(['\n', '\r']))
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            ReadError::Missing(path.to_owned())
        }
        io::ErrorKind::IsADirectory => ReadError::Directory(path.to_owned()),
        _ => ReadError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large, even where it never ends (`/dev/zero`).
    File::open(path)
        .map_err(unreadable)?
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}
