//! Environment variables reach the ConfigMap byte for byte, through every version of Helm.

use k8s_ee::render::yaml;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use crate::{documents::charts_folder, tools};

/// Texts that YAML, Helm's templates, shells or Kubernetes could take for something else.
const ODD: &[&str] = &[
    "",
    " ",
    "  a  ",
    "\n",
    "\n a",
    "a\n\n",
    "one\ntwo\n\n\nfive",
    "one\r\ntwo\r",
    "\ta\t",
    "\"",
    "'",
    "`",
    "\\",
    "\\n",
    "$HOME",
    "$(PORT)",
    "$$(PORT)",
    "$$",
    "{{ .Values }}",
    "{{",
    "{% raw %}",
    "<a>&amp;</a>",
    "- a: b # c",
    "yes",
    "~",
    "null",
    "0123",
    "1e3",
    "0x1F",
    "1_000",
    "12:30",
    "2024-01-01",
    "{}",
    "[]",
    "!!str a",
    "&a *a",
    "%YAML",
    "---",
    "...",
    "{\"a\": [1, null, \"\\u00e9\"]}",
    "é 漢字 😀",
    "\u{2028}\u{2029}",
    "\u{feff}",
    "\u{1}\u{1b}[0m\u{7f}",
    "\u{85}",
    "\u{80}\u{9f}",
];

#[test]
fn odd_values_are_kept() {
    for helm in tools::helms() {
        let values: Vec<String> = ODD.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(through(&helm, &values), values);
    }
}

#[test]
fn any_values_are_kept() {
    let Some(helm) = tools::find("helm") else {
        return;
    };
    // Surrogates cannot be in a Rust string; NUL cannot be in an environment; YAML knows no U+FFFE and U+FFFF.
    let text = any::<String>().prop_map(|text| text.replace(['\0', '\u{fffe}', '\u{ffff}'], ""));
    // Each case starts helm once, so many texts go in few cases.
    let config = ProptestConfig {
        cases: 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(text, 100), |values| {
            prop_assert_eq!(through(&helm, &values), values);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The values as they come out of the ConfigMap.
fn through(helm: &tools::Tool, values: &[String]) -> Vec<String> {
    let env: Map<String, Value> = values
        .iter()
        .enumerate()
        .map(|(index, text)| (format!("V{index}"), text.clone().into()))
        .collect();
    let values = json!({"services": {"app": {"image": "app:1", "env": env}}});
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("values.json");
    std::fs::write(&file, ascii_controls(&values.to_string())).expect("the folder is ours");
    let chart = charts_folder().join("k8s-ee-app");
    let text = helm.succeed([
        "template".as_ref(),
        "app".as_ref(),
        chart.as_os_str(),
        "--kube-version".as_ref(),
        tools::KUBERNETES.as_ref(),
        "--show-only".as_ref(),
        "templates/configmap.yaml".as_ref(),
        "--values".as_ref(),
        file.as_os_str(),
    ]);
    let objects = yaml::read_stream(&text).expect("helm prints YAML");
    let data = objects[0]["data"]
        .as_object()
        .expect("a ConfigMap has data");
    (0..data.len() - 1)
        .map(|index| {
            data[&format!("V{index}")]
                .as_str()
                .expect("data are texts")
                .to_owned()
        })
        .collect()
}

/// Helm reads JSON as YAML, which has no place for these characters unless they are escaped.
fn ascii_controls(json: &str) -> String {
    json.chars()
        .map(|c| match c {
            '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}
