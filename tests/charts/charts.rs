//! What the usual tools say of the charts.

use crate::{
    documents::{applications, charts_folder},
    tools,
};

#[test]
fn they_pass_lint() {
    for helm in tools::helms() {
        for chart in applications() {
            helm.succeed([
                "lint".as_ref(),
                "--strict".as_ref(),
                "--kube-version".as_ref(),
                tools::KUBERNETES.as_ref(),
                chart.as_os_str(),
            ]);
        }
    }
}

#[test]
fn their_unit_tests_pass() {
    let Some(unittest) = tools::find("helm-unittest") else {
        return;
    };
    for chart in applications() {
        let report = unittest.succeed(["--strict".as_ref(), chart.as_os_str()]);
        assert!(
            !report.contains("Tests:       0 passed"),
            "{} has no unit tests",
            chart.display()
        );
    }
}

#[test]
fn their_readmes_are_what_helm_docs_makes_of_the_values() {
    let Some(docs) = tools::find("helm-docs") else {
        return;
    };
    for chart in applications() {
        let fresh = docs.succeed([
            "--chart-search-root".as_ref(),
            charts_folder().as_os_str(),
            "--chart-to-generate".as_ref(),
            chart.as_os_str(),
            "--sort-values-order=file".as_ref(),
            "--skip-version-footer".as_ref(),
            "--dry-run".as_ref(),
        ]);
        let committed = std::fs::read_to_string(chart.join("README.md"))
            .unwrap_or_else(|error| panic!("{} has no README.md: {error}", chart.display()));
        assert_eq!(
            fresh.trim_end(),
            committed.trim_end(),
            "run: helm-docs --chart-search-root charts --sort-values-order=file --skip-version-footer"
        );
    }
}
