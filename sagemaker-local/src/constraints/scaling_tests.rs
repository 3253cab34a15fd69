use super::*;
use serde_json::json;

/// A request to an operation with every member that has a rule, which is accepted.
fn example(operation: &str) -> Value {
    let mut request = match operation {
        "RegisterScalableTarget" => json!({
            "MinCapacity": 0,
            "MaxCapacity": 4,
            "RoleARN": "role",
            "SuspendedState": { "DynamicScalingInSuspended": true },
            "Tags": { "k": "v" },
        }),
        "PutScalingPolicy" => json!({
            "PolicyName": "p",
            "PolicyType": "StepScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": -0.5,
                "PredefinedMetricSpecification": { "PredefinedMetricType": "t", "ResourceLabel": "l" },
                "CustomizedMetricSpecification": {
                    "MetricName": "m",
                    "Dimensions": [{ "Name": "n", "Value": "v" }],
                    "Statistic": "Sum",
                    "Metrics": [{ "Id": "i" }],
                },
                "ScaleInCooldown": 0,
                "DisableScaleIn": false,
            },
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ExactCapacity",
                "StepAdjustments": [{ "MetricIntervalLowerBound": -1.5, "ScalingAdjustment": -1 }],
                "Cooldown": 0,
                "MetricAggregationType": "Maximum",
            },
        }),
        "PutScheduledAction" => json!({
            "ScheduledActionName": "a",
            "Schedule": "s",
            "StartTime": 1.5,
            "ScalableTargetAction": { "MinCapacity": 0, "MaxCapacity": 1 },
        }),
        _ => json!({ "ResourceIds": ["r"], "MaxResults": 50 }),
    };
    for (member, value) in [
        ("ServiceNamespace", "sagemaker"),
        ("ResourceId", "r"),
        ("ScalableDimension", "d"),
    ] {
        request[member] = value.into();
    }
    request
}

fn checked(operation: &str, request: &Value) -> Result<(), ServiceError> {
    check(operation, request.as_object().expect("an object"))
}

/// Each value, put in the place of a member of the operation's example, is refused with this code.
#[track_caller]
fn assert_refused(operation: &str, code: &str, bad: &[(&str, Value)]) {
    for (pointer, value) in bad {
        let mut request = example(operation);
        let member = request.pointer_mut(pointer).expect("a member");
        *member = value.clone();
        let error = checked(operation, &request).expect_err(&format!("{pointer} {value}"));
        assert_eq!(error.code, code, "{pointer} {value}: {error}");
    }
}

const BROKEN: &str = "ValidationException";
const UNREADABLE: &str = "SerializationException";

#[test]
fn members_of_targets_and_actions_are_held_to_their_rules() {
    let register = "RegisterScalableTarget";
    let broken = [
        ("/ResourceId", json!(null)),
        ("/ResourceId", json!("")),
        ("/ResourceId", json!("x".repeat(1601))),
        ("/MinCapacity", json!(-1)),
        ("/MaxCapacity", json!(2_147_483_648_i64)),
        ("/Tags/k", json!("x".repeat(257))),
    ];
    assert_refused(register, BROKEN, &broken);
    let unreadable = [
        ("/MinCapacity", json!(1.5)),
        ("/SuspendedState", json!(true)),
        ("/SuspendedState/DynamicScalingInSuspended", json!("true")),
        ("/Tags/k", json!(null)),
    ];
    assert_refused(register, UNREADABLE, &unreadable);
    let broken = [
        ("/ScheduledActionName", json!("a/b")),
        ("/ScalableTargetAction/MinCapacity", json!(-1)),
    ];
    assert_refused("PutScheduledAction", BROKEN, &broken);
    let unreadable = [("/StartTime", json!("2026-01-31T00:00:00Z"))];
    assert_refused("PutScheduledAction", UNREADABLE, &unreadable);
    let broken = [
        ("/ServiceNamespace", json!(null)),
        ("/ResourceIds", json!(vec!["r"; 51])),
        ("/MaxResults", json!(0)),
    ];
    assert_refused("DescribeScalableTargets", BROKEN, &broken);
    let policies = [("/MaxResults", json!(11))];
    assert_refused("DescribeScalingPolicies", BROKEN, &policies);
    let actions = [("/MaxResults", json!(51))];
    assert_refused("DescribeScheduledActions", BROKEN, &actions);
}

#[test]
fn members_of_policies_are_held_to_their_rules() {
    let tracking = |member: &str| format!("/TargetTrackingScalingPolicyConfiguration{member}");
    let customized = |member: &str| tracking(&format!("/CustomizedMetricSpecification{member}"));
    let steps = |member: &str| format!("/StepScalingPolicyConfiguration{member}");
    let predefined = tracking("/PredefinedMetricSpecification/PredefinedMetricType");
    let broken = [
        ("/PolicyName", json!("Größe")),
        ("/PolicyName", json!("x".repeat(257))),
        ("/PolicyType", json!("stepScaling")),
        (&tracking("/TargetValue"), json!(null)),
        (&tracking("/ScaleInCooldown"), json!(-1)),
        (&predefined, json!(null)),
        (&customized("/Statistic"), json!("p99")),
        (&customized("/Dimensions/0/Name"), json!(null)),
        (&customized("/Metrics/0/Id"), json!("")),
        (&steps("/AdjustmentType"), json!("Exact")),
        (&steps("/MetricAggregationType"), json!("Sum")),
        (&steps("/StepAdjustments/0/ScalingAdjustment"), json!(null)),
    ];
    assert_refused("PutScalingPolicy", BROKEN, &broken);
    let lower = steps("/StepAdjustments/0/MetricIntervalLowerBound");
    let unreadable = [
        ("/TargetTrackingScalingPolicyConfiguration", json!([])),
        (&tracking("/TargetValue"), json!("70")),
        (&tracking("/DisableScaleIn"), json!(0)),
        (&steps("/StepAdjustments"), json!({})),
        (&lower, json!("0")),
    ];
    assert_refused("PutScalingPolicy", UNREADABLE, &unreadable);
}

#[test]
fn the_examples_are_accepted() {
    for operation in [
        "RegisterScalableTarget",
        "PutScalingPolicy",
        "PutScheduledAction",
        "DescribeScalableTargets",
    ] {
        assert_eq!(
            checked(operation, &example(operation)),
            Ok(()),
            "{operation}"
        );
    }
}

#[test]
fn what_a_request_is_about_must_be_told() {
    for operation in [
        "RegisterScalableTarget",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "DeleteScalingPolicy",
        "PutScheduledAction",
        "DeleteScheduledAction",
    ] {
        let error = checked(operation, &json!({})).expect_err(operation);
        for member in ["serviceNamespace", "resourceId", "scalableDimension"] {
            let words = format!("Value null at '{member}' failed to satisfy constraint");
            assert!(error.message.contains(&words), "{operation}: {error}");
        }
    }
    for operation in ["ListTagsForResource", "TagResource", "UntagResource"] {
        let error = checked(operation, &json!({})).expect_err(operation);
        assert!(error.message.contains("at 'resourceARN'"), "{error}");
    }
}
