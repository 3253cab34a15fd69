//! Endpoints as they are read: `DescribeEndpoint` and `ListEndpoints`.

use serde_json::{Value, json};

use crate::account::{Account, Endpoint, Sight};
use crate::clock::{Moment, timestamp};
use crate::endpoints;
use crate::fleets;
use crate::lifecycle::View;
use crate::names;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, required};

pub(crate) fn describe(account: &Account, request: &Document, now: Moment, sight: Sight) -> Answer {
    let name = required(request, "EndpointName");
    let endpoint = account.endpoints.get(&names::key(name));
    let seen =
        endpoint.and_then(|endpoint| Some((endpoint, endpoint.view(now, sight, &account.alarms)?)));
    let (endpoint, view) = seen.ok_or_else(|| endpoints::not_found(account, name))?;
    Ok(description(endpoint, &view))
}

pub(crate) fn list(account: &Account, request: &Document, now: Moment, sight: Sight) -> Answer {
    let rows = account.endpoints.values().filter_map(|endpoint| {
        let view = endpoint.view(now, sight, &account.alarms)?;
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

fn summary(endpoint: &Endpoint, view: &View) -> Value {
    json!({
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": timestamp(endpoint.created),
        "LastModifiedTime": timestamp(view.modified),
        "EndpointStatus": view.phase.status,
    })
}

fn description(endpoint: &Endpoint, view: &View) -> Value {
    let phase = &view.phase;
    let live = &phase.live;
    let mut answer = summary(endpoint, view);
    answer["EndpointConfigName"] = live.name.as_str().into();
    // While it is created nothing is in service yet: the variants are in the pending deployment.
    if phase.status != "Creating" {
        for (member, variants) in fleets::live(view) {
            if !variants.is_empty() {
                answer[member] = variants.into();
            }
        }
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
    if let Some(pending) = fleets::pending(view) {
        answer["PendingDeploymentSummary"] = pending;
    }
    answer
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

#[cfg(test)]
mod tests;
