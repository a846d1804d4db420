//! What the schema of `k8s-ee.yaml` shows as defaults is what the charts of the databases have.

use k8s_ee::config::{databases::DatabaseKind, defaults};
use serde_json::json;

use crate::documents::{charts_folder, read};

#[test]
fn the_file_and_the_charts_have_the_same_defaults() {
    for kind in DatabaseKind::ALL {
        let values = read(&charts_folder().join(kind.name()).join("values.yaml"));
        let default = defaults::database(kind);
        assert_eq!(values["version"], default.version, "{kind}");
        let (cpu, memory) = (default.container.cpu, default.container.memory);
        assert_eq!(
            values["resources"],
            json!({
                "requests": {"cpu": cpu.0, "memory": memory.0},
                "limits": {"cpu": cpu.1, "memory": memory.1},
            }),
            "{kind}"
        );
    }
    let values = read(&charts_folder().join("mongodb/values.yaml"));
    assert_eq!(values["roles"], json!(defaults::MONGODB_ROLES));
}
