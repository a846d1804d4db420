//! The server: accepts connections, keeps slow clients in bounds, and ends gracefully.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::TcpListener,
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::site::Site;

/// Most connections at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 256;

/// Longest that a client may take for a request's head, and for the pause before the next.
const HEAD: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
const LARGEST: usize = 16 << 10;

/// Kubernetes takes a moment to send requests elsewhere once a pod is told to stop; until then, keep serving.
const DRAIN: Duration = Duration::from_secs(1);

/// Longest that requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop` is done, and what is under way by then to its end.
pub(crate) async fn serve(listener: TcpListener, site: Site, stop: impl Future<Output = ()>) {
    let site = Arc::new(site);
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = pin!(async {
        stop.await;
        println!("asked to stop: finishing what is under way");
        time::sleep(DRAIN).await;
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST);
    loop {
        let (stream, permit) = select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        let site = Arc::clone(&site);
        let service = service_fn(move |request| {
            let site = Arc::clone(&site);
            async move { Ok::<_, Infallible>(site.answer(&request).await) }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // Clients that go away or send nonsense are not worth a line.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    if time::timeout(GRACE, connections.shutdown()).await.is_err() {
        eprintln!("some requests took too long and were cut off");
    }
}

/// The next connection, as soon as there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (tokio::net::TcpStream, OwnedSemaphorePermit) {
    let permit = Arc::clone(room).acquire_owned().await;
    let permit = permit.expect("nobody closes it");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                // Out of file descriptors, most likely: give others time to end.
                time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
