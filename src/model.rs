//! What the environment is, once the file, the request and the platform's rules have been brought together.

pub mod object;
pub mod settings;
