//! From an operation's name to what does it.

use serde_json::json;

use crate::account::{Account, Sight};
use crate::api::Api;
use crate::callback_steps::{FAIL, SUCCEED};
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
use crate::pipeline_executions;
use crate::queues;
use crate::requests::{Answer, Document, required, text};
use crate::scalable_targets;
use crate::scaling_policies;
use crate::scaling_tags;
use crate::scheduled_actions;
use crate::tags;

/// Carries an operation out.
pub(crate) fn run(
    account: &mut Account,
    operation: &str,
    request: &Document,
    now: Moment,
    sight: Sight,
) -> Answer {
    let answer = constraints::check(operation, request)
        .and_then(|()| tags::check(request))
        .and_then(|()| act(account, operation, request, now, sight));
    pipeline_executions::note(account, operation, request, &answer);
    answer
}

fn act(
    account: &mut Account,
    operation: &str,
    request: &Document,
    now: Moment,
    sight: Sight,
) -> Answer {
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

        SUCCEED | FAIL => pipeline_executions::answer_step(account, operation, request, now),
        "ListPipelineExecutionSteps" => pipeline_executions::list_steps(account, request, now),
        "DescribePipelineExecution" => pipeline_executions::describe(account, request),

        "RegisterScalableTarget" => scalable_targets::register(account, request, now),
        "DescribeScalableTargets" => scalable_targets::describe(account, request),
        "DeregisterScalableTarget" => scalable_targets::deregister(account, request),
        "PutScalingPolicy" => scaling_policies::put(account, request, now),
        "DescribeScalingPolicies" => scaling_policies::describe(account, request),
        "DeleteScalingPolicy" => scaling_policies::delete(account, request),
        "PutScheduledAction" => scheduled_actions::put(account, request, now),
        "DescribeScheduledActions" => scheduled_actions::describe(account, request),
        "DeleteScheduledAction" => scheduled_actions::delete(account, request),
        "ListTagsForResource" => scaling_tags::list(account, request),
        "TagResource" => scaling_tags::tag(account, request),
        "UntagResource" => scaling_tags::untag(account, request),

        "GetQueueUrl" => Ok(queues::url(account, request)),
        // The record of the calls has the time after which the message comes back.
        "ChangeMessageVisibility" => Ok(json!({})),

        _ => Err(ServiceError::new(
            "UnknownOperationException",
            format!("The operation {operation} is not one that this server knows."),
        )),
    }
}

/// The ARN of the resource that a request acts on, as a denial names it.
pub(crate) fn resource_arn(account: &Account, operation: &str, request: &Document) -> String {
    let arns = &account.arns;
    let named = [
        "ResourceArn",
        "ResourceARN",
        "ModelPackageArn",
        "PipelineExecutionArn",
    ];
    if let Some(arn) = named.into_iter().find_map(|member| text(request, member)) {
        return arn.to_owned();
    }
    match operation {
        SUCCEED | FAIL => pipeline_executions::arn_of_answered(account, request),
        _ if Api::of(operation) == Api::ApplicationAutoScaling => {
            scalable_targets::arn(account, request)
        }
        _ if Api::of(operation) == Api::Sqs => queues::arn(account, request),
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
    use crate::scene::{SHOP, Scene, scaling};
    use crate::settings::Settings;
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
            ("CreateModel", &model, "model/M"),
            ("DeleteModel", &model, "model/M"),
            ("ListModels", &json!({}), "model/*"),
            ("CreateEndpointConfig", &config, "endpoint-config/C"),
            ("DescribeEndpointConfig", &config, "endpoint-config/C"),
            ("ListEndpointConfigs", &json!({}), "endpoint-config/*"),
            ("CreateEndpoint", &endpoint, "endpoint/E"),
            ("UpdateEndpoint", &endpoint, "endpoint/E"),
            (
                "UpdateEndpointWeightsAndCapacities",
                &endpoint,
                "endpoint/E",
            ),
            ("ListEndpoints", &json!({}), "endpoint/*"),
            ("DescribeModelPackageGroup", &group, "model-package-group/G"),
            ("CreateModelPackage", &group, "model-package/G/*"),
            ("DescribeModelPackage", &package, "model-package/G/1"),
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

    #[test]
    fn a_request_for_scaling_is_about_its_target_or_any() {
        let mut scene = Scene::scaled();
        let any = "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/*";
        let own = scene.done(
            "DescribeScalableTargets",
            json!({ "ServiceNamespace": "sagemaker" }),
        );
        let own = own["ScalableTargets"][0]["ScalableTargetARN"]
            .as_str()
            .expect("an ARN");
        let none = "endpoint/None/variant/AllTraffic";
        for (operation, request, wanted) in [
            ("PutScalingPolicy", scaling(SHOP, json!({})), own),
            ("RegisterScalableTarget", scaling(none, json!({})), any),
            (
                "DescribeScalableTargets",
                json!({ "ServiceNamespace": "sagemaker" }),
                any,
            ),
            ("TagResource", json!({ "ResourceARN": "arn" }), "arn"),
        ] {
            let request = request.as_object().expect("an object");
            let arn = resource_arn(&scene.account, operation, request);
            assert_eq!(arn, wanted, "{operation}");
        }
    }
}
