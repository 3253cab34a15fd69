//! Time and a deployment: spent budgets, waits that are resumed, and a service that sees its own resources late.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::Instant;

use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Scene, event, with};

#[tokio::test(start_paused = true)]
async fn a_stale_read_after_the_update_is_no_rollback() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let event = event(&scene.package());
        // The service is behind for a few seconds at most, which is one message.
        let times = if door == Door::Call { 3 } else { 1 };
        let stale = Fault::once("DescribeEndpoint", FaultKind::Stale).times(times);
        let stale_after_the_update = async {
            scene.until_called("UpdateEndpoint", 1).await;
            scene.server.inject(stale);
        };
        let (ended, ()) = tokio::join!(
            scene.through(door, Existing, &event),
            stale_after_the_update
        );
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_is_an_error_and_a_repeated_deployment_resumes() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let case = format!("{door:?} {kind:?}");
            let scene = Scene::before(kind).await;
            let event = event(&scene.package());
            // Given a deployment that outlasts its budget
            let short = DEPLOYMENT / 4;
            let ended = scene.through_for(door, kind, &event, short).await;
            assert_eq!(ended.word(), "DeploymentTimedOut", "{case}: {ended:?}");
            // when it is asked for again, with an answer instead of the error
            let returning = with(event.clone(), &json!({"on_timeout": "return"}));
            let moment = Duration::from_secs(1);
            let ended = scene.through_for(door, kind, &returning, moment).await;
            assert_eq!(ended.word(), "InProgress", "{case}: {ended:?}");
            // and then with time enough
            let ended = scene.through(door, kind, &event).await;
            // then the wait is resumed, and nothing is started or made twice
            assert_eq!(ended.word(), "Deployed", "{case}: {ended:?}");
            assert_eq!(scene.started(), 1, "{case}");
            assert_eq!(scene.calls_of("CreateModel").len(), 1, "{case}");
            assert!(scene.has_deleted_nothing(), "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_one_door_started_is_resumed_through_the_other() {
    for (first, second) in [(Door::Call, Door::Queue), (Door::Queue, Door::Call)] {
        for kind in [New, Existing] {
            let case = format!("{first:?}, then {second:?}, {kind:?}");
            let scene = Scene::before(kind).await;
            let event = event(&scene.package());
            let ended = scene.through_for(first, kind, &event, DEPLOYMENT / 4).await;
            assert_eq!(ended.word(), "DeploymentTimedOut", "{case}: {ended:?}");
            let ended = scene.through(second, kind, &event).await;
            assert_eq!(ended.word(), "Deployed", "{case}: {ended:?}");
            assert_eq!(scene.started(), 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_update_that_was_rolled_back_meanwhile_reports_the_rollback() {
    for (first, second) in [
        (Door::Call, Door::Call),
        (Door::Queue, Door::Queue),
        (Door::Call, Door::Queue),
        (Door::Queue, Door::Call),
    ] {
        for has_ended in [false, true] {
            let case = format!("{first:?}, then {second:?}, rolled back already: {has_ended}");
            let (scene, _) = Scene::serving().await;
            let event = event(&scene.package());
            let outcome = Outcome::UpdateRollsBack { reason: None };
            scene.server.set_outcome(ENDPOINT, outcome);
            let ended = scene
                .through_for(first, Existing, &event, DEPLOYMENT / 4)
                .await;
            assert_eq!(ended.word(), "DeploymentTimedOut", "{case}: {ended:?}");
            if has_ended {
                scene.until_status("InService").await;
            }
            // The next process has not seen the endpoint before the update.
            let ended = scene.through(second, Existing, &event).await;
            // A step of its own, or a call after a step, is another deployment: it follows an update that is under way,
            // and starts its own after one that is over.
            let is_same = (first, second) == (Door::Call, Door::Call);
            let (word, updates) = if is_same || !has_ended {
                ("UpdateRolledBack", 1)
            } else {
                ("Deployed", 2)
            };
            assert_eq!(ended.word(), word, "{case}: {ended:?}");
            assert_eq!(scene.calls_of("UpdateEndpoint").len(), updates, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_ends_before_the_start_leaves_nothing() {
    // Given an endpoint that is busy with somebody else's change for longer than the budget
    for door in Door::BOTH {
        for on_timeout in ["fail", "return"] {
            let (scene, _) = Scene::serving().await;
            let inventory = scene.inventory();
            scene.server.force_status(ENDPOINT, "SystemUpdating", None);
            let event = with(event(&scene.package()), &json!({"on_timeout": on_timeout}));
            let minute = Duration::from_secs(60);
            let ended = scene.through_for(door, Existing, &event, minute).await;
            // then `InProgress` would not be true, whatever the event asks for
            assert_eq!(
                ended.word(),
                "DeploymentTimedOut",
                "{door:?} {on_timeout}: {ended:?}"
            );
            assert_eq!(scene.inventory(), inventory, "{door:?} {on_timeout}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_config_that_the_service_does_not_see_yet_is_tried_again() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let scene = Scene::before(kind).await;
            let operation = match kind {
                New => "CreateEndpoint",
                Existing => "UpdateEndpoint",
            };
            let unseen = Fault::once(operation, FaultKind::ConfigNotFound);
            // A call sees to it within seconds, a queue from one message to the next.
            let times = if door == Door::Call { 3 } else { 1 };
            scene.server.inject(unseen.times(times));
            let ended = scene.through(door, kind, &event(&scene.package())).await;
            assert_eq!(ended.word(), "Deployed", "{door:?} {kind:?}: {ended:?}");
            let calls = scene.calls_of(operation).len();
            assert_eq!(calls, times as usize + 1, "{door:?} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_config_that_the_service_never_sees_ends_the_deployment_soon() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let unseen = Fault::once("CreateEndpoint", FaultKind::ConfigNotFound).always();
        scene.server.inject(unseen);
        let started = Instant::now();
        let ended = scene.through(door, New, &event(&scene.package())).await;
        assert_eq!(ended.word(), "SageMakerError", "{door:?}: {ended:?}");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(300), "{door:?}: {took:?}");
        assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_previous_config_is_reported_even_if_the_reply_was_lost_and_the_update_quick() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving_with(Duration::ZERO).await;
        scene
            .server
            .inject(Fault::once("UpdateEndpoint", FaultKind::DropAfter));
        let event = event(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
        assert_eq!(
            answer.previous_endpoint_config, before.endpoint_config,
            "{door:?}"
        );
    }
}
