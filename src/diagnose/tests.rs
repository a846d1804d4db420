//! Broken environments, and what is said about them: the whole report of each is read here as its user reads it.

mod bootstrap;
mod build;
mod containers;
mod corpus;
mod dependencies;
mod images;
mod mutations;
mod objects;
mod probes;
mod reports;
mod rollouts;
mod scheduling;
mod seeds;
mod time;
mod urls;
mod volumes;
