//! All five protocols against servers of our own on the loopback: ready, starting, strangers, silent ones, and any bytes.

use std::{collections::BTreeMap, future::Future, time::Duration};

use futures::future::join_all;
use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::printer::Printer;

/// One connection, from the server's side.
#[derive(Clone, Debug)]
enum Step {
    /// Reads what the client sends at once.
    Hear,
    /// Says something.
    Say(Vec<u8>),
    /// Keeps the connection open until the client closes it.
    Stay,
}

use Step::{Hear, Say, Stay};

const PASSWORD: &str = "hunter2-long";

/// How a server that is ready talks, and one that is starting.
fn scripts(kind: DatabaseKind) -> (Vec<Step>, Vec<Step>) {
    match kind {
        DatabaseKind::Postgresql => (
            vec![
                Hear,
                Say(pg(b'R', &0_i32.to_be_bytes())),
                Say(pg(b'S', b"server_version\x0016.1\0")),
                Say(pg(b'K', b"12345678")),
                Say(pg(b'Z', b"I")),
                Hear,
            ],
            vec![
                Hear,
                Say(pg_error("57P03", "the database system is starting up")),
            ],
        ),
        DatabaseKind::Mongodb => (
            vec![Hear, Say(hello(b"\x08isWritablePrimary\0\x01"))],
            vec![Hear, Say(hello(b"\x08isWritablePrimary\0\0"))],
        ),
        DatabaseKind::Redis => (
            vec![Hear, say("+OK\r\n"), Hear, say("+PONG\r\n")],
            vec![
                Hear,
                say("+OK\r\n"),
                Hear,
                say("-LOADING Redis is loading the dataset in memory\r\n"),
            ],
        ),
        DatabaseKind::Minio => (
            vec![Hear, say("HTTP/1.1 200 OK\r\n")],
            vec![Hear, say("HTTP/1.1 503 Service Unavailable\r\n")],
        ),
        DatabaseKind::Mariadb => (
            vec![Say(greeting()), Hear, Say(my(2, b"\0\0\0\x02\0\0\0")), Hear],
            vec![Say(my(0, b"\xff\x10\x04Too many connections"))],
        ),
    }
}

fn say(text: &str) -> Step {
    Say(text.as_bytes().to_vec())
}

fn pg(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len() + 4).expect("a short message");
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

fn pg_error(code: &str, text: &str) -> Vec<u8> {
    pg(
        b'E',
        format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0").as_bytes(),
    )
}

fn my(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).expect("a short packet");
    [&[length, 0, 0, number], body].concat()
}

fn greeting() -> Vec<u8> {
    let body = [
        b"\x0a11.4.2-MariaDB\0\x01\0\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\xff\x81\x15".as_slice(),
        &[0; 10],
        b"ijklmnopqrst\0mysql_native_password\0",
    ];
    my(0, &body.concat())
}

fn hello(field: &[u8]) -> Vec<u8> {
    let document = [&[0; 4], field, &[0]].concat();
    let length = i32::try_from(16 + 4 + 1 + document.len()).expect("a short message");
    let mut message = Vec::new();
    for number in [length, 7, 1, 2013, 0] {
        message.extend(number.to_le_bytes());
    }
    message.push(0);
    message.extend(document);
    message
}

/// A server that talks as it is told, connection by connection; as the last time when there are more.
async fn serve(scripts: Vec<Vec<Step>>) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        for connection in 0.. {
            let (stream, _) = listener.accept().await.expect("a connection");
            let script = scripts[connection.min(scripts.len() - 1)].clone();
            tokio::spawn(play(stream, script));
        }
    });
    Address::new("127.0.0.1", port).expect("an address")
}

async fn play(mut stream: TcpStream, script: Vec<Step>) {
    let mut buffer = [0; 1024];
    for step in script {
        // A client that has gone is what some tests are about.
        match step {
            Hear => drop(stream.read(&mut buffer).await),
            Say(bytes) => drop(stream.write_all(&bytes).await),
            Stay => while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {},
        }
    }
}

/// What an application would be told of a server there.
fn target(kind: DatabaseKind, address: &Address) -> Target {
    let login = match kind {
        DatabaseKind::Postgresql | DatabaseKind::Mariadb => format!("app:{PASSWORD}@"),
        DatabaseKind::Redis => format!(":{PASSWORD}@"),
        DatabaseKind::Mongodb | DatabaseKind::Minio => String::new(),
    };
    let (variable, scheme) = match kind {
        DatabaseKind::Postgresql => ("DATABASE_URL", "postgresql"),
        DatabaseKind::Mongodb => ("MONGODB_URL", "mongodb"),
        DatabaseKind::Redis => ("REDIS_URL", "redis"),
        DatabaseKind::Minio => ("S3_ENDPOINT", "http"),
        DatabaseKind::Mariadb => ("MYSQL_URL", "mysql"),
    };
    let path = if login.contains("app:") { "/shop" } else { "" };
    let variables = BTreeMap::from([(variable, format!("{scheme}://{login}{address}{path}"))]);
    let mut targets = target::targets(&[kind], |name| variables.get(name).cloned())
        .expect("the variables are right");
    targets.remove(0)
}

/// Runs something on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// For what never answers: long enough for several tries on a machine that is busy.
const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

/// How the wait for this server ends: nothing, or why not.
async fn wait_for(kind: DatabaseKind, address: &Address, timeout: Duration) -> Option<String> {
    let progress = Progress::new(Printer::new(true));
    match all(&[target(kind, address)], timeout, &progress).await {
        Ok(()) => None,
        Err(WaitError::TimedOut(open)) => {
            assert_eq!(open.len(), 1);
            let text = open[0].to_string();
            assert!(!text.contains(PASSWORD), "{text}");
            Some(text.replace(&address.to_string(), "HOST:PORT"))
        }
        Err(error) => panic!("{error}"),
    }
}

/// Why the wait for a server that always talks like this ends, kind by kind.
fn reasons(script: impl Fn(DatabaseKind) -> Vec<Step>) -> String {
    block_on(async {
        let ended = join_all(DatabaseKind::ALL.map(|kind| {
            let script = script(kind);
            async move {
                let address = serve(vec![script]).await;
                wait_for(kind, &address, SHORT).await
            }
        }))
        .await;
        let lines: Vec<String> = ended
            .into_iter()
            .map(|reason| reason.expect("it must not count as an answer"))
            .collect();
        lines.join("\n")
    })
}

#[test]
fn a_server_that_is_ready_answers() {
    block_on(async {
        for kind in DatabaseKind::ALL {
            let address = serve(vec![scripts(kind).0]).await;
            assert_eq!(wait_for(kind, &address, LONG).await, None, "{kind:?}");
        }
    });
}

#[test]
fn a_server_that_is_starting_is_asked_again() {
    block_on(async {
        let ended = join_all(DatabaseKind::ALL.map(async |kind| {
            let (ready, starting) = scripts(kind);
            let address = serve(vec![vec![], starting, ready]).await;
            (kind, wait_for(kind, &address, LONG).await)
        }))
        .await;
        for (kind, reason) in ended {
            assert_eq!(reason, None, "{kind:?}");
        }
    });
}

#[test]
fn what_a_server_says_is_told() {
    insta::assert_snapshot!(reasons(|kind| scripts(kind).1), @"
        postgresql: HOST:PORT says: the database system is starting up (57P03)
        mongodb: HOST:PORT says: this is not the primary (yet)
        redis: HOST:PORT says: LOADING Redis is loading the dataset in memory
        minio: HOST:PORT says: HTTP/1.1 503 Service Unavailable
        mariadb: HOST:PORT says: Too many connections (1040)
        ");
}

#[test]
fn a_server_that_refuses_the_login_is_told() {
    let refused = |kind: DatabaseKind| match kind {
        DatabaseKind::Postgresql => vec![
            Hear,
            Say(pg_error(
                "28P01",
                "password authentication failed for user \"app\"",
            )),
        ],
        DatabaseKind::Mariadb => vec![
            Say(greeting()),
            Hear,
            Say(my(
                2,
                b"\xff\x15\x04#28000Access denied for user 'app'@'10.0.0.7' (using password: YES)",
            )),
        ],
        // Some servers and proxies repeat the command that they do not know.
        DatabaseKind::Redis => vec![
            Hear,
            say(&format!(
                "-ERR unknown command `AUTH`, with args beginning with: `{PASSWORD}`, \r\n"
            )),
        ],
        DatabaseKind::Mongodb => vec![Hear, Say(hello(b"\x02errmsg\0\x08\0\0\0no\x1b[1m!\0"))],
        DatabaseKind::Minio => vec![Hear, say("HTTP/1.1 500 \x07\r\n")],
    };
    insta::assert_snapshot!(reasons(refused), @r#"
        postgresql: HOST:PORT says: password authentication failed for user "app" (28P01)
        mongodb: HOST:PORT says: no!
        redis: HOST:PORT says: ERR unknown command `AUTH`, with args beginning with: `***`,
        minio: HOST:PORT says: HTTP/1.1 500
        mariadb: HOST:PORT says: Access denied for user 'app'@'10.0.0.7' (using password: YES) (1045)
        "#);
}

#[test]
fn a_stranger_is_no_database() {
    insta::assert_snapshot!(
        reasons(|_| vec![say("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Stay]),
        @"
        postgresql: what listens at HOST:PORT is not postgresql
        mongodb: what listens at HOST:PORT is not mongodb
        redis: what listens at HOST:PORT is not redis
        minio: what listens at HOST:PORT is not minio
        mariadb: what listens at HOST:PORT is not mariadb
        "
    );
}

#[test]
fn silence_is_told() {
    insta::assert_snapshot!(reasons(|_| vec![Stay]), @"
        postgresql: no answer from HOST:PORT
        mongodb: no answer from HOST:PORT
        redis: no answer from HOST:PORT
        minio: no answer from HOST:PORT
        mariadb: no answer from HOST:PORT
        ");
}

#[test]
fn a_connection_that_is_closed_at_once_is_told() {
    insta::assert_snapshot!(reasons(|_| vec![]), @"
        postgresql: HOST:PORT closes the connection
        mongodb: HOST:PORT closes the connection
        redis: HOST:PORT closes the connection
        minio: HOST:PORT closes the connection
        mariadb: HOST:PORT closes the connection
        ");
}

#[test]
fn a_port_where_nobody_listens_is_told() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let address = Address::new("127.0.0.1", port).expect("an address");
        assert_eq!(
            wait_for(DatabaseKind::Redis, &address, SHORT)
                .await
                .as_deref(),
            Some("redis: connection refused at HOST:PORT")
        );
    });
}

#[test]
fn a_name_without_an_address_is_told() {
    // A label that is too long for DNS, so that no name server is asked.
    let name = "x".repeat(64);
    let address = Address::new(&name, 1).expect("an address");
    let reason =
        block_on(wait_for(DatabaseKind::Redis, &address, SHORT)).expect("there is no such name");
    assert!(
        reason.starts_with(&format!("redis: the name {name} has no address (")),
        "{reason}"
    );
}

#[test]
fn the_reason_of_the_last_whole_try_is_told() {
    block_on(async {
        let starting = scripts(DatabaseKind::Redis).1;
        let address = serve(vec![starting, vec![Stay]]).await;
        assert_eq!(
            wait_for(DatabaseKind::Redis, &address, SHORT)
                .await
                .as_deref(),
            Some("redis: HOST:PORT says: LOADING Redis is loading the dataset in memory")
        );
    });
}

#[test]
fn all_are_waited_for_at_the_same_time_and_those_that_do_not_answer_named() {
    block_on(async {
        let mut targets = Vec::new();
        for kind in DatabaseKind::ALL {
            let (ready, starting) = scripts(kind);
            let script = if kind == DatabaseKind::Redis {
                starting
            } else {
                ready
            };
            targets.push(target(kind, &serve(vec![script]).await));
        }
        let progress = Progress::new(Printer::new(true));
        let Err(WaitError::TimedOut(open)) = all(&targets, SHORT, &progress).await else {
            panic!("Redis is not ready");
        };
        let names: Vec<&str> = open.iter().map(|open| open.kind.name()).collect();
        // One after the other, the time would be over before those that come after Redis.
        assert_eq!(names, ["redis"]);
    });
}

#[test]
fn one_of_several_servers_is_enough() {
    block_on(async {
        let (ready, starting) = scripts(DatabaseKind::Mongodb);
        let mut target = target(DatabaseKind::Mongodb, &serve(vec![starting]).await);
        target.addresses.push(serve(vec![ready]).await);
        let progress = Progress::new(Printer::new(true));
        all(&[target], LONG, &progress)
            .await
            .expect("the second one is the primary");
    });
}

#[test]
fn postgresql_gets_the_proof_that_it_asks_for() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut buffer = [0; 1024];
            let mut hear = async |stream: &mut TcpStream| {
                let read = stream.read(&mut buffer).await.expect("a message");
                String::from_utf8_lossy(&buffer[..read]).into_owned()
            };
            let start_up = hear(&mut stream).await;
            assert!(
                start_up.contains("user\0app\0database\0shop\0\0"),
                "{start_up:?}"
            );
            let send = async |stream: &mut TcpStream, code: i32, data: &[u8]| {
                let body = [&code.to_be_bytes()[..], data].concat();
                stream
                    .write_all(&pg(b'R', &body))
                    .await
                    .expect("it listens");
            };
            send(&mut stream, 10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0").await;
            let first = hear(&mut stream).await;
            let (_, nonce) = first.split_once("n,,n=,r=").expect("the first message");
            let challenge = format!("r={nonce}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
            send(&mut stream, 11, challenge.as_bytes()).await;
            let last = hear(&mut stream).await;
            let expected = super::scram::Scram::new(nonce.to_owned())
                .last(&challenge, PASSWORD)
                .expect("a challenge");
            assert!(last.ends_with(&expected), "{last:?}");
            send(&mut stream, 12, b"v=whatever").await;
            send(&mut stream, 0, b"").await;
            stream.write_all(&pg(b'Z', b"I")).await.expect("it listens");
            assert_eq!(hear(&mut stream).await, "X\0\0\0\x04");
        };
        let address = Address::new("127.0.0.1", port).expect("an address");
        let (reason, ()) = tokio::join!(wait_for(DatabaseKind::Postgresql, &address, LONG), server);
        assert_eq!(reason, None);
    });
}

#[test]
fn a_way_to_log_in_that_is_not_known_here_is_an_answer() {
    block_on(async {
        let md5 = [&5_i32.to_be_bytes()[..], b"salt"].concat();
        let address = serve(vec![vec![Hear, Say(pg(b'R', &md5))]]).await;
        assert_eq!(
            wait_for(DatabaseKind::Postgresql, &address, LONG).await,
            None
        );
        let other = my(2, b"\xfecaching_sha2_password\0abcdefghijklmnopqrst\0");
        let address = serve(vec![vec![Say(greeting()), Hear, Say(other)]]).await;
        assert_eq!(wait_for(DatabaseKind::Mariadb, &address, LONG).await, None);
    });
}

#[test]
fn mariadb_may_ask_once_for_another_challenge() {
    block_on(async {
        let again = my(2, b"\xfemysql_native_password\0tsrqponmlkjihgfedcba\0");
        let script = vec![
            Say(greeting()),
            Hear,
            Say(again.clone()),
            Hear,
            Say(my(4, b"\0\0\0\x02\0\0\0")),
            Hear,
        ];
        let address = serve(vec![script]).await;
        assert_eq!(wait_for(DatabaseKind::Mariadb, &address, LONG).await, None);
        let endless = vec![
            Say(greeting()),
            Hear,
            Say(again.clone()),
            Hear,
            Say(again),
            Stay,
        ];
        let address = serve(vec![endless]).await;
        assert_eq!(
            wait_for(DatabaseKind::Mariadb, &address, SHORT)
                .await
                .as_deref(),
            Some("mariadb: what listens at HOST:PORT is not mariadb")
        );
    });
}

/// Talks to a server that says this and then closes the connection, whatever it is told.
fn talk(kind: DatabaseKind, said: &[u8]) -> Result<(), Trouble> {
    let address = Address::new("127.0.0.1", 1).expect("an address");
    let stream = tokio::io::join(said, tokio::io::sink());
    block_on(converse(&target(kind, &address), &address, stream))
}

/// All that a server says.
fn said_in(script: Vec<Step>) -> Vec<u8> {
    let said = script.into_iter().filter_map(|step| match step {
        Say(bytes) => Some(bytes),
        Hear | Stay => None,
    });
    said.flatten().collect()
}

#[test]
fn half_an_answer_is_none() {
    for kind in DatabaseKind::ALL {
        let whole = said_in(scripts(kind).0);
        talk(kind, &whole).expect("the whole of it is an answer");
        for end in 0..whole.len() {
            assert!(
                matches!(talk(kind, &whole[..end]), Err(Trouble::Io(_))),
                "{kind:?} {end}"
            );
        }
    }
}

#[test]
fn a_server_that_never_ends_is_left() {
    let address = Address::new("127.0.0.1", 1).expect("an address");
    for kind in DatabaseKind::ALL {
        for byte in 0..=u8::MAX {
            let stream = tokio::io::join(tokio::io::repeat(byte), tokio::io::sink());
            let ended = block_on(converse(&target(kind, &address), &address, stream));
            assert!(ended.is_err(), "{kind:?} {byte}");
        }
    }
    // Messages that are right, and too many.
    let notices = pg(b'N', b"x\0").repeat(10_000);
    assert!(matches!(
        talk(DatabaseKind::Postgresql, &notices),
        Err(Trouble::Foreign)
    ));
}

proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), kind in 0..5_usize) {
        drop(talk(DatabaseKind::ALL[kind], &bytes));
    }

    #[test]
    fn answers_with_errors_in_them_end_without_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        again in 0..3_usize,
        kind in 0..5_usize,
    ) {
        let kind = DatabaseKind::ALL[kind];
        let (ready, starting) = scripts(kind);
        let mut said = said_in([ready, starting].concat()).repeat(again + 1);
        for (place, byte) in changes {
            let place = place.index(said.len());
            said[place] = byte;
        }
        drop(talk(kind, &said));
    }
}
