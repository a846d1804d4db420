//! MongoDB, through its official driver: visits are counted in a document of the collection `visits`.

use std::time::Instant;

use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    error::{Error, ErrorKind},
    options::ClientOptions,
};

use super::{CONNECT, CONNECTIONS, Cause, Database};
use crate::{settings, status::Seen};

pub(super) struct Mongodb {
    database: mongodb::Database,
    visits: Collection<Document>,
}

impl Mongodb {
    pub(super) async fn new(address: settings::Mongodb) -> Result<Self, String> {
        // The error of the URL is not told: it could quote the password.
        let mut options = ClientOptions::parse(address.url.reveal())
            .await
            .map_err(|_| "MONGODB_URL is not a URL of MongoDB".to_owned())?;
        options.app_name = Some("k8s-ee-demo".to_owned());
        options.connect_timeout = Some(CONNECT);
        options.server_selection_timeout = Some(CONNECT);
        options.max_pool_size = Some(CONNECTIONS);
        let client = Client::with_options(options).map_err(|error| error.to_string())?;
        let database = client.database(&address.database);
        let visits = database.collection("visits");
        Ok(Self { database, visits })
    }
}

impl Database for Mongodb {
    async fn look(&self) -> Result<Seen, Cause> {
        let info = self.database.run_command(doc! {"buildInfo": 1}).await;
        let info = info.map_err(cause)?;
        let asked = Instant::now();
        let pinged = self.database.run_command(doc! {"ping": 1}).await;
        let round_trip = asked.elapsed();
        pinged.map_err(cause)?;
        let counted = self.visits.find_one(doc! {"_id": 1}).await.map_err(cause)?;
        Ok(Seen {
            version: info.get_str("version").unwrap_or_default().to_owned(),
            round_trip,
            visits: counted.map_or(0, |document| count(&document)),
        })
    }

    async fn visit(&self) -> Result<(), Cause> {
        self.visits
            .update_one(doc! {"_id": 1}, doc! {"$inc": {"count": 1_i64}})
            .upsert(true)
            .await
            .map_err(cause)?;
        Ok(())
    }
}

/// The field `count`, whichever type of number the server made of it.
fn count(document: &Document) -> u64 {
    let long = document.get_i64("count").ok();
    long.or_else(|| document.get_i32("count").ok().map(i64::from))
        .map_or(0, i64::unsigned_abs)
}

/// The cause without the driver's picture of the deployment, in which it is hidden.
fn cause(error: Error) -> Cause {
    match &*error.kind {
        ErrorKind::ServerSelection { message, .. } => Cause::new(innermost(message)),
        kind => Cause::new(&kind.to_string()),
    }
}

/// The error of the first server in the message of a failed server selection.
fn innermost(message: &str) -> &str {
    let Some((_, error)) = message.split_once("Error: Kind: ") else {
        return message;
    };
    let error = error.split(", labels:").next().unwrap_or(error);
    error.strip_prefix("I/O error: ").unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_the_server_is_told() {
        let message = "Server selection timeout: No available servers. Topology: { Type: ReplicaSetNoPrimary, \
                       Servers: [ { Address: db:27017, Type: Unknown, Error: Kind: I/O error: Connection refused (os \
                       error 111), labels: {} } ] }";
        assert_eq!(innermost(message), "Connection refused (os error 111)");
        assert_eq!(innermost("something else"), "something else");
    }

    #[test]
    fn any_number_counts() {
        assert_eq!(count(&doc! {"count": 3_i32}), 3);
        assert_eq!(count(&doc! {"count": 3_i64}), 3);
        assert_eq!(count(&doc! {}), 0);
    }
}
