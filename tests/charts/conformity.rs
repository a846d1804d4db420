//! The objects have no field and no type that Kubernetes does not know, and need no more than Pod Security allows.

use std::{env, ffi::OsString};

use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::{CronJob, Job},
    core::v1::{ConfigMap, Secret, Service, ServiceAccount},
    networking::v1::Ingress,
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    scheduling::v1::PriorityClass,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    documents::{Trial, applications, name},
    tools,
};

#[test]
fn kubernetes_knows_every_field() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    for chart in applications() {
        for object in helm.template(&chart, &Trial::of(&chart).base) {
            match object["kind"].as_str().expect("objects have a kind") {
                "ClusterRole" => reads_back::<ClusterRole>(&object),
                "ClusterRoleBinding" => reads_back::<ClusterRoleBinding>(&object),
                "ConfigMap" => reads_back::<ConfigMap>(&object),
                "CronJob" => reads_back::<CronJob>(&object),
                "Deployment" => reads_back::<Deployment>(&object),
                "HorizontalPodAutoscaler" => reads_back::<HorizontalPodAutoscaler>(&object),
                "Job" => reads_back::<Job>(&object),
                "Ingress" => reads_back::<Ingress>(&object),
                "PodDisruptionBudget" => reads_back::<PodDisruptionBudget>(&object),
                "PriorityClass" => reads_back::<PriorityClass>(&object),
                "Role" => reads_back::<Role>(&object),
                "RoleBinding" => reads_back::<RoleBinding>(&object),
                "Secret" => reads_back::<Secret>(&object),
                "Service" => reads_back::<Service>(&object),
                "ServiceAccount" => reads_back::<ServiceAccount>(&object),
                "StatefulSet" => reads_back::<StatefulSet>(&object),
                "ValidatingAdmissionPolicy" => reads_back::<ValidatingAdmissionPolicy>(&object),
                "ValidatingAdmissionPolicyBinding" => {
                    reads_back::<ValidatingAdmissionPolicyBinding>(&object);
                }
                // A custom resource, whose type Kubernetes learns from its operator.
                "ServiceMonitor" => {}
                other => panic!("no type is known for {other}: add it here"),
            }
        }
    }
}

/// A field that the type does not have is lost on the way.
pub(crate) fn reads_back<T: Serialize + DeserializeOwned>(object: &Value) {
    let what = format!("{} {}", object["kind"], object["metadata"]["name"]);
    let typed: T = serde_json::from_value(object.clone())
        .unwrap_or_else(|error| panic!("{what} has a field of another type: {error}"));
    let back = serde_json::to_value(typed).expect("Kubernetes types have string keys");
    assert_eq!(
        &back, object,
        "{what} has a field that Kubernetes does not know"
    );
}

/// `K8S_EE_KUBERNETES_SCHEMAS` is a schema location of kubeconform, for machines that cannot download its own.
#[test]
fn kubeconform_finds_nothing() {
    let (Some(helm), Some(kubeconform)) = (tools::find("helm"), tools::find("kubeconform")) else {
        return;
    };
    let location = env::var_os("K8S_EE_KUBERNETES_SCHEMAS");
    let Some(schemas) = location.or_else(|| tools::required().then(|| "default".into())) else {
        eprintln!("skipped: set K8S_EE_KUBERNETES_SCHEMAS to a schema location of kubeconform");
        return;
    };
    for chart in applications() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (index, object) in helm
            .template(&chart, &Trial::of(&chart).base)
            .iter()
            .enumerate()
        {
            let file = folder.path().join(format!("{index}.json"));
            std::fs::write(file, object.to_string()).expect("the folder is ours");
        }
        let mut args: Vec<OsString> = [
            "-strict",
            "-skip",
            "ServiceMonitor",
            "-kubernetes-version",
            tools::KUBERNETES,
            "-schema-location",
        ]
        .map(OsString::from)
        .into();
        args.push(schemas.clone());
        args.push(folder.path().into());
        kubeconform.succeed(args);
    }
}

#[test]
fn pods_are_restricted() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    for chart in applications() {
        for object in helm.template(&chart, &Trial::of(&chart).base) {
            let of_a_schedule = object.pointer("/spec/jobTemplate/spec/template/spec");
            let Some(pod) = object.pointer("/spec/template/spec").or(of_a_schedule) else {
                continue;
            };
            let what = format!(
                "{}: {} {}",
                name(&chart),
                object["kind"],
                object["metadata"]["name"]
            );
            // What sweeps is the one that talks to the API server.
            let talks = pod["serviceAccountName"] == "k8s-ee-sweep";
            assert_eq!(pod["automountServiceAccountToken"], talks, "{what}");
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{what}");
            assert!(
                pod["securityContext"]["runAsUser"].as_u64() > Some(0),
                "{what}"
            );
            assert_eq!(
                pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
                "{what}"
            );
            let containers = ["initContainers", "containers"]
                .into_iter()
                .flat_map(|field| pod[field].as_array().into_iter().flatten());
            for container in containers {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false, "{what}");
                assert_eq!(security["readOnlyRootFilesystem"], true, "{what}");
                assert_eq!(security["capabilities"]["drop"][0], "ALL", "{what}");
                assert!(security["capabilities"]["add"].is_null(), "{what}");
            }
        }
    }
}
