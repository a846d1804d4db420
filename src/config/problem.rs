//! What is wrong with a configuration: one entry per mistake, with its place in the file.

use std::ops::Range;

use serde::Serialize;

/// How many mistakes are told at once; who makes more has opened the wrong file.
pub(super) const MOST: usize = 100;

/// One mistake in `k8s-ee.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer of the offending member: for an unknown key that key, for a missing one where it belongs.
    pub pointer: String,
    /// Where that member stands in the file.
    pub place: Place,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// A place in the text of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the text that the place covers.
    #[serde(skip)]
    pub span: Range<usize>,
}
