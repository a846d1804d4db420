//! `k8s-ee wait`: until the databases whose variables are set answer.

use crate::{
    cli::WaitArgs,
    error::Failure,
    exit::Exit,
    printer::Printer,
    progress::Progress,
    wait::{self, Open, WaitError, target},
};

pub(super) async fn run(args: WaitArgs, printer: Printer) -> Result<Exit, Failure> {
    let get = |name: &str| std::env::var(name).ok();
    let targets = target::targets(&args.databases, get)
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint(error.hint()))?;
    let progress = Progress::new(printer);
    let ended = wait::all(&targets, args.timeout, &progress).await;
    progress.clear();
    match ended {
        Ok(()) => Ok(Exit::Success),
        Err(WaitError::TimedOut(open)) => Err(timed_out(&args, &open)),
        Err(error @ WaitError::Interrupted(_)) => Err(Failure::new(
            Exit::Interrupted,
            format!("{error}; not all databases answered yet"),
        )),
    }
}

fn timed_out(args: &WaitArgs, open: &[Open]) -> Failure {
    let names: Vec<&str> = open.iter().map(|open| open.kind.name()).collect();
    let reasons: Vec<String> = open.iter().map(ToString::to_string).collect();
    Failure::new(
        Exit::Timeout,
        format!(
            "no answer within {} s: {}",
            args.timeout.as_secs(),
            names.join(", ")
        ),
    )
    .because(reasons.join("\n"))
    .hint(format!(
        "see what they do: kubectl get pods --selector 'k8s-ee/component in ({})'",
        names.join(", ")
    ))
}
