//! `cargo xtask`: the developer tasks of this repository.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer tasks of k8s-ee")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure k8s-ee beside the ways that it replaces, and write the report.
    Bench(xtask::bench::BenchArgs),
    /// Package the charts, or push them to a registry.
    Charts(xtask::charts::ChartsArgs),
    /// Show k8s-ee at work: the sandbox, an environment, a URL that answers.
    Demo(xtask::demo::DemoArgs),
    /// Cut GitHub's description of its API down to what the tests' fake serves.
    GithubApi(xtask::github_api::GithubApiArgs),
    /// Record a session with k8s-ee on the sandbox as the picture of the README.
    Picture(xtask::picture::PictureArgs),
    /// Build the binary as it is handed out, say how large it is, and archive it.
    Release(xtask::release::ReleaseArgs),
    /// Write a version everywhere it stands, or check that it stands there.
    Stamp(xtask::stamp::StampArgs),
    /// Run the tests, all of them or some rungs.
    Test(xtask::test::TestArgs),
    /// The real Kubernetes cluster that the end-to-end tests run on.
    Sandbox(xtask::sandbox::SandboxArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Bench(args) => args.run(),
        Task::Charts(args) => args.run(),
        Task::Demo(args) => args.run(),
        Task::GithubApi(args) => args.run(),
        Task::Picture(args) => args.run(),
        Task::Release(args) => args.run(),
        Task::Stamp(args) => args.run(),
        Task::Test(args) => args.run(),
        Task::Sandbox(args) => args.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
