//! What is seen on a terminal while an environment comes up and goes, and what is said when that is stopped on the way.

use crate::{
    databases::{REDIS, file},
    harness::{Project, platform_settings},
    shared::{Left, Terminal},
};

const UP: [&str; 5] = ["up", "--pr", "1", "--image", "registry.test/testapp:1"];

/// Runs it in a terminal that is so wide.
fn shown(project: &Project, columns: u16, args: &[&str]) -> Left {
    Terminal::start(columns, &project.command(args)).end()
}

#[test]
fn every_width_shows_what_happens_and_nothing_else() {
    let mut project = Project::new(&file(REDIS));
    project.remembers(1);
    for (columns, image) in [
        (80, "registry.test/testapp:1"),
        (40, "registry.test/testapp:2"),
    ] {
        let mut args = UP;
        args[4] = image;
        let left = shown(&project, columns, &args);
        assert_eq!(left.code, Some(0), "{}", left.bytes);
        let text = left.lines.concat();
        for said in ["bringing up ", "redis: up", "app: up", " is up ("] {
            assert!(
                text.contains(said),
                "{columns}: no `{said}` in {:?}",
                left.lines
            );
        }
        // What was redrawn is gone.
        assert!(
            !text.contains("start-up probe"),
            "{columns}: {:?}",
            left.lines
        );
        assert!(!text.contains('⠋'), "{columns}: {:?}", left.lines);
    }
    for columns in [200, 60, 40] {
        for args in [
            &["status", "--pr", "1"][..],
            &["list", "--project", &project.id],
        ] {
            let left = shown(&project, columns, args);
            assert_eq!(left.code, Some(0), "{}", left.bytes);
            let text = left.lines.join("\n");
            // The namespace is not broken over two lines.
            assert!(text.contains(&project.namespace(1)), "{columns}: {text}");
        }
    }
    let left = shown(&project, 40, &["down", "--pr", "1"]);
    assert_eq!(left.code, Some(0), "{}", left.bytes);
    assert!(
        left.lines.concat().contains(" is gone: removed "),
        "{:?}",
        left.lines
    );
}

/// Presses Ctrl-C as soon as a text is shown, and returns what stands there then.
fn stopped(project: &Project, args: &[&str], at: &str) -> String {
    let mut terminal = Terminal::start(100, &project.command(args));
    terminal.wait_for(at);
    terminal.press("\u{3}");
    let left = terminal.end();
    assert_eq!(left.code, Some(130), "{}", left.bytes);
    let text = left.lines.join("\n");
    assert!(!text.contains('⠋') && !text.contains("asking"), "{text}");
    text
}

#[test]
fn ctrl_c_says_what_is_left_in_every_phase() {
    let mut project = Project::new(&file(REDIS));
    project.remembers(1);
    let namespace = project.namespace(1);
    let said = stopped(&project, &["prepare", "--pr", "1"], "redis  ");
    assert!(
        said.contains(&format!("{namespace} is left half-done (")),
        "{said}"
    );
    assert!(
        said.contains("run `k8s-ee prepare --pr 1 …` again"),
        "{said}"
    );

    // While a service is waited for.
    project.write(&file(REDIS).replace("8080\n", "8080\n  readinessPath: /status/500\n"));
    let said = stopped(&project, &UP, "app  ");
    assert!(
        said.contains(&format!("{namespace} is left half-done (up so far: redis)")),
        "{said}"
    );
    assert!(said.contains("run `k8s-ee up --pr 1 …` again"), "{said}");
    assert!(said.contains("`k8s-ee down --pr 1` to remove it"), "{said}");

    // While the URL is asked, at an address where nobody answers.
    project.write(&file(REDIS));
    let nobody = "  address: 127.0.0.1:1\n";
    let settings = platform_settings();
    let address = settings.lines().find(|line| line.starts_with("  address:"));
    let address = format!("{}\n", address.expect("the settings have the address"));
    let settings = settings.replace(&address, nobody);
    std::fs::write(project.path().join("platform.yaml"), settings).expect("it is written");
    let said = stopped(&project, &UP, "asking http");
    assert!(said.contains("(up so far: app, redis)"), "{said}");

    let said = stopped(&project, &["down", "--pr", "1"], "waiting until");
    assert!(
        said.contains(&format!(
            "the namespace `{namespace}` is marked for deletion"
        )),
        "{said}"
    );
    assert!(
        said.contains("hint: see it go: k8s-ee down --pr 1"),
        "{said}"
    );
}
