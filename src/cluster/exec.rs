//! A program in a container that runs: its streams, the size of its terminal, and how it ended.

use futures::{SinkExt as _, Stream, StreamExt as _};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Status};
use kube::{
    Api,
    api::{AttachParams, TerminalSize},
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::{Cluster, ClusterError};

/// Bytes that are on their way in each direction at most.
const BUFFER: usize = 64 << 10;

/// A program to run in a container.
#[derive(Clone, Copy, Debug)]
pub struct Process<'a> {
    /// Namespace of the pod.
    pub namespace: &'a str,
    /// Name of the pod.
    pub pod: &'a str,
    /// Container of the pod.
    pub container: &'a str,
    /// Program and arguments.
    pub command: &'a [String],
    /// Whether it has a terminal; its two outputs are one then.
    pub terminal: bool,
}

/// Where something was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// On stdout, or the terminal.
    Stdout,
    /// On stderr.
    Stderr,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Exited(u8),
    /// It could not be started, or its end could not be seen, for this reason.
    Unknown(String),
}

impl Cluster {
    /// Runs a program to its end. It reads `stdin`; what it prints goes to `print`; its terminal takes the `sizes`, each
    /// as columns and rows.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn exec(
        &self,
        process: &Process<'_>,
        mut stdin: impl AsyncRead + Unpin + Send + 'static,
        sizes: impl Stream<Item = (u16, u16)> + Send + 'static,
        print: impl Fn(Printed, &[u8]),
    ) -> Result<Ended, ClusterError> {
        let pods: Api<Pod> = Api::namespaced(self.client(), process.namespace);
        let params = AttachParams {
            container: Some(process.container.to_owned()),
            stdin: true,
            stdout: true,
            stderr: !process.terminal,
            tty: process.terminal,
            max_stdin_buf_size: Some(BUFFER),
            max_stdout_buf_size: Some(BUFFER),
            max_stderr_buf_size: Some(BUFFER),
        };
        let command = process.command.iter().map(String::as_str);
        let mut attached = pods
            .exec(process.pod, command, &params)
            .await
            .map_err(|error| self.error("run a program in", process.pod, error))?;

        let helpers = AbortOnDrop(vec![
            attached.stdin().map(|mut writer| {
                tokio::spawn(async move {
                    // Whoever stops reading has what it wants.
                    drop(tokio::io::copy(&mut stdin, &mut writer).await);
                    drop(writer.shutdown().await);
                })
            }),
            attached.terminal_size().map(|mut sender| {
                tokio::spawn(async move {
                    let mut sizes = Box::pin(sizes);
                    while let Some((width, height)) = sizes.next().await {
                        if sender.send(TerminalSize { width, height }).await.is_err() {
                            return;
                        }
                    }
                })
            }),
        ]);

        let (stdout, stderr) = (attached.stdout(), attached.stderr());
        let printed = async {
            futures::join!(
                pump(stdout, |bytes| print(Printed::Stdout, bytes)),
                pump(stderr, |bytes| print(Printed::Stderr, bytes)),
            )
        };
        let mut printed = std::pin::pin!(printed);
        let status = attached.take_status().expect("it is taken only here");
        let mut status = std::pin::pin!(status);
        let mut all_printed = false;
        let status = loop {
            tokio::select! {
                status = &mut status => break status,
                _ = &mut printed, if !all_printed => all_printed = true,
            }
        };
        if status.is_some() && !all_printed {
            printed.await;
        }
        drop(helpers);
        Ok(match status {
            Some(status) => ended(&status),
            None => Ended::Unknown("the connection to the pod was lost".to_owned()),
        })
    }
}

/// Tasks that end with what they help.
struct AbortOnDrop(Vec<Option<tokio::task::JoinHandle<()>>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        for task in self.0.iter().flatten() {
            task.abort();
        }
    }
}

async fn pump(reader: Option<impl AsyncRead + Unpin>, print: impl Fn(&[u8])) {
    let Some(mut reader) = reader else { return };
    let mut buffer = vec![0; BUFFER];
    while let Ok(read @ 1..) = reader.read(&mut buffer).await {
        print(&buffer[..read]);
    }
}

/// What the API server says in the end: the exit code is a cause among the details.
fn ended(status: &Status) -> Ended {
    if status.status.as_deref() == Some("Success") {
        return Ended::Exited(0);
    }
    let details = status.details.as_ref();
    let causes = details.and_then(|details| details.causes.as_deref());
    let code = causes.into_iter().flatten().find_map(|cause| {
        let is_code = cause.reason.as_deref() == Some("ExitCode");
        cause.message.as_deref().filter(|_| is_code)?.parse().ok()
    });
    match code {
        Some(code) => Ended::Exited(code),
        None => Ended::Unknown(status.message.clone().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_exit_code_is_among_the_causes() {
        let of = |json| ended(&serde_json::from_value(json).expect("a Status"));
        assert_eq!(of(json!({"status": "Success"})), Ended::Exited(0));
        assert_eq!(
            of(json!({
                "status": "Failure", "reason": "NonZeroExitCode",
                "message": "command terminated with non-zero exit code",
                "details": {"causes": [{"reason": "ExitCode", "message": "42"}]},
            })),
            Ended::Exited(42)
        );
        assert_eq!(
            of(json!({"status": "Failure", "reason": "InternalError", "message": "no such file"})),
            Ended::Unknown("no such file".to_owned())
        );
    }
}
