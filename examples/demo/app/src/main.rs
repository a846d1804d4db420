//! A service that uses all five databases of a preview environment, and shows how each of them is.

mod databases;
mod metrics;
mod page;
mod server;
mod settings;
mod site;
mod status;

use std::{
    env,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
};

use tokio::{
    net::TcpListener,
    select,
    signal::unix::{SignalKind, signal},
};

use crate::{databases::Databases, settings::Settings, site::Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let mut settings = Settings::read(|name| env::var(name).ok())?;
    let cannot = |what: &str, error: std::io::Error| format!("cannot {what}: {error}");
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|error| cannot("wait for SIGTERM", error))?;
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(|error| cannot("wait for SIGINT", error))?;
    let port = settings.port;
    // The first takes connections of both families, where the machine has both.
    let everywhere = [
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
    ];
    let listener = TcpListener::bind(everywhere.as_slice())
        .await
        .map_err(|error| cannot(&format!("listen on port {port}"), error))?;
    println!("demo listens on port {port}");
    let about = std::mem::take(&mut settings.about);
    let site = Site::new(about, Databases::new(settings).await);
    server::serve(listener, site, async {
        select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await;
    Ok(())
}
