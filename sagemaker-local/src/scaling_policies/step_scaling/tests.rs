use serde_json::{Value, json};

use crate::requests::Answer;
use crate::scene::{SHOP, Scene, scaling};

fn steps(kind: &str, adjustments: &Value) -> Value {
    let policy = json!({
        "PolicyName": "steps",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": { "AdjustmentType": kind, "StepAdjustments": adjustments },
    });
    scaling(SHOP, policy)
}

fn put(request: Value) -> Answer {
    Scene::scaled().call("PutScalingPolicy", request)
}

#[test]
fn steps_cover_what_they_begin_to() {
    let step = |lower: Option<f64>, upper: Option<f64>| json!({ "MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper, "ScalingAdjustment": 1 });
    let (none, at) = (None, Some);
    let gap = "must not overlap or have a gap";
    for (adjustments, wrong) in [
        (json!([step(at(0.0), none)]), None),
        (json!([step(none, at(0.0))]), None),
        (json!([step(at(10.0), none), step(at(0.0), at(10.0))]), None),
        (json!([step(none, at(-5.0)), step(at(-5.0), at(0.0))]), None),
        (json!([]), Some("needs at least one StepAdjustment")),
        (
            json!([step(none, none)]),
            Some("Both lower and upper bounds of a step adjustment cannot be left unspecified"),
        ),
        (
            json!([step(at(1.0), at(1.0))]),
            Some("upper bound of a StepAdjustment must be greater"),
        ),
        (
            json!([step(at(0.0), at(10.0)), step(at(5.0), none)]),
            Some(gap),
        ),
        (
            json!([step(at(0.0), at(10.0)), step(at(15.0), none)]),
            Some(gap),
        ),
        (json!([step(at(0.0), none), step(at(5.0), none)]), Some(gap)),
        (
            json!([step(at(0.0), at(10.0))]),
            Some("unspecified upper bound"),
        ),
        (
            json!([step(at(-5.0), at(0.0))]),
            Some("unspecified lower bound"),
        ),
    ] {
        let answer = put(steps("ChangeInCapacity", &adjustments));
        match (wrong, answer) {
            (None, answer) => assert!(answer.is_ok(), "{adjustments} {answer:?}"),
            (Some(words), answer) => {
                let error = answer.expect_err(words);
                assert_eq!(error.code, "ValidationException");
                assert!(error.message.contains(words), "{adjustments} {error}");
            }
        }
    }
}

#[test]
fn steps_adjust_as_their_type_says() {
    let down = json!([{ "MetricIntervalUpperBound": 0, "ScalingAdjustment": -1 }]);
    for (kind, good) in [
        ("ChangeInCapacity", true),
        ("PercentChangeInCapacity", true),
        ("ExactCapacity", false),
        ("Sometimes", false),
    ] {
        let answer = put(steps(kind, &down));
        assert_eq!(answer.is_ok(), good, "{kind}");
    }
    let mut untyped = steps("ExactCapacity", &down);
    untyped["StepScalingPolicyConfiguration"]["AdjustmentType"] = Value::Null;
    let error = put(untyped).expect_err("no type");
    assert!(error.message.contains("needs an AdjustmentType"), "{error}");
}
