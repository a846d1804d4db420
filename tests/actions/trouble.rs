//! When something goes wrong.
