//! Whether a model package may be deployed as asked, before anything is made. Pure.
//!
//! The package's list of instance types refuses one that is asked for. Of one that is live it only warns: the endpoint
//! serves on it.

use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::types::{
    InferenceSpecification, ModelApprovalStatus, ModelPackageStatus, ProductionVariantInstanceType,
};

use crate::contract::{BadKey, DeployRequest};
use crate::error::Error;

/// Checks the model package, as `DescribeModelPackage` has it, against the request and the instance type that it asks for:
///
/// 1. it exists,
/// 2. it is `Completed`,
/// 3. it is `Approved`, unless the request does without,
/// 4. it supports the instance type, where it lists any and there is one.
///
/// # Errors
///
/// `ModelPackageNotFound`, `ModelPackageNotApproved`, or `InvalidRequest` for the instance type.
pub fn check(
    request: &DeployRequest,
    package: Option<&DescribeModelPackageOutput>,
    instance_type: Option<&str>,
) -> Result<(), Error> {
    let package_arn = request.package_arn.clone();
    let Some(package) = package else {
        return Err(Error::ModelPackageNotFound { package_arn });
    };
    // A package without a status or an approval (an unversioned one has none) is not refused for that.
    let status = package.model_package_status.as_ref();
    if let Some(status) = status.filter(|status| **status != ModelPackageStatus::Completed) {
        let found = status.as_str().to_owned();
        return Err(Error::ModelPackageNotApproved { package_arn, found });
    }
    let approval = package.model_approval_status.as_ref();
    let unapproved = approval.filter(|approval| **approval != ModelApprovalStatus::Approved);
    if let Some(approval) = unapproved.filter(|_| request.require_approved_package) {
        let found = approval.as_str().to_owned();
        return Err(Error::ModelPackageNotApproved { package_arn, found });
    }
    let Some(wanted) = instance_type else {
        return Ok(());
    };
    match others_supported(package, wanted) {
        Some(supported) => {
            let reason =
                format!("must be one that the model package supports ({supported}), not {wanted}");
            Err(request.refused(vec![BadKey::new("instance_type", reason)]))
        }
        None => Ok(()),
    }
}

/// The instance types that a package lists, if it lists any and not this one.
pub fn others_supported(
    package: &DescribeModelPackageOutput,
    instance_type: &str,
) -> Option<String> {
    let supported: Vec<_> = package
        .inference_specification
        .iter()
        .flat_map(InferenceSpecification::supported_realtime_inference_instance_types)
        .map(ProductionVariantInstanceType::as_str)
        .collect();
    let is_missing = !supported.is_empty() && !supported.contains(&instance_type);
    is_missing.then(|| supported.join(", "))
}

/// Whether a model package is one of AWS Marketplace.
pub fn is_product(package: &DescribeModelPackageOutput) -> bool {
    let containers = package.inference_specification.iter();
    containers
        .flat_map(InferenceSpecification::containers)
        .any(|container| container.product_id.is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::{DeploymentKind, Environment};

    fn request(require_approved_package: bool) -> DeployRequest {
        let event = json!({
            "role": "arn:aws:iam::123456789012:role/SageMakerRole",
            "endpoint_name": "churn",
            "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
            "require_approved_package": require_approved_package,
        });
        DeployRequest::parse(DeploymentKind::New, &event.to_string(), &Environment::new())
            .expect("a good request")
    }

    fn package(status: &str, approval: &str, supported: &[&str]) -> DescribeModelPackageOutput {
        let types = supported
            .iter()
            .map(|name| ProductionVariantInstanceType::from(*name))
            .collect();
        let specification = InferenceSpecification::builder()
            .set_supported_realtime_inference_instance_types(Some(types))
            .set_containers(Some(Vec::new()))
            .build();
        DescribeModelPackageOutput::builder()
            .model_package_status(status.into())
            .model_approval_status(approval.into())
            .inference_specification(specification)
            .build()
    }

    #[test]
    fn a_package_is_deployed_only_complete_approved_and_on_what_it_supports() {
        let types = ["ml.m5.xlarge", "ml.g5.xlarge"];
        let cases = vec![
            (true, package("Completed", "Approved", &types), Ok(())),
            (true, package("Completed", "Approved", &[]), Ok(())),
            (
                true,
                package("InProgress", "Approved", &types),
                Err("ModelPackageNotApproved"),
            ),
            (
                true,
                package("Failed", "Approved", &types),
                Err("ModelPackageNotApproved"),
            ),
            (
                false,
                package("Failed", "Approved", &types),
                Err("ModelPackageNotApproved"),
            ),
            (
                true,
                package("Completed", "PendingManualApproval", &types),
                Err("ModelPackageNotApproved"),
            ),
            (
                true,
                package("Completed", "Rejected", &types),
                Err("ModelPackageNotApproved"),
            ),
            (false, package("Completed", "Rejected", &types), Ok(())),
            (
                true,
                package("Completed", "Approved", &types[1..]),
                Err("InvalidRequest"),
            ),
        ];
        for (require_approved, package, expected) in cases {
            let checked = check(
                &request(require_approved),
                Some(&package),
                Some("ml.m5.xlarge"),
            );
            assert_eq!(
                checked.map_err(|error| error.error_type()),
                expected,
                "{package:?}"
            );
        }
        let serverless = check(
            &request(true),
            Some(&package("Completed", "Approved", &types[1..])),
            None,
        );
        assert_eq!(serverless, Ok(()));
        let missing = check(&request(true), None, None).map_err(|error| error.error_type());
        assert_eq!(missing, Err("ModelPackageNotFound"));
    }
}
