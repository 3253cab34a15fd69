//! The two doors on a paused clock: time, faults and deaths are what they are in a region.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::Instant;

use crate::scene::{DEPLOYMENT, Door, ENDPOINT, QUICK, Scene, event, with};

#[tokio::test(start_paused = true)]
async fn both_doors_deploy_and_take_as_long_as_the_service() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let scene = Scene::before(kind).await;
            let started = Instant::now();
            let ended = scene.through(door, kind, &event(&scene.package())).await;
            let answer = ended.deployed();
            assert_eq!(answer.deployment_status, "Deployed", "{door:?} {kind:?}");
            assert_eq!(answer.endpoint_status, "InService");
            assert_eq!(
                scene.endpoint(ENDPOINT)["EndpointConfigName"],
                answer.endpoint_config.as_str()
            );
            let took = started.elapsed();
            // The contract: the end is noticed within 10% of the wait, at most 15 s by a call and 60 s by a message.
            let longest =
                DEPLOYMENT + Duration::from_secs(if door == Door::Call { 15 } else { 65 });
            assert!((DEPLOYMENT..longest).contains(&took), "{door:?} {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_given_up_after_the_products_own_timeout() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        scene
            .server
            .inject(Fault::once("CreateModel", FaultKind::Hang));
        let ended = scene.through(door, New, &event(&scene.package())).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        let at: Vec<_> = scene
            .calls_of("CreateModel")
            .iter()
            .map(|call| call.at_seconds)
            .collect();
        assert_eq!(at.len(), 2, "{door:?}");
        let between = at[1] - at[0];
        let expected = if door == Door::Call {
            10.0..13.0
        } else {
            10.0..17.0
        };
        assert!(expected.contains(&between), "{door:?}: {between} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_back_when_the_function_asks_for_it() {
    let scene = Scene::empty();
    let ended = scene
        .through(Door::Queue, New, &event(&scene.package()))
        .await;
    assert_eq!(ended.word(), "Deployed");
    let calls = scene.calls_of("ChangeMessageVisibility");
    for (this, next) in calls.iter().zip(&calls[1..]) {
        let asked = this.request["VisibilityTimeout"].as_f64().expect("seconds");
        assert!((15.0..=60.0).contains(&asked), "{asked} s");
        let waited = next.at_seconds - this.at_seconds;
        assert!((asked - 1.0..asked + 1.0).contains(&waited), "{waited} s");
    }
    assert!(calls.len() > 5, "{} deliveries", calls.len());
}

#[tokio::test(start_paused = true)]
async fn a_process_is_killed_in_any_call_and_the_next_one_resumes() {
    for door in Door::BOTH {
        let mut last = 0;
        loop {
            let scene = Scene::lasting(QUICK, QUICK);
            let mut asked = scene.ask(door, New, &event(&scene.package()));
            if asked.until_killed(last).await.is_some() {
                break;
            }
            let acted = scene.server.calls().len();
            assert_eq!(acted, last + 1, "{door:?}");
            let answer = asked.until_ended().await.deployed();
            // A call that is repeated after the end cannot know who has deployed it.
            let words: &[&str] = match door {
                Door::Call => &["Deployed", "Unchanged"],
                Door::Queue => &["Deployed"],
            };
            assert!(
                words.contains(&answer.deployment_status.as_str()),
                "{door:?} killed in call {last}: {answer:?}"
            );
            assert_eq!(scene.started(), 1, "{door:?} killed in call {last}");
            last += 1;
        }
        assert!(last >= 15, "{door:?}: {last} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn what_serves_already_is_unchanged() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let (scene, first) = Scene::serving().await;
            let package = scene.package().replace("/2", "/1");
            let answer = scene.through(door, kind, &event(&package)).await.deployed();
            assert_eq!(answer.deployment_status, "Unchanged", "{door:?} {kind:?}");
            assert_eq!(answer.endpoint_config, first.endpoint_config);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_counted_from_the_call_or_from_the_messages_first_delivery() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let started = Instant::now();
        let event = event(&scene.package());
        let wait = Duration::from_secs(120);
        let ended = scene.through_for(door, New, &event, wait).await;
        assert_eq!(ended.word(), "DeploymentTimedOut", "{door:?}: {ended:?}");
        let took = started.elapsed();
        assert!((wait..wait * 2).contains(&took), "{door:?}: {took:?}");
        let returning = with(event, &json!({"on_timeout": "return"}));
        let ended = scene
            .through_for(door, New, &returning, Duration::from_secs(1))
            .await;
        assert_eq!(ended.word(), "InProgress", "{door:?}: {ended:?}");
    }
}
