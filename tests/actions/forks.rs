//! Pull requests from forks.
