//! The custom resources are held against the operators' own definitions, in which no field may be that the operator does
//! not know.

use std::{env, path::PathBuf};

use k8s_ee::render::yaml;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PodSpec};
use serde_json::{Value, json};

use crate::{
    conformity::reads_back,
    documents::charts_folder,
    tools::{self, Tool},
};

/// The databases that operators may run, with the name of the definition.
const OPERATED: [(&str, &str); 3] = [
    ("postgresql", "clusters"),
    ("mongodb", "mongodbcommunity"),
    ("minio", "tenants"),
];

#[test]
fn operators_know_every_field() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    for (chart, name) in OPERATED {
        let Some(definition) = definition(name) else {
            return;
        };
        for values in variants(chart) {
            let resource = resource(&helm, chart, &values);
            let schema = schema(&definition, &resource);
            let validator = jsonschema::validator_for(&schema).expect("definitions are schemas");
            let wrong: Vec<String> = validator
                .iter_errors(&resource)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{chart} with {values}: {wrong:#?}");
        }
    }
}

#[test]
fn definitions_refuse_what_operators_do_not_know() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    for (chart, name) in OPERATED {
        let Some(definition) = definition(name) else {
            return;
        };
        let mut resource = resource(&helm, chart, &json!({"mode": "operator"}));
        let schema = schema(&definition, &resource);
        resource["spec"]["noSuchField"] = true.into();
        assert!(!jsonschema::is_valid(&schema, &resource), "{chart}");
    }
}

/// The definition leaves these parts open: they are Kubernetes' own types.
#[test]
fn kubernetes_knows_what_the_mongodb_operator_passes_on() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    for values in variants("mongodb") {
        let resource = resource(&helm, "mongodb", &values);
        let set = &resource["spec"]["statefulSet"]["spec"];
        reads_back::<PodSpec>(&set["template"]["spec"]);
        for claim in set["volumeClaimTemplates"].as_array().expect("claims") {
            let mut claim = claim.clone();
            claim["apiVersion"] = "v1".into();
            claim["kind"] = "PersistentVolumeClaim".into();
            reads_back::<PersistentVolumeClaim>(&claim);
        }
    }
}

/// Values with which a chart fills in as many fields as it can, and as few.
fn variants(chart: &str) -> Vec<Value> {
    let mut all = json!({
        "mode": "operator",
        "image": "registry.example.com/database:1",
        "imagePullSecrets": ["mirror"],
        "priorityClassName": "default-app",
        "storage": {"size": "5Gi", "storageClass": "fast"},
        "global": {"environment": {"projectId": "shop", "prNumber": "42", "repository": "acme/shop"}},
    });
    if chart == "postgresql" {
        all["postgresql"] = json!({"pg_hba": ["host all all all md5"]});
        all["bootstrap"] =
            json!({"initSQL": ["SELECT $$1$$"], "postInitApplicationSQL": ["SELECT 2"]});
    }
    vec![json!({"mode": "operator"}), all]
}

fn resource(helm: &Tool, chart: &str, values: &Value) -> Value {
    let objects = helm.template(&charts_folder().join(chart), values);
    let mut resources = objects.into_iter().filter(|object| {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        version.contains('.') && !version.contains(".k8s.io/")
    });
    let resource = resources.next();
    resource.unwrap_or_else(|| panic!("{chart} makes no custom resource"))
}

/// A definition from the folder that `cargo xtask sandbox crds` fills. Without it, prints that the test is skipped.
fn definition(name: &str) -> Option<Value> {
    let folder =
        env::var_os("K8S_EE_CRDS").map_or_else(|| tools::cache().join("crds"), PathBuf::from);
    let file = folder.join(format!("{name}.yaml"));
    let Ok(text) = std::fs::read_to_string(&file) else {
        let reason = format!(
            "{} is missing; make it: cargo xtask sandbox crds",
            file.display()
        );
        assert!(!tools::required(), "{reason}");
        eprintln!("skipped: {reason}");
        return None;
    };
    let mut documents = yaml::read_stream(&text)
        .unwrap_or_else(|error| panic!("{} is not YAML: {error}", file.display()));
    documents.pop()
}

/// The schema for the version of a resource, closed at every depth where its authors left nothing open.
fn schema(definition: &Value, resource: &Value) -> Value {
    let spec = &definition["spec"];
    let api_version = resource["apiVersion"].as_str().expect("a version");
    let (group, version) = api_version.split_once('/').expect("a group");
    assert_eq!(spec["group"], group);
    assert_eq!(spec["names"]["kind"], resource["kind"]);
    let versions = spec["versions"].as_array().expect("versions");
    let of_version = versions
        .iter()
        .find(|one| one["name"] == version && one["served"] == true)
        .unwrap_or_else(|| panic!("{api_version} is not served"));
    let mut schema = of_version["schema"]["openAPIV3Schema"].clone();
    close(&mut schema);
    schema
}

/// Allows no field but the ones that are named, and puts Kubernetes' own words into those of JSON Schema.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let open = members.get("x-kubernetes-preserve-unknown-fields") == Some(&true.into());
            if members.get("properties").is_some_and(Value::is_object)
                && !members.contains_key("additionalProperties")
                && !open
            {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            if members.get("x-kubernetes-int-or-string") == Some(&true.into()) {
                members.insert("type".to_owned(), json!(["integer", "string"]));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
