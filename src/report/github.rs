//! What GitHub is told about an environment: facts in, Markdown out. Pure.

pub mod facts;
