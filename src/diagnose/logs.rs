//! What a program's own log says about why it fails: a table of patterns, each with the symptom it proves.
//!
//! Patterns are tried from the newest line back, in the order of the table: what a program says last is what stopped it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// How many of the newest lines are looked at: what was said long before the end is rarely its reason.
const WINDOW: usize = 30;

/// What a line of a log proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Symptom {
    /// A write met the read-only root file system.
    ReadOnly(Option<Target>),
    /// The user may not use a file or directory.
    Denied(Option<Target>),
    /// Something else listens on the port.
    AddressInUse(Option<u16>),
    /// A port below 1024 without the right to it.
    PrivilegedPort(Option<u16>),
    /// A connection was refused.
    Refused {
        host: Option<String>,
        port: Option<u16>,
    },
    /// A connection got no answer.
    TimedOut {
        host: Option<String>,
        port: Option<u16>,
    },
    /// A host name has no address.
    Unresolved(String),
    /// An environment variable is missing.
    MissingVariable(String),
    /// A file is missing.
    MissingFile(String),
    /// A module, library or class is missing.
    MissingModule(String),
    /// A program for another processor.
    ExecFormat,
    /// A program that is not there.
    CommandNotFound(String),
    /// A program that may not be executed.
    CommandNotExecutable(String),
    /// The memory of the runtime, or of the container, was used up.
    MemoryFull,
    /// A disk is full.
    DiskFull,
    /// A database refused user and password.
    Login,
    /// A table is missing.
    MissingTable(String),
    /// What prepares a database fails: the script, if it is named, and the error.
    Statement {
        script: Option<String>,
        error: String,
    },
    /// PostgreSQL does not have an extension.
    MissingExtension(String),
    /// The database user may not make an extension.
    DeniedExtension(String),
    /// Something of an extension is asked for that nobody has made in the database.
    UnmadeExtension(String),
    /// The database user lacks a right on an object.
    DatabaseRight(String),
    /// A connection string in URL form, given to a library that cannot read it.
    ConnectionString,
}

/// A path that a program wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The absolute path.
    pub(super) path: String,
    /// Whether it was to be made as a directory; otherwise it is a file.
    pub(super) directory: bool,
}

/// Makes a symptom of a line and what a pattern found in it.
type Make = fn(&str, &Captures<'_>) -> Symptom;

/// Pattern and symptom; the more special before the more general.
#[rustfmt::skip]
const PATTERNS: &[(&str, Make)] = &[
    (r"(?i)exec format error|cannot execute binary file", |_, _| Symptom::ExecFormat),
    (r"(?i)\bexec:? [\x22']?(/?[\w./-]+)[\x22']?: permission denied", |_, c| Symptom::CommandNotExecutable(text(c, 1))),
    (r"(?i)\bexec:? [\x22']?(/?[\w./-]+)[\x22']?: (?:stat \S+: )?no such file or directory", |_, c| Symptom::CommandNotFound(text(c, 1))),
    (r"exec: [\x22']([^\x22']+)[\x22']: executable file not found", |_, c| Symptom::CommandNotFound(text(c, 1))),
    (r"(?:^|/|\s)(?:ba|da|a|z)?sh: (?:exec: )?(?:(?:line )?\d+: )?([\w./-]+): (?:command )?not found", |_, c| Symptom::CommandNotFound(text(c, 1))),
    (r"^\S+: (?:line )?\d+: ([\w./-]+): (?:command )?not found", |_, c| Symptom::CommandNotFound(text(c, 1))),
    (r#"npm (?:ERR!|error) [Mm]issing script: "?([\w:.-]+)"?"#, |_, c| Symptom::CommandNotFound(format!("npm run {}", &c[1]))),

    (r"listen EACCES: permission denied \S*?:(\d+)\b", |_, c| Symptom::PrivilegedPort(port(c, 1))),
    (r"listen tcp[46]? \S*?:(\d+): bind: permission denied", |_, c| Symptom::PrivilegedPort(port(c, 1))),
    (r"bind\(\) to \S+?:(\d+) failed \(13", |_, c| Symptom::PrivilegedPort(port(c, 1))),
    (r"\(13\)Permission denied.*could not bind to address \S+?:(\d+)", |_, c| Symptom::PrivilegedPort(port(c, 1))),
    (r"Permission denied.*\('[\d.:]*', (\d+)\)", |_, c| Symptom::PrivilegedPort(port(c, 1))),
    (r"Permission denied - bind\(2\) for \S+ port (\d+)", |_, c| Symptom::PrivilegedPort(port(c, 1))),
    (r"java\.net\.(?:Socket|Bind)Exception: Permission denied", |_, _| Symptom::PrivilegedPort(None)),

    (r"(?i)(?:EADDRINUSE|address (?:is )?already in use|bind\(\) to \S+ failed \(98)[^\n]*?:(\d{2,5})\b", |_, c| Symptom::AddressInUse(port(c, 1))),
    (r"(?i):(\d{2,5})\b[^:]*(?:: bind)?: address already in use", |_, c| Symptom::AddressInUse(port(c, 1))),
    (r"(?i)\('[^']*', (\d+)\): address already in use", |_, c| Symptom::AddressInUse(port(c, 1))),
    (r"(?i)bind\(\) to \S+?:(\d+) failed \(98", |_, c| Symptom::AddressInUse(port(c, 1))),
    (r"(?i)\bport (\d+) (?:is|was) already in use", |_, c| Symptom::AddressInUse(port(c, 1))),
    (r"(?i)EADDRINUSE|address (?:is )?already in use", |_, _| Symptom::AddressInUse(None)),

    (r#"(?i)extension "([^"]+)" is not available"#, |_, c| Symptom::MissingExtension(text(c, 1))),
    (r#"permission denied to create extension "([^"]+)""#, |_, c| Symptom::DeniedExtension(text(c, 1))),
    (r#"type "(vector|halfvec|sparsevec|geometry|geography|citext|hstore|ltree)" does not exist"#, |_, c| unmade(&c[1])),
    (r"function (?:\w+\.)?(uuid_generate_v\w+|gen_random_bytes|crypt|gen_salt|digest|similarity|unaccent)\([^)]*\) does not exist", |_, c| unmade(&c[1])),
    (r#"operator class "(gin_trgm_ops|gist_trgm_ops)" does not exist"#, |_, c| unmade(&c[1])),
    (r"psql:\S*?([\w-]+)\.sql:\d+: ERROR:\s+(.+)", |_, c| Symptom::Statement { script: Some(text(c, 1)), error: text(c, 2) }),
    (r"^ERROR \d+ \(\w{5}\) at line \d+: (.+)", |_, c| Symptom::Statement { script: None, error: text(c, 1) }),
    (r"permission denied for (?:table|schema|sequence|relation|database|function) (\S+)", |_, c| Symptom::DatabaseRight(text(c, 1))),
    (r"(?i)password authentication failed for user|Access denied for user '|\bWRONGPASS\b|NOAUTH Authentication required|MongoServerError: Authentication failed|client password must be a string|not authorized on \w+ to execute", |_, _| Symptom::Login),
    (r#"relation "([^"]+)" does not exist"#, |_, c| Symptom::MissingTable(text(c, 1))),
    (r"Table '([^']+)' doesn't exist", |_, c| Symptom::MissingTable(text(c, 1))),
    (r"[Tt]he table `([^`]+)` does not exist", |_, c| Symptom::MissingTable(text(c, 1))),
    (r"Format of the initialization string does not conform", |_, _| Symptom::ConnectionString),

    (r"ECONNREFUSED\s+\[?([0-9A-Za-z.:-]+?)\]?:(\d{2,5})(?:\D|$)", refused),
    (r"dial tcp \[?([^\]\s]+?)\]?:(\d+): connect: connection refused", refused),
    (r#"connection to server at "([^"]+)"(?: \([^)]*\))?, port (\d+) failed: Connection refused"#, refused),
    (r"Connection to ([^\s:]+):(\d+) refused", refused),
    (r"Error 111 connecting to ([^\s:]+):(\d+)", refused),
    (r"Can't connect to (?:MySQL |MariaDB )?server on '([^':]+)(?::(\d+))?'", refused),
    (r"Can't reach database server at `([^`:]+)`?:`?(\d+)", refused),
    (r"Npgsql\S*Exception[^:]*: Failed to connect to \[?([^\s\]]+?)\]?:(\d+)", refused),
    (r"can't connect to remote host \(([^)]+)\): Connection refused", refused),
    (r"Could not connect to Redis at ([^\s:]+):(\d+): Connection refused", refused),
    (r"(?i)\bECONNREFUSED\b|connection refused", |_, _| Symptom::Refused { host: None, port: None }),

    (r"ETIMEDOUT\s+\[?([0-9A-Za-z.:-]+?)\]?:(\d{2,5})(?:\D|$)", timed_out),
    (r"dial tcp \[?([^\]\s]+?)\]?:(\d+): (?:i/o timeout|connect: connection timed out)", timed_out),
    (r#"connection to server at "([^"]+)"(?: \([^)]*\))?, port (\d+) failed: (?:Connection timed out|timeout expired)"#, timed_out),
    (r"Error 110 connecting to ([^\s:]+):(\d+)", timed_out),
    (r"Failed to connect to (\S+) port (\d+) after \d+ ms: (?:Timeout|Connection timed out)", timed_out),
    (r"can't connect to remote host \(([^)]+)\): Connection timed out", timed_out),

    (r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)", |_, c| Symptom::Unresolved(text(c, 1))),
    (r"lookup ([\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure)", |_, c| Symptom::Unresolved(text(c, 1))),
    (r#"could not translate host name "([^"]+)""#, |_, c| Symptom::Unresolved(text(c, 1))),
    (r"UnknownHostException: ([\w.-]+)", |_, c| Symptom::Unresolved(text(c, 1))),
    (r"getaddrinfo for ([\w.-]+) failed", |_, c| Symptom::Unresolved(text(c, 1))),
    (r"Error -[235] connecting to ([\w.-]+):\d+", |_, c| Symptom::Unresolved(text(c, 1))),
    (r"bad address '([\w.-]+)(?::\d+)?'", |_, c| Symptom::Unresolved(text(c, 1))),
    (r"Could not resolve host: ([\w.-]+)", |_, c| Symptom::Unresolved(text(c, 1))),
    (r"Could not connect to Redis at ([\w.-]+):\d+: (?:Name or service not known|Temporary failure)", |_, c| Symptom::Unresolved(text(c, 1))),
    (r#"host not found in upstream "([\w.-]+?)(?::\d+)?""#, |_, c| Symptom::Unresolved(text(c, 1))),

    (r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError|runtime: out of memory|(?:^|\s)MemoryError\b|std::bad_alloc|Cannot allocate memory", |_, _| Symptom::MemoryFull),
    (r"\bENOSPC\b|No space left on device", |_, _| Symptom::DiskFull),
    (r"(?i)read-only file ?system|\bEROFS\b|ReadOnlyFilesystem", |line, c| Symptom::ReadOnly(target(line, c))),

    (r"Cannot find (?:module|package) '([^']+)'", |_, c| Symptom::MissingModule(text(c, 1))),
    (r"ModuleNotFoundError: No module named '([^']+)'", |_, c| Symptom::MissingModule(text(c, 1))),
    (r"error while loading shared libraries: ([^:]+):", |_, c| Symptom::MissingModule(text(c, 1))),
    (r"Could not find or load main class (\S+)", |_, c| Symptom::MissingModule(text(c, 1))),
    (r"Unable to access jarfile (\S+)", |_, c| Symptom::MissingModule(text(c, 1))),
    (r"cannot load such file -- (\S+)", |_, c| Symptom::MissingModule(text(c, 1))),

    (r"ENOENT: no such file or directory, (?:open|scandir|stat|lstat|access) '([^']+)'", file),
    (r"FileNotFoundError: \[Errno 2\] No such file or directory: '([^']+)'", file),
    (r"\bopen ([^\s:]+): no such file or directory", file),
    (r"(?:FileNotFoundException|NoSuchFileException): (\S+)(?:$| \(No such)", file),
    (r"Can't find (meta/_journal\.json) file", file),

    (r#"KeyError: ['"]([A-Z][A-Z0-9]*_[A-Z0-9_]+)['"]"#, variable),
    (r#"key not found: "([A-Z][A-Z0-9]*_[A-Z0-9_]+)" \(KeyError\)"#, variable),
    (r"Could not resolve placeholder '([A-Z][A-Z0-9_]+)'", variable),
    (r"\b([A-Z][A-Z0-9_]+): (?:unbound variable|parameter (?:null or )?not set)", variable),
    (r#"(?i:missing (?:required )?|required )?(?i:env(?:ironment)?[ -]?var(?:iable)?s?)(?i: not found| missing| is missing| required)?[: ]+["'`]?([A-Z][A-Z0-9_]{2,})\b"#, variable),
    (r#"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b["'`]?(?: (?i:env(?:ironment)? var(?:iable)?))?(?: (?i:is|was|must be|has to be))? (?i:not set|not defined|not provided|undefined|missing|required|unset|set|defined)\b"#, variable),

    (r"(?i)permission denied|\bEACCES\b|PermissionDenied", |line, c| Symptom::Denied(target(line, c).map(|target| Target { directory: makes_directory(line), ..target }))),
];

/// A variable or a file whose absence is only remarked upon does not stop a program.
const REMARK: &str = r"(?i)\bwarn(?:ing)?\b|\binfo\b|\bdebug\b|skipping|disabled|optional|default|fall(?:ing)? ?back";

static RULES: LazyLock<Vec<(Regex, Make)>> = LazyLock::new(|| {
    PATTERNS
        .iter()
        .map(|(pattern, make)| (compile(pattern), *make))
        .collect()
});
static REMARKS: LazyLock<Regex> = LazyLock::new(|| compile(REMARK));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: its tests compile all of them")
}

fn text(found: &Captures<'_>, group: usize) -> String {
    found.get(group).map_or("", |m| m.as_str()).to_owned()
}

fn port(found: &Captures<'_>, group: usize) -> Option<u16> {
    found.get(group)?.as_str().parse().ok()
}

fn refused(_: &str, found: &Captures<'_>) -> Symptom {
    Symptom::Refused {
        host: Some(text(found, 1)),
        port: port(found, 2),
    }
}

fn timed_out(_: &str, found: &Captures<'_>) -> Symptom {
    Symptom::TimedOut {
        host: Some(text(found, 1)),
        port: port(found, 2),
    }
}

fn file(_: &str, found: &Captures<'_>) -> Symptom {
    Symptom::MissingFile(text(found, 1))
}

/// The extension that a type, a function or an operator class is of.
fn unmade(thing: &str) -> Symptom {
    let extension = match thing {
        "vector" | "halfvec" | "sparsevec" => "vector",
        "geometry" | "geography" => "postgis",
        "gen_random_bytes" | "crypt" | "gen_salt" | "digest" => "pgcrypto",
        "similarity" | "gin_trgm_ops" | "gist_trgm_ops" => "pg_trgm",
        uuid if uuid.starts_with("uuid_") => "uuid-ossp",
        same => same,
    };
    Symptom::UnmadeExtension(extension.to_owned())
}

fn variable(_: &str, found: &Captures<'_>) -> Symptom {
    Symptom::MissingVariable(text(found, 1))
}

/// How far above a refused connection the line may stand that says with whom: exceptions name their cause last.
const ABOVE: usize = 3;

/// The newest line that proves something, with its index.
pub(super) fn symptom(lines: &[String]) -> Option<(usize, Symptom)> {
    let newest_first = lines.iter().enumerate().rev();
    let (index, symptom) = newest_first
        .take(WINDOW)
        .find_map(|(index, line)| Some((index, symptom_of(line)?)))?;
    if symptom
        != (Symptom::Refused {
            host: None,
            port: None,
        })
    {
        return Some((index, symptom));
    }
    let above = (index.saturating_sub(ABOVE)..index).rev();
    let named = above
        .filter_map(|index| Some((index, symptom_of(&lines[index])?)))
        .find(|(_, symptom)| matches!(symptom, Symptom::Refused { host: Some(_), .. }));
    Some(named.unwrap_or((index, symptom)))
}

fn symptom_of(line: &str) -> Option<Symptom> {
    RULES.iter().find_map(|(rule, make)| {
        let symptom = make(line, &rule.captures(line)?);
        let may_do_without = matches!(
            symptom,
            Symptom::MissingVariable(_) | Symptom::MissingFile(_)
        );
        let remark = may_do_without && REMARKS.is_match(line);
        (!remark).then_some(symptom)
    })
}

/// The path that a refused access names: right after the refusal in most languages, before it in shells and C programs.
fn target(line: &str, found: &Captures<'_>) -> Option<Target> {
    static AFTER: LazyLock<Regex> =
        LazyLock::new(|| compile(r#"^(?:[,:] (?:[a-z]+ )?| @ \w+ - )['"‘]?(/[^\s'"’:,;)]+)"#));
    static BEFORE: LazyLock<Regex> =
        LazyLock::new(|| compile(r#"(?:^|[\s'"‘(])(/[^\s'"’:,;()]+)['"’)]*[^/]*$"#));
    let refusal = found.get(0)?;
    let (before, after) = (&line[..refusal.start()], &line[refusal.end()..]);
    // Node names the refusal twice: `EROFS: read-only file system, mkdir '/x'`.
    let after = [": read-only file system", ": permission denied"]
        .iter()
        .find_map(|again| after.strip_prefix(again))
        .unwrap_or(after);
    let found = AFTER.captures(after).or_else(|| BEFORE.captures(before))?;
    let path = found[1].trim_end_matches(['/', '.']);
    Some(Target {
        path: path.to_owned(),
        directory: is_directory(line, path),
    })
}

fn makes_directory(line: &str) -> bool {
    let words = ["mkdir", "create directory", "createDirectory"];
    words.iter().any(|word| line.contains(word))
}

/// Python does not say what it tried: a name without an extension is rather a directory than a file.
fn is_directory(line: &str, path: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    let extension = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'));
    makes_directory(line) || (!extension && !says(&["open", "touch", "FileNotFound"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_only(path: &str, directory: bool) -> Symptom {
        Symptom::ReadOnly(Some(Target {
            path: path.to_owned(),
            directory,
        }))
    }

    fn denied(path: &str, directory: bool) -> Symptom {
        Symptom::Denied(Some(Target {
            path: path.to_owned(),
            directory,
        }))
    }

    fn timed_out(host: &str, port: u16) -> Symptom {
        Symptom::TimedOut {
            host: Some(host.to_owned()),
            port: Some(port),
        }
    }

    #[test]
    fn whom_it_wanted_stands_above_that_it_was_refused() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let exception = lines(
            "Npgsql.NpgsqlException (0x80004005): Failed to connect to 127.0.0.1:5432\n ---> System.Net.Sockets.SocketException (111): Connection refused",
        );
        assert_eq!(symptom(&exception), Some((0, refused("127.0.0.1", 5432))));
        let alone = lines("starting\nConnection refused (os error 111)");
        let unnamed = Symptom::Refused {
            host: None,
            port: None,
        };
        assert_eq!(symptom(&alone), Some((1, unnamed)));
    }

    fn refused(host: &str, port: u16) -> Symptom {
        Symptom::Refused {
            host: Some(host.to_owned()),
            port: Some(port),
        }
    }

    fn not_found(command: &str) -> Symptom {
        Symptom::CommandNotFound(command.to_owned())
    }

    fn unresolved(host: &str) -> Symptom {
        Symptom::Unresolved(host.to_owned())
    }

    fn variable(name: &str) -> Symptom {
        Symptom::MissingVariable(name.to_owned())
    }

    fn module(name: &str) -> Symptom {
        Symptom::MissingModule(name.to_owned())
    }

    fn file(path: &str) -> Symptom {
        Symptom::MissingFile(path.to_owned())
    }

    fn unmade(extension: &str) -> Symptom {
        Symptom::UnmadeExtension(extension.to_owned())
    }

    fn table(name: &str) -> Symptom {
        Symptom::MissingTable(name.to_owned())
    }

    /// Lines as programs print them, with what each proves.
    #[rustfmt::skip]
    fn examples() -> Vec<(&'static str, Symptom)> {
        use Symptom::{
            AddressInUse, CommandNotExecutable, ConnectionString, DatabaseRight, Denied, DiskFull,
            ExecFormat, Login, MemoryFull, PrivilegedPort, ReadOnly,
        };
        vec![
            ("exec /app/server: exec format error", ExecFormat),
            ("/bin/sh: 1: cannot execute binary file", ExecFormat),
            ("exec /entrypoint.sh: permission denied", CommandNotExecutable("/entrypoint.sh".to_owned())),
            ("exec /entrypoint.sh: no such file or directory", not_found("/entrypoint.sh")),
            ("exec: \"/app/x\": stat /app/x: no such file or directory: unknown", not_found("/app/x")),
            ("exec: \"serve\": executable file not found in $PATH: unknown", not_found("serve")),
            ("sh: 1: gunicorn: not found", not_found("gunicorn")),
            ("/bin/bash: line 1: nodemon: command not found", not_found("nodemon")),
            ("sh: exec: line 0: gunicorn: not found", not_found("gunicorn")),
            ("/start.sh: line 4: migrate: command not found", not_found("migrate")),
            ("npm ERR! Missing script: \"start:prod\"", not_found("npm run start:prod")),
            ("Error: listen EACCES: permission denied 0.0.0.0:80", PrivilegedPort(Some(80))),
            ("listen tcp :443: bind: permission denied", PrivilegedPort(Some(443))),
            ("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", PrivilegedPort(Some(80))),
            ("(13)Permission denied: AH00072: make_sock: could not bind to address [::]:80", PrivilegedPort(Some(80))),
            ("PermissionError: [Errno 13] Permission denied: ('0.0.0.0', 80)", PrivilegedPort(Some(80))),
            ("Permission denied - bind(2) for \"0.0.0.0\" port 80 (Errno::EACCES)", PrivilegedPort(Some(80))),
            ("java.net.SocketException: Permission denied", PrivilegedPort(None)),
            ("Error: listen EADDRINUSE: address already in use :::3000", AddressInUse(Some(3000))),
            ("listen tcp :8080: bind: address already in use", AddressInUse(Some(8080))),
            ("[Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use", AddressInUse(Some(8000))),
            ("bind() to 0.0.0.0:8080 failed (98: Address in use)", AddressInUse(Some(8080))),
            ("Web server failed to start. Port 8080 was already in use.", AddressInUse(Some(8080))),
            ("OSError: [Errno 98] Address already in use", AddressInUse(None)),
            ("error: extension \"postgis\" is not available", Symptom::MissingExtension("postgis".to_owned())),
            ("psql:/etc/k8s-ee/application.sql:30: ERROR:  extension \"postgis\" is not available", Symptom::MissingExtension("postgis".to_owned())),
            ("ERROR:  permission denied to create extension \"hstore\"", Symptom::DeniedExtension("hstore".to_owned())),
            ("psql:/docker-entrypoint-initdb.d/20-init.sql:4: ERROR:  role \"a\" already exists", Symptom::Statement { script: Some("20-init".to_owned()), error: "role \"a\" already exists".to_owned() }),
            ("ERROR 1050 (42S01) at line 3: Table 't' already exists", Symptom::Statement { script: None, error: "Table 't' already exists".to_owned() }),
            ("ERROR: permission denied for table users", DatabaseRight("users".to_owned())),
            ("FATAL: password authentication failed for user \"app\"", Login),
            ("Access denied for user 'app'@'10.244.0.7' (using password: YES)", Login),
            ("MongoServerError: not authorized on admin to execute command", Login),
            ("error: relation \"users\" does not exist", table("users")),
            ("Table 'app.users' doesn't exist", table("app.users")),
            ("The table `public.User` does not exist in the current database.", table("public.User")),
            ("Format of the initialization string does not conform to specification starting at index 0.", ConnectionString),
            ("Error: connect ECONNREFUSED 10.96.12.3:5432", refused("10.96.12.3", 5432)),
            ("Error: connect ECONNREFUSED ::1:6379", refused("::1", 6379)),
            ("dial tcp 127.0.0.1:5432: connect: connection refused", refused("127.0.0.1", 5432)),
            ("dial tcp [::1]:5432: connect: connection refused", refused("::1", 5432)),
            ("connection to server at \"app-postgresql\" (10.96.0.7), port 5432 failed: Connection refused", refused("app-postgresql", 5432)),
            ("org.postgresql.util.PSQLException: Connection to app-postgresql:5432 refused. Check that", refused("app-postgresql", 5432)),
            ("redis.exceptions.ConnectionError: Error 111 connecting to app-redis:6379. Connection refused.", refused("app-redis", 6379)),
            ("Can't connect to MySQL server on 'app-mariadb:3306' (111)", refused("app-mariadb", 3306)),
            ("Can't reach database server at `localhost:5432`", refused("localhost", 5432)),
            ("Can't reach database server at `localhost`:`5432`", refused("localhost", 5432)),
            ("Connection refused (os error 111)", Symptom::Refused { host: None, port: None }),
            ("Npgsql.NpgsqlException (0x80004005): Failed to connect to 127.0.0.1:5432", refused("127.0.0.1", 5432)),
            ("nc: can't connect to remote host (10.96.0.7): Connection refused", Symptom::Refused { host: Some("10.96.0.7".to_owned()), port: None }),
            ("Error: connect ETIMEDOUT 10.11.12.13:443", timed_out("10.11.12.13", 443)),
            ("dial tcp 10.11.12.13:80: i/o timeout", timed_out("10.11.12.13", 80)),
            ("connection to server at \"db.intern\" (10.1.2.3), port 5432 failed: Connection timed out", timed_out("db.intern", 5432)),
            ("redis.exceptions.ConnectionError: Error 110 connecting to 10.1.2.3:6379. Connection timed out.", timed_out("10.1.2.3", 6379)),
            ("curl: (28) Failed to connect to 10.1.2.3 port 443 after 3001 ms: Timeout was reached", timed_out("10.1.2.3", 443)),
            ("nc: can't connect to remote host (10.1.2.3): Connection timed out", Symptom::TimedOut { host: Some("10.1.2.3".to_owned()), port: None }),
            ("Could not connect to Redis at 127.0.0.1:6379: Connection refused", refused("127.0.0.1", 6379)),
            ("Could not connect to Redis at app-rediss:6379: Name or service not known", unresolved("app-rediss")),
            ("nginx: [emerg] host not found in upstream \"api:3000\" in /etc/nginx/conf.d/default.conf:4", unresolved("api")),
            ("Error: ENOENT: no such file or directory, open '/app/config.json'", file("/app/config.json")),
            ("FileNotFoundError: [Errno 2] No such file or directory: 'settings.toml'", file("settings.toml")),
            ("panic: open config.yaml: no such file or directory", file("config.yaml")),
            ("java.nio.file.NoSuchFileException: /app/keystore.p12", file("/app/keystore.p12")),
            ("Error: Can't find meta/_journal.json file", file("meta/_journal.json")),
            ("ERROR:  type \"vector\" does not exist", unmade("vector")),
            ("ERROR:  function uuid_generate_v4() does not exist", unmade("uuid-ossp")),
            ("ERROR:  operator class \"gin_trgm_ops\" does not exist for access method \"gin\"", unmade("pg_trgm")),
            ("Error: SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", Login),
            ("wget: bad address 'mail.intern'", unresolved("mail.intern")),
            ("curl: (6) Could not resolve host: mail.intern", unresolved("mail.intern")),
            ("Error: getaddrinfo ENOTFOUND postgres", unresolved("postgres")),
            ("dial tcp: lookup db on 10.96.0.10:53: no such host", unresolved("db")),
            ("could not translate host name \"db\" to address: Name or service not known", unresolved("db")),
            ("java.net.UnknownHostException: mysql", unresolved("mysql")),
            ("php_network_getaddresses: getaddrinfo for mysql failed: Name or service not known", unresolved("mysql")),
            ("Error -2 connecting to redis:6379. Name or service not known.", unresolved("redis")),
            ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", MemoryFull),
            ("java.lang.OutOfMemoryError: Java heap space", MemoryFull),
            ("Error: ENOSPC: no space left on device, write", DiskFull),
            ("Error: EROFS: read-only file system, mkdir '/app/uploads'", read_only("/app/uploads", true)),
            ("Error: EROFS: read-only file system, open '/app/logs/app.log'", read_only("/app/logs/app.log", false)),
            ("OSError: [Errno 30] Read-only file system: '/app/cache'", read_only("/app/cache", true)),
            ("open /data/app.db: read-only file system", read_only("/data/app.db", false)),
            ("mkdir: cannot create directory ‘/data’: Read-only file system", read_only("/data", true)),
            ("/entrypoint.sh: line 3: /app/config.js: Read-only file system", read_only("/app/config.js", false)),
            ("java.io.FileNotFoundException: /var/log/app/a.log (Read-only file system)", read_only("/var/log/app/a.log", false)),
            ("nginx: [emerg] mkdir() \"/var/cache/nginx/client_temp\" failed (30: Read-only file system)", read_only("/var/cache/nginx/client_temp", true)),
            ("Read-only file system @ dir_s_mkdir - /app/tmp (Errno::EROFS)", read_only("/app/tmp", true)),
            ("file_put_contents(/var/www/x/a.php): Failed to open stream: Read-only file system in /var/www/i.php", read_only("/var/www/x/a.php", false)),
            ("Os { code: 30, kind: ReadOnlyFilesystem, message: \"Read-only file system\" }", ReadOnly(None)),
            ("Error: EACCES: permission denied, mkdir '/data/x'", denied("/data/x", true)),
            ("PermissionError: [Errno 13] Permission denied: '/srv/key.pem'", denied("/srv/key.pem", false)),
            ("cat: can't open '/etc/app/conf': Permission denied", denied("/etc/app/conf", false)),
            ("cat: /etc/shadow: Permission denied", denied("/etc/shadow", false)),
            ("Permission denied (os error 13)", Denied(None)),
            ("Error: Cannot find module 'express'", module("express")),
            ("ModuleNotFoundError: No module named 'flask'", module("flask")),
            ("./server: error while loading shared libraries: libssl.so.3: cannot open shared object file", module("libssl.so.3")),
            ("Error: Could not find or load main class com.acme.Shop", module("com.acme.Shop")),
            ("Error: Unable to access jarfile /app/shop.jar", module("/app/shop.jar")),
            ("cannot load such file -- sinatra (LoadError)", module("sinatra")),
            ("KeyError: 'STRIPE_KEY'", variable("STRIPE_KEY")),
            ("key not found: \"STRIPE_KEY\" (KeyError)", variable("STRIPE_KEY")),
            ("Could not resolve placeholder 'STRIPE_KEY' in value \"${STRIPE_KEY}\"", variable("STRIPE_KEY")),
            ("/start.sh: line 3: STRIPE_KEY: unbound variable", variable("STRIPE_KEY")),
            ("error: Environment variable not found: DATABASE_URL.", variable("DATABASE_URL")),
            ("Error: Missing required environment variable: STRIPE_KEY", variable("STRIPE_KEY")),
            ("Error: STRIPE_KEY is not set", variable("STRIPE_KEY")),
            ("panic: STRIPE_KEY environment variable must be set", variable("STRIPE_KEY")),
        ]
    }

    #[test]
    fn every_example_proves_its_symptom() {
        for (line, expected) in examples() {
            assert_eq!(symptom_of(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn every_pattern_has_an_example() {
        let examples = examples();
        for (rule, _) in RULES.iter() {
            assert!(
                examples.iter().any(|(line, _)| rule.is_match(line)),
                "no example for {rule}"
            );
        }
    }

    #[test]
    fn remarks_and_ordinary_lines_prove_nothing() {
        for line in [
            "WARN SENTRY_DSN is not set, error reporting is off",
            "LOG_LEVEL not set, using default info",
            "info: ENOENT: no such file or directory, open '/app/.env', going on with the environment",
            "Server listening on http://0.0.0.0:8080",
            "GET /permissions 200",
            "started in 12 s",
        ] {
            assert_eq!(symptom_of(line), None, "{line}");
        }
    }

    #[test]
    fn the_newest_line_counts() {
        let lines = [
            "connect ECONNREFUSED 10.0.0.1:6379",
            "KeyError: 'API_KEY'",
            "  at main.js:1",
        ];
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(symptom(&lines), Some((1, variable("API_KEY"))));
    }
}
