//! The fake as a program, for workflows that run on a simulated runner.
//!
//! `GET /_fake/world` shows what it remembers, `PATCH /_fake/world` changes that, `POST /_fake/faults` makes trouble, `GET
//! /_fake/requests` lists what was asked, `GET /_fake/violations` what was not as GitHub describes it.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Parser;
use github_fake::{GithubFake, world::World};

#[derive(Parser)]
#[command(name = "github-fake", about = "A GitHub with a memory, for tests")]
struct Cli {
    /// Where to listen. The URL is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What it remembers from the start, as JSON.
    #[arg(long)]
    world: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until the program is ended.
fn run(cli: &Cli) -> Result<()> {
    let world = match &cli.world {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not a world", path.display()))?
        }
        None => World::default(),
    };
    let fake = GithubFake::listen(cli.listen, world)?;
    println!("{}", fake.url());
    loop {
        std::thread::park();
    }
}
