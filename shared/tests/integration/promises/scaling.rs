//! The autoscaling of an endpoint and the number of its instances, as others left them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::sleep;

use super::{
    QUICK, assert_serves, instances, put_policy, register, resized, rolls_back, scale, scaled,
    scaling, set_instances,
};
use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Scene, event, with};

#[tokio::test(start_paused = true)]
async fn autoscaling_that_changed_while_the_deployment_waited_is_restored_as_changed() {
    for door in Door::BOTH {
        for fails in [false, true] {
            // given a resize that waits for an endpoint in maintenance
            let (scene, _) = scaled(QUICK).await;
            let maintenance = Some(Duration::from_secs(120));
            scene
                .server
                .force_status(ENDPOINT, "SystemUpdating", maintenance);
            if fails {
                rolls_back(&scene);
            }
            let event = with(event(&scene.package()), &resized());
            // when an operator changes the autoscaling meanwhile
            let changes = async {
                sleep(Duration::from_secs(60)).await;
                put_policy(&scene, "cpu", 80.0);
                scene.until_status("InService").await;
                register(&scene, 3, 9);
                scaling(&scene)
            };
            let (ended, after) = tokio::join!(scene.through(door, Existing, &event), changes);
            // then it is as the operator left it
            let what = format!("{door:?}, fails: {fails}");
            let word = if fails {
                "UpdateRolledBack"
            } else {
                "Deployed"
            };
            assert_eq!(ended.word(), word, "{what}: {ended:?}");
            assert_eq!(scaling(&scene), after, "{what}");
        }
    }
}

/// The present time of the service, which was the endpoint's when that was last changed, and a moment.
fn now(scene: &Scene) -> SystemTime {
    let modified = scene.endpoint(ENDPOINT)["LastModifiedTime"].as_f64();
    UNIX_EPOCH + Duration::from_secs_f64(modified.expect("a time"))
}

#[tokio::test(start_paused = true)]
async fn a_one_off_action_that_is_over_is_not_put_again() {
    for door in Door::BOTH {
        for fails in [false, true] {
            // given an action that is due during the update, and that the service removes once it has run
            let (scene, _) = scaled(DEPLOYMENT).await;
            let lasting = scaling(&scene);
            let due = now(&scene) + Duration::from_secs(100);
            let due = DateTime::from(due).fmt(Format::DateTime).expect("a time");
            let schedule = format!("at({})", &due[..19]);
            scale(
                &scene,
                "PutScheduledAction",
                &json!({
                    "ScheduledActionName": "once", "Schedule": schedule,
                    "ScalableTargetAction": {"MinCapacity": 5},
                }),
            );
            if fails {
                rolls_back(&scene);
            }
            let event = with(event(&scene.package()), &resized());
            let runs = async {
                sleep(Duration::from_secs(101)).await;
                loop {
                    sleep(Duration::from_millis(100)).await;
                    let found = serde_json::Value::from(scaling(&scene)).to_string();
                    if found.contains("\"once\"") {
                        scale(
                            &scene,
                            "DeleteScheduledAction",
                            &json!({"ScheduledActionName": "once"}),
                        );
                    }
                }
            };
            let ended = tokio::select! {
                ended = scene.through(door, Existing, &event) => ended,
                () = runs => unreachable!("it runs on"),
            };
            let what = format!("{door:?}, fails: {fails}");
            let word = if fails {
                "UpdateRolledBack"
            } else {
                "Deployed"
            };
            assert_eq!(ended.word(), word, "{what}: {ended:?}");
            let put = scene.calls_of("PutScheduledAction").into_iter();
            let put = put.filter(|call| call.request["ScheduledActionName"] == "once");
            assert!(put.count() <= 1, "{what}");
            assert_eq!(scaling(&scene), lasting, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_of_instances_that_is_asked_for_is_set_although_the_config_is_the_same() {
    for door in Door::BOTH {
        // given an endpoint that was deployed with two instances, and that somebody scaled by hand
        let scene = Scene::empty();
        let event = with(
            event(&scene.package()),
            &json!({"initial_instance_count": 2}),
        );
        let first = scene.through(door, New, &event).await.deployed();
        assert!(set_instances(&scene, 5), "it serves");
        scene.until_status("InService").await;
        assert_eq!(instances(&scene), 5);
        scene.server.clear_calls();
        // when the same is asked for again
        let ended = scene.through(door, Existing, &event).await;
        // then it has the two instances again, on the same config
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        let answer = assert_serves(&scene, door, ended, "two instances");
        assert_eq!(instances(&scene), 2, "{door:?}");
        assert_eq!(answer.endpoint_config, first.endpoint_config);
        assert_eq!(scene.started(), 0, "{door:?}");
        // and a repeated call has nothing to do
        scene.server.clear_calls();
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "Unchanged", "{door:?}: {ended:?}");
        assert!(scene.has_only_read(), "{:?}", scene.operations());
    }
}
