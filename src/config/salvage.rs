//! What can be known of a file that has mistakes: enough to remove an environment, and to tell whose mistakes they are.

use super::{
    Source, document, patterns,
    trigger::{Rules, Trigger},
};

/// What is left of a file, valid or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// The project, where it can be made out.
    pub project_id: Option<String>,
    /// Which pull requests get an environment; the defaults where that cannot be made out.
    pub rules: Rules,
}

impl Salvage {
    /// Looks for it in the text, which may be anything.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let (document, _) = if super::unreadable(source).is_none() {
            document::compose(source)
        } else {
            (None, Vec::new())
        };
        let json = document
            .map(|document| document.to_json())
            .unwrap_or_default();
        let trigger = serde_json::from_value::<Trigger>(json["trigger"].clone());
        let written = json["projectId"].as_str().map(str::to_owned);
        Self {
            project_id: written
                .or_else(|| on_a_line(source.text()))
                .filter(|id| is_project(id)),
            rules: trigger.map(Rules::from).unwrap_or_default(),
        }
    }
}

/// The project in a text that is no YAML: on a line of its own.
fn on_a_line(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix("projectId:")?;
        let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']);
        Some(value.to_owned()).filter(|id| is_project(id))
    })
}

fn is_project(id: &str) -> bool {
    let pattern = regex::Regex::new(patterns::PROJECT_ID).expect("the schema's patterns compile");
    pattern.is_match(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::trigger::When;

    fn salvaged(text: &str) -> (Option<String>, When) {
        let salvage = Salvage::of(&Source::new("k8s-ee.yaml", text));
        (salvage.project_id, salvage.rules.on)
    }

    #[test]
    fn what_can_be_made_out_of_a_broken_file() {
        let shop = Some("shop".to_owned());
        let on_demand = "projectId: shop\ntrigger: on-demand\n";
        assert_eq!(salvaged(on_demand), (shop.clone(), When::OnDemand));
        let wrong_elsewhere = format!("{on_demand}app: {{port: many}}\nunknown: 1\n");
        assert_eq!(salvaged(&wrong_elsewhere), (shop.clone(), When::OnDemand));
        let wrong_trigger = "projectId: shop\ntrigger: sometimes\n";
        assert_eq!(salvaged(wrong_trigger), (shop.clone(), When::Automatic));
        let no_yaml = "projectId: \"shop\" # ours\napp: {port: [\n";
        assert_eq!(salvaged(no_yaml), (shop, When::Automatic));
    }

    #[test]
    fn nothing_is_made_of_what_is_no_project() {
        for text in [
            "",
            "\0",
            "- a",
            "projectId: ../../etc\n",
            "projectId: \"shop\\n::set-output\"\n",
            "projectId: [a]\n",
            "projectId: a-name-that-is-far-too-long\nx: [",
        ] {
            assert_eq!(salvaged(text), (None, When::Automatic), "{text}");
        }
    }
}
