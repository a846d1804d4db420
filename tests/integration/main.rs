//! The real binary, in an environment of its own, the files that it reads, and the pages that describe it.

mod access;
mod actions;
mod api;
mod cli;
mod common;
mod compose;
mod config;
mod console;
mod examples;
mod github;
mod init;
mod keys;
mod pages;
mod references;
#[path = "../shared/terminal.rs"]
mod shared;
mod streams;
mod terminal;
mod wait;
