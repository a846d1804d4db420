//! `k8s-ee init`: a first `k8s-ee.yaml` and workflow, which never take the place of files that are there.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    cli::InitArgs,
    config::{Source, report},
    error::Failure,
    exit::Exit,
    init::{self, Kind, Note, Proposal, Refusal, Repository, Request, WORKFLOW, is_wanted},
    printer::Printer,
};

/// Name of the configuration.
const CONFIG: &str = "k8s-ee.yaml";
/// How deep directories are looked into.
const MAX_DEPTH: usize = 3;
/// How many directories are looked into.
const MAX_DIRECTORIES: usize = 500;
/// How many files are read.
const MAX_FILES: usize = 200;
/// Directories with what others have written, or what is not deployed.
const PASSED_OVER: [&str; 14] = [
    "node_modules",
    "vendor",
    "target",
    "dist",
    "venv",
    "__pycache__",
    "third_party",
    "testdata",
    "fixtures",
    "test",
    "tests",
    "examples",
    "docs",
    "charts",
];

pub(super) fn run(args: &InitArgs, printer: Printer) -> Result<Exit, Failure> {
    let directory = &args.directory;
    let mut repository = read(directory).map_err(|error| {
        Failure::new(
            Exit::Failure,
            format!("cannot look at the directory {}", directory.display()),
        )
        .because(error)
        .hint("name the directory of the repository: k8s-ee init DIRECTORY")
    })?;
    let mut request = Request {
        project: args.project.clone(),
        compose: None,
    };
    if let Some(path) = &args.from {
        let source = Source::read(path).map_err(|error| {
            Failure::new(Exit::Config, error.to_string())
                .hint("--from names a compose file; without it, the one at the root of the repository is taken")
        })?;
        let name = path_in(directory, path);
        repository
            .files
            .insert(name.clone(), source.text().to_owned());
        request.compose = Some(name);
    }
    let proposal = match init::init(&repository, &request) {
        Ok(proposal) => proposal,
        Err(refusal) => return Err(refuse(&refusal, printer)),
    };
    let workflow = init::workflow(
        &repository,
        env!("CARGO_PKG_VERSION"),
        args.domain.as_deref(),
    );
    if args.print {
        print(&proposal, &workflow, printer);
        tell(&proposal.notes, printer);
        return Ok(Exit::Success);
    }
    let config = directory.join(CONFIG);
    if fs::symlink_metadata(&config).is_ok() {
        print(&proposal, &workflow, printer);
        return Err(Failure::new(
            Exit::Failure,
            format!("{} is there already; nothing was written", config.display()),
        )
        .hint("what would have been written is printed above; to begin anew, move the file away first"));
    }
    write(&config, &proposal.config)?;
    tell(&proposal.notes, printer);
    printer.note(&format!("wrote {}", config.display()));
    let path = directory.join(WORKFLOW);
    if fs::symlink_metadata(&path).is_ok() {
        printer.note(&format!("kept {}, which was there already", path.display()));
    } else {
        write(&path, &workflow)?;
        let next = match args.domain {
            Some(_) => "",
            None => "; set `preview-domain` in it to the platform's domain",
        };
        printer.note(&format!("wrote {}{next}", path.display()));
    }
    Ok(Exit::Success)
}

/// Both files, one after the other; a comment names each.
fn print(proposal: &Proposal, workflow: &str, printer: Printer) {
    printer.data(&format!(
        "# {CONFIG}\n{}\n---\n# {WORKFLOW}\n{workflow}",
        proposal.config
    ));
}

fn tell(notes: &[Note], printer: Printer) {
    for note in notes {
        match note.kind {
            // What is lost is never passed over in silence.
            Kind::Left => printer.error(&note.to_string()),
            _ => printer.note(&note.to_string()),
        }
    }
}

fn refuse(refusal: &Refusal, printer: Printer) -> Failure {
    let (source, problems, failure) = match refusal {
        Refusal::Compose { source, problems } => (
            source,
            problems,
            Failure::new(
                Exit::Config,
                format!("{} cannot be converted; nothing was written", source.name()),
            ),
        ),
        Refusal::Bug { source, problems } => (
            source,
            problems,
            Failure::new(
                Exit::Failure,
                "what was made of this repository is not valid; nothing was written",
            )
            .hint("this is a bug in k8s-ee; please report it with the text above"),
        ),
    };
    printer.error(report::human(source, problems, printer.color()).trim_end());
    failure
}

/// Writes a file that is not there yet, and the directories that it is in.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new(Exit::Failure, format!("cannot write {}", path.display()))
            .because(error)
            .hint("print the files in place of writing them: k8s-ee init --print")
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// The path of a file in a repository, with `/`; its name where it is somewhere else.
fn path_in(directory: &Path, path: &Path) -> String {
    let real = |path: &Path| path.canonicalize().ok();
    let inside = real(directory)
        .zip(real(path))
        .and_then(|(directory, path)| Some(path.strip_prefix(directory).ok()?.to_owned()));
    let name = inside.unwrap_or_else(|| path.file_name().map(PathBuf::from).unwrap_or_default());
    let parts = name.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// Reads what a repository says of itself. Links are not followed, and what is no text is passed over.
fn read(directory: &Path) -> io::Result<Repository> {
    let name = directory.canonicalize()?;
    let mut repository = Repository {
        directory: name
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        remote: remote(directory),
        ..Repository::default()
    };
    let mut open = vec![(directory.to_owned(), String::new(), 0)];
    let mut seen = 0;
    while let Some((path, prefix, depth)) = open.pop() {
        seen += 1;
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries.iter().rev() {
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
                continue;
            };
            let below = format!("{prefix}{name}");
            if kind.is_dir() {
                let is_hidden = name.starts_with('.') && name != ".docker";
                let is_meant = !is_hidden && !PASSED_OVER.contains(&name.as_str());
                if is_meant && depth < MAX_DEPTH && seen + open.len() < MAX_DIRECTORIES {
                    open.push((entry.path(), format!("{below}/"), depth + 1));
                }
            } else if kind.is_file()
                && is_wanted(&name)
                && repository.files.len() < MAX_FILES
                && let Ok(source) = Source::read(&entry.path())
            {
                repository.files.insert(below, source.text().to_owned());
            }
        }
    }
    Ok(repository)
}

/// URL of the remote `origin`, from the settings of git.
fn remote(directory: &Path) -> Option<String> {
    let text = fs::read_to_string(directory.join(".git/config")).ok()?;
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == "[remote \"origin\"]")?;
    lines
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "url").then(|| value.trim().to_owned())
        })
}
