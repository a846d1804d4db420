//! The Job of a seed that has a file runs the image of its database, whichever that is.

use serde_json::{Value, json};

use crate::{documents::charts_folder, tools};

const FILES: [(&str, &str); 5] = [
    ("postgresql", "a.sql"),
    ("mongodb", "a.js"),
    ("redis", "a.redis"),
    ("minio", "a.tar"),
    ("mariadb", "a.sql"),
];

#[test]
fn a_file_is_read_by_the_image_of_its_database() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    let chart = charts_folder().join("k8s-ee-app");
    for options in [
        json!({"enabled": true}),
        json!({"enabled": true, "version": "9.8.7"}),
        json!({"enabled": true, "image": "registry.example.com/database:1"}),
    ] {
        let mut values = json!({"seeds": {}});
        for (database, file) in FILES {
            values[database] = options.clone();
            values["seeds"][format!("of-{database}")] =
                json!({"file": file, "content": "x", "databases": [database]});
        }
        let objects = helm.template(&chart, &values);
        for (database, _) in FILES {
            let image = |kind: &str, name: &str| {
                let found = objects
                    .iter()
                    .find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
                let found = found.unwrap_or_else(|| panic!("no {kind} {name}"));
                let image = found.pointer("/spec/template/spec/containers/0/image");
                image.and_then(Value::as_str).map(str::to_owned)
            };
            let server = image("StatefulSet", &format!("app-{database}"));
            let client = image("Job", &format!("of-{database}"));
            assert!(server.is_some(), "{database} has no image");
            assert_eq!(client, server, "{database} with {options}");
        }
    }
}
