use std::collections::BTreeMap;

use super::*;
use crate::plan::Stage;

const ASKED: &str = "endpoint-config-asked";
const PREVIOUS: &str = "endpoint-config-previous";
const ANOTHER: &str = "endpoint-config-another";

/// The endpoint's `LastModifiedTime` before the launch, and after it.
const BEFORE: i64 = 1_800_000_000;
const AFTER: i64 = BEFORE + 1;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// When the launch was sent, or accepted.
fn launched() -> Moment {
    Moment::since_epoch(seconds(BEFORE.unsigned_abs()))
}

fn poll(status: &str, config: &str, modified: Option<i64>) -> Endpoint {
    Endpoint {
        name: "churn".to_owned(),
        arn: "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn".to_owned(),
        status: EndpointStatus::from(status),
        config: config.to_owned(),
        pending_config: None,
        failure_reason: None,
        last_modified: modified.map(DateTime::from_secs),
        instance_counts: BTreeMap::new(),
        last_deployment_config: None,
    }
}

fn target(previous: &str) -> Target {
    Target {
        endpoint_config: ASKED.to_owned(),
        model: "model-asked".to_owned(),
        previous: previous.to_owned(),
        since: (!previous.is_empty()).then(|| DateTime::from_secs(BEFORE)),
    }
}

/// What an earlier process wrote down.
fn written(route: Route) -> Checkpoint {
    Checkpoint {
        route,
        stage: Stage::Planned,
        at: launched(),
        endpoint_config: ASKED.to_owned(),
        model: "model-asked".to_owned(),
        previous: PREVIOUS.to_owned(),
        since: Some(DateTime::from_secs(BEFORE)),
    }
}

mod laws;
mod table;
