//! Pieces of reports that several verbs share. What a stage reports stands beside that stage.

pub mod github;
pub mod table;
