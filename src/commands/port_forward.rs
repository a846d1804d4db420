//! `k8s-ee port-forward`: a local port that leads to a component, over restarts and new versions of it.

use std::{io, net::SocketAddr, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    cli::{PortForwardArgs, Ports},
    cluster::{Cluster, forward::ForwardError},
    deploy::{ready, record::Record},
    error::Failure,
    exit::Exit,
    model::{Database, DatabaseKind, connection},
    printer::Printer,
    signal,
};

use super::{context, pods};

/// How long a connection is held while there is no pod that could take it, as when it is being replaced.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every connection leads to.
#[derive(Clone)]
struct Destination {
    cluster: Cluster,
    namespace: String,
    component: String,
    port: u16,
}

pub(super) async fn run(args: PortForwardArgs, printer: Printer) -> Result<Exit, Failure> {
    let PortForwardArgs {
        component,
        ports,
        address,
        target,
    } = args;
    let cluster = context::connect(&target.connection).await?;
    let namespace = context::namespace(&cluster, &target).await?;
    let pods = pods::of_component(&cluster, &namespace, &component, &target).await?;
    let ports = match ports.or_else(|| pods.iter().find_map(declared)) {
        Some(ports) => ports,
        None => {
            return Err(Failure::new(
                Exit::Usage,
                format!("the pods of `{component}` do not say what they listen on"),
            )
            .hint("name the port after the component"));
        }
    };
    let key = context::environment_key(&target.key).flag();
    let listener = TcpListener::bind(SocketAddr::new(address, ports.local))
        .await
        .map_err(|error| cannot_listen(error, SocketAddr::new(address, ports.local), ports))?;
    let local = listener.local_addr().map_err(|error| {
        let message = format!("cannot listen on {address}");
        Failure::new(Exit::Failure, message).because(error)
    })?;

    let database = match DatabaseKind::from_name(&component) {
        Some(kind) => Some((kind, of_record(&cluster, &namespace, kind).await?)),
        None => None,
    };
    // From here on there is something to interrupt.
    signal::expect();
    printer.data(&match &database {
        Some((kind, database)) => connection::url(*kind, database.as_ref(), local),
        None => format!("http://{local}"),
    });
    printer.note(&format!(
        "{local} leads to port {} of {component} in {namespace}; Ctrl-C ends it",
        ports.remote
    ));
    if !address.is_loopback() {
        printer.note("warning: others than this machine can reach it there");
    }
    if let Some((kind, database)) = &database
        && database.as_ref().is_none_or(connection::asks_for_password)
    {
        printer.note(&format!(
            "its password: k8s-ee credentials show {kind} {key} --key {}",
            connection::password_key(*kind)
        ));
    }
    let destination = Destination {
        cluster,
        namespace,
        component,
        port: ports.remote,
    };
    serve(&listener, &destination, printer).await;
    printer.after_key();
    Ok(Exit::Interrupted)
}

/// A database as the record of the environment has it; nothing where there is no record yet.
async fn of_record(
    cluster: &Cluster,
    namespace: &str,
    kind: DatabaseKind,
) -> Result<Option<Database>, Failure> {
    let record = Record::read(cluster, namespace).await?;
    let databases = record.map(|record| record.environment.databases);
    let mut databases = databases.into_iter().flatten();
    Ok(databases.find(|database| database.kind == kind))
}

/// Takes connections until interrupted.
async fn serve(listener: &TcpListener, destination: &Destination, printer: Printer) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = signal::next() => return,
            accepted = listener.accept() => match accepted {
                Ok((local, _)) => {
                    let destination = destination.clone();
                    connections.spawn(async move {
                        if let Err(why) = destination.connect(local).await {
                            printer.error(&format!("warning: a connection failed: {why}"));
                        }
                    });
                }
                // Out of file descriptors and the like: those that end give some back.
                Err(error) => printer.error(&format!("warning: a connection failed: {error}")),
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

impl Destination {
    async fn connect(&self, local: TcpStream) -> Result<(), String> {
        let is_wanted = |pod: &Pod| pods::is_of(pod, &self.component) && ready::is_ready(pod);
        let pod = self
            .cluster
            .wait_for_pod(&self.namespace, is_wanted, PATIENCE)
            .await
            .map_err(|error| error.to_string())?;
        let Some(name) = pod.as_ref().and_then(|pod| pod.metadata.name.as_deref()) else {
            return Err(format!(
                "no pod of {} was ready for {} seconds",
                self.component,
                PATIENCE.as_secs()
            ));
        };
        self.cluster
            .forward(&self.namespace, name, self.port, local)
            .await
            .map_err(|error| match error {
                ForwardError::Pod(why) if why.contains("refused") => format!(
                    "nothing listens on port {} of {}",
                    self.port, self.component
                ),
                error => error.to_string(),
            })
    }
}

/// The first port that the main container of a pod declares.
fn declared(pod: &Pod) -> Option<Ports> {
    let name = ready::main_container(pod)?;
    let mut containers = pod.spec.as_ref()?.containers.iter();
    let container = containers.find(|container| container.name == name)?;
    let port = container.ports.iter().flatten().next()?.container_port;
    let port = u16::try_from(port).ok()?;
    // Ports below 1024 are root's on most machines.
    let local = if port < 1024 { 8000 + port } else { port };
    Some(Ports {
        local,
        remote: port,
    })
}

fn cannot_listen(error: io::Error, local: SocketAddr, ports: Ports) -> Failure {
    let in_use = error.kind() == io::ErrorKind::AddrInUse;
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    let failure = Failure::new(Exit::Failure, format!("cannot listen on {local}")).because(error);
    if in_use || denied {
        return failure.hint(format!(
            "take another local port: {}:{}, or any that is free: 0:{}",
            ports.remote.wrapping_add(10_000).max(1024),
            ports.remote,
            ports.remote
        ));
    }
    failure
}
