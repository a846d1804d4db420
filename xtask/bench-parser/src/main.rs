//! Reads the YAML file that it is given, with the parser that `k8s-ee` has, and does nothing with it.

use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

fn main() -> Result<()> {
    let file = env::args_os().nth(1).context("which file?")?;
    let document: Value = serde_saphyr::from_str(&fs::read_to_string(file)?)?;
    ensure!(document.is_object(), "it is no map");
    Ok(())
}
