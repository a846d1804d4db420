//! What it was measured on.

use std::{fs, path::Path, process::Command};

/// Machine and programs, one a line, for a report.
pub(super) fn describe(binary: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("processor", processor()),
        ("memory", memory()),
        (
            "kernel",
            first_line(Command::new("uname").args(["-s", "-r", "-m"])),
        ),
        ("system", system()),
        (
            "k8s-ee",
            format!(
                "{}, {}",
                first_line(Command::new(binary).arg("--version")),
                commit()
            ),
        ),
        (
            "helm",
            first_line(Command::new("helm").args(["version", "--short"])),
        ),
        (
            "kubectl",
            first_line(Command::new("kubectl").args(["version", "--client"])),
        ),
    ]
}

/// The load of the machine, 1 and 5 minutes back: what else ran beside.
pub(super) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let words: Vec<&str> = text.split(' ').take(2).collect();
    words.join(" / ")
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let values = |key: &str| -> Vec<String> {
        let of_key = text.lines().filter(|line| line.starts_with(key));
        of_key
            .filter_map(|line| Some(line.split_once(':')?.1.trim().to_owned()))
            .collect()
    };
    let name = values("model name").into_iter().next().unwrap_or_default();
    format!("{} × {name}", values("processor").len())
}

fn memory() -> String {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| {
        let kib = line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?;
        kib.parse::<u64>().ok()
    });
    format!("{} GiB", total.unwrap_or(0) >> 20)
}

fn system() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

fn commit() -> String {
    let commit = first_line(Command::new("git").args(["describe", "--always", "--dirty"]));
    format!("commit {commit}")
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout);
    let text = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
    text.lines().next().unwrap_or("unknown").to_owned()
}
