//! An application for the end-to-end tests: it shows what the platform gave it, and misbehaves when `MODE` says so.
//!
//! | `MODE` | what it does |
//! |---|---|
//! | (none) | serves on `PORT` (8080) |
//! | `exit` | prints `MESSAGE` to standard error and ends with `EXIT_CODE` (1) |
//! | `oom` | takes memory until it is killed |
//! | `wrong-port` | listens on `PORT` + 1 |
//! | `localhost` | listens on 127.0.0.1 only |
//! | `health-500` | answers `/health` with 500 |
//! | `health-hang` | never answers `/health` |
//! | `write-root` | writes `/data/app.log`; ends with 1 when that fails |
//! | `slow-start` | waits `START_SECONDS` (30) before it listens |
//! | `deaf` | never listens |

mod http;
mod probe;
mod routes;

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    process::{ExitCode, exit},
    sync::Arc,
    thread,
    time::Duration,
};

use http::Server;
use routes::{App, Health};
use signal_hook::{consts::SIGTERM, iterator::Signals};

/// How long it goes on serving after SIGTERM: the rest of the cluster hears of the pod's end a moment later.
const DRAIN: Duration = Duration::from_secs(1);

/// Memory that `MODE=oom` takes at most, so that a pod without a limit cannot take the node down.
const OOM_BYTES: usize = 2 << 30;

fn main() -> ExitCode {
    let port: u16 = number("PORT", 8080);
    let mut address = (Ipv4Addr::UNSPECIFIED, port);
    let mut health = Health::Ok;
    match env::var("MODE").as_deref().unwrap_or_default() {
        "" => {}
        "exit" => {
            eprintln!("{}", env::var("MESSAGE").unwrap_or_default());
            return ExitCode::from(number("EXIT_CODE", 1));
        }
        "oom" => return out_of_memory(),
        "wrong-port" => address.1 += 1,
        "localhost" => address.0 = Ipv4Addr::LOCALHOST,
        "health-500" => health = Health::Fails,
        "health-hang" => health = Health::Hangs,
        "write-root" => {
            if let Err(error) = fs::write("/data/app.log", "started\n") {
                eprintln!("cannot write /data/app.log: {error}");
                return ExitCode::FAILURE;
            }
        }
        "slow-start" => thread::sleep(Duration::from_secs(number("START_SECONDS", 30))),
        "deaf" => {
            wait_for_sigterm();
            return ExitCode::SUCCESS;
        }
        unknown => {
            eprintln!("unknown MODE `{unknown}`");
            return ExitCode::from(2);
        }
    }
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {}:{}: {error}", address.0, address.1);
            return ExitCode::FAILURE;
        }
    };
    println!("listening on {}:{}", address.0, address.1);
    let server = Arc::new(Server::new(App::new(health)));
    let acceptor = Arc::clone(&server);
    thread::spawn(move || acceptor.serve(&listener));
    wait_for_sigterm();
    println!("SIGTERM: draining");
    thread::sleep(DRAIN);
    server.finish();
    ExitCode::SUCCESS
}

/// A number from the environment; an unreadable one ends the program rather than becoming the default.
fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    let Ok(text) = env::var(name) else {
        return default;
    };
    text.parse().unwrap_or_else(|_| {
        eprintln!("{name} is not a number in range: {text}");
        #[expect(clippy::exit, reason = "nothing runs yet that could be cut short")]
        exit(2)
    })
}

/// Takes memory a megabyte at a time, and touches it: untouched memory is not counted.
fn out_of_memory() -> ExitCode {
    let mut taken = Vec::new();
    while taken.len() << 20 < OOM_BYTES {
        taken.push(vec![1_u8; 1 << 20]);
    }
    eprintln!("nobody stopped me at {} MiB", taken.len());
    ExitCode::FAILURE
}

fn wait_for_sigterm() {
    let mut signals = Signals::new([SIGTERM]).expect("SIGTERM can be handled");
    signals.forever().next();
}
