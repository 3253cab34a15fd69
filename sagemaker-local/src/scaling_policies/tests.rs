use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::error::ServiceError;
use crate::scene::{SHOP, Scene, on, scaling};

const INVOCATIONS: &str = "SageMakerVariantInvocationsPerInstance";
const CONCURRENT: &str = "SageMakerVariantConcurrentRequestsPerModelHighResolution";

fn tracking(metric: &str, target: f64) -> Value {
    json!({
        "TargetValue": target,
        "PredefinedMetricSpecification": { "PredefinedMetricType": metric },
        "ScaleInCooldown": 300,
    })
}

/// A request for a policy that tracks a target.
fn tracks(name: &str, config: &Value) -> Value {
    let policy = json!({
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": config,
    });
    scaling(SHOP, policy)
}

fn described(scene: &mut Scene, more: Value) -> Vec<Value> {
    let mut request = json!({ "ServiceNamespace": "sagemaker" });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    request.as_object_mut().expect("an object").extend(more);
    let answer = scene.done("DescribeScalingPolicies", request);
    answer["ScalingPolicies"]
        .as_array()
        .expect("a list")
        .clone()
}

fn put(scene: &mut Scene, request: Value) -> Result<Value, ServiceError> {
    scene.call("PutScalingPolicy", request)
}

#[test]
fn a_policy_is_put_and_described_with_its_alarms() {
    let mut scene = Scene::scaled();
    let answer = put(&mut scene, tracks("busy", &tracking(INVOCATIONS, 70.0))).expect("a policy");
    let arn = answer["PolicyARN"].as_str().expect("an ARN");
    let prefix = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:";
    let suffix = format!(":resource/sagemaker/{SHOP}:policyName/busy");
    assert!(arn.starts_with(prefix) && arn.ends_with(&suffix), "{arn}");
    let alarms = answer["Alarms"].as_array().expect("a list");
    for (alarm, which) in alarms.iter().zip(["High", "Low"]) {
        let name = alarm["AlarmName"].as_str().expect("a name");
        let prefix = format!("TargetTracking-{SHOP}-Alarm{which}-");
        assert!(name.starts_with(&prefix), "{name}");
        let arn = format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}");
        assert_eq!(alarm["AlarmARN"], arn);
    }
    assert_eq!(alarms.len(), 2);
    assert_eq!(
        described(&mut scene, json!({})),
        [json!({
            "PolicyARN": arn,
            "PolicyName": "busy",
            "ServiceNamespace": "sagemaker",
            "ResourceId": SHOP,
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking(INVOCATIONS, 70.0),
            "Alarms": alarms,
            "CreationTime": timestamp(scene.now),
        })]
    );
}

#[test]
fn a_policy_needs_a_registered_target() {
    let mut scene = Scene::in_service();
    let missing = put(&mut scene, tracks("busy", &tracking(INVOCATIONS, 70.0)));
    let missing = missing.expect_err("no target");
    assert_eq!(missing.code, "ObjectNotFoundException");
    assert_eq!(
        missing.message,
        format!(
            "No scalable target registered for service namespace: sagemaker, resource ID: {SHOP}, scalable dimension: \
             sagemaker:variant:DesiredInstanceCount"
        )
    );
}

#[test]
fn a_change_keeps_arn_alarms_and_what_it_leaves_out() {
    let mut scene = Scene::scaled();
    let first = put(&mut scene, tracks("busy", &tracking(INVOCATIONS, 70.0))).expect("a policy");
    let created = timestamp(scene.now);
    scene.pass(9.0);
    let second = put(&mut scene, tracks("busy", &tracking(CONCURRENT, 5.0))).expect("a change");
    assert_eq!(second, first);
    let bare = scaling(SHOP, json!({ "PolicyName": "busy" }));
    assert_eq!(put(&mut scene, bare), Ok(first));
    let policies = described(&mut scene, json!({}));
    assert_eq!(policies.len(), 1);
    assert_eq!(
        policies[0]["TargetTrackingScalingPolicyConfiguration"],
        tracking(CONCURRENT, 5.0)
    );
    assert_eq!(policies[0]["CreationTime"], created);
}

#[test]
fn a_policy_of_another_type_replaces_the_configuration_and_the_alarms() {
    let mut scene = Scene::scaled();
    let up = json!([{ "MetricIntervalLowerBound": 0, "ScalingAdjustment": 1 }]);
    let steps = json!({
        "PolicyName": "steps",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": { "AdjustmentType": "ChangeInCapacity", "StepAdjustments": up },
    });
    let answer = put(&mut scene, scaling(SHOP, steps)).expect("a policy");
    assert_eq!(answer["Alarms"], json!([]));
    let answer = put(&mut scene, tracks("steps", &tracking(INVOCATIONS, 9.0))).expect("a change");
    assert_eq!(answer["Alarms"].as_array().map(Vec::len), Some(2));
    let policies = described(&mut scene, json!({}));
    assert_eq!(policies[0]["PolicyType"], "TargetTrackingScaling");
    assert_eq!(policies[0].get("StepScalingPolicyConfiguration"), None);
}

#[test]
fn a_policy_is_put_together_as_its_type_asks() {
    let config = tracking(INVOCATIONS, 70.0);
    let step = json!({
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{ "MetricIntervalLowerBound": 0, "ScalingAdjustment": 1 }],
    });
    for (more, words) in [
        (
            json!({ "TargetTrackingScalingPolicyConfiguration": config }),
            "needs a PolicyType",
        ),
        (
            json!({ "PolicyType": "TargetTrackingScaling" }),
            "needs a TargetTrackingScalingPolicyConfiguration",
        ),
        (
            json!({ "PolicyType": "StepScaling", "TargetTrackingScalingPolicyConfiguration": config }),
            "does not go with the policy type StepScaling",
        ),
        (
            json!({
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": config,
                "StepScalingPolicyConfiguration": step,
            }),
            "StepScalingPolicyConfiguration does not go with",
        ),
        (
            json!({ "PolicyType": "PredictiveScaling" }),
            "PredictiveScaling is not supported for sagemaker",
        ),
        (
            json!({ "PolicyType": "Sometimes" }),
            "Member must satisfy enum value set: [PredictiveScaling, StepScaling, TargetTrackingScaling]",
        ),
    ] {
        let mut scene = Scene::scaled();
        let mut request = scaling(SHOP, json!({ "PolicyName": "busy" }));
        let more = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(more);
        let error = put(&mut scene, request).expect_err(words);
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(words), "{error}");
        assert_eq!(described(&mut scene, json!({})), [Value::Null; 0]);
    }
}

#[test]
fn a_target_is_tracked_by_one_metric_that_goes_with_the_dimension() {
    let customized = json!({ "MetricName": "CPU", "Namespace": "own", "Statistic": "Average" });
    let computed = json!({ "Metrics": [{ "Id": "m1", "Expression": "1" }] });
    let predefined = json!({ "PredefinedMetricType": INVOCATIONS });
    let one_of = "needs either a PredefinedMetricSpecification or a CustomizedMetricSpecification";
    let own = "needs either a MetricName, a Namespace and a Statistic, or Metrics";
    let only = "Scalable dimension sagemaker:variant:DesiredInstanceCount only supports the following predefined metric \
                types: SageMakerVariantInvocationsPerInstance, SageMakerVariantConcurrentRequestsPerModelHighResolution";
    for (config, wrong) in [
        (json!({ "PredefinedMetricSpecification": predefined }), None),
        (json!({ "CustomizedMetricSpecification": customized }), None),
        (json!({ "CustomizedMetricSpecification": computed }), None),
        (json!({}), Some(one_of)),
        (
            json!({ "PredefinedMetricSpecification": predefined, "CustomizedMetricSpecification": customized }),
            Some(one_of),
        ),
        (
            json!({ "PredefinedMetricSpecification": null, "CustomizedMetricSpecification": null }),
            Some(one_of),
        ),
        (
            json!({ "CustomizedMetricSpecification": { "MetricName": "CPU" } }),
            Some(own),
        ),
        (
            json!({ "CustomizedMetricSpecification": { "MetricName": "CPU", "Metrics": computed["Metrics"] } }),
            Some(own),
        ),
        (
            json!({ "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" } }),
            Some(only),
        ),
        (
            json!({ "PredefinedMetricSpecification": predefined, "TargetValue": 1e300 }),
            Some("TargetValue must be in the range of -2^360 to 2^360"),
        ),
        (
            json!({ "PredefinedMetricSpecification": predefined, "TargetValue": null }),
            Some(
                "'targetTrackingScalingPolicyConfiguration.targetValue' failed to satisfy constraint: Member must not be null",
            ),
        ),
    ] {
        let mut whole = json!({ "TargetValue": 50 });
        let more = config.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(more);
        let answer = put(&mut Scene::scaled(), tracks("busy", &whole));
        match (wrong, answer) {
            (None, answer) => assert!(answer.is_ok(), "{config} {answer:?}"),
            (Some(words), answer) => {
                let error = answer.expect_err(words);
                assert_eq!(error.code, "ValidationException");
                assert!(error.message.contains(words), "{error}");
            }
        }
    }
}

#[test]
fn provisioned_concurrency_has_a_metric_of_its_own() {
    let mut scene = Scene::new();
    scene.model("model");
    let serverless =
        json!({ "MemorySizeInMB": 1024, "MaxConcurrency": 4, "ProvisionedConcurrency": 1 });
    let variant = json!({ "VariantName": "AllTraffic", "ModelName": "model", "ServerlessConfig": serverless });
    scene.config_of("a", "model", json!({ "ProductionVariants": [variant] }));
    scene.done("CreateEndpoint", on("Shop", "a"));
    scene.pass(3.0);
    let dimension = "sagemaker:variant:DesiredProvisionedConcurrency";
    let bounds = json!({ "ScalableDimension": dimension, "MinCapacity": 1, "MaxCapacity": 2 });
    scene.done("RegisterScalableTarget", scaling(SHOP, bounds));
    for (metric, good) in [
        ("SageMakerVariantProvisionedConcurrencyUtilization", true),
        (INVOCATIONS, false),
    ] {
        let mut request = tracks("busy", &tracking(metric, 0.7));
        request["ScalableDimension"] = dimension.into();
        assert_eq!(put(&mut scene, request).is_ok(), good, "{metric}");
    }
}

#[test]
fn a_metric_is_tracked_by_one_policy_of_a_target() {
    let mut scene = Scene::scaled();
    put(&mut scene, tracks("busy", &tracking(INVOCATIONS, 70.0))).expect("a policy");
    put(&mut scene, tracks("crowded", &tracking(CONCURRENT, 5.0))).expect("another metric");
    let twice = put(&mut scene, tracks("busier", &tracking(INVOCATIONS, 90.0)));
    assert_eq!(
        twice.expect_err("the same metric").message,
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    );
}

#[test]
fn policies_are_listed_by_name_resource_and_page_and_deleted_once() {
    let mut scene = Scene::scaled();
    put(&mut scene, tracks("busy", &tracking(INVOCATIONS, 70.0))).expect("a policy");
    put(&mut scene, tracks("crowded", &tracking(CONCURRENT, 5.0))).expect("a policy");
    let names = |policies: Vec<Value>| {
        let names = policies.iter().map(|policy| policy["PolicyName"].clone());
        names.collect::<Vec<_>>()
    };
    for (more, wanted) in [
        (json!({}), vec!["busy", "crowded"]),
        (
            json!({ "PolicyNames": ["crowded", "none"] }),
            vec!["crowded"],
        ),
        (json!({ "ResourceId": SHOP }), vec!["busy", "crowded"]),
        (
            json!({ "ResourceId": "endpoint/None/variant/AllTraffic" }),
            vec![],
        ),
        (
            json!({ "ResourceId": SHOP, "ScalableDimension": "sagemaker:variant:DesiredInstanceCount" }),
            vec!["busy", "crowded"],
        ),
        (
            json!({ "ResourceId": SHOP, "ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency" }),
            vec![],
        ),
        (json!({ "MaxResults": 1 }), vec!["busy"]),
    ] {
        assert_eq!(names(described(&mut scene, more.clone())), wanted, "{more}");
    }

    let gone = scaling(SHOP, json!({ "PolicyName": "busy" }));
    scene.done("DeleteScalingPolicy", gone.clone());
    assert_eq!(names(described(&mut scene, json!({}))), ["crowded"]);
    let missing = scene.refused("DeleteScalingPolicy", gone);
    assert_eq!(missing.code, "ObjectNotFoundException");
    assert_eq!(
        missing.message,
        format!(
            "No scaling policy found for service namespace: sagemaker, resource ID: {SHOP}, scalable dimension: \
             sagemaker:variant:DesiredInstanceCount, policy name: busy"
        )
    );
}
