//! What scales the endpoint's variants: set once it serves, left alone by a swap of the model, and taken off and
//! put back around a change that the service does not allow it to see.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};
use shared::contract::{DeployAnswer, DeploymentStatus};

use crate::killed::killed_after;
use crate::scene::{ENDPOINT, Scene, error_type, event, with};

const RESOURCE: &str = "endpoint/churn/variant/AllTraffic";

fn asked() -> Value {
    json!({
        "autoscaling_min_capacity": 2,
        "autoscaling_max_capacity": 6,
        "autoscaling_target_invocations_per_instance": 70,
        "autoscaling_scale_in_cooldown_seconds": 600,
    })
}

fn rolled_back(reason: Option<&str>) -> Outcome {
    let reason = reason.map(str::to_owned);
    Outcome::UpdateRollsBack { reason }
}

/// What scales the endpoint, less what the service makes up itself.
pub(crate) fn scaling(scene: &Scene) -> Vec<Value> {
    fn without(mut value: Value) -> Value {
        if let Some(object) = value.as_object_mut() {
            let made_up =
                |key: &str| key.ends_with("ARN") || key == "CreationTime" || key == "Alarms";
            object.retain(|key, _| !made_up(key));
            for member in object.values_mut() {
                *member = without(member.take());
            }
        } else if let Some(items) = value.as_array_mut() {
            for item in items {
                *item = without(item.take());
            }
        }
        value
    }
    let targets = scene.server.scalable_targets();
    targets.into_iter().map(without).collect()
}

/// An endpoint that serves and scales, with a policy and a scheduled action that no key of an event is about.
pub(crate) async fn scaled() -> (Scene, DeployAnswer) {
    let scene = Scene::empty().await;
    let first = with(event(&scene.package()), &asked());
    let answer = scene.run(New, &first).await.expect("deployed");
    let of = |mut request: Value| {
        request["ServiceNamespace"] = json!("sagemaker");
        request["ResourceId"] = json!(RESOURCE);
        request["ScalableDimension"] = json!("sagemaker:variant:DesiredInstanceCount");
        request
    };
    for (operation, request) in [
        (
            "PutScalingPolicy",
            json!({
                "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 55.5,
                    "CustomizedMetricSpecification": {
                        "MetricName": "CPUUtilization", "Namespace": "/aws/sagemaker/Endpoints",
                        "Dimensions": [{"Name": "EndpointName", "Value": ENDPOINT}], "Statistic": "Average",
                    },
                },
            }),
        ),
        (
            "PutScheduledAction",
            json!({
                "ScheduledActionName": "morning", "Schedule": "cron(0 6 * * ? *)", "Timezone": "Europe/Berlin",
                "ScalableTargetAction": {"MinCapacity": 4},
            }),
        ),
    ] {
        scene
            .server
            .call(operation, of(request))
            .expect("registered");
    }
    scene.server.clear_calls();
    (scene, answer)
}

#[tokio::test]
async fn a_new_endpoint_scales_as_asked_once_it_serves() {
    let scene = Scene::empty().await;
    let event = with(event(&scene.package()), &asked());
    scene.run(New, &event).await.expect("deployed");
    let targets = scaling(&scene);
    assert_eq!(targets.len(), 1);
    assert_eq!(
        (&targets[0]["MinCapacity"], &targets[0]["MaxCapacity"]),
        (&json!(2), &json!(6))
    );
    let policies = scene
        .server
        .call(
            "DescribeScalingPolicies",
            json!({"ServiceNamespace": "sagemaker"}),
        )
        .expect("described");
    assert_eq!(
        policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"],
        json!({
            "TargetValue": 70.0,
            "ScaleInCooldown": 600,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
            },
        })
    );
    // A repeated call finds it so.
    scene.server.clear_calls();
    let again = scene.run(New, &event).await.expect("it serves");
    assert_eq!(again.deployment_status, DeploymentStatus::Unchanged);
    assert!(scene.has_only_read(), "{:?}", scene.operations());
}

#[tokio::test]
async fn a_swap_of_the_model_leaves_what_scales_it_alone() {
    // An endpoint that serves is none that is replaced.
    for keys in [json!({}), json!({"replace_failed_endpoint": true})] {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        let swap = with(event(&scene.package()), &keys);
        scene.run(Existing, &swap).await.expect("deployed");
        assert_eq!(scaling(&scene), before);
        for operation in [
            "RegisterScalableTarget",
            "DeregisterScalableTarget",
            "PutScalingPolicy",
        ] {
            assert_eq!(scene.calls_of(operation), vec![], "{operation} {keys}");
        }
    }
}

#[tokio::test]
async fn keys_of_the_event_change_what_they_are_about_and_nothing_else() {
    let (scene, _) = scaled().await;
    let before = scaling(&scene);
    let version = scene.package();
    let more = with(event(&version), &json!({"autoscaling_max_capacity": 9}));
    scene.run(Existing, &more).await.expect("deployed");
    let mut expected = before.clone();
    expected[0]["MaxCapacity"] = json!(9);
    assert_eq!(scaling(&scene), expected);
    // Even where the model stays.
    let target = json!({"autoscaling_target_invocations_per_instance": 90});
    let again = scene.run(Existing, &with(event(&version), &target)).await;
    assert_eq!(
        again.expect("it serves").deployment_status,
        DeploymentStatus::Deployed
    );
    let text = Value::from(scaling(&scene)).to_string();
    assert!(
        text.contains(r#""TargetValue":90.0"#) && text.contains(r#""TargetValue":55.5"#),
        "{text}"
    );
    assert_eq!(scaling(&scene)[0]["MaxCapacity"], json!(9));
}

#[tokio::test]
async fn another_instance_type_takes_it_off_and_puts_it_back_as_it_was() {
    let (scene, _) = scaled().await;
    let before = scaling(&scene);
    let resized = with(
        event(&scene.package()),
        &json!({"instance_type": "ml.c7i.large"}),
    );
    let answer = scene.run(Existing, &resized).await.expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(scaling(&scene), before);
    let operations = scene.operations();
    let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
    assert!(
        at("AddTags") < at("DeregisterScalableTarget"),
        "{operations:?}"
    );
    assert!(
        at("DeregisterScalableTarget") < at("UpdateEndpoint"),
        "{operations:?}"
    );
    // Nothing of it stays on the endpoint config.
    let tags = scene.server.call(
        "ListTags",
        json!({"ResourceArn": answer.endpoint_arn.replace(":endpoint/churn", &format!(":endpoint-config/{}", answer.endpoint_config))}),
    );
    let tags = tags.expect("it is there").to_string();
    assert!(
        tags.contains("replaces") && !tags.contains("autoscaling"),
        "{tags}"
    );
}

#[tokio::test]
async fn another_instance_type_and_other_keys_go_together() {
    let (scene, _) = scaled().await;
    let mut expected = scaling(&scene);
    let keys = json!({"instance_type": "ml.c7i.large", "autoscaling_min_capacity": 3});
    let resized = with(event(&scene.package()), &keys);
    scene.run(Existing, &resized).await.expect("deployed");
    expected[0]["MinCapacity"] = json!(3);
    assert_eq!(scaling(&scene), expected);
}

#[tokio::test]
async fn an_update_that_does_not_come_to_its_end_leaves_the_old_instances_scaled() {
    for reason in [Some("the container went away"), None] {
        let outcome = rolled_back(reason);
        let (scene, _) = scaled().await;
        let (before, inventory) = (scaling(&scene), scene.inventory());
        scene.server.set_outcome(ENDPOINT, outcome);
        let resized = with(
            event(&scene.package()),
            &json!({"instance_type": "ml.c7i.large"}),
        );
        let ended = scene.run(Existing, &resized).await;
        assert_eq!(error_type(&ended), "UpdateRolledBack");
        assert_eq!(scaling(&scene), before);
        assert_eq!(scene.inventory(), inventory);
    }
}

#[tokio::test]
async fn whatever_fails_what_scales_is_there_or_told_and_a_repeated_call_has_it() {
    let resize = json!({"instance_type": "ml.c7i.large"});
    for (operation, kind) in [
        ("DeregisterScalableTarget", FaultKind::Deny),
        ("UpdateEndpoint", FaultKind::Deny),
        ("UpdateEndpoint", FaultKind::Limit),
        ("AddTags", FaultKind::Deny),
        ("DescribeScalingPolicies", FaultKind::Deny),
    ] {
        let (scene, _) = scaled().await;
        let (before, inventory) = (scaling(&scene), scene.inventory());
        scene
            .server
            .inject(Fault::once(operation, kind.clone()).always());
        let resized = with(event(&scene.package()), &resize);
        let ended = scene.run(Existing, &resized).await;
        assert!(ended.is_err(), "{operation}");
        assert_eq!(scaling(&scene), before, "{operation} {kind:?}");
        assert_eq!(scene.inventory(), inventory, "{operation} {kind:?}");
    }
}

#[tokio::test]
async fn what_could_not_be_put_back_is_told_and_put_back_by_the_next_call() {
    let (scene, _) = scaled().await;
    let before = scaling(&scene);
    scene
        .server
        .set_outcome(ENDPOINT, rolled_back(Some("out of memory")));
    scene
        .server
        .inject(Fault::once("RegisterScalableTarget", FaultKind::Deny).always());
    let resized = with(
        event(&scene.package()),
        &json!({"instance_type": "ml.c7i.large"}),
    );
    let ended = scene.run(Existing, &resized).await;
    assert_eq!(error_type(&ended), "UpdateRolledBack");
    let message = ended.expect_err("rolled back").to_string();
    assert!(
        message.contains("autoscaling of the variant AllTraffic") && message.contains("call again"),
        "{message}"
    );
    assert_eq!(scaling(&scene), Vec::<Value>::new());
    // when the cause is mended
    scene.server.clear_faults();
    let answer = scene.run(Existing, &resized).await.expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(scaling(&scene), before);
}

#[tokio::test]
async fn a_failure_to_scale_says_that_the_model_is_deployed() {
    for (fault, word) in [
        (FaultKind::Deny, "AccessDenied"),
        (FaultKind::Throttle, "Throttled"),
    ] {
        let scene = Scene::empty().await;
        scene
            .server
            .inject(Fault::once("PutScalingPolicy", fault).always());
        let event = with(event(&scene.package()), &asked());
        let ended = scene.run_for(New, &event, Duration::from_millis(500)).await;
        assert_eq!(error_type(&ended), word);
        let message = ended.expect_err("not scaled").to_string();
        assert!(
            message.contains("The endpoint churn serves the model model-")
                && message.contains("PutScalingPolicy"),
            "{message}"
        );
        assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "InService");
        assert!(scene.has_deleted_nothing());
        // A repeated call sets what is missing and nothing else.
        scene.server.clear_faults();
        scene.server.clear_calls();
        scene.run(New, &event).await.expect("scaled");
        assert_eq!(scaling(&scene).len(), 1);
        assert_eq!(scene.calls_of("CreateEndpoint"), vec![]);
        assert_eq!(scene.calls_of("PutScalingPolicy").len(), 1);
    }
}

#[tokio::test]
async fn a_killed_update_has_its_scaling_put_back_by_the_next_call() {
    for fails in [false, true] {
        for last in 0.. {
            let (scene, _) = scaled().await;
            let before = scaling(&scene);
            let resized = with(
                event(&scene.package()),
                &json!({"instance_type": "ml.c7i.large"}),
            );
            if fails {
                scene
                    .server
                    .set_outcome(ENDPOINT, rolled_back(Some("out of memory")));
            }
            if !killed_after(&scene, Existing, &resized, last).await {
                assert!(last >= 15, "only {last} calls");
                break;
            }
            let ended = scene.run(Existing, &resized).await;
            let told = ["none", "UpdateRolledBack"].contains(&error_type(&ended));
            assert!(told, "killed after call {last}: {ended:?}");
            assert_eq!(scaling(&scene), before, "killed after call {last}");
        }
    }
}

#[tokio::test]
async fn a_failed_endpoint_that_is_made_again_scales_as_before() {
    let (scene, _) = scaled().await;
    let before = scaling(&scene);
    scene.server.force_status(ENDPOINT, "Failed", None);
    let replaced = with(
        event(&scene.package()),
        &json!({"replace_failed_endpoint": true}),
    );
    scene.run(Existing, &replaced).await.expect("deployed");
    assert_eq!(scaling(&scene), before);
}

#[tokio::test]
async fn what_could_not_be_put_back_is_not_taken_off() {
    let (scene, _) = scaled().await;
    let steps = json!({
        "ServiceNamespace": "sagemaker", "ResourceId": RESOURCE,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "PolicyName": "steps", "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    });
    scene
        .server
        .call("PutScalingPolicy", steps)
        .expect("registered");
    let (before, inventory) = (scaling(&scene), scene.inventory());
    scene.server.clear_calls();
    let resized = with(
        event(&scene.package()),
        &json!({"instance_type": "ml.c7i.large"}),
    );
    let ended = scene.run(Existing, &resized).await;
    assert_eq!(error_type(&ended), "InvalidRequest");
    let message = ended.expect_err("refused").to_string();
    assert!(message.contains("the scaling policy steps"), "{message}");
    assert_eq!((scaling(&scene), scene.inventory()), (before, inventory));
    assert!(scene.has_only_read());
}

#[tokio::test]
async fn an_endpoint_that_becomes_serverless_scales_by_itself() {
    let (scene, _) = scaled().await;
    let serverless = with(
        event(&scene.package()),
        &json!({"inference_option": "serverless"}),
    );
    scene.run(Existing, &serverless).await.expect("deployed");
    assert_eq!(scaling(&scene), Vec::<Value>::new());
}
