use super::*;
use serde_json::json;

/// A request to update an endpoint, with every guardrail.
fn request() -> Value {
    let size = json!({ "Type": "CAPACITY_PERCENT", "Value": 10 });
    json!({
        "EndpointName": "e",
        "EndpointConfigName": "c",
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 0,
                    "CanarySize": size,
                    "LinearStepSize": size,
                },
                "TerminationWaitInSeconds": 0,
                "MaximumExecutionTimeoutInSeconds": 600,
            },
            "RollingUpdatePolicy": {
                "MaximumBatchSize": size,
                "WaitIntervalInSeconds": 0,
                "MaximumExecutionTimeoutInSeconds": 600,
                "RollbackMaximumBatchSize": size,
            },
            "AutoRollbackConfiguration": { "Alarms": [{ "AlarmName": "slow" }] },
        },
    })
}

/// Whether a value may stand at a place in the deployment config.
fn accepted(pointer: &str, value: &Value) -> bool {
    let mut request = request();
    let place = request.pointer_mut(&format!("/DeploymentConfig{pointer}"));
    *place.expect("a member") = value.clone();
    check("UpdateEndpoint", request.as_object().expect("an object")).is_ok()
}

#[test]
fn guardrails_are_within_the_limits_of_the_service() {
    let routing = "/BlueGreenUpdatePolicy/TrafficRoutingConfiguration";
    let alarms = |count: usize| json!(vec![json!({ "AlarmName": "slow" }); count]);
    let name = |length: usize| json!([{ "AlarmName": "x".repeat(length) }]);
    let (waits, timeouts) = (json!([0, 3600]), json!([600, 28800]));
    let (no_waits, no_timeouts) = (json!([-1, 3601, 1.5, "1"]), json!([0, 599, 28801]));
    for (pointer, good, bad) in [
        (
            &*format!("{routing}/WaitIntervalInSeconds"),
            &waits,
            &no_waits,
        ),
        (
            "/BlueGreenUpdatePolicy/TerminationWaitInSeconds",
            &waits,
            &no_waits,
        ),
        (
            "/RollingUpdatePolicy/WaitIntervalInSeconds",
            &waits,
            &no_waits,
        ),
        (
            "/BlueGreenUpdatePolicy/MaximumExecutionTimeoutInSeconds",
            &timeouts,
            &no_timeouts,
        ),
        (
            "/RollingUpdatePolicy/MaximumExecutionTimeoutInSeconds",
            &timeouts,
            &no_timeouts,
        ),
        (
            &*format!("{routing}/Type"),
            &json!(["ALL_AT_ONCE", "CANARY", "LINEAR"]),
            &json!(["canary", "ROLLING", null]),
        ),
        (
            &*format!("{routing}/CanarySize/Type"),
            &json!(["INSTANCE_COUNT", "CAPACITY_PERCENT"]),
            &json!(["PERCENT", null]),
        ),
        (
            &*format!("{routing}/LinearStepSize/Value"),
            &json!([1]),
            &json!([0, -1, null]),
        ),
        (
            "/RollingUpdatePolicy/MaximumBatchSize",
            &json!([{ "Type": "INSTANCE_COUNT", "Value": 1 }]),
            &json!([null, { "Type": "INSTANCE_COUNT" }]),
        ),
        (
            "/AutoRollbackConfiguration/Alarms",
            &json!([alarms(1), alarms(10), name(1), name(255)]),
            &json!([alarms(0), alarms(11), name(0), name(256)]),
        ),
    ] {
        for (values, expected) in [(good, true), (bad, false)] {
            for value in values.as_array().expect("a list of values") {
                assert_eq!(accepted(pointer, value), expected, "{pointer} {value}");
            }
        }
    }
}
