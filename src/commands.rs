//! The verbs: one file each. A verb brings the stages together; it has no logic of its own.

mod access;
mod ci;
mod comment;
mod completions;
mod context;
mod credentials;
mod doctor;
mod down;
mod exec;
mod file;
mod init;
mod list;
mod logs;
mod open;
mod plan;
mod pods;
mod port_forward;
mod pr;
mod prepare;
mod quota;
mod render;
mod schema;
mod status;
mod up;
mod validate;
mod wait;

use std::process::ExitCode;

use crate::{
    cli::{Cli, Command},
    error::Failure,
    exit::Exit,
    printer::Printer,
    reporter::{self, Reporter, run::Run},
    telemetry,
};

/// Runs a command line to its end and says how it ended. Errors are printed here, once.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let printer = Printer::new(cli.global.quiet);
    telemetry::init(cli.global.verbose);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(Exit::Failure, "cannot start").because(error);
            printer.error(&failure.to_string());
            return Exit::Failure.into();
        }
    };
    let ended = runtime.block_on(run(cli.command, printer));
    // A reader of stdin or a slow DNS look-up must not keep a finished command from ending.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit,
        Err(failure) => {
            printer.error(&failure.to_string());
            failure.exit().into()
        }
    }
}

async fn run(mut command: Command, printer: Printer) -> Result<ExitCode, Failure> {
    let run = match command {
        Command::Comment(_) => Some(Run::find()?),
        // It says nothing by the way, and looks for the run itself.
        Command::Pr(_) => None,
        _ => Run::of_process().unwrap_or_else(|error| {
            reporter::warn(printer, &error.into());
            None
        }),
    };
    let subject = ci::fill(&mut command, run.as_ref(), printer).await?;
    let reporter = |args| Reporter::new(run, subject, args, printer);
    let ended = match command {
        Command::Init(args) => init::run(&args, printer),
        Command::Validate(args) => validate::run(&args, reporter(&args.report), printer).await,
        Command::Schema => schema::run(printer),
        Command::Render(args) => render::run(args, printer).await,
        Command::Quota(args) => quota::run(args, printer).await,
        Command::Plan(args) => plan::run(args, printer).await,
        Command::Prepare(args) => prepare::run(&args, reporter(&args.report), printer).await,
        Command::Up(args) => up::run(&args, reporter(&args.report), printer).await,
        Command::Status(args) => status::run(args, printer).await,
        Command::List(args) => list::run(args, printer).await,
        Command::Logs(args) => logs::run(args, printer).await,
        Command::Open(args) => open::run(args, printer).await,
        // It ends as the program does that it runs.
        Command::Exec(args) => return exec::run(args, printer).await,
        Command::PortForward(args) => port_forward::run(args, printer).await,
        Command::Credentials(args) => credentials::run(args, printer).await,
        Command::Down(args) => down::run(&args, reporter(&args.report), printer).await,
        Command::Comment(args) => comment::run(&args, reporter(&args.report), printer).await,
        Command::Pr(args) => pr::run(args, printer).await,
        Command::Wait(args) => wait::run(args, printer).await,
        Command::Doctor(args) => doctor::run(args, printer).await,
        Command::Completions(args) => completions::run(&args, printer),
    };
    ended.map(ExitCode::from)
}
