//! Keys of a compose file that have no place in ours: what is said of each.

/// Keys of a service that are taken over, or looked at elsewhere.
const TAKEN: [&str; 22] = [
    "build",
    "image",
    "ports",
    "expose",
    "depends_on",
    "links",
    "environment",
    "env_file",
    "command",
    "entrypoint",
    "healthcheck",
    "deploy",
    "volumes",
    "tmpfs",
    "profiles",
    "container_name",
    "hostname",
    "cpus",
    "mem_limit",
    "mem_reservation",
    "scale",
    "read_only",
];

/// Keys of a service that say what is so in an environment anyhow, or nothing that matters there.
const QUIET: [&str; 18] = [
    "restart",
    "stdin_open",
    "tty",
    "init",
    "logging",
    "pull_policy",
    "platform",
    "develop",
    "stop_grace_period",
    "stop_signal",
    "networks",
    "labels",
    "annotations",
    "security_opt",
    "cap_drop",
    "attach",
    "oom_kill_disable",
    "memswap_limit",
];

/// What is said of a key of a service that is not taken over; nothing where nothing is lost.
pub(super) fn of_service(key: &str) -> Option<String> {
    if TAKEN.contains(&key) || QUIET.contains(&key) || key.starts_with("x-") {
        return None;
    }
    let why = match key {
        "extends" => "what it brings in is not read; write it out",
        "secrets" => "put them into a Secret of the namespace, and name that under `envFrom`",
        "configs" => "put the file into the image, or its values into `env`",
        "working_dir" => "set WORKDIR in the image",
        "user" => "containers run as user 1001",
        "privileged" | "cap_add" | "devices" | "sysctls" | "ulimits" | "shm_size" | "gpus"
        | "runtime" | "userns_mode" | "cgroup_parent" | "pid" | "ipc" => {
            "environments give no rights and devices of the machine"
        }
        "network_mode" | "extra_hosts" | "dns" | "dns_search" | "mac_address"
        | "external_links" => {
            "services of an environment reach each other by name, and nothing else of the machine"
        }
        "volumes_from" => "services share no volumes",
        "post_start" | "pre_stop" => "let the program do it",
        _ => "there is nothing like it",
    };
    Some(format!("`{key}` is not converted: {why}"))
}

/// What is said of a key of the file itself.
pub(super) fn of_file(key: &str) -> Option<&'static str> {
    match key {
        "include" => {
            Some("`include` is not read; convert those files too, and put the parts together")
        }
        "secrets" => Some(
            "`secrets` are not converted: make a Secret of the namespace, and name it under `envFrom`",
        ),
        "configs" => {
            Some("`configs` are not converted: put files into the image, values into `env`")
        }
        "models" | "provider" => Some("there is nothing like it"),
        // Networks are what environments have anyhow; volumes are told where they are used.
        _ => None,
    }
}
