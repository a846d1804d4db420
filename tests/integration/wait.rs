//! `wait` as a container runs it: variables in, progress on stderr, an exit code out. The protocols are tested with their
//! code.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::{Command, Stdio},
    thread,
};

use insta::assert_snapshot;

use crate::common::k8s_ee;

/// A Redis that takes any password, and says this when it is asked for a sign of life.
fn redis(says: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut buffer = [0; 256];
            for answer in ["+OK\r\n", says] {
                // Whoever waits may go away in between.
                drop(stream.read(&mut buffer));
                drop(stream.write_all(answer.as_bytes()));
            }
        }
    });
    port.to_string()
}

/// The output without the times in front of its lines.
fn without_times(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split_once("s  ").map_or(line, |(_, rest)| rest))
        .collect();
    lines.join("\n")
}

#[test]
fn it_ends_when_the_database_answers() {
    let port = redis("+PONG\r\n");
    let printed = k8s_ee(&["wait", "redis"])
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", &port)
        .env("REDIS_PASSWORD", "hunter2")
        .replace(&port, "PORT")
        .exits(0);
    assert_eq!(printed.stdout, "");
    assert_snapshot!(without_times(&printed.stderr), @"redis: answers at 127.0.0.1:PORT");
}

#[test]
fn it_names_those_that_do_not_answer_and_why() {
    let port = redis("-LOADING Redis is loading the dataset in memory\r\n");
    let printed = k8s_ee(&["wait", "--timeout", "3s"])
        .env("REDIS_URL", &format!("redis://:hunter2@127.0.0.1:{port}"))
        .replace(&port, "PORT")
        .exits(7);
    assert_eq!(printed.stdout, "");
    assert!(!printed.stderr.contains("hunter2"), "{}", printed.both());
    assert_snapshot!(without_times(&printed.stderr), @"
    redis: 127.0.0.1:PORT says: LOADING Redis is loading the dataset in memory
    error: no answer within 3 s: redis

    Caused by:
      redis: 127.0.0.1:PORT says: LOADING Redis is loading the dataset in memory

    hint: see what they do: kubectl get pods --selector 'k8s-ee/component in (redis)'
    ");
}

#[test]
fn quiet_says_only_what_went_wrong() {
    let port = redis("");
    let printed = k8s_ee(&["wait", "--quiet", "--timeout", "1s"])
        .env("REDIS_URL", &format!("redis://127.0.0.1:{port}"))
        .exits(7);
    assert!(printed.stderr.starts_with("error: "), "{}", printed.both());
}

#[test]
fn a_database_without_variables_is_an_error() {
    let printed = k8s_ee(&["wait", "redis", "postgresql"])
        .env("REDIS_HOST", "redis")
        .exits(2);
    assert_snapshot!(printed.stderr, @"
    error: no variable says where postgresql is

    hint: set DATABASE_URL or PGHOST, as the chart does for a service that uses postgresql
    ");
    let printed = k8s_ee(&["wait"]).env("DATABASE_URL", "").exits(2);
    assert_snapshot!(printed.stderr, @"
    error: no variable says where a database is

    hint: set one of DATABASE_URL or PGHOST, MONGODB_URL or MONGODB_URI, REDIS_URL or REDIS_HOST, S3_ENDPOINT or MINIO_ENDPOINT, MYSQL_URL or MYSQL_HOST
    ");
}

#[test]
fn a_variable_that_is_not_what_it_should_be_is_not_shown() {
    let printed = k8s_ee(&["wait"])
        .env("DATABASE_URL", "postgresql://app:hunter2/3@db/app")
        .exits(2);
    assert_snapshot!(printed.stderr, @"
    error: the value of DATABASE_URL is not a URL such as postgresql://HOST:5432

    hint: characters such as @, : and / in a password are written as %40, %3A and %2F
    ");
    let printed = k8s_ee(&["wait"])
        .env("S3_ENDPOINT", "https://s3.example.com")
        .exits(2);
    assert_snapshot!(printed.stderr, @"
    error: S3_ENDPOINT asks for TLS, which `wait` does not speak

    hint: wait for others only, by their names: k8s-ee wait redis postgresql
    ");
}

/// The first process of a container is not ended by a signal that it does not look out for, and the pod would linger.
#[test]
fn a_signal_ends_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let child = Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
        .args(["wait", "--timeout", "5m"])
        .env_clear()
        .env("REDIS_URL", format!("redis://127.0.0.1:{port}"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary that cargo has built can be started");
    // Once it has connected, it waits.
    let _connection = listener.accept().expect("it connects");
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status()
        .expect("there is a shell");
    assert!(killed.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"error: stopped by SIGTERM; not all databases answered yet");
}
