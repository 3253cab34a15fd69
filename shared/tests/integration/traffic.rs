//! Updates that move their traffic in steps, and alarms that take them back.

use std::time::Duration;

use serde_json::{Value, json};
use shared::contract::DeploymentKind::Existing;
use shared::contract::DeploymentStatus;
use tokio::time::sleep;

use crate::scene::{ENDPOINT, Scene, error_type, event, with};

/// The percentages of traffic that the new variants had one after another, until the update was over.
async fn traffic_seen(scene: &Scene) -> Vec<f64> {
    let mut seen = vec![0.0];
    while scene.endpoint(ENDPOINT)["EndpointStatus"] == "Updating"
        || scene.calls_of("UpdateEndpoint").is_empty()
    {
        let percent = scene.server.traffic(ENDPOINT);
        if seen.last() != Some(&percent) {
            seen.push(percent);
        }
        sleep(Duration::from_millis(1)).await;
    }
    seen
}

async fn update(scene: &Scene, keys: Value) -> (&'static str, Vec<f64>) {
    let event = with(event(&scene.package()), &keys);
    let (ended, seen) = tokio::join!(scene.run(Existing, &event), traffic_seen(scene));
    let ended = ended.inspect(|answer| {
        assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
        assert_eq!(
            scene.endpoint(ENDPOINT)["EndpointConfigName"],
            answer.endpoint_config.as_str()
        );
    });
    (error_type(&ended), seen)
}

#[tokio::test]
async fn traffic_moves_in_the_steps_that_are_asked_for() {
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
    for (keys, steps) in cases {
        let (scene, _) = Scene::serving().await;
        let (ended, seen) = update(&scene, keys.clone()).await;
        assert_eq!(ended, "none", "{keys}");
        let between: Vec<_> = seen
            .into_iter()
            .filter(|percent| *percent > 0.0 && *percent < 100.0)
            .collect();
        assert_eq!(between, steps, "{keys}");
    }
}

#[tokio::test]
async fn an_alarm_takes_a_canary_back_and_nothing_of_it_stays() {
    let (scene, before) = Scene::serving().await;
    let inventory = scene.inventory();
    let alarm = async {
        while scene.calls_of("UpdateEndpoint").is_empty() || scene.server.traffic(ENDPOINT) == 0.0 {
            sleep(Duration::from_millis(1)).await;
        }
        // The canary has its part of the traffic, and does not do well with it.
        assert!((scene.server.traffic(ENDPOINT) - 10.0).abs() < f64::EPSILON);
        scene.server.trip_alarm("churn-errors", true);
    };
    let keys =
        json!({"traffic_routing": "canary", "auto_rollback_alarms": "churn-latency, churn-errors"});
    let event = with(event(&scene.package()), &keys);
    let (ended, ()) = tokio::join!(scene.run(Existing, &event), alarm);
    assert_eq!(error_type(&ended), "UpdateRolledBack", "{ended:?}");
    let message = ended.expect_err("rolled back").to_string();
    assert!(message.contains("churn-errors"), "{message}");
    let live = scene.endpoint(ENDPOINT);
    assert_eq!(live["EndpointStatus"], "InService");
    assert_eq!(live["EndpointConfigName"], before.endpoint_config.as_str());
    assert_eq!(scene.inventory(), inventory);
    // With the alarm over, the same event goes through.
    scene.server.trip_alarm("churn-errors", false);
    scene.run(Existing, &event).await.expect("deployed");
}

#[tokio::test]
async fn a_canary_that_outlasts_the_function_is_resumed_by_the_next_call() {
    let (scene, _) = Scene::serving().await;
    let keys = json!({"traffic_routing": "canary", "on_timeout": "return"});
    let event = with(event(&scene.package()), &keys);
    let first = scene
        .run_for(Existing, &event, Duration::from_millis(80))
        .await;
    let first = first.expect("under way");
    assert_eq!(first.deployment_status, DeploymentStatus::InProgress);
    let last = scene.run(Existing, &event).await.expect("deployed");
    assert_eq!(last.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(last.endpoint_config, first.endpoint_config);
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1);
}
