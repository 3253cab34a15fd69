//! The two fleets of an endpoint as `DescribeEndpoint` tells of them: the live one, and the one that
//! a deployment under way brings.
//!
//! Weights divide the traffic among the variants of one fleet, and stay. What shows of the traffic
//! between the fleets is how many instances of a variant take part.

use serde_json::{Value, json};

use crate::clock::{Moment, timestamp};
use crate::lifecycle::{Stage, View};
use crate::requests::items;

/// The variants that are in service, by the members that list them.
pub(crate) fn live(view: &View) -> [(&'static str, Vec<Value>); 2] {
    let live = &view.phase.live;
    let mut variants = live.variants.clone();
    for variant in &mut variants {
        live_variant(variant, view);
    }
    [
        ("ProductionVariants", variants),
        ("ShadowProductionVariants", live.shadow_variants.clone()),
    ]
}

fn live_variant(variant: &mut Value, view: &View) {
    let phase = &view.phase;
    let rolling = phase.pending.as_ref().is_some_and(|new| new.is_rolled());
    let count = variant["CurrentInstanceCount"].as_u64();
    if let Some(count) = count.filter(|_| rolling && phase.stage.is_some()) {
        // Instances of the old fleet end as those of the new one take over.
        variant["CurrentInstanceCount"] = (count - phase.traffic.of(count).min(count)).into();
    }
    if phase.stage == Some(Stage::Terminating) {
        variant["VariantStatus"] = status("Deleting", view.since);
    }
}

/// The deployment under way, where there is one.
pub(crate) fn pending(view: &View) -> Option<Value> {
    let pending = view.phase.pending.as_ref();
    let pending = pending.filter(|_| view.phase.is_deploying())?;
    let mut answer = json!({
        "EndpointConfigName": pending.name,
        "StartTime": timestamp(view.started),
    });
    for (member, summaries) in [
        ("ProductionVariants", &pending.variants),
        ("ShadowProductionVariants", &pending.shadow_variants),
    ] {
        let variants: Vec<Value> = summaries
            .iter()
            .zip(items(&pending.document, member))
            .map(|(summary, variant)| pending_variant(summary, variant, view))
            .collect();
        if !variants.is_empty() {
            answer[member] = variants.into();
        }
    }
    Some(answer)
}

fn pending_variant(summary: &Value, variant: &Value, view: &View) -> Value {
    let mut pending = summary.clone();
    for member in ["InstanceType", "AcceleratorType"] {
        if let Some(value) = variant.get(member) {
            pending[member] = value.clone();
        }
    }
    let Some(stage) = view.phase.stage else {
        pending["VariantStatus"] = status("Creating", view.started);
        return pending;
    };
    if let Some(count) = summary["DesiredInstanceCount"].as_u64() {
        pending["CurrentInstanceCount"] = view.phase.traffic.of(count).into();
    }
    let told = match stage {
        Stage::Creating => Some("Creating"),
        Stage::Baking => Some("Baking"),
        // The new fleet is as it is going to be.
        Stage::Terminating => None,
        Stage::RollingBack => Some("Deleting"),
    };
    if let Some(told) = told {
        pending["VariantStatus"] = status(told, view.since);
    }
    pending
}

fn status(told: &str, since: Moment) -> Value {
    json!([{ "Status": told, "StartTime": timestamp(since) }])
}

#[cfg(test)]
mod tests;
