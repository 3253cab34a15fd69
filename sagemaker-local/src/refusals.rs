//! What a call is answered that the service refuses for no fault of the request.

use crate::account::Account;
use crate::api::Api;
use crate::deployed::variants;
use crate::dispatch;
use crate::error::ServiceError;
use crate::requests::{Document, text};

/// The error for a call too many.
pub(crate) fn throttled() -> ServiceError {
    ServiceError::new("ThrottlingException", "Rate exceeded")
}

/// The error of a service that is broken.
pub(crate) fn broken(operation: &str) -> ServiceError {
    let code = match Api::of(operation) {
        Api::SageMaker | Api::Sqs => "InternalFailure",
        Api::ApplicationAutoScaling => "InternalServiceException",
    };
    ServiceError {
        status: 500,
        ..ServiceError::new(
            code,
            "The request processing has failed because of an internal error.",
        )
    }
}

/// The error for a caller who may not do this to the request's resource.
pub(crate) fn denied(account: &Account, operation: &str, request: &Document) -> ServiceError {
    let caller = account.arns.caller();
    let action = format!("{}:{operation}", Api::of(operation).action_prefix());
    let resource = dispatch::resource_arn(account, operation, request);
    ServiceError::new(
        "AccessDeniedException",
        format!(
            "User: {caller} is not authorized to perform: {action} on resource: {resource} because no \
             identity-based policy allows the {action} action"
        ),
    )
}

/// The error for an account that has as much as it may.
pub(crate) fn over_the_limit(
    account: &Account,
    operation: &str,
    request: &Document,
) -> ServiceError {
    if Api::of(operation) == Api::ApplicationAutoScaling {
        return ServiceError::new(
            "LimitExceededException",
            "You have reached the limit of your account for Application Auto Scaling.",
        );
    }
    let known = text(request, "EndpointConfigName").and_then(|name| account.endpoint_config(name));
    let config = known.map_or(request, |config| &config.document);
    let instance_type = variants(config).find_map(|variant| text(variant, "InstanceType"));
    ServiceError::new(
        "ResourceLimitExceeded",
        format!(
            "The account-level service limit '{} for endpoint usage' is 0 Instances, with current utilization of 0 \
             Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this \
             quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.",
            instance_type.unwrap_or("ml.m5.xlarge")
        ),
    )
}
