//! Interrupts: Ctrl-C from a person, SIGTERM from a CI system that cancels a run.
//!
//! Whoever is at work on something that has to be left in order looks out for them. While nobody does, nothing has been
//! begun, and the process ends at once; it does so at a second interrupt in any case.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How many look out for an interrupt now.
static LOOKOUTS: AtomicUsize = AtomicUsize::new(0);

static RECEIVED: OnceLock<watch::Receiver<Option<Stop>>> = OnceLock::new();

/// What the process has been told.
#[derive(Clone, Copy, Debug)]
struct Stop {
    signal: &'static str,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Somebody is at work, who is to leave things in order.
    InOrder,
    /// Nobody was looking out.
    Idle,
    /// It was told twice: whoever does that does not want to wait for an orderly end.
    Twice,
}

/// Why the process is to end without waiting for anybody.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce {
    /// Which signal came.
    pub signal: &'static str,
    /// Whether somebody was at work, and was told before.
    pub twice: bool,
}

/// From now on an interrupt does not end the process: whoever is at work asks [`next`] and leaves things in order. A
/// second one does.
pub fn expect() {
    LOOKOUTS.fetch_add(1, Ordering::SeqCst);
    RECEIVED.get_or_init(listen);
}

/// Returns when the process has been told to stop, at once if that was before the call; never otherwise. Who waits here
/// is looking out for as long as it waits.
pub async fn next() -> &'static str {
    let _lookout = Lookout::new();
    told(|_| true).await.signal
}

/// Returns when somebody is at work who has been told to stop, for those who only look on.
pub async fn told_to_stop() -> &'static str {
    told(|stop| stop.how == How::InOrder).await.signal
}

/// Returns when the process is to end without waiting for anybody.
pub async fn at_once() -> AtOnce {
    let stop = told(|stop| stop.how != How::InOrder).await;
    AtOnce {
        signal: stop.signal,
        twice: stop.how == How::Twice,
    }
}

async fn told(is_meant: impl Fn(&Stop) -> bool) -> Stop {
    let mut received = RECEIVED.get_or_init(listen).clone();
    let told = received.wait_for(|stop| stop.as_ref().is_some_and(&is_meant));
    match told.await {
        Ok(stop) => stop.expect("waited for one"),
        // The signals cannot be listened to: the process then ends by their default action.
        Err(_) => std::future::pending().await,
    }
}

struct Lookout;

impl Lookout {
    fn new() -> Self {
        LOOKOUTS.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        LOOKOUTS.fetch_sub(1, Ordering::SeqCst);
    }
}

fn listen() -> watch::Receiver<Option<Stop>> {
    let (sender, receiver) = watch::channel(None);
    if let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        tokio::spawn(async move {
            let mut first = true;
            loop {
                let signal = tokio::select! {
                    _ = interrupt.recv() => "Ctrl-C",
                    _ = terminate.recv() => "SIGTERM",
                };
                let how = match (first, LOOKOUTS.load(Ordering::SeqCst)) {
                    (false, _) => How::Twice,
                    (true, 0) => How::Idle,
                    (true, _) => How::InOrder,
                };
                first = false;
                sender.send_replace(Some(Stop { signal, how }));
            }
        });
    }
    receiver
}
