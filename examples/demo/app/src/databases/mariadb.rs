//! MariaDB, through sqlx: visits are counted in a row of the table `visits`.

use std::{str::FromStr, time::Instant};

use sqlx::{
    ConnectOptions, Connection, Error, MySqlConnection, MySqlPool,
    mysql::{MySql, MySqlConnectOptions, MySqlPoolOptions},
    pool::PoolConnection,
};

use super::{CONNECT, CONNECTIONS, Cause, Database};
use crate::{settings::Sql, status::Seen};

/// What SQL calls a table that is not there.
const UNDEFINED_TABLE: &str = "42S02";

pub(super) struct Mariadb {
    pool: MySqlPool,
}

impl Mariadb {
    pub(super) fn new(address: Sql) -> Result<Self, String> {
        let options = match address {
            // The error of the URL is not told: it could quote the password.
            Sql::Url(url) => MySqlConnectOptions::from_str(url.reveal())
                .map_err(|_| "MYSQL_URL is not a URL of MariaDB".to_owned())?,
            Sql::Parts {
                host,
                port,
                database,
                user,
                password,
            } => MySqlConnectOptions::new()
                .host(&host)
                .port(port)
                .database(&database)
                .username(&user)
                .password(password.reveal()),
        };
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .connect_lazy_with(options.disable_statement_logging());
        Ok(Self { pool })
    }

    /// A connection of the pool. The pool tries a refused connection again and again, and when its time is over it does
    /// not say why; one more try does.
    async fn connection(&self) -> Result<PoolConnection<MySql>, Cause> {
        match self.pool.acquire().await {
            Err(Error::PoolTimedOut) => {
                MySqlConnection::connect_with(&self.pool.connect_options()).await?;
                Err(Error::PoolTimedOut.into())
            }
            connection => Ok(connection?),
        }
    }
}

impl Database for Mariadb {
    async fn look(&self) -> Result<Seen, Cause> {
        let mut connection = self.connection().await?;
        let asked = Instant::now();
        connection.ping().await?;
        let round_trip = asked.elapsed();
        let version: String = sqlx::query_scalar("SELECT VERSION()")
            .fetch_one(&mut *connection)
            .await?;
        let count = sqlx::query_scalar::<_, i64>("SELECT count FROM visits WHERE id = 1")
            .fetch_optional(&mut *connection)
            .await;
        let count = match count {
            Err(Error::Database(error)) if error.code().as_deref() == Some(UNDEFINED_TABLE) => None,
            count => count?,
        };
        Ok(Seen {
            // As in 11.4.5-MariaDB-ubu2404.
            version: version.split('-').next().unwrap_or_default().to_owned(),
            round_trip,
            visits: count.map_or(0, i64::unsigned_abs),
        })
    }

    async fn visit(&self) -> Result<(), Cause> {
        let mut connection = self.connection().await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS visits (id int PRIMARY KEY, count bigint NOT NULL)",
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query("INSERT INTO visits VALUES (1, 1) ON DUPLICATE KEY UPDATE count = count + 1")
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}
