//! How the traffic of an update moves, as the service is told.

use aws_sdk_sagemaker::types::DeploymentConfig;

use super::*;

fn told(keys: Value) -> Value {
    let mut changes = keys;
    changes["package_arn"] = version(2)["package_arn"].clone();
    let plan = update(&changes, &live(&new(&json!({}))));
    let config = plan
        .deployment_config
        .map(|config| wire_form(DeploymentConfig::SCHEMA, &config));
    config.unwrap_or_default()
}

#[test]
fn each_way_becomes_its_policy() {
    let share = |percent: i32| json!({"Type": "CAPACITY_PERCENT", "Value": percent});
    assert_eq!(told(json!({})), Value::Null);
    assert_eq!(
        told(json!({"traffic_routing": "canary", "auto_rollback_alarms": "slow, wrong"})),
        json!({
            "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {
                "Type": "CANARY", "WaitIntervalInSeconds": 300, "CanarySize": share(10),
            }},
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "slow"}, {"AlarmName": "wrong"}]},
        })
    );
    assert_eq!(
        told(json!({
            "traffic_routing": "linear", "traffic_step_percent": 25, "traffic_wait_seconds": 60,
            "termination_wait_seconds": 30, "maximum_execution_timeout_seconds": 1800,
        })),
        json!({"BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "LINEAR", "WaitIntervalInSeconds": 60, "LinearStepSize": share(25),
            },
            "TerminationWaitInSeconds": 30, "MaximumExecutionTimeoutInSeconds": 1800,
        }})
    );
    assert_eq!(
        told(
            json!({"traffic_routing": "rolling", "traffic_wait_seconds": 10, "maximum_execution_timeout_seconds": 600})
        ),
        json!({"RollingUpdatePolicy": {
            "MaximumBatchSize": share(20), "WaitIntervalInSeconds": 10, "MaximumExecutionTimeoutInSeconds": 600,
        }})
    );
    assert_eq!(
        told(json!({"traffic_wait_seconds": 0})),
        json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {
            "Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0,
        }}})
    );
}

#[test]
fn what_cannot_be_rolled_is_refused() {
    let serverless = live(&new(&json!({"inference_option": "serverless"})));
    let inf1 = live(&new(&json!({"instance_type": "ml.inf1.xlarge"})));
    let mut two = live(&new(&json!({})));
    let mut green = two.production_variants.as_ref().expect("one")[0].clone();
    green.variant_name = Some("green".to_owned());
    two.production_variants.as_mut().expect("one").push(green);
    for (live, routing, refused) in [
        (&serverless, "rolling", true),
        (&serverless, "canary", true),
        (&serverless, "all-at-once", false),
        (&inf1, "linear", true),
        (&two, "rolling", true),
        (&two, "linear", false),
    ] {
        let mut keys = json!({"traffic_routing": routing, "variant_name": "AllTraffic"});
        keys["package_arn"] = version(2)["package_arn"].clone();
        let bad = refused_keys(&keys, live);
        let keys: Vec<_> = bad.iter().map(|bad| bad.key.as_str()).collect();
        assert_eq!(!keys.is_empty(), refused, "{routing}: {bad:?}");
        assert!(keys.iter().all(|key| *key == "traffic_routing"));
    }
}
