//! A connection from here to a port of a pod.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::FusedFuture as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::{io::copy_bidirectional, net::TcpStream};

use super::{Cluster, ClusterError};

/// How long an error may arrive after the end of the connection that it is about.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Why a connection ended before either side wanted it to.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The API server did not let us through.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The pod could not be reached on that port.
    #[error("{0}")]
    Pod(String),
}

impl Cluster {
    /// Waits for a pod of a namespace to be as wanted: at once where there is one. None when that takes too long.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn wait_for_pod(
        &self,
        namespace: &str,
        is_wanted: impl Fn(&Pod) -> bool,
        limit: Duration,
    ) -> Result<Option<Pod>, ClusterError> {
        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        let mut pods = watcher(pods, watcher::Config::default())
            .applied_objects()
            .boxed();
        let found = async {
            loop {
                match pods.try_next().await {
                    Ok(Some(pod)) if is_wanted(&pod) => return Ok(Some(pod)),
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(None),
                    Err(
                        watcher::Error::InitialListFailed(error)
                        | watcher::Error::WatchStartFailed(error),
                    ) => return Err(self.error("list", "Pod", error)),
                    // The watch begins anew by itself.
                    Err(_) => {}
                }
            }
        };
        tokio::time::timeout(limit, found).await.unwrap_or(Ok(None))
    }

    /// Connects a local connection to a port of a pod, until either side ends it.
    ///
    /// # Errors
    /// When the API server refuses, or nothing listens on that port.
    pub async fn forward(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
        mut local: TcpStream,
    ) -> Result<(), ForwardError> {
        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        let mut forwarder = pods
            .portforward(pod, &[port])
            .await
            .map_err(|error| self.error("forward a port of", pod, error))?;
        let mut remote = forwarder.take_stream(port).expect("it is taken only here");
        let failed = forwarder.take_error(port).expect("it is taken only here");
        let mut failed = std::pin::pin!(failed.fuse());
        let mut said = tokio::select! {
            biased;
            Some(message) = &mut failed => Some(message),
            // That one side went away without a word is how many connections end.
            _ = copy_bidirectional(&mut local, &mut remote) => None,
        };
        if said.is_none() && !failed.is_terminated() {
            // What went wrong may be said after the end.
            said = tokio::time::timeout(LAST_WORD, failed)
                .await
                .unwrap_or(None);
        }
        let ended = said.map_or(Ok(()), |message| Err(ForwardError::Pod(message)));
        forwarder.abort();
        ended
    }
}
