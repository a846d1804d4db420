//! `k8s-ee exec`: a program, or a shell, in a component's container.

use std::process::ExitCode;

use k8s_openapi::api::core::v1::Pod;

use crate::{
    cli::{ExecArgs, TargetArgs},
    cluster::exec::{Ended, Printed, Process},
    deploy::ready,
    error::Failure,
    exit::Exit,
    printer::Printer,
    signal,
    terminal::{self, RawMode},
};

use super::{context, pods};

/// The best shell that the image has.
const SHELL: &str = "if command -v bash >/dev/null; then exec bash; else exec sh; fi";

pub(super) async fn run(args: ExecArgs, printer: Printer) -> Result<ExitCode, Failure> {
    let ExecArgs {
        component,
        command,
        target,
    } = args;
    let cluster = context::connect(&target.connection).await?;
    let namespace = context::namespace(&cluster, &target).await?;
    let pods = pods::of_component(&cluster, &namespace, &component, &target).await?;
    let Some((pod, container)) = pods.iter().find_map(running) else {
        return Err(not_running(&namespace, &component, &target));
    };
    let is_shell = command.is_empty();
    let command = if is_shell {
        ["sh", "-c", SHELL].map(str::to_owned).to_vec()
    } else {
        command
    };
    let process = Process {
        namespace: &namespace,
        pod,
        container,
        command: &command,
        terminal: terminal::is_interactive(),
    };
    let raw = process.terminal.then(RawMode::enter).and_then(Result::ok);
    let ended = tokio::select! {
        ended = cluster.exec(&process, tokio::io::stdin(), terminal::sizes(), |to, bytes| match to {
            Printed::Stdout => printer.raw_data(bytes),
            Printed::Stderr => printer.raw_error(bytes),
        }) => ended,
        // On a terminal keys do not arrive here as signals; what does is from somebody who wants us to end.
        signal = signal::next() => {
            drop(raw);
            return Err(Failure::new(
                Exit::Interrupted,
                format!("stopped by {signal}; what runs in {pod} may go on there"),
            ));
        }
    };
    drop(raw);
    match ended? {
        Ended::Exited(code) => Ok(code.into()),
        Ended::Unknown(why) => Err(not_run(&component, &command, is_shell, &why)),
    }
}

/// A pod whose main container runs, and that container.
fn running(pod: &Pod) -> Option<(&str, &str)> {
    let container = ready::main_container(pod)?;
    let mut statuses = pod.status.as_ref()?.container_statuses.iter().flatten();
    let status = statuses.find(|status| status.name == container)?;
    status.state.as_ref()?.running.as_ref()?;
    Some((pod.metadata.name.as_deref()?, container))
}

fn not_running(namespace: &str, component: &str, target: &TargetArgs) -> Failure {
    let key = context::environment_key(&target.key).flag();
    Failure::new(
        Exit::Failure,
        format!("no container of `{component}` runs in {namespace}"),
    )
    .hint(format!(
        "see why: k8s-ee status {key}, k8s-ee logs {key} {component}"
    ))
}

fn not_run(component: &str, command: &[String], is_shell: bool, why: &str) -> Failure {
    let is_missing = ["no such file", "not found"]
        .iter()
        .any(|text| why.contains(text));
    match (is_missing, is_shell) {
        (true, true) => Failure::new(
            Exit::Failure,
            format!("the image of `{component}` has no shell"),
        )
        .hint(format!(
            "name a program that is in it: k8s-ee exec … {component} -- /PROGRAM"
        )),
        (true, false) => Failure::new(
            Exit::Failure,
            format!("`{component}` has no program `{}`", command[0]),
        )
        .because(why.to_owned())
        .hint(format!(
            "name one that is in its image, with its path where it is not on the container's PATH: k8s-ee exec … {component} \
             -- /PROGRAM"
        )),
        (false, _) => Failure::new(
            Exit::Failure,
            format!("`{}` did not run to its end in `{component}`", command[0]),
        )
        .because(why.to_owned()),
    }
}
