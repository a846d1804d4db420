//! One run at a time changes an environment: the newest takes the Lease over, the older one sees that and stops. Its
//! holder renews it, so that one who was killed can be told from one who is at work.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use crate::{
    cluster::{
        Cluster, ClusterError,
        observe::{Observer, until},
    },
    model::{
        labels,
        object::{Object, ObjectId},
    },
};

/// Name of the Lease in the environment's namespace.
pub const LEASE: &str = "k8s-ee-up";

/// How long a holder that does not renew its turn is believed to be at work.
const LIFE: Duration = Duration::from_secs(15);

/// How often a holder renews its turn: it may miss one.
const RENEWAL: Duration = Duration::from_secs(5);

/// What somebody does in an environment that it has the turn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Brings it up.
    Up,
    /// Brings its databases up.
    Prepare,
    /// Gives its databases new credentials.
    Rotate,
}

impl Work {
    /// The verb, as it is typed.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Prepare => "prepare",
            Self::Rotate => "credentials rotate",
        }
    }

    fn of(verb: Option<&str>) -> Self {
        let all = [Self::Prepare, Self::Rotate];
        let named = all.into_iter().find(|work| Some(work.verb()) == verb);
        named.unwrap_or(Self::Up)
    }
}

/// Who has the turn on an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What it does.
    pub work: Work,
    /// Its commit, if it said one.
    pub commit: Option<String>,
    /// Since when, as the API server prints times; absent when it did not say.
    pub since: Option<String>,
    /// When it last renewed its turn, in the same form.
    pub renewed: Option<String>,
}

impl Holder {
    /// Who has the turn as it is written down, at work or not; none when nobody has.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn of(cluster: &Cluster, namespace: &str) -> Result<Option<Self>, ClusterError> {
        Ok(cluster.get(&id(namespace)).await?.as_ref().map(Self::new))
    }

    /// Who is at work on an environment now, if it is somebody who `matters`. One that was killed is not: it is waited
    /// for until its turn would have been renewed.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn at_work(
        cluster: &Cluster,
        namespace: &str,
        matters: impl Fn(&Self) -> bool,
    ) -> Result<Option<Self>, ClusterError> {
        let (_, holder) = look(cluster, &id(namespace), matters).await?;
        Ok(holder)
    }

    fn new(lease: &Object) -> Self {
        Self {
            work: Work::of(lease.annotation(VERB)),
            commit: commit(lease.annotation(labels::COMMIT_SHA)),
            since: lease.str("/spec/acquireTime").map(str::to_owned),
            renewed: lease.str("/spec/renewTime").map(str::to_owned),
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let article = if self.work == Work::Up { "an" } else { "a" };
        match &self.commit {
            Some(commit) => write!(f, "{article} `{}` of commit {commit}", self.work.verb()),
            None => write!(f, "another `{}`", self.work.verb()),
        }
    }
}

/// The Lease of an environment, and its holder if that is somebody who matters and is at work.
async fn look(
    cluster: &Cluster,
    id: &ObjectId,
    matters: impl Fn(&Holder) -> bool,
) -> Result<(Option<Object>, Option<Holder>), ClusterError> {
    loop {
        let Some(lease) = cluster.get(id).await? else {
            return Ok((None, None));
        };
        let holder = Holder::new(&lease);
        if !matters(&holder) {
            return Ok((Some(lease), None));
        }
        match sign_of_life(cluster, id, &lease).await? {
            Sign::Renewed => return Ok((Some(lease), Some(holder))),
            Sign::Left => {}
            Sign::None => return Ok((Some(lease), None)),
        }
    }
}

/// What a holder was seen to do.
enum Sign {
    /// It has renewed its turn.
    Renewed,
    /// It has it no more.
    Left,
    /// Nothing, for longer than it may.
    None,
}

/// Watches a holder until it is plain whether it is at work. Its clock and ours may differ, so the times that it writes
/// are not compared with ours.
async fn sign_of_life(
    cluster: &Cluster,
    id: &ObjectId,
    lease: &Object,
) -> Result<Sign, ClusterError> {
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let (version, identity) = (
        lease.str("/metadata/resourceVersion"),
        lease.str("/spec/holderIdentity"),
    );
    let mut sign = Sign::None;
    let stirs = until::<Lease>(cluster, namespace, &id.name, |now| {
        sign = match now {
            Some(now) if now.metadata.resource_version.as_deref() == version => return false,
            Some(now) if holder(now) == identity => Sign::Renewed,
            _ => Sign::Left,
        };
        true
    });
    if let Ok(stirred) = timeout(LIFE, stirs).await {
        stirred?;
    }
    Ok(sign)
}

/// How often the turn is tried for when others take it at the same time.
const TRIES: u32 = 10;

/// Annotation of the Lease: what its holder does.
const VERB: &str = "k8s-ee/verb";

fn id(namespace: &str) -> ObjectId {
    ObjectId {
        api_version: "coordination.k8s.io/v1".to_owned(),
        kind: "Lease".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: LEASE.to_owned(),
    }
}

fn commit(annotation: Option<&str>) -> Option<String> {
    annotation
        .filter(|commit| !commit.is_empty())
        .map(str::to_owned)
}

/// Our turn on an environment; it is renewed until it is dropped.
#[derive(Debug)]
pub struct Turn {
    holder: String,
    id: ObjectId,
    renewal: Option<JoinHandle<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
    }
}

impl Turn {
    /// Takes the turn, from whoever had it.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn take(
        cluster: &Cluster,
        namespace: &str,
        work: Work,
        commit: Option<&str>,
    ) -> Result<Self, ClusterError> {
        let (turn, lease) = Self::new(namespace, work, commit);
        cluster.apply(&lease).await?;
        Ok(turn.renewed(cluster))
    }

    /// Takes the turn from whoever had it, unless that is somebody to be let be who is still at work: who that is is
    /// returned then. Nobody can come in between.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses, or when others take the turn again and again.
    pub async fn take_unless(
        cluster: &Cluster,
        namespace: &str,
        work: Work,
        commit: Option<&str>,
        let_be: impl Fn(&Holder) -> bool,
    ) -> Result<Result<Self, Holder>, ClusterError> {
        let (turn, mut lease) = Self::new(namespace, work, commit);
        let mut tries = 0;
        loop {
            let (there, at_work) = look(cluster, &turn.id, &let_be).await?;
            if let Some(holder) = at_work {
                return Ok(Err(holder));
            }
            let taken = match there
                .and_then(|there| there.str("/metadata/resourceVersion").map(str::to_owned))
            {
                None => cluster.create(&lease).await,
                Some(version) => {
                    lease.as_map_mut()["metadata"]["resourceVersion"] = version.into();
                    cluster.apply(&lease).await
                }
            };
            tries += 1;
            match taken {
                Ok(_) => return Ok(Ok(turn.renewed(cluster))),
                Err(ClusterError::Refused { code: 409, .. }) if tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn new(namespace: &str, work: Work, commit: Option<&str>) -> (Self, Object) {
        let now = jiff::Timestamp::now();
        let holder = format!("{}-{}", std::process::id(), now.as_nanosecond());
        let now = micro_time(now);
        let lease = Object::new(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": LEASE,
                "namespace": namespace,
                "annotations": {labels::COMMIT_SHA: commit.unwrap_or_default(), VERB: work.verb()},
            },
            "spec": {
                "holderIdentity": holder,
                "acquireTime": now,
                "renewTime": now,
                "leaseDurationSeconds": LIFE.as_secs(),
            },
        }))
        .expect("a Lease with a name");
        let turn = Self {
            holder,
            id: lease.id(),
            renewal: None,
        };
        (turn, lease)
    }

    /// Renewed from now on, as long as it is ours.
    fn renewed(mut self, cluster: &Cluster) -> Self {
        let (cluster, id, ours) = (cluster.clone(), self.id.clone(), self.holder.clone());
        self.renewal = Some(tokio::spawn(async move {
            let mut next = interval_at(Instant::now() + RENEWAL, RENEWAL);
            next.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                next.tick().await;
                match cluster.get(&id).await {
                    Ok(Some(lease)) if lease.str("/spec/holderIdentity") == Some(&ours) => {
                        // With the version, so that nobody who comes in between is renewed.
                        let patch = json!({
                            "metadata": {"resourceVersion": lease.str("/metadata/resourceVersion")},
                            "spec": {"renewTime": micro_time(jiff::Timestamp::now())},
                        });
                        drop(cluster.merge(&id, &patch).await);
                    }
                    Ok(_) => return,
                    // The next try may get through.
                    Err(error) => tracing::debug!(%error, "renewal of the turn"),
                }
            }
        }));
        self
    }

    /// Who has taken the turn from us, if anybody.
    #[must_use]
    pub fn taken_by(&self, observer: &Observer) -> Option<Holder> {
        let leases = observer.leases.state();
        let lease = leases
            .iter()
            .find(|lease| lease.metadata.name.as_deref() == Some(LEASE))?;
        if holder(lease) == Some(self.holder.as_str()) {
            return None;
        }
        let annotation = |key: &str| {
            let all = lease.metadata.annotations.as_ref()?;
            all.get(key).map(String::as_str)
        };
        Some(Holder {
            work: Work::of(annotation(VERB)),
            commit: commit(annotation(labels::COMMIT_SHA)),
            since: None,
            renewed: None,
        })
    }

    /// Gives the turn back.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn give_back(self, cluster: &Cluster) -> Result<(), ClusterError> {
        cluster.delete(&self.id, None).await.map(drop)
    }
}

/// A time as Leases have it.
fn micro_time(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref()
}
