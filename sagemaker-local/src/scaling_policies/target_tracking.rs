//! What the service demands of a policy that keeps a metric near a target.

use serde_json::Value;

use crate::error::ServiceError;
use crate::requests::Document;
use crate::scalable_targets::{CONCURRENCY, INSTANCES};

use super::refuse;

/// The type of such policies.
pub(super) const KIND: &str = "TargetTrackingScaling";

/// The predefined metrics of each dimension.
const METRICS: [(&str, &[&str]); 2] = [
    (
        INSTANCES,
        &[
            "SageMakerVariantInvocationsPerInstance",
            "SageMakerVariantConcurrentRequestsPerModelHighResolution",
        ],
    ),
    (
        CONCURRENCY,
        &["SageMakerVariantProvisionedConcurrencyUtilization"],
    ),
];
/// Where the metric stands.
const SPECIFICATIONS: [&str; 2] = [
    "PredefinedMetricSpecification",
    "CustomizedMetricSpecification",
];

/// Checks a configuration for a target of this dimension: its value is one that the service can
/// bear, and it has one metric, which goes with the dimension.
pub(super) fn check(dimension: &str, config: &Document) -> Result<(), ServiceError> {
    let value = config["TargetValue"].as_f64().unwrap_or_default();
    if value.abs() > 2_f64.powi(360) {
        return refuse("The TargetValue must be in the range of -2^360 to 2^360.");
    }
    let [predefined, customized] = SPECIFICATIONS.map(|member| config.get(member));
    match (predefined, customized) {
        (Some(predefined), None) => check_predefined(dimension, predefined),
        (None, Some(customized)) => check_customized(customized),
        _ => refuse(format!(
            "A target tracking policy needs either a {} or a {}.",
            SPECIFICATIONS[0], SPECIFICATIONS[1]
        )),
    }
}

/// Refuses two policies of one target that track the same metric.
pub(super) fn check_apart(config: &Document, other: &Value) -> Result<(), ServiceError> {
    let same = SPECIFICATIONS
        .into_iter()
        .all(|member| config.get(member) == other.get(member));
    if same {
        return refuse(
            "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
        );
    }
    Ok(())
}

fn check_predefined(dimension: &str, metric: &Value) -> Result<(), ServiceError> {
    let known = METRICS.into_iter().find(|(known, _)| *known == dimension);
    let known = known.map_or(&[][..], |(_, metrics)| metrics);
    if known
        .iter()
        .any(|known| metric["PredefinedMetricType"] == *known)
    {
        return Ok(());
    }
    refuse(format!(
        "Scalable dimension {dimension} only supports the following predefined metric types: {}",
        known.join(", ")
    ))
}

/// A metric of one's own is named in full, or computed from others.
fn check_customized(metric: &Value) -> Result<(), ServiceError> {
    let named = ["MetricName", "Namespace", "Statistic"].map(|member| !metric[member].is_null());
    let computed = !metric["Metrics"].is_null();
    let is_one = if computed {
        !named.contains(&true)
    } else {
        !named.contains(&false)
    };
    if is_one {
        return Ok(());
    }
    refuse(
        "A CustomizedMetricSpecification needs either a MetricName, a Namespace and a Statistic, or Metrics.",
    )
}
