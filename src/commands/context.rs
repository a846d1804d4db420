//! What several verbs need first: the file, the platform settings, the cluster, the environment that is meant.

use std::path::Path;

use crate::{
    cli::{ClusterArgs, ConfigArgs, ConnectionArgs, KeyArgs, SourceArgs, TargetArgs},
    cluster::{Cluster, ClusterError, connect::ClusterChoice, path::Collection},
    config::{Config, Invalid, Source, problem::Problem, report, salvage::Salvage},
    deploy::{Survey, access as rights, live},
    desired::{Composition, compose, excesses},
    error::Failure,
    exit::Exit,
    model::{
        Environment, EnvironmentKey, Mode, Profile,
        build::Request,
        labels,
        object::{Object, ObjectId},
        operator::{LiveDatabases, Operator},
        settings::PlatformSettings,
    },
    printer::Printer,
    render::chart::ChartSource,
    reporter,
};

use super::{access, file};

/// ConfigMap with the platform settings, and its namespace.
const SETTINGS_NAME: &str = "k8s-ee-platform";
const SETTINGS_NAMESPACE: &str = "k8s-ee-system";
/// The same in words.
pub(super) const SETTINGS: &str = "ConfigMap k8s-ee-system/k8s-ee-platform";
/// Its key.
const SETTINGS_KEY: &str = "settings.yaml";

/// The file, and what the command line says about the environment.
pub(super) struct Project {
    config: Config,
    request: Request,
    chart: ChartSource,
    printer: Printer,
}

impl Project {
    /// Reads and checks the file. With `placeholders`, images and domain that nobody named are made up.
    pub(super) async fn load(
        config: &ConfigArgs,
        key: &KeyArgs,
        source: &SourceArgs,
        placeholders: bool,
        printer: Printer,
    ) -> Result<Self, Failure> {
        let read = file::read(
            config,
            source.config_at.as_ref(),
            source.repository.as_deref(),
        );
        let config = read.await?.map_err(|invalid| refuse(&invalid, printer))?;
        let mut request = Request {
            key: environment_key(key),
            image: None,
            images: std::collections::BTreeMap::new(),
            commit: source.commit.clone(),
            branch: source.branch.clone(),
            repository: source.repository.clone(),
            domain: source.domain.clone(),
            profile: source.profile,
            placeholders,
        };
        for image in &source.images {
            match image.split_once('=') {
                Some((service, image)) => {
                    request.images.insert(service.to_owned(), image.to_owned());
                }
                None => {
                    if let Some(first) = request.image.replace(image.clone()) {
                        return Err(Failure::new(
                            Exit::Usage,
                            format!("two images without a service: {first} and {image}"),
                        )
                        .hint("write --image SERVICE=REF for each"));
                    }
                }
            }
        }
        let chart = source.chart.as_deref().unwrap_or_default();
        Ok(Self {
            config,
            request,
            chart: match chart {
                "" => ChartSource::BuiltIn,
                chart => chart
                    .parse()
                    .unwrap_or_else(|never: std::convert::Infallible| match never {}),
            },
            printer,
        })
    }

    /// The environment that the file describes, without a look at any cluster.
    pub(super) fn environment(&self, settings: &PlatformSettings) -> Result<Environment, Failure> {
        self.environment_beside(settings, &LiveDatabases::default())
    }

    /// Makes sure that whoever deploys may work in the environment, when it is there already.
    pub(super) async fn admit(
        &self,
        cluster: &Cluster,
        settings: &PlatformSettings,
    ) -> Result<(), Failure> {
        let project = &self.config.file.project_id;
        let namespace = self.request.key.namespace(project);
        rights::admit(cluster, &namespace, project, &settings.access).await?;
        Ok(())
    }

    /// The environment that the file describes, beside what the cluster has of it: databases that are there stay with who
    /// runs them, and operators have to be there.
    pub(super) async fn environment_on(
        &self,
        cluster: &Cluster,
        settings: &PlatformSettings,
    ) -> Result<(Environment, LiveDatabases), Failure> {
        let namespace = self.request.key.namespace(&self.config.file.project_id);
        let live = live::databases(cluster, &namespace).await?;
        Ok((self.environment_beside(settings, &live)?, live))
    }

    fn environment_beside(
        &self,
        settings: &PlatformSettings,
        live: &LiveDatabases,
    ) -> Result<Environment, Failure> {
        Environment::build(&self.config, &self.request, settings, live)
            .map_err(|problems| self.refuse(&problems))
    }

    /// Its objects and its quota, with room for what stays beside it.
    pub(super) async fn compose_beside(
        &self,
        environment: &Environment,
        settings: &PlatformSettings,
        live: &LiveDatabases,
    ) -> Result<Composition, Failure> {
        let mut composition = self.compose(environment, settings).await?;
        let left_behind = live.left_behind(environment);
        if !left_behind.is_empty() {
            composition.make_room_for(left_behind, settings)?;
        }
        Ok(composition)
    }

    /// What has to be known about who runs the databases.
    pub(super) fn notes(
        &self,
        environment: &Environment,
        settings: &PlatformSettings,
        composition: &Composition,
    ) -> Vec<String> {
        let written = self.config.file.databases.as_ref();
        let stays = environment.databases.iter().filter_map(|database| {
            let operator = Operator::of_database(database.kind)?;
            let by_default = settings.mode(database.kind);
            let asked = written.and_then(|all| all.common(database.kind)?.mode);
            let unasked = asked.is_none() && database.mode != by_default;
            let (_, kind) = operator.resource();
            unasked.then(|| match database.mode {
                Mode::Operator => format!(
                    "{} stays with {}: its data are in the {kind} {}",
                    database.kind,
                    operator.the(),
                    operator.name()
                ),
                Mode::Standalone => format!(
                    "{} stays without an operator: its data are in the volume of the StatefulSet {}",
                    database.kind,
                    operator.name()
                ),
            })
        });
        let key = environment.identity.key.flag();
        let left = composition.left_behind.iter().map(|object| {
            format!(
                "{} is not in the file any more: it stays with its data, runs and counts; remove it: k8s-ee up {key} --prune-data",
                object.id()
            )
        });
        let profile = settings.profile_note(environment.identity.profile);
        profile.into_iter().chain(stays).chain(left).collect()
    }

    /// Its objects and its quota.
    pub(super) async fn compose(
        &self,
        environment: &Environment,
        settings: &PlatformSettings,
    ) -> Result<Composition, Failure> {
        Ok(compose(environment, settings, &self.chart).await?)
    }

    /// Refuses what the platform does not allow, with the numbers and the line.
    pub(super) fn check_ceilings(
        &self,
        environment: &Environment,
        composition: &Composition,
        settings: &PlatformSettings,
    ) -> Result<(), Failure> {
        let problems = composition.problems(&self.config, environment, settings);
        if problems.is_empty() {
            return Ok(());
        }
        print_problems(self.config.source(), &problems, self.printer);
        Err(Failure::new(
            Exit::Quota,
            format!(
                "{} needs more than the platform allows; nothing was changed",
                environment.identity.namespace
            ),
        )
        .about(&problems)
        .hint("lower what is marked above, or ask whoever runs the platform to raise its ceiling"))
    }

    /// Refuses what the volumes that are there do not allow: those that cannot become what the file asks for, and those
    /// that nobody uses any more when there is no room for them.
    pub(super) fn check_survey(
        &self,
        environment: &Environment,
        survey: &Survey,
        settings: &PlatformSettings,
    ) -> Result<(), Failure> {
        let up = format!("k8s-ee up {} …", environment.identity.key.flag());
        let namespace = &environment.identity.namespace;
        if !survey.problems.is_empty() {
            let problems: Vec<Problem> = survey
                .problems
                .iter()
                .map(|problem| {
                    let hint = Some(problem.hint(&up));
                    self.config
                        .problem(&problem.pointer(), problem.to_string(), hint)
                })
                .collect();
            print_problems(self.config.source(), &problems, self.printer);
            return Err(Failure::new(
                Exit::Config,
                format!(
                    "the volumes of {namespace} cannot become what the file asks for; nothing was changed"
                ),
            )
            .about(&problems));
        }
        let plan = &survey.plan;
        let problems = excesses(&plan.quota, &self.config, environment, settings);
        if problems.is_empty() {
            return Ok(());
        }
        print_problems(self.config.source(), &problems, self.printer);
        Err(Failure::new(
            Exit::Quota,
            format!(
                "{namespace} needs more than the platform allows, together with the volumes that are kept; nothing was \
                 changed"
            ),
        )
        .about(&problems)
        .hint(format!("remove the volumes that nobody uses any more, with the data in them: {up} --prune-data")))
    }

    /// Its `projectId`.
    pub(super) fn id(&self) -> &str {
        &self.config.file.project_id
    }

    /// Which environment is meant, and how far it is trusted.
    pub(super) fn subject(&self) -> (&EnvironmentKey, Profile) {
        (&self.request.key, self.request.profile)
    }

    /// The chart that is rendered.
    pub(super) fn chart(&self) -> &ChartSource {
        &self.chart
    }

    /// Where a key stands in the file, such as `k8s-ee.yaml:14`.
    pub(super) fn locate(&self, pointer: &str) -> Option<String> {
        Some(self.config.locate(pointer))
    }

    /// The line of a key in the file, from 1; that of its nearest parent where it is not there, none without any.
    pub(super) fn line(&self, pointer: &str) -> Option<usize> {
        let place = self.config.place(pointer);
        (place != self.config.place("")).then_some(place.line)
    }

    fn refuse(&self, problems: &[Problem]) -> Failure {
        let source = self.config.source();
        print_problems(source, problems, self.printer);
        Failure::new(
            Exit::Config,
            format!(
                "the environment of {} is not complete; nothing was changed",
                source.name()
            ),
        )
        .about(problems)
    }
}

fn refuse(invalid: &Invalid, printer: Printer) -> Failure {
    print_problems(&invalid.source, &invalid.problems, printer);
    let count = invalid.problems.len();
    let mistakes = if count == 1 { "mistake" } else { "mistakes" };
    Failure::new(
        Exit::Config,
        format!(
            "{} has {count} {mistakes}; nothing was changed",
            invalid.source.name()
        ),
    )
    .about(&invalid.problems)
}

/// Shows what is wrong with the file, each mistake at its line; in GitHub Actions also as annotations.
pub(super) fn print_problems(source: &Source, problems: &[Problem], printer: Printer) {
    printer.error(&format!(
        "{}\n",
        report::human(source, problems, printer.color()).trim_end()
    ));
    annotate(source, problems, printer);
}

/// In GitHub Actions: one annotation a mistake. The runner reads them from either stream.
pub(super) fn annotate(source: &Source, problems: &[Problem], printer: Printer) {
    if reporter::in_actions() && !problems.is_empty() {
        printer.error(report::github(source.name(), problems).trim_end());
    }
}

/// The environment that the flags name.
pub(super) fn environment_key(key: &KeyArgs) -> EnvironmentKey {
    match (key.pr, &key.name) {
        (Some(number), _) => EnvironmentKey::Pr(number),
        (None, name) => {
            EnvironmentKey::Name(name.clone().expect("`ci::fill` asks for one of the two"))
        }
    }
}

/// Connects to the cluster that the flags name.
pub(super) async fn connect(args: &ConnectionArgs) -> Result<Cluster, Failure> {
    let choice = ClusterChoice {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
    };
    Ok(Cluster::connect(&choice).await?)
}

/// Platform settings from a file, as they are for a profile; the built-in ones without a file.
pub(super) fn settings_of_file(
    path: Option<&Path>,
    profile: Profile,
) -> Result<PlatformSettings, Failure> {
    access::under(profile, read_settings(path)?)
}

fn read_settings(path: Option<&Path>) -> Result<PlatformSettings, Failure> {
    let Some(path) = path else {
        return Ok(PlatformSettings::default());
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            Exit::Config,
            format!("cannot read the platform settings {}", path.display()),
        )
        .because(error)
        .hint("give the path of another file with --platform, or leave it out to use those of the cluster")
    })?;
    parse_settings(&text, &path.display().to_string())
}

/// Platform settings from a file, else from the cluster, else the built-in ones, as they are for a profile.
pub(super) async fn settings(
    args: &ClusterArgs,
    profile: Profile,
    cluster: &Cluster,
    printer: Printer,
) -> Result<PlatformSettings, Failure> {
    let (settings, place) = settings_and_origin(args, profile, cluster).await?;
    if place.is_none() {
        printer.note(&format!(
            "note: the cluster has no {SETTINGS}; the built-in platform settings are used"
        ));
    }
    Ok(settings)
}

/// The same, with where they are from; none for the built-in ones.
async fn settings_and_origin(
    args: &ClusterArgs,
    profile: Profile,
    cluster: &Cluster,
) -> Result<(PlatformSettings, Option<String>), Failure> {
    let (settings, place) = match args.platform.as_deref() {
        Some(path) => (read_settings(Some(path))?, Some(path.display().to_string())),
        None => settings_of_object(settings_object(cluster).await?.as_ref())?,
    };
    Ok((access::under(profile, settings)?, place))
}

/// Platform settings of the cluster; none when it has none.
pub(super) async fn settings_of_cluster(
    cluster: &Cluster,
) -> Result<Option<PlatformSettings>, Failure> {
    let object = settings_object(cluster).await?;
    let (settings, place) = settings_of_object(object.as_ref())?;
    Ok(place.map(|_| settings))
}

/// The ConfigMap of the cluster with the settings, if there is one.
pub(super) async fn settings_object(cluster: &Cluster) -> Result<Option<Object>, ClusterError> {
    let id = ObjectId {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some(SETTINGS_NAMESPACE.to_owned()),
        name: SETTINGS_NAME.to_owned(),
    };
    cluster.get(&id).await
}

/// The settings in it, and its place; the built-in ones without it.
pub(super) fn settings_of_object(
    object: Option<&Object>,
) -> Result<(PlatformSettings, Option<String>), Failure> {
    let Some(object) = object else {
        return Ok((PlatformSettings::default(), None));
    };
    let text = object
        .get("/data")
        .and_then(|data| data.get(SETTINGS_KEY)?.as_str())
        .ok_or_else(|| {
            Failure::new(
                Exit::Config,
                format!("the {SETTINGS} has no key `{SETTINGS_KEY}`"),
            )
            .hint(format!(
                "put the settings there: kubectl -n {SETTINGS_NAMESPACE} create configmap {SETTINGS_NAME} --from-file={SETTINGS_KEY}"
            ))
        })?;
    Ok((parse_settings(text, SETTINGS)?, Some(SETTINGS.to_owned())))
}

fn parse_settings(text: &str, name: &str) -> Result<PlatformSettings, Failure> {
    let options = serde_saphyr::options! { strict_booleans: true };
    if text.trim().is_empty() {
        return Ok(PlatformSettings::default());
    }
    let invalid = |why: String| {
        Failure::new(
            Exit::Config,
            format!("the platform settings {name} are invalid"),
        )
        .because(why)
        .hint("every key is described in docs/reference/platform-settings.md")
    };
    let settings: PlatformSettings = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| invalid(error.without_snippet().to_string()))?;
    if let Some(kind) = settings.without_operator().next() {
        return Err(invalid(format!(
            "`databases.{kind}.mode` is `operator`, and there is none for {kind}"
        )));
    }
    let mistake = settings.access.mistake().or(settings.forks.mistake());
    mistake.map_or(Ok(settings), |mistake| Err(invalid(mistake)))
}

/// The namespace of an environment; it is there, and stays.
pub(super) async fn environment(cluster: &Cluster, name: &str) -> Result<Object, Failure> {
    let namespace = cluster.get(&live::namespace_id(name)).await?;
    let namespace = namespace.filter(live::is_environment);
    let namespace = namespace.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no environment {name}"))
            .hint("list them: k8s-ee list")
    })?;
    if live::is_terminating(&namespace) {
        return Err(is_going(name));
    }
    Ok(namespace)
}

/// What is to be said of an environment that is being removed.
pub(super) fn is_going(name: &str) -> Failure {
    Failure::new(
        Exit::NotFound,
        format!("the environment {name} is being removed"),
    )
    .hint("list them: k8s-ee list")
}

/// The namespace that is meant, when there may be no file or a broken one.
pub(super) async fn namespace(cluster: &Cluster, target: &TargetArgs) -> Result<String, Failure> {
    namespace_of(cluster, target, None).await
}

/// The same where the repository is known, which tells projects with pull requests of the same number apart.
pub(super) async fn namespace_of(
    cluster: &Cluster,
    target: &TargetArgs,
    repository: Option<&str>,
) -> Result<String, Failure> {
    let key = environment_key(&target.key);
    if let Some(project) = target
        .project
        .clone()
        .or_else(|| project_of(&target.config.config))
    {
        return Ok(key.namespace(&project));
    }
    let mut found: Vec<Object> = environments(cluster, None, Some(&key))
        .await?
        .into_iter()
        .filter(|namespace| {
            let project = namespace.label(labels::PROJECT_ID);
            project.is_some_and(|project| namespace.name() == key.namespace(project))
        })
        .collect();
    if let Some(repository) = repository.filter(|_| found.len() > 1) {
        let of = |namespace: &Object| {
            let repository = namespace.annotation(labels::REPOSITORY);
            repository.unwrap_or_default().to_ascii_lowercase()
        };
        let mut wanted = repository.to_ascii_lowercase();
        if !found.iter().any(|namespace| of(namespace) == wanted) {
            // Those that nobody said it of may be its.
            wanted.clear();
        }
        found.retain(|namespace| of(namespace) == wanted);
    }
    match found.as_slice() {
        [one] => Ok(one.name().to_owned()),
        [] => Err(Failure::new(
            Exit::NotFound,
            format!("no project has {}", described(&key)),
        )
        .hint("list them: k8s-ee list; or name the project with --project ID")),
        several => {
            let names: Vec<&str> = several.iter().map(Object::name).collect();
            Err(Failure::new(
                Exit::Usage,
                format!(
                    "several projects have {}: {}",
                    described(&key),
                    names.join(", ")
                ),
            )
            .hint("name the project with --project ID"))
        }
    }
}

/// The environment that is meant, in words.
fn described(key: &EnvironmentKey) -> String {
    match key {
        EnvironmentKey::Pr(number) => format!("an environment of pull request {number}"),
        EnvironmentKey::Name(name) => format!("an environment named `{name}`"),
    }
}

/// The project that a file names, even when the rest of it is broken: an environment can always be removed.
fn project_of(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Salvage::of(&Source::new("", text)).project_id
}

/// The namespaces of environments: of all, or of those of a project or with a key.
pub(super) async fn environments(
    cluster: &Cluster,
    project: Option<&str>,
    key: Option<&EnvironmentKey>,
) -> Result<Vec<Object>, Failure> {
    let namespaces = Collection {
        api_version: "v1",
        kind: "Namespace",
        namespace: None,
    };
    let mut selector = format!("{}={}", labels::TYPE, labels::TYPE_ENVIRONMENT);
    let project = project.map(|project| format!(",{}={project}", labels::PROJECT_ID));
    let key = key.map(|key| match key {
        EnvironmentKey::Pr(number) => format!(",{}={number}", labels::PR_NUMBER),
        EnvironmentKey::Name(name) => format!(",{}={name}", labels::NAME),
    });
    selector.extend(project.into_iter().chain(key));
    let found = cluster.list_heads(&namespaces, &selector).await?;
    let mut found = found.ok_or_else(|| ClusterError::NotKubernetes {
        context: cluster.context().to_owned(),
        server: cluster.server().to_owned(),
        kind: "namespaces".to_owned(),
    })?;
    found.retain(live::is_environment);
    Ok(found)
}
