//! Components start in the order of their dependencies, those of a wave together.

use crate::harness::Project;

#[test]
fn waves_start_one_after_the_other() {
    let service = |name: &str, depends: &str| {
        format!(
            "  {name}:\n    port: 8080\n    image: registry.test/testapp:1\n    env: {{MODE: slow-start, START_SECONDS: \"2\"}}\n{depends}"
        )
    };
    let mut project = Project::new(&format!(
        "services:\n{}{}{}",
        service("web", "    public: true\n    dependsOn: [api, worker]\n"),
        service("api", ""),
        service("worker", ""),
    ));
    let ran = project.run(&["up", "--pr", "1"]).ok();
    let pods = project.get("pods");
    let time = |component: &str, field: &str| -> jiff::Timestamp {
        let pod = pods["items"]
            .as_array()
            .and_then(|all| {
                all.iter()
                    .find(|p| p["metadata"]["labels"]["k8s-ee/component"] == component)
            })
            .unwrap_or_else(|| panic!("no pod of {component}"));
        let text = if field == "created" {
            &pod["metadata"]["creationTimestamp"]
        } else {
            let conditions = pod["status"]["conditions"].as_array().expect("conditions");
            &conditions
                .iter()
                .find(|c| c["type"] == "Ready")
                .expect("a Ready condition")["lastTransitionTime"]
        };
        text.as_str().expect("a time").parse().expect("RFC 3339")
    };
    let web = time("web", "created");
    assert!(
        web >= time("api", "ready"),
        "web started before api was up\n{}",
        ran.stderr
    );
    assert!(
        web >= time("worker", "ready"),
        "web started before worker was up\n{}",
        ran.stderr
    );
    // Each takes two seconds to listen: had they started one after the other, one would have been made after the other
    // was ready.
    assert!(time("api", "created") < time("worker", "ready"));
    assert!(time("worker", "created") < time("api", "ready"));
    // Inside, every service is known by its name, on port 80 and on its own.
    for url in ["http://api/health", "http://worker:8080/health"] {
        let answer = project.page_json(&format!("/get?url={url}"));
        assert_eq!(answer["status"], 200, "{url}: {answer}");
    }
}
