//! `exec` and `port-forward` over WebSockets, against an API server that speaks their protocols and has no cluster behind
//! it: bytes, their ends, and exit codes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::{Value, json};
use tungstenite::{
    Message, WebSocket,
    handshake::server::{Request, Response},
};

use crate::api::kubeconfig;

/// Answers lists of pods with one that is ready, and hands WebSockets to `serve` with the path that was asked for.
fn server(serve: fn(&str, WebSocket<TcpStream>)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            thread::spawn(move || answer(stream, serve));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, serve: fn(&str, WebSocket<TcpStream>)) {
    let mut start = [0; 4096];
    let read = stream.peek(&mut start).expect("a request");
    let start = String::from_utf8_lossy(&start[..read]).into_owned();
    let target = start.split(' ').nth(1).unwrap_or_default().to_owned();
    if start.to_ascii_lowercase().contains("upgrade: websocket") {
        #[expect(clippy::result_large_err, reason = "the type is that of the library")]
        let choose = |_: &Request, mut response: Response| {
            let protocol = "v5.channel.k8s.io".parse().expect("a header");
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", protocol);
            Ok(response)
        };
        let socket = tungstenite::accept_hdr(stream, choose).expect("a handshake");
        return serve(&target, socket);
    }
    let mut request = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = String::new();
    while request.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    if target.contains("watch=") {
        // A watch in which nothing happens.
        drop(write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        ));
        let _ = stream.read(&mut [0]);
        return;
    }
    let body = if target.contains("/pods") {
        json!({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [pod()]})
    } else {
        json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "none"})
    };
    let status = if body["code"] == 404 {
        "404 Not Found"
    } else {
        "200 OK"
    };
    let body = body.to_string();
    drop(write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
}

fn pod() -> Value {
    json!({
        "metadata": {"name": "api-1", "namespace": "shop-pr-7", "labels": {"k8s-ee/component": "api"}},
        "spec": {"containers": [{"name": "main", "ports": [{"containerPort": 3000}]}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "image": "x", "imageID": "",
                                   "state": {"running": {}}}],
        },
    })
}

fn send(socket: &mut WebSocket<TcpStream>, channel: u8, bytes: &[u8]) {
    let message = [&[channel], bytes].concat();
    socket.send(Message::binary(message)).expect("it is sent");
}

/// A program that gives back what it reads, says how much on stderr, and ends with 3.
fn cat(target: &str, mut socket: WebSocket<TcpStream>) {
    assert!(target.contains("/pods/api-1/exec"), "{target}");
    assert!(target.contains("container=main"), "{target}");
    let mut read = 0;
    loop {
        match socket.read().expect("a message") {
            Message::Binary(bytes) if bytes[..] == [255, 0] => break,
            Message::Binary(bytes) if bytes[0] == 0 => {
                read += bytes.len() - 1;
                send(&mut socket, 1, &bytes[1..]);
            }
            other => panic!("{other:?}"),
        }
    }
    send(&mut socket, 2, format!("{read} bytes\n").as_bytes());
    let status = json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "ended with 3",
        "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}});
    send(&mut socket, 3, status.to_string().as_bytes());
    drop(socket.close(None));
    while socket.read().is_ok() {}
}

/// A container without the program.
fn no_shell(_: &str, mut socket: WebSocket<TcpStream>) {
    let status = json!({"status": "Failure", "reason": "InternalError",
        "message": "exec: \"sh\": executable file not found in $PATH"});
    send(&mut socket, 3, status.to_string().as_bytes());
    drop(socket.close(None));
    while socket.read().is_ok() {}
}

/// A server behind a port that gives back what it reads, in capitals.
fn echo(target: &str, mut socket: WebSocket<TcpStream>) {
    assert!(target.contains("/pods/api-1/portforward"), "{target}");
    assert!(target.contains("ports=3000"), "{target}");
    // Data and errors begin with the port that they are of.
    send(&mut socket, 0, &3000_u16.to_le_bytes());
    send(&mut socket, 1, &3000_u16.to_le_bytes());
    while let Ok(message) = socket.read() {
        if let Message::Binary(bytes) = message {
            let answer = bytes[1..].to_ascii_uppercase();
            send(&mut socket, 0, &answer);
        }
    }
}

fn start(server: &str, args: &[&str]) -> (Child, tempfile::TempDir) {
    let dir = tempfile::TempDir::new().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).expect("it can be written to");
    };
    write("kubeconfig", &kubeconfig(server));
    write("k8s-ee.yaml", "projectId: shop\n");
    let child = Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
        .args(args)
        .current_dir(dir.path())
        .env_clear()
        .env("KUBECONFIG", "kubeconfig")
        .env("HOME", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    (child, dir)
}

#[test]
fn all_bytes_arrive_and_the_exit_code_is_the_programs() {
    let (mut child, _dir) = start(&server(cat), &["exec", "--pr", "7", "api", "--", "cat"]);
    let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut stdin = child.stdin.take().expect("it is piped");
    let sent = bytes.clone();
    let writer = thread::spawn(move || stdin.write_all(&sent).expect("it reads"));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("everything is written");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "2000000 bytes\n");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        output.stdout == bytes,
        "{} bytes came back",
        output.stdout.len()
    );
}

#[test]
fn an_image_without_a_shell_is_told() {
    let (child, _dir) = start(&server(no_shell), &["exec", "--pr", "7", "api"]);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: the image of `api` has no shell\n\nhint: name a program that is in it: k8s-ee exec … api -- /PROGRAM\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn connections_are_forwarded_side_by_side_until_interrupted() {
    let (mut child, _dir) = start(
        &server(echo),
        &["port-forward", "--pr", "7", "api", "0:3000"],
    );
    let mut url = String::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut url)
        .expect("it prints where it listens");
    let address = url.trim().strip_prefix("http://").expect("a URL");
    assert!(address.starts_with("127.0.0.1:"), "{url}");
    let mut streams: Vec<TcpStream> = (0..5)
        .map(|_| TcpStream::connect(address).expect("it listens"))
        .collect();
    for (n, stream) in streams.iter_mut().enumerate().rev() {
        write!(stream, "hello {n}").expect("it is sent");
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer[..], *format!("HELLO {n}").as_bytes());
    }
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.expect("kill starts").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("leads to port 3000 of api in shop-pr-7; Ctrl-C ends it"),
        "{said}"
    );
    // Everything is closed with it.
    assert_eq!(streams[0].read(&mut [0]).unwrap_or(0), 0);
}
