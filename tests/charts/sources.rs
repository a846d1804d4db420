//! The same objects, whatever the chart is read from and by which Helm.

use std::path::Path;

use k8s_ee::render::chart::{self, ChartSource};
use serde_json::Value;

use crate::{
    documents::{Trial, applications, charts_folder},
    tools,
};

#[test]
fn all_versions_of_helm_make_the_same_objects() {
    let helms = tools::helms();
    for chart in applications() {
        let base = Trial::of(&chart).base;
        let mut made = helms.iter().map(|helm| helm.template(&chart, &base));
        let Some(first) = made.next() else { return };
        for other in made {
            same(&other, &first, &chart);
        }
    }
}

#[test]
fn a_package_makes_the_same_objects_as_the_folder() {
    for helm in tools::helms() {
        for chart in applications() {
            let base = Trial::of(&chart).base;
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            helm.succeed([
                "package".as_ref(),
                "--destination".as_ref(),
                folder.path().as_os_str(),
                chart.as_os_str(),
            ]);
            let package = std::fs::read_dir(folder.path())
                .expect("the folder is ours")
                .next()
                .expect("helm made a package")
                .expect("the folder is ours")
                .path();
            same(
                &helm.template(&package, &base),
                &helm.template(&chart, &base),
                &chart,
            );
        }
    }
}

/// What is published, and what the program expects to get back: the one is made of files, the other of what is compiled in.
#[test]
fn the_program_knows_the_package_that_is_published() {
    let published = chart_package::pack_folder(&charts_folder().join("k8s-ee-app"));
    let published = published.expect("the chart can be packed");
    assert_eq!(
        chart_package::sha256(&published),
        chart_package::sha256(&chart::package())
    );
}

#[test]
fn a_published_package_makes_the_same_objects_as_the_folder() {
    for helm in tools::helms() {
        for chart in applications() {
            let base = Trial::of(&chart).base;
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let package = folder.path().join("package.tgz");
            let content = chart_package::pack_folder(&chart).expect("the chart can be packed");
            std::fs::write(&package, content).expect("the folder is ours");
            same(
                &helm.template(&package, &base),
                &helm.template(&chart, &base),
                &chart,
            );
        }
    }
}

#[test]
fn the_built_in_chart_makes_the_same_objects_as_the_folder() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    let chart = charts_folder().join("k8s-ee-app");
    let base = Trial::of(&chart).base;
    let built_in = ChartSource::BuiltIn
        .unpack()
        .expect("a temporary folder can be made");
    same(
        &helm.template(Path::new(built_in.reference()), &base),
        &helm.template(&chart, &base),
        &chart,
    );
}

/// Compares object by object, so that a failure shows the one that differs and not all of them.
fn same(made: &[Value], expected: &[Value], chart: &Path) {
    for (one, other) in made.iter().zip(expected) {
        assert_eq!(one, other, "{}", chart.display());
    }
    assert_eq!(
        made.len(),
        expected.len(),
        "{}: the number of objects",
        chart.display()
    );
}
