//! What a run of GitHub Actions says in place of flags: which pull request is meant, its commit and its branch.

use crate::{
    cli::{Command, KeyArgs},
    error::Failure,
    exit::Exit,
    printer::Printer,
    reporter::{
        self,
        run::{Run, Subject},
    },
};

/// The flags that a run can stand in for.
struct Flags<'a> {
    key: &'a mut KeyArgs,
    commit: Option<&'a mut Option<String>>,
    branch: Option<&'a mut Option<String>>,
    repository: Option<&'a mut Option<String>>,
    /// Whether it can do without knowing which environment is meant.
    optional: bool,
}

/// Fills in the flags that were not given, and says what the run is about. `run` becomes none where it cannot be used.
///
/// # Errors
/// Neither the flags nor the run say which environment is meant.
pub(super) async fn fill(
    command: &mut Command,
    run: Option<&Run>,
    printer: Printer,
) -> Result<Subject, Failure> {
    let Some(flags) = flags(command) else {
        return Ok(Subject::default());
    };
    if let Some(run) = run
        && flags.key.name.is_none()
    {
        let given = |flag: &Option<&mut Option<String>>| flag.as_deref().cloned().flatten();
        let asked = Subject {
            repository: given(&flags.repository).and_then(|text| text.parse().ok()),
            number: flags.key.pr,
            commit: given(&flags.commit),
            branch: given(&flags.branch),
        };
        let subject = if flags.commit.is_some() {
            let (subject, trouble) = run.subject(asked).await;
            if let Err(error) = trouble {
                reporter::warn(printer, &error.into());
            }
            subject
        } else {
            let of_run = run.context.as_ref().map(|run| run.repository.clone());
            Subject {
                number: asked.number.or(run.number()),
                repository: asked.repository.or(of_run),
                ..asked
            }
        };
        flags.key.pr = subject.number;
        let fill = |flag: Option<&mut Option<String>>, value: Option<String>| {
            if let Some(flag) = flag {
                *flag = flag.take().or(value);
            }
        };
        fill(flags.commit, subject.commit.clone());
        fill(flags.branch, subject.branch.clone());
        let repository = subject.repository.as_ref().map(ToString::to_string);
        fill(flags.repository, repository);
        if subject.number.is_some() || flags.optional {
            return Ok(subject);
        }
        return Err(Failure::new(
            Exit::Usage,
            "the event of this run is about no pull request, or not about one alone",
        )
        .hint("name it: --pr NUMBER, or --name NAME for an environment of no pull request"));
    }
    if flags.key.pr.is_none() && flags.key.name.is_none() && !flags.optional {
        return Err(
            Failure::new(Exit::Usage, "which environment is meant was not said")
                .hint("name it: --pr NUMBER or --name NAME"),
        );
    }
    Ok(Subject::default())
}

fn flags(command: &mut Command) -> Option<Flags<'_>> {
    use crate::cli::CredentialsCommand as Credentials;
    let (key, source) = match command {
        Command::Up(args) => (&mut args.key, &mut args.source),
        Command::Prepare(args) => (&mut args.key, &mut args.source),
        Command::Plan(args) => (&mut args.key, &mut args.source),
        Command::Quota(args) => (&mut args.key, &mut args.source),
        Command::Render(args) => (&mut args.key, &mut args.source),
        Command::Validate(args) => {
            return Some(Flags {
                key: &mut args.key,
                commit: Some(&mut args.commit),
                branch: None,
                repository: Some(&mut args.repository),
                optional: true,
            });
        }
        Command::Down(args) => {
            return Some(Flags {
                key: &mut args.target.key,
                commit: Some(&mut args.commit),
                branch: None,
                repository: Some(&mut args.repository),
                optional: false,
            });
        }
        Command::Preserve(args) => {
            return Some(Flags {
                key: &mut args.target.key,
                commit: None,
                branch: None,
                repository: Some(&mut args.repository),
                optional: false,
            });
        }
        Command::Comment(args) => {
            return Some(Flags {
                key: &mut args.key,
                commit: Some(&mut args.commit),
                branch: None,
                repository: Some(&mut args.repository),
                optional: false,
            });
        }
        Command::Status(args) => return Some(of_key(&mut args.target.key)),
        Command::Logs(args) => return Some(of_key(&mut args.target.key)),
        Command::Credentials(args) => {
            let target = match &mut args.command {
                Credentials::List(args) => &mut args.target,
                Credentials::Show(args) => &mut args.target,
                Credentials::Rotate(args) => &mut args.target,
            };
            return Some(of_key(&mut target.key));
        }
        // The name of an environment is optional there, or never that of the run.
        Command::Init(_)
        | Command::Doctor(_)
        | Command::Pr(_)
        | Command::Schema
        | Command::List(_)
        | Command::Sweep(_)
        | Command::Wait(_)
        | Command::Completions(_) => return None,
        Command::Open(args) => return Some(of_key(&mut args.target.key)),
        Command::Exec(args) => return Some(of_key(&mut args.target.key)),
        Command::PortForward(args) => return Some(of_key(&mut args.target.key)),
    };
    Some(Flags {
        key,
        commit: Some(&mut source.commit),
        branch: Some(&mut source.branch),
        repository: Some(&mut source.repository),
        optional: false,
    })
}

fn of_key(key: &mut KeyArgs) -> Flags<'_> {
    Flags {
        key,
        commit: None,
        branch: None,
        repository: None,
        optional: false,
    }
}
