//! What the service demands of a variant that is to be scaled, and of its bounds.

use serde_json::Value;

use crate::account::{Account, ScalableTarget};
use crate::clock::Moment;
use crate::endpoints;
use crate::error::ServiceError;
use crate::registered::{self, VariantId};
use crate::requests::{Document, is_set, required, text};

use super::{CONCURRENCY, INSTANCES, NAMESPACE, refuse};

/// The least capacity that the variant which a request registers may be scaled to. The variant must
/// be in service, and have what is to be scaled.
pub(super) fn least_capacity(
    account: &Account,
    request: &Document,
    now: Moment,
) -> Result<i64, ServiceError> {
    let resource_id = required(request, "ResourceId");
    let dimension = required(request, "ScalableDimension");
    let is_known = required(request, "ServiceNamespace") == NAMESPACE
        && [INSTANCES, CONCURRENCY].contains(&dimension);
    let Some(id) = VariantId::read(resource_id).filter(|_| is_known) else {
        return refuse("Unsupported service namespace, resource type or scalable dimension");
    };
    let Some((_, view)) = endpoints::present(account, id.endpoint, now) else {
        return refuse(format!("SageMaker endpoint doesn't exist: {resource_id}"));
    };
    let live = &view.phase.live;
    let Some(variant) = registered::production_variant(live, id.variant) else {
        return refuse(format!(
            "SageMaker endpoint variant doesn't exist: {resource_id}"
        ));
    };
    if view.phase.status != "InService" {
        return refuse(format!(
            "SageMaker endpoint is {}, not InService: {resource_id}",
            view.phase.status
        ));
    }
    if !can_be_scaled(variant, dimension) {
        return refuse(format!(
            "{dimension} cannot be scaled for this variant: {resource_id}"
        ));
    }
    // Only the queue of an asynchronous endpoint bears that nobody works on it.
    Ok(i64::from(!is_set(&live.document, "AsyncInferenceConfig")))
}

fn can_be_scaled(variant: &Document, dimension: &str) -> bool {
    if dimension == CONCURRENCY {
        let serverless = variant.get("ServerlessConfig");
        return serverless.is_some_and(|config| !config["ProvisionedConcurrency"].is_null());
    }
    !is_set(variant, "ServerlessConfig") && !text(variant, "InstanceType").is_some_and(is_burstable)
}

/// Whether instances of a type burst by themselves, which the service does not scale.
fn is_burstable(instance_type: &str) -> bool {
    let family = instance_type.strip_prefix("ml.t").unwrap_or_default();
    family.starts_with(|character: char| character.is_ascii_digit())
}

/// The capacities that a request gives, or else those that the target has.
pub(super) fn capacities(
    request: &Document,
    known: Option<&ScalableTarget>,
) -> Result<(i64, i64), ServiceError> {
    let given = |member: &str| request.get(member).and_then(Value::as_i64);
    let min = given("MinCapacity").or(known.map(|target| target.min_capacity));
    let max = given("MaxCapacity").or(known.map(|target| target.max_capacity));
    match (min, max) {
        (Some(min), Some(max)) => Ok((min, max)),
        _ => refuse("A new scalable target needs a MinCapacity and a MaxCapacity."),
    }
}

/// Checks a target's bounds, whose lower one is at least `least`.
pub(super) fn check_capacities(min: i64, max: i64, least: i64) -> Result<(), ServiceError> {
    if max < min {
        return refuse("Maximum capacity cannot be less than minimum capacity");
    }
    if min < least {
        return refuse(format!(
            "Minimum capacity cannot be less than {least}: only variants of asynchronous endpoints scale to zero"
        ));
    }
    if max < 1 {
        return refuse("Maximum capacity cannot be less than 1");
    }
    Ok(())
}
