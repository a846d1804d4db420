//! Interrupts: Ctrl-C from a person, SIGTERM from a CI system that cancels a run.

use std::sync::OnceLock;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

static RECEIVED: OnceLock<watch::Receiver<Option<&'static str>>> = OnceLock::new();

/// From now on an interrupt does not end the process at once: whoever is at work asks [`next`] and leaves things in order.
/// A second one does.
pub fn expect() {
    RECEIVED.get_or_init(listen);
}

/// Returns when the process has been told to stop, at once if that was before the call; never otherwise.
pub async fn next() -> &'static str {
    let mut received = RECEIVED.get_or_init(listen).clone();
    match received.wait_for(Option::is_some).await {
        Ok(name) => name.expect("waited for one"),
        // The signals cannot be listened to: the process then ends by their default action.
        Err(_) => std::future::pending().await,
    }
}

fn listen() -> watch::Receiver<Option<&'static str>> {
    let (sender, receiver) = watch::channel(None);
    if let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = interrupt.recv() => "Ctrl-C",
                _ = terminate.recv() => "SIGTERM",
            };
            sender.send_replace(Some(name));
            // Whoever asks twice does not want to wait for an orderly end.
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::abort();
        });
    }
    receiver
}
