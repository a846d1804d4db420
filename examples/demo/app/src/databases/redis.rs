//! Redis, through the crate of that name: visits are counted in the key `visits`.

use std::time::Instant;

use redis::{
    Client, Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
    aio::MultiplexedConnection,
};
use tokio::sync::Mutex;

use super::{Cause, Database};
use crate::{settings, status::Seen};

const KEY: &str = "visits";

pub(super) struct Redis {
    client: Client,
    /// The one connection, which all requests share; absent before the first, and after it broke.
    open: Mutex<Option<MultiplexedConnection>>,
}

impl Redis {
    pub(super) fn new(address: settings::Redis) -> Result<Self, String> {
        let client = match address {
            // The error of the URL is not told: it could quote the password.
            settings::Redis::Url(url) => {
                Client::open(url.reveal()).map_err(|_| "REDIS_URL is not a URL of Redis".to_owned())
            }
            settings::Redis::Parts {
                host,
                port,
                password,
            } => {
                let mut login = RedisConnectionInfo::default();
                if let Some(password) = password {
                    login = login.set_password(password.reveal());
                }
                ConnectionAddr::Tcp(host, port)
                    .into_connection_info()
                    .and_then(|info| Client::open(info.set_redis_settings(login)))
                    .map_err(|error| error.to_string())
            }
        };
        Ok(Self {
            client: client?,
            open: Mutex::new(None),
        })
    }

    /// A connection that has just answered: the open one, or else a new one.
    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let mut open = self.open.lock().await;
        // Taken out, so that one which does not answer in time is not put back.
        if let Some(mut connection) = open.take()
            && ping(&mut connection).await.is_ok()
        {
            return Ok(open.insert(connection).clone());
        }
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        ping(&mut connection).await?;
        Ok(open.insert(connection).clone())
    }
}

async fn ping(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    redis::cmd("PING").query_async(connection).await
}

impl Database for Redis {
    async fn look(&self) -> Result<Seen, Cause> {
        let mut connection = self.connection().await?;
        let asked = Instant::now();
        ping(&mut connection).await?;
        let round_trip = asked.elapsed();
        let server: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await?;
        let visits: Option<u64> = Cmd::get(KEY).query_async(&mut connection).await?;
        Ok(Seen {
            version: version(&server).to_owned(),
            round_trip,
            visits: visits.unwrap_or(0),
        })
    }

    async fn visit(&self) -> Result<(), Cause> {
        let mut connection = self.connection().await?;
        Cmd::incr(KEY, 1).query_async::<()>(&mut connection).await?;
        Ok(())
    }
}

/// The version in the section `server` of `INFO`.
fn version(server: &str) -> &str {
    let line = server
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    line.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_is_a_line_of_its_own() {
        let server = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
        assert_eq!(version(server), "7.0.15");
        assert_eq!(version("# Server\r\n"), "");
    }
}
