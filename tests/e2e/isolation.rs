//! Isolation, tried with real connections between real pods; and the same tries with the policies removed, so that a
//! test which could not fail is noticed.

use serde_json::{Value, json};

use crate::harness::{Project, apply, eventually, http, kubectl, kubectl_json};

/// One try to connect from inside a pod, and whether it must work.
struct Try {
    what: &'static str,
    host: String,
    port: u16,
    works: bool,
}

#[test]
fn environments_cannot_reach_each_other() {
    let file = "services:\n  app:\n    port: 8080\n  api:\n    port: 8080\n    image: registry.test/testapp:1\n";
    let mut ours = Project::new(file);
    let mut theirs = Project::new(file);
    ours.up(&["--image", "app=registry.test/testapp:1"]);
    theirs.up(&["--image", "app=registry.test/testapp:1"]);
    let other = theirs.namespace(1);
    let ip = |project: &Project, component: &str| {
        let pods = project.get("pods");
        let pod = pods["items"]
            .as_array()
            .and_then(|all| {
                all.iter()
                    .find(|p| p["metadata"]["labels"]["k8s-ee/component"] == component)
                    .cloned()
            })
            .expect("a pod");
        pod["status"]["podIP"]
            .as_str()
            .expect("an address")
            .to_owned()
    };
    let api_server = kubectl_json(&["get", "-n", "default", "service/kubernetes"]);
    let api_server = api_server["spec"]["clusterIP"]
        .as_str()
        .expect("an address")
        .to_owned();
    let node = node();
    let of = |what, host: &str, port, works| Try {
        what,
        host: host.to_owned(),
        port,
        works,
    };
    let tries = [
        of("own service by name", "api", 80, true),
        of("own service on its port", "api", 8080, true),
        of("own pod by address", &ip(&ours, "api"), 8080, true),
        of(
            "other environment's service",
            &format!("api.{other}.svc.cluster.local"),
            80,
            false,
        ),
        of("other environment's pod", &ip(&theirs, "api"), 8080, false),
        of("the public internet", "203.0.113.10", 80, true),
        of("the metadata address", "169.254.169.254", 80, false),
        of("the API server by its service", &api_server, 443, false),
        of("the API server by its address", &node, 6443, false),
        of("the kubelet", &node, 10250, false),
        of("the registry on the node", &node, 5000, false),
    ];
    for one in &tries {
        let answer = connect(&ours, one);
        assert_eq!(answer["ok"], one.works, "{}: {answer}", one.what);
    }
    let resolved = ours.page_json("/resolve?name=api");
    assert_eq!(resolved["ok"], true, "DNS: {resolved}");

    // From outside only the ingress controller comes in, and only to public services on their port.
    let controller = kubectl_json(&["get", "pods", "-A", "-l", "app.kubernetes.io/name=traefik"]);
    assert_eq!(controller["items"].as_array().map(Vec::len), Some(1));
    let policies = kubectl_json(&["get", "networkpolicies", "-n", &ours.namespace(1)]);
    let text = policies.to_string();
    assert!(
        !text.contains(r#""k8s-ee/component":"api""#),
        "the ingress controller may reach a service that is not public"
    );

    let back_door = format!("back-door.{}", ours.host(1));
    apply(
        &json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "back-door", "namespace": ours.namespace(1)},
        "spec": {"ingressClassName": "traefik", "rules": [{"host": back_door, "http": {"paths": [{
            "path": "/", "pathType": "Prefix", "backend": {"service": {"name": "api", "port": {"number": 80}}}}]}}]}}),
    );
    let answer = eventually("the route is taken up", || {
        http(&back_door, "/health")
            .ok()
            .filter(|(status, _)| *status != 404)
    });
    assert!(
        matches!(answer.0, 502 | 504),
        "the ingress controller reached a service that is not public: {answer:?}"
    );

    // The same tries without policies: what was closed is open, so the tries can tell.
    for namespace in [ours.namespace(1), other] {
        assert!(
            kubectl(&["delete", "networkpolicies", "--all", "-n", &namespace])
                .status
                .success()
        );
    }
    for one in tries.iter().filter(|one| {
        !one.works && one.what.contains("environment") || one.what.contains("metadata")
    }) {
        eventually(one.what, || {
            (connect(&ours, one)["ok"] == true).then_some(())
        });
    }
    eventually("the ingress controller reaches every service", || {
        (http(&back_door, "/health").ok()?.0 == 200).then_some(())
    });
}

/// Whether the computation says that this is open.
fn is_open(reach: &Value, from: &str, to: &str, port: &str) -> bool {
    let connections = reach["connections"].as_array().expect("a list");
    connections.iter().any(|c| {
        let ports = &c["ports"];
        let listed = ports.as_array().into_iter().flatten();
        c["from"] == from
            && c["to"] == to
            && (*ports == "all" || listed.into_iter().any(|p| p == port))
    })
}

/// What `plan --reachability` says of each pair is what pods find when they try it, be it yes or no.
#[test]
fn what_is_computed_is_what_connects() {
    let file = "services:\n  app:\n    port: 8080\n  api:\n    port: 8080\n    image: registry.test/testapp:1\n    metrics: {enabled: true}\n";
    let mut ours = Project::new(file);
    let mut theirs = Project::new(file);
    let image = ["--image", "app=registry.test/testapp:1"];
    theirs.up(&image);
    // What stops a connection is to be ours.
    let opened = kubectl(&[
        "delete",
        "networkpolicies",
        "--all",
        "-n",
        &theirs.namespace(1),
    ]);
    assert!(opened.status.success(), "{opened:?}");
    // Their `app` stands for what scrapes: it may reach what has metrics, and nothing else.
    let scraper = theirs.namespace(1);
    ours.platform(&format!(
        "network:\n  observability:\n    namespaceLabels: {{kubernetes.io/metadata.name: {scraper}}}\n    podLabels: {{k8s-ee/component: app}}\n"
    ));
    ours.up(&image);
    let args = [
        "plan",
        "--pr",
        "1",
        image[0],
        image[1],
        "--reachability",
        "-o",
        "json",
    ];
    let reach = ours.run(&args).ok().json();

    let pod_ip = |namespace: &str, selector: &str| {
        let pods = kubectl_json(&["get", "pods", "-n", namespace, "-l", selector]);
        let ip = pods["items"][0]["status"]["podIP"].as_str();
        ip.unwrap_or_else(|| panic!("no pod {selector} in {namespace}: {pods:#}"))
            .to_owned()
    };
    let node = node();
    let component = |project: &Project, name: &str| {
        pod_ip(&project.namespace(1), &format!("k8s-ee/component={name}"))
    };
    let (open, closed) = (&mut 0, &mut 0);
    let mut check = |from: &str, to: &str, port: &str, tried: &dyn Fn() -> bool| {
        let computed = is_open(&reach, from, to, port);
        let mut found = tried();
        if computed && !found {
            // What a policy opens, it opens a moment after it was made.
            eventually(&format!("{from} reaches {to}"), || tried().then_some(()));
            found = true;
        }
        assert_eq!(
            computed, found,
            "{from} → {to}, {port}: computed {computed}, tried {found}\n{reach:#}"
        );
        *(if found { &mut *open } else { &mut *closed }) += 1;
    };
    let tries = |from: &Project, host: &str, port: u16| {
        let one = Try {
            what: "",
            host: host.to_owned(),
            port,
            works: true,
        };
        connect(from, &one)["ok"] == true
    };

    // From inside to everybody.
    let dns = pod_ip("kube-system", "k8s-app=kube-dns");
    for (to, host, port) in [
        ("api", component(&ours, "api"), 8080),
        ("DNS", dns, 53),
        ("internet", "203.0.113.10".to_owned(), 80),
        ("other namespaces", component(&theirs, "api"), 8080),
        ("private networks", node.clone(), 5000),
        ("cloud metadata", "169.254.169.254".to_owned(), 80),
        ("Kubernetes API", node, 6443),
    ] {
        check("app", to, &format!("TCP {port}"), &|| {
            tries(&ours, &host, port)
        });
    }
    // From what scrapes.
    check("observability", "api", "TCP 8080", &|| {
        tries(&theirs, &component(&ours, "api"), 8080)
    });
    check("observability", "app", "TCP 8080", &|| {
        tries(&theirs, &component(&ours, "app"), 8080)
    });
    // From the ingress controller: the way of the page is open, a way to what is not public is not.
    check("ingress controller", "app", "TCP 8080", &|| {
        http(&ours.host(1), "/health").is_ok_and(|(status, _)| status == 200)
    });
    let back_door = format!("back-door.{}", ours.host(1));
    apply(
        &json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "back-door", "namespace": ours.namespace(1)},
        "spec": {"ingressClassName": "traefik", "rules": [{"host": back_door, "http": {"paths": [{
            "path": "/", "pathType": "Prefix", "backend": {"service": {"name": "api", "port": {"number": 80}}}}]}}]}}),
    );
    let (status, _) = eventually("the route is taken up", || {
        http(&back_door, "/health")
            .ok()
            .filter(|(status, _)| *status != 404)
    });
    check("ingress controller", "api", "TCP 8080", &|| status == 200);
    assert!(*open >= 5 && *closed >= 5, "{open} open, {closed} closed");
}

fn connect(from: &Project, to: &Try) -> Value {
    from.page_json(&format!(
        "/connect?host={}&port={}&timeout_ms=1500",
        to.host, to.port
    ))
}

/// Address of the node, which is that of the API server.
fn node() -> String {
    let endpoints = kubectl_json(&[
        "get",
        "-n",
        "default",
        "endpointslices",
        "-l",
        "kubernetes.io/service-name=kubernetes",
    ]);
    endpoints["items"][0]["endpoints"][0]["addresses"][0]
        .as_str()
        .expect("an address")
        .to_owned()
}
