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
mod preserve;
mod quota;
mod render;
mod schema;
mod status;
mod sweep;
mod up;
mod validate;
mod wait;

use std::{convert::Infallible, process::ExitCode, time::Duration};

use crate::{
    cli::{Cli, Command},
    cluster::patience,
    error::Failure,
    exit::Exit,
    printer::Printer,
    reporter::{self, Reporter, run::Run},
    signal::{self, AtOnce},
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
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = run(cli.command, printer) => ended,
            stop = signal::at_once() => Err(stopped(stop)),
            never = keep_informed(printer) => match never {},
        }
    });
    // A reader of stdin or a slow DNS look-up must not keep a finished command from ending.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit,
        Err(failure) => {
            if failure.exit() == Exit::Interrupted {
                printer.after_key();
            }
            printer.error(&failure.to_string());
            failure.exit().into()
        }
    }
}

/// How long somebody may take to put things in order before it is said how to do without.
const ORDERLY: Duration = Duration::from_secs(1);

/// Says what takes so long, where those at work do not say it.
async fn keep_informed(printer: Printer) -> Infallible {
    let stopping = async {
        let signal = signal::told_to_stop().await;
        tokio::time::sleep(ORDERLY).await;
        printer.note(&format!("stopping; a second {signal} ends it at once"));
    };
    let waiting = async {
        let server = patience::slow().await;
        printer.note(&format!("waiting for the API server {server} to answer"));
    };
    futures::join!(stopping, waiting);
    std::future::pending().await
}

/// What is left when nobody could put things in order.
fn stopped(stop: AtOnce) -> Failure {
    let signal = stop.signal;
    if stop.twice {
        return Failure::new(
            Exit::Interrupted,
            format!("stopped at once by a second {signal}; what was begun is left half-done"),
        )
        .hint("run the same command again to finish it, or see what is there: k8s-ee list");
    }
    Failure::new(
        Exit::Interrupted,
        format!("stopped by {signal}; nothing was changed"),
    )
}

async fn run(mut command: Command, printer: Printer) -> Result<ExitCode, Failure> {
    let run = match command {
        Command::Comment(_) => Some(Run::find()?),
        // They say nothing by the way, and look for the run themselves.
        Command::Pr(_) | Command::Sweep(_) => None,
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
        Command::Preserve(args) => preserve::run(&args, reporter(&args.report), printer).await,
        Command::Sweep(args) => sweep::run(&args, printer).await,
        Command::Comment(args) => comment::run(&args, reporter(&args.report), printer).await,
        Command::Pr(args) => pr::run(args, printer).await,
        Command::Wait(args) => wait::run(args, printer).await,
        Command::Doctor(args) => doctor::run(args, printer).await,
        Command::Completions(args) => completions::run(&args, printer),
    };
    ended.map(ExitCode::from)
}
