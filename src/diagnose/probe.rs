//! Probes that fail: nothing listens, the wrong path, an unhealthy answer, or none in time.

mod message;

use k8s_openapi::{
    api::core::v1::{Event, Probe},
    apimachinery::pkg::util::intstr::IntOrString,
};

use self::message::{Failure, Kind, parse};
use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    exits,
    listening::{Listening, listening},
    logs, program,
    scene::{Scene, event_line, happened, times},
};

/// After so many answers a 404 is no longer a server that has yet to learn its routes; with a probe every second that is
/// as many seconds.
const ENOUGH_ANSWERS: i32 = 10;

/// How many lines of the log are shown beside a failing probe.
const TAIL: usize = 4;

/// Why this container is not ready, when its probes say so; `killed` when the kubelet has ended it for that before.
pub(super) fn finding(
    scene: &Scene<'_>,
    container: &Container<'_>,
    killed: bool,
) -> Option<Finding> {
    let started = container.is_running() && container.status.started == Some(true);
    let event = failure(scene, container, |kind, _| {
        !(started && kind == Kind::Startup)
    })?;
    let (kind, failure) = parse(event.message.as_deref()?)?;
    let case = Case::new(scene, container, kind, killed, event);
    Some(match failure {
        Failure::Refused => case.closed(killed),
        Failure::Status(status) => case.answered(status, times(event)),
        Failure::TimedOut => case.hangs(),
        Failure::NotHttp => case.not_http(),
        Failure::Other => case.other(),
    })
}

/// Whether a probe got an answer in the present run: what the run before ended with is then over.
pub(super) fn is_answering(scene: &Scene<'_>, container: &Container<'_>) -> bool {
    let state = container.status.state.as_ref();
    let running = state.and_then(|state| state.running.as_ref()?.started_at.as_ref());
    let started = running.map(|time| time.0);
    let answer = failure(scene, container, |_, failure| {
        matches!(failure, Failure::Status(_))
    });
    started.is_some() && answer.is_some_and(|event| happened(event) >= started)
}

/// A container that a probe ended, when the probe's own failures are no longer known.
pub(super) fn killed(scene: &Scene<'_>, container: &Container<'_>, kill: &Event) -> Finding {
    let kind = match kill.message.as_deref().unwrap_or_default() {
        message if message.contains("startup") => Kind::Startup,
        _ => Kind::Liveness,
    };
    Case::new(scene, container, kind, true, kill).other()
}

/// The newest failure of a probe of this container that passes `test`.
fn failure<'a>(
    scene: &Scene<'a>,
    container: &Container<'_>,
    test: impl Fn(Kind, Failure) -> bool,
) -> Option<&'a Event> {
    // Events of probes name the container as `spec.containers{app}`.
    let field = format!("{{{}}}", container.name);
    scene.event("Pod", &container.pod.metadata, |event| {
        let about = event.involved_object.field_path.as_deref();
        let parsed = event.message.as_deref().and_then(parse);
        event.reason.as_deref() == Some("Unhealthy")
            && about.is_none_or(|about| about.ends_with(&field))
            && parsed.is_some_and(|(kind, failure)| test(kind, failure))
    })
}

/// A container with a probe that fails.
struct Case<'s, 'a> {
    scene: &'s Scene<'a>,
    container: &'s Container<'s>,
    kind: Kind,
    subject: String,
    evidence: Vec<String>,
    log: Vec<String>,
}

impl<'s, 'a> Case<'s, 'a> {
    fn new(
        scene: &'s Scene<'a>,
        container: &'s Container<'s>,
        kind: Kind,
        killed: bool,
        event: &Event,
    ) -> Self {
        // While it runs again, the run that was ended is the previous one.
        let previous = killed && container.is_running();
        let mut log = scene.log(container, previous);
        if log.is_empty() {
            log = scene.log(container, !previous);
        }
        Self {
            scene,
            container,
            kind,
            subject: container.subject(),
            evidence: vec![event_line(event)],
            log,
        }
    }

    /// Nothing listens on the port.
    fn closed(mut self, killed: bool) -> Finding {
        let port = self.port();
        if let Some(place) = elsewhere(&self.log, port) {
            self.evidence.push(format!("log: {}", self.log[place.line]));
            let (summary, fix) = self.describe_elsewhere(port, &place);
            // Programs open one port after the other: only when the time to start was over is that line the last word.
            return self
                .finding(CauseCode::PortClosed, summary, fix)
                .fatal(killed);
        }
        if let Some(finding) = self.reason_in_log() {
            return finding;
        }
        let which = name_port(port);
        let fix = match self.scene.service(self.container.component) {
            Some(service) => Fix::new(format!(
                "let the program listen on 0.0.0.0 and `$PORT`, which is {}; or write the port that it listens on",
                service.port
            )),
            None => Fix::new("its log says what it waits for"),
        };
        let summary = format!("nothing listens on {which} of {}", self.subject);
        let fix = fix.at(self.pointer("port")).run(self.logs_command());
        self.with_tail()
            .finding(CauseCode::PortClosed, summary, fix)
    }

    fn describe_elsewhere(&self, port: Option<u16>, place: &Listening) -> (String, Fix) {
        let (subject, own) = (&self.subject, place.port);
        if Some(own) == port {
            let summary = format!(
                "{subject} listens on port {own} of localhost only, where nothing but itself reaches it"
            );
            let fix =
                "let it listen on 0.0.0.0, for example with `HOST=0.0.0.0` or `--host 0.0.0.0`";
            return (summary, Fix::new(fix));
        }
        let expected = port.map_or_else(|| "another one".to_owned(), |port| port.to_string());
        let summary = format!("{subject} listens on port {own}, but {expected} is expected");
        let also = if place.loopback {
            ", and let it listen on 0.0.0.0 instead of localhost"
        } else {
            ""
        };
        let fix = match self.pointer("port") {
            Some(pointer) => Fix::new(format!("write the port that {subject} listens on{also}"))
                .at(Some(pointer))
                .write(format!("port: {own}")),
            None => Fix::new(format!("let it listen on port {expected}{also}")),
        };
        (summary, fix)
    }

    /// The probe got an HTTP answer, but an unhealthy one.
    fn answered(self, status: u16, times: i32) -> Finding {
        if status >= 500
            && let Some(finding) = self.reason_in_log()
        {
            return finding;
        }
        let (path, key) = self.path();
        let subject = &self.subject;
        let pointer = self.pointer(key).filter(|_| status < 500);
        let another = format!("write a path that {subject} answers with 2xx or 3xx");
        let fix = match status {
            404 if path != "/" => Fix::new(another).write(format!("{key}: /")),
            401 | 403 => Fix::new(format!(
                "let {subject} answer {path} without login, or write a path that needs none"
            )),
            500.. => Fix::new(format!("fix what makes {path} fail")).run(self.logs_command()),
            _ => Fix::new(another),
        };
        let state = self.kind.state();
        let summary =
            format!("{subject} answers {path} with {status}, so it does not count as {state}");
        // The server is up and does not know the path, or wants a login for it: asking again will not change that.
        let settled = matches!(status, 401 | 403 | 404) && times >= ENOUGH_ANSWERS;
        let lasting = settled || exits::is_lasting(self.container);
        let finding = self
            .with_tail()
            .finding(CauseCode::ProbeStatus, summary, fix.at(pointer));
        finding.fatal(lasting)
    }

    /// The probe got no answer in time.
    fn hangs(self) -> Finding {
        if let Some(finding) = self.reason_in_log() {
            return finding;
        }
        let (path, key) = self.path();
        let seconds = self
            .probe()
            .and_then(|probe| probe.timeout_seconds)
            .unwrap_or(1);
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let summary = format!(
            "{} does not answer {path} within {seconds} {unit}",
            self.subject
        );
        let fix = Fix::new(format!("let {path} answer at once, without asking databases or other services; if it lacks CPU, raise `resources.limits.cpu`"))
            .at(self.pointer(key))
            .run(self.logs_command());
        self.with_tail()
            .finding(CauseCode::ProbeTimeout, summary, fix)
    }

    /// What answers speaks TLS, or no HTTP at all.
    fn not_http(self) -> Finding {
        let port = name_port(self.port());
        let summary = format!("{} does not speak plain HTTP on {port}", self.subject);
        let fix =
            Fix::new("write the port on which it speaks HTTP without TLS: the ingress adds TLS")
                .at(self.pointer("port"));
        self.finding(CauseCode::ProbeFailed, summary, fix)
    }

    fn other(self) -> Finding {
        if let Some(finding) = self.reason_in_log() {
            return finding;
        }
        let summary = format!("{} fails its {} probe", self.subject, self.kind.name());
        let fix = Fix::new("fix the error in its log; the whole log:").run(self.logs_command());
        self.with_tail()
            .finding(CauseCode::ProbeFailed, summary, fix)
    }

    /// A reason in the log that explains a silent or unhealthy program, told in place of the probe.
    fn reason_in_log(&self) -> Option<Finding> {
        let (line, symptom) = logs::symptom(&self.log)?;
        let mut evidence = self.evidence.clone();
        evidence.extend(
            self.log[line..]
                .iter()
                .take(3)
                .map(|line| format!("log: {line}")),
        );
        let finding = program::finding(self.scene, self.container, &symptom, evidence);
        // A refused connection to something that is up by now explains an exit, but not a program that still runs.
        let explains = finding.cause.code != CauseCode::ContainerExited;
        // A program that runs may have gone on after the line.
        explains.then(|| finding.fatal(exits::is_lasting(self.container)))
    }

    fn with_tail(mut self) -> Self {
        let last = &self.log[self.log.len().saturating_sub(TAIL)..];
        let lines = last.iter().filter(|line| !line.is_empty());
        self.evidence
            .extend(lines.map(|line| format!("log: {line}")));
        self
    }

    fn finding(self, code: CauseCode, summary: String, fix: Fix) -> Finding {
        let lasting = exits::is_lasting(self.container);
        Finding::new(code, self.container.component, summary, self.evidence, fix).fatal(lasting)
    }

    fn pointer(&self, key: &str) -> Option<String> {
        let service = self.scene.service(self.container.component)?;
        Some(service.pointer(key))
    }

    fn probe(&self) -> Option<&'s Probe> {
        let spec = self.container.spec?;
        match self.kind {
            Kind::Startup => spec.startup_probe.as_ref(),
            Kind::Readiness => spec.readiness_probe.as_ref(),
            Kind::Liveness => spec.liveness_probe.as_ref(),
        }
    }

    /// The port that the probe asks; probes name it by number or by the name of a container port.
    fn port(&self) -> Option<u16> {
        let probe = self.probe();
        let http = probe.and_then(|probe| probe.http_get.as_ref());
        let tcp = probe.and_then(|probe| probe.tcp_socket.as_ref());
        let asked = http.map(|get| &get.port).or(tcp.map(|socket| &socket.port));
        let ports = self.container.spec.and_then(|spec| spec.ports.as_ref());
        let number = match asked {
            Some(IntOrString::Int(port)) => Some(*port),
            Some(IntOrString::String(name)) => ports
                .into_iter()
                .flatten()
                .find(|port| port.name.as_ref() == Some(name))
                .map(|port| port.container_port),
            None => None,
        };
        let number = number.and_then(|port| u16::try_from(port).ok());
        number.or_else(|| Some(self.scene.service(self.container.component)?.port))
    }

    /// The path that the probe asks, with the key of the file that it comes from.
    fn path(&self) -> (String, &'static str) {
        let service = self.scene.service(self.container.component);
        let key = match (self.kind, service) {
            (Kind::Readiness, Some(service)) => service.readiness().1,
            (Kind::Liveness, Some(service)) if service.liveness_path.is_some() => "livenessPath",
            _ => "healthPath",
        };
        let asked = self
            .probe()
            .and_then(|probe| probe.http_get.as_ref()?.path.clone());
        let path = asked.or_else(|| Some(service?.health_path.clone()));
        (path.unwrap_or_else(|| "its probe".to_owned()), key)
    }

    fn logs_command(&self) -> String {
        self.scene.logs(self.container)
    }
}

/// The last place the log names that the probe cannot reach; none when the log names the right one too.
fn elsewhere(log: &[String], port: Option<u16>) -> Option<Listening> {
    let mut places = listening(log);
    let right = places
        .iter()
        .any(|place| Some(place.port) == port && !place.loopback);
    if right { None } else { places.pop() }
}

fn name_port(port: Option<u16>) -> String {
    port.map_or_else(|| "its port".to_owned(), |port| format!("port {port}"))
}
