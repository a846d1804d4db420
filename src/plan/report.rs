//! The plan for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    Action, Change, Plan,
    cost::{self, CostChange},
    diff::FieldChange,
    impact::ImpactKind,
    volumes::Fate,
};
use crate::model::object::ObjectId;

/// Longest value that is shown of a changed field, and the shortest that it is cut to.
const SHOWN: usize = 60;
const SHOWN_AT_LEAST: usize = 10;

/// Blanks before a line of the costs, and before a changed field.
const INDENT: usize = 2;
const FIELD_INDENT: usize = 8;

/// A plan, and what was found out about it.
#[derive(Debug)]
pub struct Report<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What it asks the cluster for.
    pub cost: CostChange,
    /// How many objects the API server was asked about; none without one.
    pub tried: Option<usize>,
}

/// The plan as a text: what it means first, then what happens to each object, in order; unchanged ones are counted only.
/// Values are cut to fit `width` columns.
#[must_use]
pub fn human(report: &Report<'_>, width: Option<usize>) -> String {
    let plan = report.plan;
    let mut text = format!("{}\n", plan.namespace);
    consequences(&mut text, plan);
    section(&mut text, "guardrails", &plan.guardrails, width);
    for (number, wave) in plan.waves.iter().enumerate() {
        for component in wave {
            let name = if component.name.is_empty() {
                "(shared)"
            } else {
                &component.name
            };
            section(
                &mut text,
                &format!("wave {}: {name}", number + 1),
                &component.changes,
                width,
            );
        }
    }
    let removed: Vec<&ObjectId> = plan.removed().collect();
    if !removed.is_empty() {
        text.push_str("  removed when the rest is up\n");
        for id in &removed {
            let _ = writeln!(text, "    - {id}");
        }
    }
    for line in cost::human(
        &report.cost,
        width.map(|width| width.saturating_sub(INDENT)),
    ) {
        let _ = writeln!(text, "{:INDENT$}{line}", "");
    }
    for note in &plan.notes {
        let _ = writeln!(text, "note: {note}");
    }
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    } else {
        let count = |action| plan.changes().filter(|c| c.action == action).count();
        let growing = plan.volumes.iter().filter(|v| v.grows()).count();
        let _ = writeln!(
            text,
            "{} to create, {} to update, {} to replace, {} to remove, {} unchanged",
            count(Action::Create),
            count(Action::Update) + count(Action::Complete) + growing,
            count(Action::Replace),
            removed.len(),
            count(Action::Keep),
        );
    }
    text
}

/// What has to be known before anything else: losses, pauses, volumes.
fn consequences(text: &mut String, plan: &Plan) {
    if plan.impact.is_empty() && plan.volumes.is_empty() {
        return;
    }
    text.push_str("  impact\n");
    for impact in &plan.impact {
        let sign = match impact.kind {
            ImpactKind::DataLost => '!',
            ImpactKind::StartsEmpty
            | ImpactKind::Restart
            | ImpactKind::Removed
            | ImpactKind::Rollout => '~',
        };
        let _ = writeln!(text, "    {sign} {}", impact.text);
    }
    for volume in &plan.volumes {
        let sign = match volume.fate {
            Fate::Remove => '!',
            Fate::Grow { .. } => '~',
            Fate::Keep => '=',
        };
        let _ = writeln!(text, "    {sign} {}", volume.text("k8s-ee up"));
    }
}

fn section(text: &mut String, title: &str, changes: &[Change], width: Option<usize>) {
    let kept = changes.iter().filter(|c| c.action == Action::Keep).count();
    let _ = match kept {
        0 => writeln!(text, "  {title}"),
        kept if kept == changes.len() => writeln!(text, "  {title}: unchanged"),
        kept => writeln!(text, "  {title} ({kept} unchanged)"),
    };
    for change in changes {
        let sign = match change.action {
            Action::Create => '+',
            Action::Update | Action::Complete => '~',
            Action::Replace => '!',
            Action::Keep => continue,
        };
        let _ = writeln!(text, "    {sign} {}", change.id);
        for field in &change.fields {
            let line = line(&change.id.kind, field, width);
            let _ = writeln!(text, "{:FIELD_INDENT$}{line}", "");
        }
    }
}

fn line(kind: &str, field: &FieldChange, width: Option<usize>) -> String {
    let path = &field.path;
    // Both values get half of what is left beside the path.
    let beside = FIELD_INDENT + path.chars().count() + ":  → ".chars().count();
    let room = width.map_or(SHOWN, |width| width.saturating_sub(beside) / 2);
    let room = room.clamp(SHOWN_AT_LEAST, SHOWN);
    let show = |value: &Option<Value>| match value {
        None => "(none)".to_owned(),
        Some(_) if kind == "Secret" => "***".to_owned(),
        Some(Value::String(text)) => shorten(text, room),
        Some(value) => shorten(&value.to_string(), room),
    };
    format!("{path}: {} → {}", show(&field.from), show(&field.to))
}

fn shorten(text: &str, longest: usize) -> String {
    let text = text.escape_debug().to_string();
    if text.chars().count() <= longest {
        return text;
    }
    let head: String = text.chars().take(longest - 1).collect();
    format!("{head}…")
}

/// The plan as `k8s-ee plan -o json` prints it, version 1.
#[must_use]
pub fn json(report: &Report<'_>) -> Value {
    let plan = report.plan;
    let change = |change: &Change| {
        let fields: Vec<Value> = change
            .fields
            .iter()
            .map(|field| {
                if change.id.kind == "Secret" {
                    json!({"path": field.path, "from": "***", "to": "***"})
                } else {
                    json!(field)
                }
            })
            .collect();
        json!({"object": change.id, "action": change.action, "fields": fields})
    };
    let list = |changes: &[Change]| changes.iter().map(change).collect::<Vec<_>>();
    json!({
        "version": 1,
        "namespace": plan.namespace,
        "changed": !plan.is_empty(),
        "guardrails": list(&plan.guardrails),
        "waves": plan.waves.iter().map(|wave| {
            wave.iter().map(|c| json!({"component": c.name, "objects": list(&c.changes)})).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
        "prune": plan.removed().collect::<Vec<_>>(),
        "impact": plan.impact,
        "cost": report.cost,
        "dryRun": report.tried,
        "volumes": plan.volumes,
        "notes": plan.notes,
        "quota": {"hard": plan.quota.hard_strings()},
    })
}
