//! Updates that shift their traffic in steps, and alarms that roll them back.

use std::time::Duration;

use serde_json::{Value, json};
use shared::contract::DeploymentKind::Existing;
use tokio::time::{Instant, sleep};

use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Ended, Scene, event, with};

/// The percentages of traffic that the new variants had one after another, until the update was over.
async fn traffic_seen(scene: &Scene) -> Vec<f64> {
    scene.until_called("UpdateEndpoint", 1).await;
    let mut seen = vec![0.0];
    while scene.endpoint(ENDPOINT)["EndpointStatus"] == "Updating" {
        let percent = scene.server.traffic(ENDPOINT);
        if seen.last() != Some(&percent) {
            seen.push(percent);
        }
        sleep(Duration::from_secs(1)).await;
    }
    seen
}

async fn update(scene: &Scene, door: Door, keys: &Value) -> (Ended, Vec<f64>) {
    let event = with(event(&scene.package()), keys);
    tokio::join!(
        scene.to_the_end(door, Existing, &event),
        traffic_seen(scene)
    )
}

#[tokio::test(start_paused = true)]
async fn traffic_moves_in_the_steps_of_the_event() {
    let cases = [
        (
            json!({"traffic_routing": "canary", "traffic_step_percent": 25}),
            vec![25.0],
        ),
        (
            json!({"traffic_routing": "linear", "traffic_step_percent": 50}),
            vec![50.0],
        ),
        (
            json!({"traffic_routing": "rolling", "traffic_step_percent": 50}),
            vec![50.0],
        ),
        (json!({"traffic_wait_seconds": 300}), vec![]),
        (json!({}), vec![]),
    ];
    for door in Door::BOTH {
        for (keys, steps) in &cases {
            let (scene, _) = Scene::serving().await;
            let (ended, seen) = update(&scene, door, keys).await;
            let answer = ended.deployed();
            assert_eq!(answer.deployment_status, "Deployed", "{door:?} {keys}");
            assert_eq!(
                scene.endpoint(ENDPOINT)["EndpointConfigName"],
                answer.endpoint_config.as_str()
            );
            let between: Vec<_> = seen
                .into_iter()
                .filter(|percent| *percent > 0.0 && *percent < 100.0)
                .collect();
            assert_eq!(between, *steps, "{door:?} {keys}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_forty_minutes_is_deployed() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let keys = json!({
            "traffic_routing": "canary", "traffic_wait_seconds": 1200, "on_timeout": "return",
            "auto_rollback_alarms": "churn-errors",
        });
        let started = Instant::now();
        let (ended, seen) = update(&scene, door, &keys).await;
        let answer = ended.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
        assert_eq!(seen, [0.0, 10.0, 100.0], "{door:?}");
        // Two bakes of 20 minutes after the new fleet is there.
        let took = started.elapsed();
        let least = DEPLOYMENT + Duration::from_secs(2 * 1200);
        assert!(
            (least..least + Duration::from_secs(70)).contains(&took),
            "{door:?}: {took:?}"
        );
        assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alarm_rolls_a_canary_back_and_nothing_of_it_stays() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving().await;
        let inventory = scene.inventory();
        let alarm = async {
            let has_traffic = || scene.server.traffic(ENDPOINT) > 0.0;
            scene.until_called("UpdateEndpoint", 1).await;
            scene.until(has_traffic).await;
            // The canary has its part of the traffic, and does not do well with it.
            assert!((scene.server.traffic(ENDPOINT) - 10.0).abs() < f64::EPSILON);
            scene.server.trip_alarm("churn-errors", true);
        };
        let keys = json!({
            "traffic_routing": "canary", "auto_rollback_alarms": "churn-latency, churn-errors",
        });
        let event = with(event(&scene.package()), &keys);
        let (ended, ()) = tokio::join!(scene.to_the_end(door, Existing, &event), alarm);
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
        let message = ended.message();
        assert!(message.contains("churn-errors"), "{door:?}: {message}");
        let live = scene.endpoint(ENDPOINT);
        assert_eq!(live["EndpointStatus"], "InService");
        assert_eq!(live["EndpointConfigName"], before.endpoint_config.as_str());
        assert_eq!(scene.inventory(), inventory, "{door:?}");
        // With the alarm over, the same event goes through.
        scene.server.trip_alarm("churn-errors", false);
        let ended = scene.to_the_end(door, Existing, &event).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_outlasts_the_wait_is_resumed() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let keys = json!({"traffic_routing": "canary", "on_timeout": "return"});
        let event = with(event(&scene.package()), &keys);
        let short = Duration::from_secs(400);
        let first = scene.through_for(door, Existing, &event, short).await;
        let first = first.deployed();
        assert_eq!(first.deployment_status, "InProgress", "{door:?}");
        let last = scene.to_the_end(door, Existing, &event).await.deployed();
        assert_eq!(last.deployment_status, "Deployed", "{door:?}");
        assert_eq!(last.endpoint_config, first.endpoint_config);
        assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1, "{door:?}");
    }
}
