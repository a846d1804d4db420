//! The five databases: asked together, and none of them for longer than [`PATIENCE`].

mod mariadb;
mod minio;
mod mongodb;
mod postgresql;
mod redis;

use std::{error::Error, time::Duration};

use tokio::{join, time};

use crate::{
    settings::{Given, Settings},
    status::{Kind, Seen, State, States, Stored},
};

/// Longest that a database is waited for. Probes of Kubernetes give up after two seconds.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Longest that a driver tries to get a connection, so that there is time left to say why it got none.
const CONNECT: Duration = Duration::from_secs(1);

/// Most connections to one database. Its charts allow for 20, and two versions of this service run during a rollout.
const CONNECTIONS: u32 = 4;

/// Longest cause that is shown, in characters.
const CAUSE: usize = 240;

/// A database, through its driver.
trait Database {
    /// Asks how it is. It makes nothing: a table that is not there yet has no visits.
    async fn look(&self) -> Result<Seen, Cause>;

    /// Stores one visit, and makes the place for it when it is not there yet.
    async fn visit(&self) -> Result<(), Cause>;
}

/// Why a database cannot be used, for people to read.
struct Cause(String);

impl<E: Error> From<E> for Cause {
    /// The error and what is behind it, without saying anything twice.
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            let more = inner.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            source = inner.source();
        }
        Self::new(&text)
    }
}

impl Cause {
    fn new(text: &str) -> Self {
        let mut short: String = text.chars().take(CAUSE).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        Self(short)
    }
}

/// The databases that the variables name.
pub(crate) struct Databases {
    postgresql: Given<postgresql::Postgresql>,
    mariadb: Given<mariadb::Mariadb>,
    mongodb: Given<mongodb::Mongodb>,
    redis: Given<redis::Redis>,
    minio: Given<minio::Minio>,
}

impl Databases {
    /// Prepares the drivers. None connects yet: a database may be away when this service starts, and come later.
    pub(crate) async fn new(settings: Settings) -> Self {
        let mongodb = match settings.mongodb {
            Some(Ok(address)) => Some(mongodb::Mongodb::new(address).await),
            Some(Err(why)) => Some(Err(why)),
            None => None,
        };
        Self {
            postgresql: prepare(settings.postgresql, postgresql::Postgresql::new),
            mariadb: prepare(settings.mariadb, mariadb::Mariadb::new),
            mongodb,
            redis: prepare(settings.redis, redis::Redis::new),
            minio: prepare(settings.minio, minio::Minio::new),
        }
    }

    /// How each of them is.
    pub(crate) async fn look(&self) -> States {
        let (postgresql, mariadb, mongodb, redis, minio) = join!(
            look(self.postgresql.as_ref()),
            look(self.mariadb.as_ref()),
            look(self.mongodb.as_ref()),
            look(self.redis.as_ref()),
            look(self.minio.as_ref()),
        );
        [
            (Kind::Postgresql, postgresql),
            (Kind::Mariadb, mariadb),
            (Kind::Mongodb, mongodb),
            (Kind::Redis, redis),
            (Kind::Minio, minio),
        ]
    }

    /// Stores one visit in each of them.
    pub(crate) async fn visit(&self) -> Stored {
        let (postgresql, mariadb, mongodb, redis, minio) = join!(
            visit(self.postgresql.as_ref()),
            visit(self.mariadb.as_ref()),
            visit(self.mongodb.as_ref()),
            visit(self.redis.as_ref()),
            visit(self.minio.as_ref()),
        );
        let all = [
            (Kind::Postgresql, postgresql),
            (Kind::Mariadb, mariadb),
            (Kind::Mongodb, mongodb),
            (Kind::Redis, redis),
            (Kind::Minio, minio),
        ];
        let configured = all
            .into_iter()
            .filter_map(|(kind, stored)| Some((kind, stored?)));
        configured.collect()
    }
}

fn prepare<A, D>(address: Given<A>, new: impl FnOnce(A) -> Result<D, String>) -> Given<D> {
    address.map(|address| address.and_then(new))
}

async fn look<D: Database>(database: Option<&Result<D, String>>) -> State {
    match database {
        None => State::NotConfigured,
        Some(Err(wrong)) => State::Down(wrong.clone()),
        Some(Ok(database)) => match patiently(database.look()).await {
            Ok(seen) => State::Up(seen),
            Err(why) => State::Down(why),
        },
    }
}

async fn visit<D: Database>(database: Option<&Result<D, String>>) -> Option<Result<(), String>> {
    Some(match database? {
        Err(wrong) => Err(wrong.clone()),
        Ok(database) => patiently(database.visit()).await,
    })
}

/// Waits, but not for ever. What is given up is dropped, and its connection with it.
async fn patiently<T>(answer: impl Future<Output = Result<T, Cause>>) -> Result<T, String> {
    match time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|cause| cause.0),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs_f32())),
    }
}
