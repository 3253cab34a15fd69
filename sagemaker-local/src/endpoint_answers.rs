//! Endpoints as they are read: `DescribeEndpoint` and `ListEndpoints`.

use serde_json::{Value, json};

use crate::account::{Account, Endpoint, Sight};
use crate::clock::{Moment, timestamp};
use crate::deployed::Deployed;
use crate::endpoints;
use crate::lifecycle::View;
use crate::names;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, items, required};

pub(crate) fn describe(account: &Account, request: &Document, now: Moment, sight: Sight) -> Answer {
    let name = required(request, "EndpointName");
    let endpoint = account.endpoints.get(&names::key(name));
    let seen = endpoint.and_then(|endpoint| Some((endpoint, endpoint.view(now, sight)?)));
    let (endpoint, view) = seen.ok_or_else(|| endpoints::not_found(account, name))?;
    Ok(description(endpoint, &view))
}

pub(crate) fn list(account: &Account, request: &Document, now: Moment, sight: Sight) -> Answer {
    let rows = account.endpoints.values().filter_map(|endpoint| {
        let view = endpoint.view(now, sight)?;
        Some(Row {
            name: endpoint.name.clone(),
            serial: endpoint.serial,
            created: endpoint.created,
            modified: Some(view.modified),
            status: Some(view.phase.status.clone()),
            summary: summary(endpoint, &view),
        })
    });
    paging::page(request, rows.collect(), "Endpoints", "Descending")
}

fn summary(endpoint: &Endpoint, view: &View<'_>) -> Value {
    json!({
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": timestamp(endpoint.created),
        "LastModifiedTime": timestamp(view.modified),
        "EndpointStatus": view.phase.status,
    })
}

fn description(endpoint: &Endpoint, view: &View<'_>) -> Value {
    let phase = view.phase;
    let live = &phase.live;
    let mut answer = summary(endpoint, view);
    answer["EndpointConfigName"] = live.name.as_str().into();
    // While it is created nothing is in service yet: the variants are in the pending deployment.
    if phase.status != "Creating" {
        set_list(&mut answer, "ProductionVariants", &live.variants);
        set_list(
            &mut answer,
            "ShadowProductionVariants",
            &live.shadow_variants,
        );
    }
    for member in [
        "AsyncInferenceConfig",
        "ExplainerConfig",
        "MetricsConfig",
        "CrossRegionTrafficConfig",
    ] {
        if let Some(value) = live.document.get(member) {
            answer[member] = value.clone();
        }
    }
    if let Some(capture) = live.document.get("DataCaptureConfig") {
        answer["DataCaptureConfig"] = capture_summary(capture);
    }
    if let Some(config) = &live.deployment_config {
        answer["LastDeploymentConfig"] = config.clone();
    }
    if let Some(reason) = &phase.failure_reason {
        answer["FailureReason"] = reason.as_str().into();
    }
    if let Some(pending) = phase.pending.as_ref().filter(|_| phase.is_deploying()) {
        answer["PendingDeploymentSummary"] = pending_summary(pending, view.started);
    }
    answer
}

fn set_list(answer: &mut Value, member: &str, list: &[Value]) {
    if !list.is_empty() {
        answer[member] = list.into();
    }
}

fn capture_summary(capture: &Value) -> Value {
    let enabled = capture["EnableCapture"].as_bool().unwrap_or_default();
    json!({
        "EnableCapture": enabled,
        "CaptureStatus": if enabled { "Started" } else { "Stopped" },
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture["KmsKeyId"].as_str().unwrap_or_default(),
    })
}

fn pending_summary(pending: &Deployed, started: Moment) -> Value {
    let mut answer = json!({
        "EndpointConfigName": pending.name,
        "StartTime": timestamp(started),
    });
    for (member, summaries) in [
        ("ProductionVariants", &pending.variants),
        ("ShadowProductionVariants", &pending.shadow_variants),
    ] {
        let variants: Vec<Value> = summaries
            .iter()
            .zip(items(&pending.document, member))
            .map(|(summary, variant)| pending_variant(summary, variant, started))
            .collect();
        set_list(&mut answer, member, &variants);
    }
    answer
}

fn pending_variant(summary: &Value, variant: &Value, started: Moment) -> Value {
    let mut pending = summary.clone();
    for member in ["InstanceType", "AcceleratorType"] {
        if let Some(value) = variant.get(member) {
            pending[member] = value.clone();
        }
    }
    pending["VariantStatus"] = json!([{ "Status": "Creating", "StartTime": timestamp(started) }]);
    pending
}

#[cfg(test)]
mod tests;
