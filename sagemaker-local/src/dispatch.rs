//! From an operation's name to what does it.

use crate::account::{Account, Sight};
use crate::clock::Moment;
use crate::constraints;
use crate::endpoint_answers;
use crate::endpoint_configs;
use crate::endpoints;
use crate::error::ServiceError;
use crate::model_package_groups;
use crate::model_packages;
use crate::models;
use crate::names::name_in;
use crate::requests::{Answer, Document, required, text};
use crate::tags;

/// Carries an operation out.
pub(crate) fn run(
    account: &mut Account,
    operation: &str,
    request: &Document,
    now: Moment,
    sight: Sight,
) -> Answer {
    constraints::check(operation, request)?;
    tags::check(request)?;
    match operation {
        "CreateModelPackageGroup" => model_package_groups::create(account, request, now),
        "DescribeModelPackageGroup" => model_package_groups::describe(account, request),
        "DeleteModelPackageGroup" => model_package_groups::delete(account, request),
        "CreateModelPackage" => model_packages::create(account, request, now),
        "UpdateModelPackage" => model_packages::update(account, request, now),
        "DescribeModelPackage" => model_packages::describe(account, request),
        "ListModelPackages" => model_packages::list(account, request),
        "DeleteModelPackage" => model_packages::delete(account, request),

        "CreateModel" => models::create(account, request, now),
        "DescribeModel" => models::describe(account, request),
        "ListModels" => models::list(account, request),
        "DeleteModel" => models::delete(account, request),

        "CreateEndpointConfig" => endpoint_configs::create(account, request, now),
        "DescribeEndpointConfig" => endpoint_configs::describe(account, request),
        "ListEndpointConfigs" => endpoint_configs::list(account, request),
        "DeleteEndpointConfig" => endpoint_configs::delete(account, request),

        "CreateEndpoint" => endpoints::create(account, request, now),
        "UpdateEndpoint" => endpoints::update(account, request, now),
        "UpdateEndpointWeightsAndCapacities" => {
            endpoints::update_weights_and_capacities(account, request, now)
        }
        "DeleteEndpoint" => endpoints::delete(account, request, now),
        "DescribeEndpoint" => endpoint_answers::describe(account, request, now, sight),
        "ListEndpoints" => endpoint_answers::list(account, request, now, sight),

        "AddTags" => tags::add(account, request, now),
        "ListTags" => tags::list(account, request, now),
        "DeleteTags" => tags::delete(account, request, now),

        _ => Err(ServiceError::new(
            "UnknownOperationException",
            format!("The operation {operation} is not one that this server knows."),
        )),
    }
}

/// The ARN of the resource that a request acts on, as a denial names it.
pub(crate) fn resource_arn(account: &Account, operation: &str, request: &Document) -> String {
    let arns = &account.arns;
    if let Some(arn) = text(request, "ResourceArn").or_else(|| text(request, "ModelPackageArn")) {
        return arn.to_owned();
    }
    match operation {
        "ListModels" => arns.all("model"),
        "ListEndpointConfigs" => arns.all("endpoint-config"),
        "ListEndpoints" => arns.all("endpoint"),
        "ListModelPackages" => arns.all("model-package"),
        _ if operation.ends_with("Model") => arns.model(required(request, "ModelName")),
        _ if operation.ends_with("EndpointConfig") => {
            arns.endpoint_config(required(request, "EndpointConfigName"))
        }
        _ if operation.contains("Endpoint") => arns.endpoint(required(request, "EndpointName")),
        _ if operation.ends_with("ModelPackageGroup") => {
            arns.model_package_group(name_in(required(request, "ModelPackageGroupName")))
        }
        _ => match (
            text(request, "ModelPackageName"),
            text(request, "ModelPackageGroupName"),
        ) {
            (None, Some(group)) => arns.model_package(&format!("{}/*", name_in(group))),
            (package, _) => arns.model_package(package.unwrap_or("*")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn an_unknown_operation_is_told_so() {
        let mut account = Account::new(Settings::default());
        let answer = run(
            &mut account,
            "MakeTea",
            &Document::new(),
            Duration::ZERO,
            Sight::Fresh,
        );
        let error = answer.expect_err("no such operation");
        assert_eq!(
            (error.code.as_str(), error.status),
            ("UnknownOperationException", 400)
        );
    }

    #[test]
    fn a_request_is_checked_before_anything_is_done() {
        let mut account = Account::new(Settings::default());
        let request = json!({ "ModelName": "a_b", "PrimaryContainer": { "Image": "image" } });
        let request = request.as_object().expect("an object");
        let answer = run(
            &mut account,
            "CreateModel",
            request,
            Duration::ZERO,
            Sight::Fresh,
        );
        assert_eq!(answer.expect_err("a bad name").code, "ValidationException");
        assert!(account.models.is_empty());
    }

    #[test]
    fn a_request_is_about_one_resource() {
        let account = Account::new(Settings::default());
        let about = |operation, request: serde_json::Value| {
            let arn = resource_arn(&account, operation, request.as_object().expect("an object"));
            arn.replace("arn:aws:sagemaker:eu-west-1:123456789012:", "")
        };
        let model = json!({ "ModelName": "M" });
        let config = json!({ "EndpointConfigName": "C" });
        let endpoint = json!({ "EndpointName": "E", "EndpointConfigName": "C" });
        let group = json!({ "ModelPackageGroupName": "G" });
        let package = json!({ "ModelPackageName": "G/1" });
        for (operation, request, wanted) in [
            ("CreateModel", &model, "model/m"),
            ("DeleteModel", &model, "model/m"),
            ("ListModels", &json!({}), "model/*"),
            ("CreateEndpointConfig", &config, "endpoint-config/c"),
            ("DescribeEndpointConfig", &config, "endpoint-config/c"),
            ("ListEndpointConfigs", &json!({}), "endpoint-config/*"),
            ("CreateEndpoint", &endpoint, "endpoint/e"),
            ("UpdateEndpoint", &endpoint, "endpoint/e"),
            (
                "UpdateEndpointWeightsAndCapacities",
                &endpoint,
                "endpoint/e",
            ),
            ("ListEndpoints", &json!({}), "endpoint/*"),
            ("DescribeModelPackageGroup", &group, "model-package-group/g"),
            ("CreateModelPackage", &group, "model-package/g/*"),
            ("DescribeModelPackage", &package, "model-package/g/1"),
            ("ListModelPackages", &json!({}), "model-package/*"),
            ("AddTags", &json!({ "ResourceArn": "arn" }), "arn"),
            (
                "UpdateModelPackage",
                &json!({ "ModelPackageArn": "arn" }),
                "arn",
            ),
        ] {
            assert_eq!(about(operation, request.clone()), wanted, "{operation}");
        }
    }
}
