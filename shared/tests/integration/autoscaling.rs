//! The autoscaling of the endpoint's variants: set once the endpoint serves, kept by a swap of the model, and suspended
//! and restored around a change that the service refuses to a variant that is scaled.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use crate::killed::killed_in;
use crate::scene::{Answer, DEPLOYMENT, Door, ENDPOINT, QUICK, Scene, event, with};

const RESOURCE: &str = "endpoint/churn/variant/AllTraffic";

fn wanted() -> Value {
    json!({
        "autoscaling_min_capacity": 2,
        "autoscaling_max_capacity": 6,
        "autoscaling_target_invocations_per_instance": 70,
        "autoscaling_scale_in_cooldown_seconds": 600,
    })
}

fn resized() -> Value {
    json!({"instance_type": "ml.c7i.large"})
}

fn rolled_back(reason: Option<&str>) -> Outcome {
    let reason = reason.map(str::to_owned);
    Outcome::UpdateRollsBack { reason }
}

/// The autoscaling of all endpoints, without the members that the service makes up itself.
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
pub(crate) async fn scaled() -> (Scene, Answer) {
    scaled_with(DEPLOYMENT).await
}

/// The same, where an update takes this long.
pub(crate) async fn scaled_with(update: Duration) -> (Scene, Answer) {
    let (scene, answer) = Scene::serving_as(update, &wanted()).await;
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
    (scene, answer)
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_scales_as_the_event_says_once_it_serves() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let event = with(event(&scene.package()), &wanted());
        let ended = scene.through(door, New, &event).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
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
        // A repeated deployment finds it so.
        scene.server.clear_calls();
        let again = scene.through(door, New, &event).await;
        assert_eq!(again.word(), "Unchanged", "{door:?}: {again:?}");
        assert!(scene.has_only_read(), "{door:?} {:?}", scene.operations());
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_of_the_model_keeps_the_autoscaling() {
    for door in Door::BOTH {
        // An endpoint that serves is not replaced.
        for keys in [json!({}), json!({"replace_failed_endpoint": true})] {
            let (scene, _) = scaled().await;
            let before = scaling(&scene);
            let swap = with(event(&scene.package()), &keys);
            scene.through(door, Existing, &swap).await.deployed();
            assert_eq!(scaling(&scene), before, "{door:?} {keys}");
            for operation in [
                "RegisterScalableTarget",
                "DeregisterScalableTarget",
                "PutScalingPolicy",
            ] {
                assert_eq!(scene.calls_of(operation), vec![], "{operation} {keys}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_the_event_change_their_part_of_the_autoscaling_and_nothing_else() {
    for door in Door::BOTH {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        let version = scene.package();
        let more = with(event(&version), &json!({"autoscaling_max_capacity": 9}));
        scene.through(door, Existing, &more).await.deployed();
        let mut expected = before.clone();
        expected[0]["MaxCapacity"] = json!(9);
        assert_eq!(scaling(&scene), expected, "{door:?}");
        // Even if the model stays.
        let target = json!({"autoscaling_target_invocations_per_instance": 90});
        let target = with(event(&version), &target);
        let again = scene.through(door, Existing, &target).await;
        assert_eq!(again.word(), "Deployed", "{door:?}: {again:?}");
        let text = Value::from(scaling(&scene)).to_string();
        assert!(
            text.contains(r#""TargetValue":90.0"#) && text.contains(r#""TargetValue":55.5"#),
            "{door:?}: {text}"
        );
        assert_eq!(scaling(&scene)[0]["MaxCapacity"], json!(9));
    }
}

#[tokio::test(start_paused = true)]
async fn another_instance_type_suspends_the_autoscaling_and_restores_it_as_it_was() {
    for door in Door::BOTH {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        let resized = with(event(&scene.package()), &resized());
        let ended = scene.through(door, Existing, &resized).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        let answer = ended.deployed();
        assert_eq!(scaling(&scene), before, "{door:?}");
        let operations = scene.operations();
        let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
        for (first, second) in [
            ("AddTags", "DeregisterScalableTarget"),
            ("DeregisterScalableTarget", "UpdateEndpoint"),
        ] {
            assert!(at(first) < at(second), "{door:?}: {operations:?}");
        }
        // The endpoint config keeps the name of the previous one, and no checkpoint.
        let tags = scene.tags_of_config(&answer.endpoint_config);
        assert!(
            tags.contains("replaces") && !tags.contains("autoscaling"),
            "{door:?}: {tags}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn another_instance_type_and_other_keys_go_together() {
    for door in Door::BOTH {
        let (scene, _) = scaled().await;
        let mut expected = scaling(&scene);
        let keys = json!({"instance_type": "ml.c7i.large", "autoscaling_min_capacity": 3});
        let resized = with(event(&scene.package()), &keys);
        scene.through(door, Existing, &resized).await.deployed();
        expected[0]["MinCapacity"] = json!(3);
        assert_eq!(scaling(&scene), expected, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_update_restores_the_autoscaling() {
    for door in Door::BOTH {
        for reason in [Some("the container went away"), None] {
            let (scene, _) = scaled().await;
            let (before, inventory) = (scaling(&scene), scene.inventory());
            scene.server.set_outcome(ENDPOINT, rolled_back(reason));
            let keys = with(resized(), &json!({"delete_superseded": true}));
            let event = with(event(&scene.package()), &keys);
            let ended = scene.through(door, Existing, &event).await;
            assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
            assert_eq!(scaling(&scene), before, "{door:?}");
            assert_eq!(scene.inventory(), inventory, "{door:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_leaves_the_autoscaling_as_it_was() {
    for door in Door::BOTH {
        for (operation, kind) in [
            ("DeregisterScalableTarget", FaultKind::Deny),
            ("UpdateEndpoint", FaultKind::Deny),
            ("UpdateEndpoint", FaultKind::Limit),
            ("AddTags", FaultKind::Deny),
            ("DescribeScalingPolicies", FaultKind::Deny),
        ] {
            let case = format!("{door:?} {operation} {kind:?}");
            let (scene, _) = scaled().await;
            let (before, inventory) = (scaling(&scene), scene.inventory());
            scene
                .server
                .inject(Fault::once(operation, kind.clone()).always());
            let event = with(event(&scene.package()), &resized());
            let ended = scene.through(door, Existing, &event).await;
            assert!(
                ["AccessDenied", "ResourceLimitExceeded"].contains(&ended.word()),
                "{case}: {ended:?}"
            );
            assert_eq!(scaling(&scene), before, "{case}");
            assert_eq!(scene.inventory(), inventory, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_ends_before_the_start_restores_the_autoscaling() {
    // Given an update that the service never takes, although everything for it was prepared
    for door in Door::BOTH {
        for fault in [FaultKind::Throttle, FaultKind::Hang, FaultKind::Fail] {
            let case = format!("{door:?} {fault:?}");
            let (scene, _) = scaled().await;
            let (before, inventory) = (scaling(&scene), scene.inventory());
            let fault = Fault::once("UpdateEndpoint", fault).always();
            scene.server.inject(fault);
            let event = with(event(&scene.package()), &resized());
            let minutes = Duration::from_secs(180);
            let ended = scene.through_for(door, Existing, &event, minutes).await;
            assert!(
                // The last delivery does not launch any more, and so has no refusal to report.
                ["Throttled", "SageMakerError", "DeploymentTimedOut"].contains(&ended.word()),
                "{case}: {ended:?}"
            );
            assert_eq!(scaling(&scene), before, "{case}");
            assert_eq!(scene.inventory(), inventory, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn autoscaling_that_could_not_be_restored_is_reported_and_restored_by_the_next_deployment() {
    for door in Door::BOTH {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        scene
            .server
            .set_outcome(ENDPOINT, rolled_back(Some("out of memory")));
        scene
            .server
            .inject(Fault::once("RegisterScalableTarget", FaultKind::Deny).always());
        let event = with(event(&scene.package()), &resized());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
        if door == Door::Call {
            // A step's reason has no room for it.
            let message = ended.message();
            assert!(message.contains("autoscaling"), "{message}");
        }
        assert_eq!(scaling(&scene), Vec::<Value>::new(), "{door:?}");
        // when the cause is fixed
        scene.server.clear_faults();
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        assert_eq!(scaling(&scene), before, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_scale_says_that_the_model_is_deployed() {
    for door in Door::BOTH {
        for (fault, word) in [
            (FaultKind::Deny, "AccessDenied"),
            (FaultKind::Throttle, "Throttled"),
        ] {
            let case = format!("{door:?} {fault:?}");
            let scene = Scene::empty();
            scene
                .server
                .inject(Fault::once("PutScalingPolicy", fault).always());
            let event = with(event(&scene.package()), &wanted());
            let wait = Duration::from_secs(400);
            let ended = scene.through_for(door, New, &event, wait).await;
            assert_eq!(ended.word(), word, "{case}: {ended:?}");
            let message = ended.message();
            for words in [
                "The endpoint churn serves the model model-",
                "PutScalingPolicy",
            ] {
                assert!(message.contains(words), "{case}: {message}");
            }
            assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "InService");
            assert!(scene.has_deleted_nothing(), "{case}");
            // The next deployment of the same sets what is missing and nothing else.
            scene.server.clear_faults();
            scene.server.clear_calls();
            scene.through(door, New, &event).await.deployed();
            assert_eq!(scaling(&scene).len(), 1, "{case}");
            assert_eq!(scene.calls_of("CreateEndpoint"), vec![], "{case}");
            assert_eq!(scene.calls_of("PutScalingPolicy").len(), 1, "{case}");
        }
    }
}

async fn killed_while_the_autoscaling_is_suspended(door: Door, fails: bool) {
    for last in 0.. {
        let case = format!("{door:?}, fails: {fails}, killed in call {last}");
        let (scene, _) = scaled_with(QUICK).await;
        let (before, inventory) = (scaling(&scene), scene.inventory());
        let event = with(event(&scene.package()), &resized());
        if fails {
            scene
                .server
                .set_outcome(ENDPOINT, rolled_back(Some("out of memory")));
        }
        let Some(ended) = killed_in(&scene, door, Existing, &event, last).await else {
            assert!(last >= 25, "{case}: so few");
            break;
        };
        let words: &[&str] = match (door, fails) {
            (Door::Queue, false) => &["Deployed"],
            (Door::Queue, true) => &["UpdateRolledBack"],
            (Door::Call, false) => &["Deployed", "Unchanged"],
            // A process that was killed after its undo has nothing left to report.
            (Door::Call, true) => &["Deployed", "Unchanged", "UpdateRolledBack"],
        };
        assert!(words.contains(&ended.word()), "{case}: {ended:?}");
        assert_eq!(scaling(&scene), before, "{case}");
        if ended.word() == "UpdateRolledBack" {
            assert_eq!(scene.inventory(), inventory, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_killed_in_any_call_has_its_autoscaling_restored() {
    for door in Door::BOTH {
        killed_while_the_autoscaling_is_suspended(door, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_update_that_is_killed_in_any_call_has_its_autoscaling_restored() {
    for door in Door::BOTH {
        killed_while_the_autoscaling_is_suspended(door, true).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_endpoint_that_is_replaced_scales_as_before() {
    for door in Door::BOTH {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        scene.server.force_status(ENDPOINT, "Failed", None);
        let replaced = with(
            event(&scene.package()),
            &json!({"replace_failed_endpoint": true}),
        );
        let ended = scene.through(door, Existing, &replaced).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        assert_eq!(scaling(&scene), before, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn autoscaling_that_could_not_be_restored_is_not_suspended() {
    for door in Door::BOTH {
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
        let event = with(event(&scene.package()), &resized());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "InvalidRequest", "{door:?}: {ended:?}");
        let message = ended.message();
        assert!(
            message.contains("the scaling policy steps"),
            "{door:?}: {message}"
        );
        let after = (scaling(&scene), scene.inventory());
        assert_eq!(after, (before, inventory), "{door:?}");
        assert!(scene.has_only_read(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_becomes_serverless_is_not_scaled_any_more() {
    for door in Door::BOTH {
        let (scene, _) = scaled().await;
        let serverless = with(
            event(&scene.package()),
            &json!({"inference_option": "serverless"}),
        );
        let ended = scene.through(door, Existing, &serverless).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        assert_eq!(scaling(&scene), Vec::<Value>::new(), "{door:?}");
    }
}
