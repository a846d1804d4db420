//! From a symptom in a program's log to the cause and the change that repairs it.

use super::{
    bootstrap,
    cause::{CauseCode, Finding, Fix},
    container::Container,
    dependency, exits, image,
    logs::{Symptom, Target},
    scene::{Scene, pod_name},
};
use crate::model::Service;

/// Directories that hold the program itself, or the system: an empty directory on top of one would hide it.
const NOT_TO_COVER: &[&str] = &[
    "/app",
    "/bin",
    "/boot",
    "/code",
    "/dev",
    "/etc",
    "/home",
    "/home/node",
    "/home/node/app",
    "/lib",
    "/opt",
    "/opt/app",
    "/proc",
    "/root",
    "/run/secrets",
    "/sbin",
    "/src",
    "/srv",
    "/srv/app",
    "/sys",
    "/usr",
    "/usr/app",
    "/usr/lib",
    "/usr/local",
    "/usr/share",
    "/usr/src",
    "/usr/src/app",
    "/usr/share/nginx/html",
    "/var",
    "/var/lib",
    "/var/www",
    "/var/www/html",
    "/workspace",
];

/// The cause that a symptom proves; `evidence` has the lines that show it.
pub(super) fn finding(
    scene: &Scene<'_>,
    container: &Container<'_>,
    symptom: &Symptom,
    evidence: Vec<String>,
) -> Finding {
    let subject = container.subject();
    let found = |code, summary: String, fix: Fix| {
        Finding::new(code, container.component, summary, evidence.clone(), fix)
    };
    let finding = match symptom {
        Symptom::Refused { host, port } => {
            return dependency::refused(scene, container, host.as_deref(), *port, evidence);
        }
        Symptom::TimedOut { host, port } => {
            return dependency::timed_out(scene, container, host.as_deref(), *port, evidence);
        }
        Symptom::Unresolved(host) => {
            return dependency::unresolved(scene, container, host, evidence);
        }
        Symptom::MissingVariable(name) => dependency::variable(scene, container, name, evidence),
        Symptom::MemoryFull => exits::out_of_memory(scene, container, evidence),
        Symptom::Statement { script, error } => {
            bootstrap::statement(scene, container, script.as_deref(), error, evidence)
        }
        Symptom::MissingExtension(name) => {
            bootstrap::extension_missing(scene, container, name, evidence)
        }
        Symptom::DeniedExtension(name) => {
            bootstrap::extension_denied(scene, container, name, evidence)
        }
        Symptom::UnmadeExtension(name) => {
            bootstrap::extension_unmade(scene, container, name, evidence)
        }
        Symptom::ReadOnly(target) => {
            let path = target.as_ref().map_or("a file", |target| &target.path);
            found(
                CauseCode::ReadOnlyFileSystem,
                format!("{subject} writes to {path}, but its file system is read-only"),
                writable(scene, container, target.as_ref()),
            )
        }
        Symptom::Denied(target) => {
            let path = target.as_ref().map_or("a file", |target| &target.path);
            found(
                CauseCode::PermissionDenied,
                format!("{subject} may not use {path}: it runs as {}", user(container)),
                permitted(scene, container, target.as_ref()),
            )
        }
        Symptom::AddressInUse(port) => {
            let port = port.map_or_else(|| "its port".to_owned(), |port| format!("port {port}"));
            found(
                CauseCode::AddressInUse,
                format!("{subject} starts two processes that both want {port}"),
                Fix::new("start only one of them in this container, or give the other another port than `$PORT`"),
            )
        }
        Symptom::PrivilegedPort(port) => privileged(scene, container, *port, evidence),
        Symptom::MissingModule(name) => found(
            CauseCode::MissingModule,
            format!("{subject} does not find {name} in its image"),
            Fix::new("add it to the image: check the `COPY` lines of the Dockerfile and that production dependencies are installed"),
        ),
        Symptom::MissingFile(path) => found(
            CauseCode::MissingModule,
            format!("{subject} does not find the file {path}"),
            Fix::new("add it to the image: check the `COPY` lines and the `WORKDIR` of the Dockerfile, and that `.dockerignore` does not leave it out"),
        ),
        Symptom::ExecFormat => found(
            CauseCode::WrongArchitecture,
            format!("the program of {subject} was not built for the architecture of its node, or is a script without a `#!` line"),
            image::architecture_fix().at(image::pointer(scene, container.component)),
        ),
        Symptom::CommandNotFound(command) => found(
            CauseCode::CommandNotFound,
            format!("{subject} starts `{command}`, which is not in its image"),
            command_fix(scene, container, command),
        ),
        Symptom::CommandNotExecutable(command) => found(
            CauseCode::CommandNotExecutable,
            format!("{subject} starts `{command}`, which may not be executed"),
            Fix::new(format!("make it executable in the Dockerfile: `RUN chmod a+rx {command}`")),
        ),
        Symptom::DiskFull => found(
            CauseCode::DiskFull,
            format!("{subject} finds no space left on a disk"),
            bigger_volume(scene, container),
        ),
        Symptom::Login => found(
            CauseCode::DatabaseLogin,
            format!("a database refuses the user and password that {subject} gives"),
            Fix::new("let it use the injected variables unchanged (`DATABASE_URL`, `REDIS_PASSWORD`, …): their user exists, and reaches its own database only; the Secrets that they come from:")
                .run(format!("k8s-ee credentials list {}", scene.env.identity.key.flag())),
        ),
        Symptom::MissingTable(table) => found(
            CauseCode::DatabaseSchema,
            format!("{subject} asks for the table {table}, which does not exist"),
            Fix::new("run the migrations before the server starts, in its `command` or as a `seed`, and check that the image contains them"),
        ),
        Symptom::DatabaseRight(object) => found(
            CauseCode::DatabasePermission,
            format!("the database user of {subject} has no right on {object}"),
            Fix::new(format!("what `bootstrap` creates belongs to the superuser: end it with `GRANT ALL ON ALL TABLES IN SCHEMA public TO {}` and the same for `ALL SEQUENCES`", bootstrap::owner(scene)))
                .at(scene.database(Some("postgresql")).map(|_| "/databases/postgresql/bootstrap".to_owned())),
        ),
        Symptom::ConnectionString => found(
            CauseCode::ConnectionString,
            format!("{subject} reads `DATABASE_URL` with a library that does not know URLs"),
            Fix::new("build its connection string from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER` and `PGPASSWORD`"),
        ),
    };
    let fatal = match symptom {
        // The next run finds the same image and the same description.
        Symptom::ReadOnly(_)
        | Symptom::Denied(_)
        | Symptom::AddressInUse(_)
        | Symptom::PrivilegedPort(_)
        | Symptom::MissingVariable(_)
        | Symptom::MissingModule(_)
        | Symptom::MissingFile(_)
        | Symptom::ExecFormat
        | Symptom::CommandNotFound(_)
        | Symptom::CommandNotExecutable(_)
        | Symptom::ConnectionString
        | Symptom::Statement { .. }
        | Symptom::MissingExtension(_)
        | Symptom::DeniedExtension(_)
        | Symptom::UnmadeExtension(_)
        | Symptom::MemoryFull => exits::is_repeated(container),
        // Users, rights, tables and space may still come.
        _ => exits::is_lasting(container),
    };
    finding.fatal(fatal)
}

/// The user that a container runs as, for a sentence.
fn user(container: &Container<'_>) -> String {
    let own = container
        .spec
        .and_then(|spec| spec.security_context.as_ref()?.run_as_user);
    let pod = container
        .pod
        .spec
        .as_ref()
        .and_then(|spec| spec.security_context.as_ref()?.run_as_user);
    own.or(pod).map_or_else(
        || "a user other than root".to_owned(),
        |uid| format!("user {uid}"),
    )
}

/// `writableDirs` with the directory that would let this write succeed.
fn writable(scene: &Scene<'_>, container: &Container<'_>, target: Option<&Target>) -> Fix {
    let Some(service) = scene.service(container.component) else {
        return Fix::new("this directory must be a volume: report it to the platform engineer");
    };
    let pointer = service.pointer("writableDirs");
    let Some(target) = target else {
        return Fix::new("list the directory it writes to in `writableDirs`").at(Some(pointer));
    };
    let directory = if target.directory {
        target.path.as_str()
    } else {
        target
            .path
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory)
    };
    if service.writable_dirs.iter().any(|dir| dir == directory) {
        return Fix::new(format!(
            "deploy again: {directory} is in `writableDirs` already"
        ));
    }
    // A directory that was to be made is not there yet, so it hides nothing.
    let is_new = target.directory;
    if directory.is_empty() || (!is_new && NOT_TO_COVER.contains(&directory)) {
        return Fix::new(format!("let it write to a directory of its own, such as {directory}/data, and list that in `writableDirs`: {directory}/ itself would start empty"))
            .at(Some(pointer));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    if !directory.chars().all(allowed) {
        return Fix::new("let it write to a directory whose path has letters, digits and `._/-` only, and list that in `writableDirs`")
            .at(Some(pointer));
    }
    let mut dirs = service.writable_dirs.clone();
    dirs.push(directory.to_owned());
    Fix::new(format!(
        "make {directory} writable; it starts empty each time"
    ))
    .at(Some(pointer))
    .write(format!("writableDirs: [{}]", dirs.join(", ")))
}

/// A new directory can be given; what is in the image must be opened there.
fn permitted(scene: &Scene<'_>, container: &Container<'_>, target: Option<&Target>) -> Fix {
    match target {
        Some(target) if target.directory => writable(scene, container, Some(target)),
        Some(target) => Fix::new(format!(
            "give every user access to it in the Dockerfile: `RUN chmod -R a+rX {}`, or copy it with `COPY --chown=1001:1001`",
            target.path
        )),
        None => Fix::new(
            "give user 1001 access to its files in the Dockerfile: `COPY --chown=1001:1001`",
        ),
    }
}

fn privileged(
    scene: &Scene<'_>,
    container: &Container<'_>,
    port: Option<u16>,
    evidence: Vec<String>,
) -> Finding {
    let subject = container.subject();
    let which = port.map_or_else(
        || "a port below 1024".to_owned(),
        |port| format!("port {port}"),
    );
    let summary = format!("{subject} wants {which}, which only root may use");
    let service = scene.service(container.component);
    let fix = match service {
        Some(service) if port.is_none_or(|port| port == service.port) && service.port < 1024 => {
            Fix::new("choose a port above 1023 and let the program listen on `$PORT`")
                .at(Some(service.pointer("port")))
                .write("port: 8080")
        }
        Some(service) => Fix::new(format!(
            "let the program listen on `$PORT`, which is {}",
            service.port
        )),
        None => Fix::new("let the program listen on a port above 1023"),
    };
    Finding::new(
        CauseCode::PrivilegedPort,
        container.component,
        summary,
        evidence,
        fix,
    )
}

/// The command comes from the file when it is written there, else from the image.
fn command_fix(scene: &Scene<'_>, container: &Container<'_>, command: &str) -> Fix {
    let text = if command.contains('/') {
        "correct the path, or copy the program there; a script also needs the interpreter that its `#!` line names, and no Windows line ends"
    } else {
        "correct the command, or install the program in the image"
    };
    let service: Option<&Service> = scene.service(container.component);
    let pointer = service.and_then(|service| {
        let key = [("command", &service.command), ("args", &service.args)];
        let written = key.into_iter().find(|(_, words)| !words.is_empty())?;
        Some(service.pointer(written.0))
    });
    Fix::new(text).at(pointer)
}

fn bigger_volume(scene: &Scene<'_>, container: &Container<'_>) -> Fix {
    let Some(database) = scene.database(container.component) else {
        return Fix::new(
            "let it write less, or delete what it no longer needs: `writableDirs` live on the node's disk",
        );
    };
    let pointer = format!("/databases/{}/storage", database.kind);
    let claims = scene.observed.claims.iter();
    let size = claims
        .filter(|claim| scene.claim_component(claim) == container.component)
        .find_map(super::volume::requested);
    let fix = Fix::new(format!("give {} a larger volume", database.kind)).at(Some(pointer));
    match size {
        Some(size) => fix.write(format!("storage: {}", size.times(2).as_bytes())),
        None => fix.run(scene.kubectl(&format!("exec {} -- df -h", pod_name(container.pod)))),
    }
}
