//! The real binary, in an environment of its own, the files that it reads, and the pages that describe it.

mod actions;
mod api;
mod cli;
mod common;
mod config;
mod console;
mod examples;
mod github;
mod keys;
mod pages;
mod references;
mod wait;
