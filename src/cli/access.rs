//! The verbs that reach into an environment that runs: `open`, `exec`, `port-forward`.

use std::net::IpAddr;

use clap::Args;

use super::{OutputArgs, TargetArgs};

/// `k8s-ee open`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee open --pr 12\n  curl \"$(k8s-ee open --pr 12)/health\""
)]
pub struct OpenArgs {
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `k8s-ee exec`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee exec --pr 12 api\n  k8s-ee exec --pr 12 api -- ./manage.py migrate\n  k8s-ee exec --pr 12 postgresql -- psql -U app app < query.sql"
)]
pub struct ExecArgs {
    /// Component to run it in
    #[arg(value_name = "COMPONENT")]
    pub component: String,
    /// Program and its arguments; a shell when absent
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `k8s-ee port-forward`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee port-forward --pr 12 postgresql\n  k8s-ee port-forward --pr 12 api 8080:3000\n  k8s-ee port-forward --pr 12 redis 0:6379"
)]
pub struct PortForwardArgs {
    /// Component to reach
    #[arg(value_name = "COMPONENT")]
    pub component: String,
    /// Port of the component, and the local one if it is to be another; 0 is any free one. What the component listens on
    /// when absent
    #[arg(value_name = "[LOCAL:]PORT", value_parser = parse_ports)]
    pub ports: Option<Ports>,
    /// Local address to listen on; others than this machine reach it when it is not loopback
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: IpAddr,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// A port of a component, and the local one that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// On this machine; 0 is any that is free.
    pub local: u16,
    /// In the pod.
    pub remote: u16,
}

fn parse_ports(text: &str) -> Result<Ports, String> {
    let (local, remote) = text.split_once(':').unwrap_or((text, text));
    match (local.parse(), remote.parse()) {
        (Ok(local), Ok(remote)) if remote != 0 => Ok(Ports { local, remote }),
        _ => Err("ports are numbers from 1 to 65535, such as 5432 or 15432:5432".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_port_is_both() {
        let ports = |local, remote| Ok(Ports { local, remote });
        assert_eq!(parse_ports("5432"), ports(5432, 5432));
        assert_eq!(parse_ports("15432:5432"), ports(15432, 5432));
        assert_eq!(parse_ports("0:5432"), ports(0, 5432));
        for wrong in ["", "0", "a", "1:", ":1", "1:0", "1:2:3", "70000", "-1"] {
            assert!(parse_ports(wrong).is_err(), "{wrong}");
        }
    }
}
