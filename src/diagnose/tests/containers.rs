//! Containers that cannot be started, or end.

use insta::assert_snapshot;

use super::super::{diagnose, fatal};
use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn exit_without_a_known_reason() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 3)).log(
        "app-new-1",
        "app",
        false,
        &["starting", "Error: boom", "    at main (/app/main.js:3:9)"],
    );
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 1
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: starting
      | log: Error: boom
      | log:     at main (/app/main.js:3:9)
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: container-exited
    ");
}

#[test]
fn exit_that_may_still_heal() {
    let case = Case::app()
        .pod("app", &State::restarted(1, "Error", 1))
        .log("app-new-1", "app", true, &["Error: boom"])
        .log("app-new-1", "app", false, &["starting"]);
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 1
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: boom
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}

#[test]
fn exit_with_the_last_words_in_the_status() {
    let case = Case::app().pod("app", &State::crashed(2, "Error", 0).told("panic: boom"));
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 2
      | Pod app-new-1, container app: Error, exit code 2
      | log: panic: boom
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}

#[test]
fn a_task_is_no_service() {
    let case = Case::app()
        .pod("app", &State::crashed(0, "Completed", 3))
        .log("app-new-1", "app", false, &["done"]);
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 0, but a service must keep running
      | Pod app-new-1, container app: Completed, exit code 0, restarted 3 times
      | log: done
    hint: start the server in the foreground; a task that ends is no service
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: container-exited
    ");
}

#[test]
fn killed_by_a_signal() {
    let case = Case::app().pod("app", &State::crashed(139, "Error", 0));
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 139 (SIGSEGV)
      | Pod app-new-1, container app: Error, exit code 139 (SIGSEGV)
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}

#[test]
fn exit_127_without_a_log() {
    let case = Case::app().pod("app", &State::crashed(127, "Error", 0));
    assert_snapshot!(case.report(), @"
    error[command-not-found]: app does not find its command (exit code 127)
      | Pod app-new-1, container app: Error, exit code 127
    hint: correct the command, or install the program in the image
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}

#[test]
fn exit_126_without_a_log() {
    let case = Case::app().pod("app", &State::crashed(126, "Error", 0));
    assert_snapshot!(case.report(), @"
    error[command-not-executable]: app cannot execute its command (exit code 126)
      | Pod app-new-1, container app: Error, exit code 126
    hint: make the program executable in the Dockerfile: `RUN chmod +x`
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}

#[test]
fn out_of_memory_once() {
    let case = Case::app().pod("app", &State::restarted(137, "OOMKilled", 1));
    assert_snapshot!(case.report(), @"
    error[out-of-memory]: app needs more memory than its limit of 384Mi
      | Pod app-new-1, container app: OOMKilled, exit code 137 (SIGKILL), restarted once
    hint: raise the memory limit of app
        resources:
          limits:
            memory: 768Mi
    fatal: no
    ");
}

#[test]
fn out_of_memory_twice() {
    let case = Case::services(&["api"]).pod("api", &State::crashed(137, "OOMKilled", 1));
    assert_snapshot!(case.report(), @"
    error[out-of-memory]: api needs more memory than its limit of 384Mi
      --> k8s-ee.yaml:3
      | Pod api-new-1, container api: OOMKilled, exit code 137 (SIGKILL), restarted once
    hint: raise the memory limit of api
        services:
          api:
            resources:
              limits:
                memory: 768Mi
    fatal: out-of-memory
    ");
}

#[test]
fn out_of_memory_of_the_runtime() {
    let case = Case::app()
        .pod("app", &State::crashed(134, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &[
                "<--- Last few GCs --->",
                "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            ],
        );
    assert_snapshot!(case.report(), @"
    error[out-of-memory]: app needs more memory than its limit of 384Mi
      | Pod app-new-1, container app: Error, exit code 134 (SIGABRT), restarted once
      | log: FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
    hint: raise the memory limit of app
        resources:
          limits:
            memory: 768Mi
    fatal: out-of-memory
    ");
}

#[test]
fn read_only_directory() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &[
            "Error: EROFS: read-only file system, mkdir '/data'",
            "    at Object.mkdirSync (node:fs:1377:26)",
        ],
    );
    assert_snapshot!(case.report(), @"
    error[read-only-file-system]: app writes to /data, but its file system is read-only
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: EROFS: read-only file system, mkdir '/data'
      | log:     at Object.mkdirSync (node:fs:1377:26)
    hint: make /data writable; it starts empty each time
        writableDirs: [/data]
    fatal: read-only-file-system
    ");
}

#[test]
fn read_only_file_beside_another_writable_directory() {
    let case = Case::services(&["api"])
        .service(|api| api.writable_dirs.push("/cache".to_owned()))
        .pod("api", &State::crashed(1, "Error", 1))
        .log(
            "api-new-1",
            "api",
            false,
            &["open /var/lib/api/state.db: read-only file system"],
        );
    assert_snapshot!(case.report(), @"
    error[read-only-file-system]: api writes to /var/lib/api/state.db, but its file system is read-only
      --> k8s-ee.yaml:3
      | Pod api-new-1, container api: Error, exit code 1, restarted once
      | log: open /var/lib/api/state.db: read-only file system
    hint: make /var/lib/api writable; it starts empty each time
        services:
          api:
            writableDirs: [/cache, /var/lib/api]
    fatal: read-only-file-system
    ");
}

#[test]
fn read_only_directory_of_the_program() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["Error: EROFS: read-only file system, open '/app/server.log'"],
    );
    assert_snapshot!(case.report(), @"
    error[read-only-file-system]: app writes to /app/server.log, but its file system is read-only
      --> `writableDirs` in k8s-ee.yaml
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: EROFS: read-only file system, open '/app/server.log'
    hint: let it write to a directory of its own, such as /app/data, and list that in `writableDirs`: /app/ itself would start empty
    fatal: read-only-file-system
    ");
}

#[test]
fn permission_denied() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["PermissionError: [Errno 13] Permission denied: '/srv/key.pem'"],
    );
    assert_snapshot!(case.report(), @"
    error[permission-denied]: app may not use /srv/key.pem: it runs as user 1001
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: PermissionError: [Errno 13] Permission denied: '/srv/key.pem'
    hint: give every user access to it in the Dockerfile: `RUN chmod -R a+rX /srv/key.pem`, or copy it with `COPY --chown=1001:1001`
    fatal: permission-denied
    ");
}

#[test]
fn working_directory_denied() {
    let case = Case::app().pod("app", &State::crashed(128, "StartError", 0).told(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: chdir to cwd (\"/root/app\") set in config.json failed: permission denied: unknown",
    ));
    assert_snapshot!(case.report(), @r#"
    error[permission-denied]: app may not use /root/app: it runs as user 1001
      | Pod app-new-1, container app: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: chdir to cwd ("/root/app") set in config.json failed: permission denied: unknown
    hint: give every user access to it in the Dockerfile: `RUN chmod -R a+rX /root/app`, or copy it with `COPY --chown=1001:1001`
    fatal: permission-denied
    "#);
}

#[test]
fn command_not_found() {
    let case = Case::services(&["api"])
        .service(|api| api.command = vec!["serve".to_owned()])
        .pod("api", &State::crashed(128, "StartError", 0).told(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"serve\": executable file not found in $PATH: unknown",
        ));
    assert_snapshot!(case.report(), @r#"
    error[command-not-found]: api starts `serve`, which is not in its image
      --> k8s-ee.yaml:3
      | Pod api-new-1, container api: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "serve": executable file not found in $PATH: unknown
    hint: correct the command, or install the program in the image
    fatal: command-not-found
    "#);
}

#[test]
fn command_not_found_before_it_backs_off() {
    let case = Case::app().pod("app", &State::waiting(
        "RunContainerError",
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"/app/server\": stat /app/server: no such file or directory: unknown",
    ));
    assert_snapshot!(case.report(), @r#"
    error[command-not-found]: app starts `/app/server`, which is not in its image
      | Pod app-new-1, container app: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/app/server": stat /app/server: no such file or directory: unknown
    hint: correct the path, or copy the program there; a script also needs the interpreter that its `#!` line names, and no Windows line ends
    fatal: command-not-found
    "#);
}

#[test]
fn command_not_executable() {
    let case = Case::app().pod("app", &State::crashed(128, "StartError", 0).told(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"/app/run.sh\": permission denied: unknown",
    ));
    assert_snapshot!(case.report(), @r#"
    error[command-not-executable]: app starts `/app/run.sh`, which may not be executed
      | Pod app-new-1, container app: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/app/run.sh": permission denied: unknown
    hint: make it executable in the Dockerfile: `RUN chmod a+rx /app/run.sh`
    fatal: command-not-executable
    "#);
}

#[test]
fn runtime_error_without_a_rule() {
    let case = Case::app().pod("app", &State::crashed(128, "StartError", 0).told(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to apply cgroup configuration: unknown",
    ));
    assert_snapshot!(case.report(), @"
    error[container-config]: app cannot be started
      | Pod app-new-1, container app: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to apply cgroup configuration: unknown
    hint: fix what the message names
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    ");
}

#[test]
fn memory_limit_too_low_to_start() {
    let case = Case::app().pod("app", &State::crashed(128, "StartError", 1).told(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown",
    ));
    assert_snapshot!(case.report(), @"
    error[out-of-memory]: app needs more memory than its limit of 384Mi
      | Pod app-new-1, container app: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown
    hint: raise the memory limit of app
        resources:
          limits:
            memory: 768Mi
    fatal: out-of-memory
    ");
}

#[test]
fn wrong_architecture() {
    let case = Case::app()
        .pod("app", &State::crashed(255, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &["exec /app/server: exec format error"],
        );
    assert_snapshot!(case.report(), @"
    error[wrong-architecture]: the program of app was not built for the architecture of its node, or is a script without a `#!` line
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: Error, exit code 255, restarted once
      | log: exec /app/server: exec format error
    hint: build the image for the architecture of the nodes, or for both: `docker buildx build --platform linux/amd64,linux/arm64`
      $ kubectl get nodes -L kubernetes.io/arch
    fatal: wrong-architecture
    ");
}

#[test]
fn address_in_use() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["Error: listen EADDRINUSE: address already in use :::3000"],
    );
    assert_snapshot!(case.report(), @"
    error[address-in-use]: app starts two processes that both want port 3000
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: listen EADDRINUSE: address already in use :::3000
    hint: start only one of them in this container, or give the other another port than `$PORT`
    fatal: address-in-use
    ");
}

#[test]
fn privileged_port_of_the_file() {
    let case = Case::app()
        .service(|app| app.port = 80)
        .pod("app", &State::crashed(1, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: listen EACCES: permission denied 0.0.0.0:80"],
        );
    assert_snapshot!(case.report(), @"
    error[privileged-port]: app wants port 80, which only root may use
      --> k8s-ee.yaml:3
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: listen EACCES: permission denied 0.0.0.0:80
    hint: choose a port above 1023 and let the program listen on `$PORT`
        app:
          port: 8080
    fatal: privileged-port
    ");
}

#[test]
fn privileged_port_of_the_program() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"],
    );
    assert_snapshot!(case.report(), @"
    error[privileged-port]: app wants port 80, which only root may use
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)
    hint: let the program listen on `$PORT`, which is 3000
    fatal: privileged-port
    ");
}

#[test]
fn missing_module() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &[
            "Error: Cannot find module 'express'",
            "Require stack:",
            "- /app/main.js",
        ],
    );
    assert_snapshot!(case.report(), @"
    error[missing-module]: app does not find express in its image
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: Cannot find module 'express'
      | log: Require stack:
      | log: - /app/main.js
    hint: add it to the image: check the `COPY` lines of the Dockerfile and that production dependencies are installed
    fatal: missing-module
    ");
}

#[test]
fn disk_full() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful(
            "postgresql",
            &State::crashed(1, "Error", 1).claim("data-app-postgresql-0"),
        )
        .claim("data-app-postgresql-0", "Bound", None)
        .log(
            "app-postgresql-0",
            "postgresql",
            false,
            &["PANIC:  could not write to file \"pg_wal/xlogtemp.7\": No space left on device"],
        );
    assert_snapshot!(case.report(), @r#"
    error[disk-full]: postgresql finds no space left on a disk
      --> k8s-ee.yaml:21
      | Pod app-postgresql-0, container postgresql: Error, exit code 1, restarted once
      | log: PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device
    hint: give postgresql a larger volume
        databases:
          postgresql:
            storage: 2Gi

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    "#);
}

#[test]
fn init_container() {
    let case = Case::app()
        .pod(
            "app",
            &State::waiting("PodInitializing", "").init("migrate", State::crashed(1, "Error", 3)),
        )
        .log("app-new-1", "migrate", false, &["relation conflict"]);
    assert_snapshot!(case.report(), @"
    error[container-exited]: init container migrate of app exits with code 1
      | Pod app-new-1, container migrate: Error, exit code 1, restarted 3 times
      | log: relation conflict
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c migrate --previous
    fatal: container-exited
    ");
}

#[test]
fn secrets_are_masked() {
    let case = Case::app()
        .secret("tr0ub4dor")
        .pod("app", &State::crashed(1, "Error", 0))
        .log(
            "app-new-1",
            "app",
            false,
            &[
                "connecting to postgres://app:pa55@db/app",
                "tr0ub4dor is wrong",
                "\u{1b}[31mapi_key=abc123\u{1b}[0m",
            ],
        );
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 1
      | Pod app-new-1, container app: Error, exit code 1
      | log: connecting to postgres://app:***@db/app
      | log: *** is wrong
      | log: api_key=***
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}

#[test]
fn a_container_that_runs_again_may_yet_come_up_however_often_it_ended() {
    for (exit_code, reason) in [(137, "OOMKilled"), (1, "Error"), (128, "StartError")] {
        let case = Case::app()
            .pod("app", &State::restarted(exit_code, reason, 9))
            .log(
                "app-new-1",
                "app",
                true,
                &["Error: Cannot find module 'express'"],
            );
        assert_eq!(fatal(&case.env, &case.observed), None, "{reason}");
    }
}

#[test]
fn troubles_of_the_node_are_not_blamed_on_the_image() {
    let case = Case::app().pod("app", &State::crashed(128, "StartError", 0).told(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \"proc\" to rootfs at \"/proc\": permission denied: unknown",
    ));
    assert_snapshot!(case.report(), @r#"
    error[container-config]: app cannot be started
      | Pod app-new-1, container app: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "proc" to rootfs at "/proc": permission denied: unknown
    hint: fix what the message names
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    "#);
}

#[test]
fn paths_that_no_writable_directory_can_have() {
    for (line, expected) in [
        ("open /state.db: read-only file system", "such as /data,"),
        (
            "open /app/x.log: read-only file system",
            "such as /app/data,",
        ),
        (
            "open /srv/d@ta/x.log: read-only file system",
            "letters, digits",
        ),
        ("open /cache/x.log: read-only file system", "deploy again"),
    ] {
        let case = Case::app()
            .service(|app| app.writable_dirs.push("/cache".to_owned()))
            .pod("app", &State::crashed(1, "Error", 1))
            .log("app-new-1", "app", false, &[line]);
        let causes = diagnose(&case.env, &case.observed);
        let fix = &causes[0].fix;
        assert!(fix.text.contains(expected), "{line}: {}", fix.text);
        assert_eq!(fix.change, None, "{line}");
    }
}
