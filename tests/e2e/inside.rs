//! Reaching into an environment that runs: `exec`, `port-forward`, `open`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    process::{Child, Stdio},
};

use crate::{
    databases::{POSTGRESQL, REDIS, file},
    harness::{PATIENCE, Project, Ran, eventually, kubectl},
    shared::Terminal,
};

const UP: [&str; 5] = ["up", "--pr", "1", "--image", "registry.test/testapp:1"];

/// `exec` in a component of pull request 1, with something on its stdin.
fn exec(project: &Project, component: &str, program: &[&str], stdin: &[u8]) -> Ran {
    let mut child = project
        .command(&["exec"])
        .args(["--pr", "1", component])
        .args((!program.is_empty()).then_some("--"))
        .args(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("it is piped");
    let stdin = stdin.to_vec();
    // More than a pipe holds comes back before all of it has gone in.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().expect("the binary ends");
    writer.join().expect("everything is written");
    Ran::of(output, &[&["exec", component], program].concat())
}

/// `port-forward` while it runs, and what it leads to.
struct Forward {
    child: Child,
    /// The line on stdout.
    url: String,
}

impl Forward {
    fn start(project: &mut Project, args: &[&str]) -> Self {
        let args = [&["port-forward", "--pr", "1"], args].concat();
        let mut child = project.start(&args);
        let mut stdout = BufReader::new(child.stdout.as_mut().expect("it is piped"));
        let mut url = String::new();
        stdout
            .read_line(&mut url)
            .expect("it prints where it listens");
        Self {
            child,
            url: url.trim().to_owned(),
        }
    }

    fn connect(&self) -> TcpStream {
        let start = self.url.find("127.0.0.1").expect("it is on loopback");
        let end = self.url[start..]
            .find('/')
            .map_or(self.url.len(), |at| start + at);
        let stream = TcpStream::connect(&self.url[start..end]).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a limit can be set");
        stream
    }

    /// Waits until it has said something.
    fn says(&mut self, text: &str) {
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        let mut said = String::new();
        let mut byte = [0];
        while !said.contains(text) {
            let read = stderr.read(&mut byte).expect("it can be read");
            assert_eq!(read, 1, "it ended, and only said: {said}");
            said.push(char::from(byte[0]));
        }
    }

    /// Ctrl-C, and how it ended.
    fn interrupt(mut self) -> (i32, String) {
        let pid = self.child.id().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(kill.expect("kill starts").success());
        let status = self.child.wait().expect("it ends");
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut said).expect("it speaks UTF-8");
        (status.code().unwrap_or(-1), said)
    }
}

/// One GET over a connection.
fn get(mut stream: TcpStream, path: &str) -> String {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// A command to Redis, in its own protocol, and what it answers.
fn redis(stream: &mut TcpStream, words: &[&str]) -> String {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    BufReader::new(stream)
        .read_line(&mut answer)
        .expect("an answer");
    answer.trim().to_owned()
}

#[test]
fn a_program_runs_in_a_component() {
    let mut project = Project::new(&file(REDIS));
    project.run(&UP).with_databases();
    let ran = exec(
        &project,
        "redis",
        &["sh", "-c", "echo out; echo err >&2; exit 42"],
        b"",
    )
    .exit(42);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("out\n", "err\n")
    );

    // What goes in comes out, all of it, and the end of it is seen.
    let bytes: Vec<u8> = (0..400_000_u32)
        .flat_map(|n| format!("{n}\n").into_bytes())
        .collect();
    let ran = exec(&project, "redis", &["sh", "-c", "cat; exit 3"], &bytes).exit(3);
    assert!(
        ran.stdout.as_bytes() == bytes,
        "{} of {} bytes",
        ran.stdout.len(),
        bytes.len()
    );

    // Without a program it is a shell, which takes a script too.
    let ran = exec(&project, "redis", &[], b"echo $((6 * 7))\n").ok();
    assert_eq!(ran.stdout, "42\n");

    exec(&project, "redis", &["no-such-program"], b"")
        .exit(1)
        .says(&["`redis` has no program `no-such-program`"]);
    exec(&project, "app", &[], b"").exit(1).says(&[
        "the image of `app` has no shell",
        "name a program that is in it",
    ]);
    exec(&project, "rediss", &["true"], b"").exit(11).says(&[
        "has no pods of a component `rediss`",
        "did you mean `redis`?",
    ]);
}

#[test]
fn ports_lead_to_components() {
    let mut project = Project::new(&file(&format!("{REDIS}{POSTGRESQL}")));
    project.run(&UP).with_databases();

    let app = Forward::start(&mut project, &["app", "0:8080"]);
    assert!(app.url.starts_with("http://127.0.0.1:"), "{}", app.url);
    // Several at once, each to its end.
    let streams: Vec<TcpStream> = (0..8).map(|_| app.connect()).collect();
    for stream in streams.into_iter().rev() {
        let answer = get(stream, "/env");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    let server = Forward::start(&mut project, &["redis", "0:6379"]);
    assert!(
        server.url.starts_with("redis://127.0.0.1:"),
        "{}",
        server.url
    );
    let password = project
        .run(&[
            "credentials",
            "show",
            "redis",
            "--pr",
            "1",
            "--key",
            "password",
        ])
        .ok();
    let password = password.stdout.trim();
    let mut stream = server.connect();
    assert!(redis(&mut stream, &["GET", "x"]).starts_with("-NOAUTH"));
    assert_eq!(redis(&mut stream, &["AUTH", password]), "+OK");
    assert_eq!(redis(&mut stream, &["SET", "x", "1"]), "+OK");

    // The pod goes, and the next one takes what comes; connections that come in between are held.
    let namespace = project.namespace(1);
    let removed = kubectl(&[
        "delete",
        "pod",
        "-n",
        &namespace,
        "app-redis-0",
        "--wait=false",
    ]);
    assert!(removed.status.success());
    eventually("the old connection ends", || {
        let mut byte = [0];
        matches!(stream.read(&mut byte), Ok(0) | Err(_)).then_some(())
    });
    let mut stream = server.connect();
    assert_eq!(redis(&mut stream, &["AUTH", password]), "+OK");

    let (code, said) = server.interrupt();
    assert_eq!(code, 130, "{said}");
    assert!(
        said.contains("credentials show redis --pr 1 --key password"),
        "{said}"
    );
    assert!(!said.contains(password));

    let server = Forward::start(&mut project, &["postgresql", "0:5432"]);
    assert!(
        server.url.starts_with("postgresql://app@127.0.0.1:"),
        "{}",
        server.url
    );
    let mut stream = server.connect();
    // SSLRequest: a server of PostgreSQL says S or N.
    stream
        .write_all(&[0, 0, 0, 8, 4, 210, 22, 47])
        .expect("it is sent");
    let mut answer = [0];
    stream.read_exact(&mut answer).expect("an answer");
    assert!(matches!(&answer, b"S" | b"N"), "{answer:?}");
    server.interrupt();

    let mut wrong = Forward::start(&mut project, &["app", "0:81"]);
    let mut stream = wrong.connect();
    stream
        .shutdown(Shutdown::Write)
        .expect("a half can be closed");
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    wrong.says("nothing listens on port 81 of app");
    wrong.interrupt();
    app.interrupt();
}

#[test]
fn the_url_is_printed_where_there_is_no_browser() {
    let mut project = Project::new(&file(""));
    project.up(&[]);
    let ran = project.run(&["open", "--pr", "1"]).ok();
    assert_eq!(ran.stdout, format!("http://{}\n", project.host(1)));
    assert_eq!(ran.stderr, "");
    let json = project
        .run(&["open", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["url"], format!("http://{}", project.host(1)));
    project
        .run(&["open", "--pr", "2"])
        .exit(11)
        .says(&["there is no environment"]);
}

/// A shell on a terminal: keys go in one by one, Ctrl-C among them, and the size is known inside.
#[test]
fn a_shell_has_the_terminal() {
    let mut project = Project::new(&file(REDIS));
    project.run(&UP).with_databases();
    let shell = project.command(&["exec", "--pr", "1", "redis"]);
    let mut terminal = Terminal::start(97, &shell);
    terminal.press("stty size; echo rea''dy\r");
    terminal.wait_for("60 97");
    terminal.wait_for("ready");
    // Ctrl-C ends the program inside, not the shell nor us. It is the program that says that it has begun: what is pressed
    // while the shell still hands the terminal over reaches neither.
    terminal.press("sh -c \"echo beg''un; exec sleep 600\"\r");
    terminal.wait_for("begun");
    terminal.press("\x03");
    terminal.press("echo still'' here\r");
    terminal.wait_for("still here");
    terminal.press("exit 7\r");
    assert_eq!(terminal.end().code, Some(7));
}
