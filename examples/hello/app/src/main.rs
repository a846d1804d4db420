//! A small web page that says which pull request it was built from.

mod page;

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{consts::SIGTERM, iterator::Signals};

/// Kubernetes takes a moment to send requests elsewhere once a pod is told to stop; until then, keep serving.
const DRAIN: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let port = env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    match run(&port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot serve on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(port: &str) -> io::Result<()> {
    let port: u16 = port.parse().map_err(io::Error::other)?;
    let mut signals = Signals::new([SIGTERM])?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    println!("hello listens on port {port}");

    let in_flight = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&in_flight);
    thread::spawn(move || serve(&listener, &counter));

    signals.forever().next();
    println!("asked to stop: finishing what is under way");
    thread::sleep(DRAIN);
    while in_flight.load(Ordering::Acquire) > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn serve(listener: &TcpListener, in_flight: &Arc<AtomicUsize>) {
    for stream in listener.incoming().flatten() {
        in_flight.fetch_add(1, Ordering::AcqRel);
        let in_flight = Arc::clone(in_flight);
        thread::spawn(move || {
            if let Err(error) = answer(stream) {
                eprintln!("connection: {error}");
            }
            in_flight.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(&stream).lines();
    let Some(request) = lines.next().transpose()? else {
        return Ok(());
    };
    for header in lines {
        if header?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or("/");
    let (status, kind, body) = match path.split('?').next() {
        Some("/") => (
            "200 OK",
            "text/html",
            page::render(|name| env::var(name).ok()),
        ),
        Some("/health") => ("200 OK", "text/plain", "ok\n".to_owned()),
        _ => ("404 Not Found", "text/plain", "not found\n".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
