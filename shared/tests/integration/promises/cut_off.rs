//! Deployments that nobody follows to their end: the next one of the endpoint finds what they left.

use std::time::Duration;

use serde_json::Value;
use shared::contract::DeploymentKind::Existing;
use tokio::time::sleep;

use super::{
    QUICK, SETTLED, assert_serves, deploy_another, endpoint_tags, operator_updates, resized,
    rolls_back, scaled, scaling,
};
use crate::scene::{DEPLOYMENT, Delivered, Door, ENDPOINT, Scene, THEIRS, event, with};

#[tokio::test(start_paused = true)]
async fn autoscaling_that_a_timed_out_resize_suspended_is_restored_by_the_next_deployment() {
    for door in Door::BOTH {
        for fails in [false, true] {
            // given a resize whose wait ends before the update does
            let (scene, _) = scaled(DEPLOYMENT).await;
            let (before, tags) = (scaling(&scene), endpoint_tags(&scene));
            if fails {
                rolls_back(&scene);
            }
            let event = with(event(&scene.package()), &resized());
            let short = Duration::from_secs(60);
            let ended = scene.through_for(door, Existing, &event, short).await;
            assert_eq!(ended.word(), "DeploymentTimedOut", "{door:?}: {ended:?}");
            assert_eq!(scaling(&scene), Vec::<Value>::new());
            // when the update has ended unseen, and another package is deployed
            sleep(SETTLED).await;
            let ended = deploy_another(&scene, door).await;
            // then the autoscaling is as before
            let what = format!("fails: {fails}");
            assert_serves(&scene, door, ended, &what);
            assert_eq!(scaling(&scene), before, "{door:?} {what}");
            assert_eq!(endpoint_tags(&scene), tags, "{door:?} {what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn autoscaling_that_a_killed_resize_suspended_is_restored_by_the_next_deployment() {
    for door in Door::BOTH {
        for fails in [false, true] {
            for last in 0.. {
                let (scene, _) = scaled(QUICK).await;
                let before = scaling(&scene);
                if fails {
                    rolls_back(&scene);
                }
                let event = with(event(&scene.package()), &resized());
                let mut asked = scene.ask(door, Existing, &event);
                if asked.until_killed(last).await.is_some() {
                    break;
                }
                // Whatever was under way ends, and nobody asks for it again.
                sleep(SETTLED).await;
                let ended = deploy_another(&scene, door).await;
                let what = format!("killed in call {last}, fails: {fails}");
                // If nothing had started, the next update is the one that is rolled back.
                if !fails || ended.word() != "UpdateRolledBack" {
                    assert_serves(&scene, door, ended, &what);
                }
                assert_eq!(scaling(&scene), before, "{door:?} {what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_an_operator_replaced_is_not_started_again() {
    for door in Door::BOTH {
        for last in 0.. {
            // given a deployment that has started, and whose process is killed
            let (scene, first) = Scene::serving_with(QUICK).await;
            let event = event(&scene.package());
            let mut asked = scene.ask(door, Existing, &event);
            if asked.until_killed(last).await.is_some() {
                break;
            }
            if !has_been_polled_since_its_start(&scene) {
                continue;
            }
            // when the update ends unseen, and an operator puts the endpoint onto another config
            sleep(SETTLED).await;
            operator_updates(&scene, &first.model).await;
            // then the next process says so, and leaves the endpoint alone
            let ended = asked.until_ended().await;
            let what = format!("killed in call {last}");
            assert_eq!(
                ended.word(),
                "EndpointNotUpdatable",
                "{door:?} {what}: {ended:?}"
            );
            assert_eq!(scene.started(), 1, "{door:?} {what}");
            assert_eq!(scene.endpoint(ENDPOINT)["EndpointConfigName"], THEIRS);
            break;
        }
    }
}

fn has_been_polled_since_its_start(scene: &Scene) -> bool {
    let operations = scene.operations();
    let started = operations
        .iter()
        .position(|operation| operation == "UpdateEndpoint");
    started.is_some_and(|started| {
        let later = &operations[started..];
        later
            .iter()
            .filter(|operation| *operation == "DescribeEndpoint")
            .count()
            > 1
    })
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_update_an_operator_replaced_unseen_ends_without_another_update() {
    // given a delivery that starts the update, which ends before the next one
    let (scene, first) = Scene::serving_with(Duration::from_secs(5)).await;
    let event = event(&scene.package());
    let mut asked = scene.ask(Door::Queue, Existing, &event);
    assert_eq!(asked.deliver().await, Delivered::Back);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "InService");
    // when an operator puts the endpoint onto another config before that
    operator_updates(&scene, &first.model).await;
    let ended = asked.until_ended().await;
    // then the step is told, and the endpoint stays
    assert_eq!(ended.word(), "EndpointNotUpdatable", "{ended:?}");
    assert_eq!(scene.started(), 1);
    assert_eq!(scene.endpoint(ENDPOINT)["EndpointConfigName"], THEIRS);
    // Nothing of the deployment stays.
    let mut configs = vec![first.endpoint_config, THEIRS.to_owned()];
    configs.sort();
    assert_eq!(scene.server.endpoint_config_names(), configs);
    assert_eq!(scene.server.model_names(), [first.model]);
}
