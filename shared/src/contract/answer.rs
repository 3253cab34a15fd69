//! The answer of the two deploy functions.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// How a deployment that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DeploymentStatus {
    /// The endpoint serves the model that was asked for, since this call or the one that it resumed.
    Deployed,
    /// The endpoint served exactly this before the call; nothing was changed.
    Unchanged,
    /// The wait's budget is spent and the deployment goes on (`on_timeout` is `return`).
    InProgress,
    /// Nothing was changed because `dry_run` was asked for; the names are the ones planned.
    DryRun,
}

impl DeploymentStatus {
    /// The contract's word, as the answer and the metric `Deployments` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "Deployed",
            Self::Unchanged => "Unchanged",
            Self::InProgress => "InProgress",
            Self::DryRun => "DryRun",
        }
    }
}

/// What a deploy function answers. Flat, so that every key can be a `LambdaOutput` of the pipeline's step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeployAnswer {
    /// Always 200; a failure is a Lambda error instead.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// The received event to the letter, as a JSON string.
    pub body: String,
    /// Name of the model that the endpoint serves.
    pub model: String,
    /// The endpoint's name, as the event spells it.
    pub endpoint_name: String,
    /// The endpoint's ARN; empty where a dry run found no endpoint.
    pub endpoint_arn: String,
    /// Name of the endpoint config that serves the model.
    pub endpoint_config: String,
    /// The endpoint's status when it was last looked at, `NotFound` where there is none.
    pub endpoint_status: String,
    /// Update only: the endpoint config that was replaced; empty where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_endpoint_config: Option<String>,
    /// How the deployment ended.
    pub deployment_status: DeploymentStatus,
    /// How long the call took, or the whole deployment through a queue: in seconds, to the millisecond.
    #[serde(rename = "elapsed_seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
}

fn seconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_answer_is_flat_and_spelled_as_in_the_contract() {
        let mut answer = DeployAnswer {
            status_code: 200,
            body: "{}".to_owned(),
            model: "model-1".to_owned(),
            endpoint_name: "churn".to_owned(),
            endpoint_arn: "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn".to_owned(),
            endpoint_config: "endpoint-config-2".to_owned(),
            endpoint_status: "InService".to_owned(),
            previous_endpoint_config: Some("endpoint-config-1".to_owned()),
            deployment_status: DeploymentStatus::Deployed,
            elapsed: Duration::from_micros(83_456_789),
        };
        let mut expected = json!({
            "statusCode": 200,
            "body": "{}",
            "model": "model-1",
            "endpoint_name": "churn",
            "endpoint_arn": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn",
            "endpoint_config": "endpoint-config-2",
            "endpoint_status": "InService",
            "previous_endpoint_config": "endpoint-config-1",
            "deployment_status": "Deployed",
            "elapsed_seconds": 83.457,
        });
        assert_eq!(serde_json::to_value(&answer).expect("JSON"), expected);
        answer.previous_endpoint_config = None;
        expected
            .as_object_mut()
            .expect("an object")
            .remove("previous_endpoint_config");
        assert_eq!(serde_json::to_value(&answer).expect("JSON"), expected);
    }

    #[test]
    fn a_status_is_one_word_in_the_answer_and_in_the_metrics() {
        for (status, word) in [
            (DeploymentStatus::Deployed, "Deployed"),
            (DeploymentStatus::Unchanged, "Unchanged"),
            (DeploymentStatus::InProgress, "InProgress"),
            (DeploymentStatus::DryRun, "DryRun"),
        ] {
            assert_eq!(status.as_str(), word);
            assert_eq!(serde_json::to_value(status).expect("JSON"), word);
        }
    }
}
