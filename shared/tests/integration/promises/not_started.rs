//! Updates that have not started: that is no `InProgress`, no rollback, and nothing of them stays.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::sleep;

use super::{
    QUICK, SETTLED, assert_serves, in_progress, resized, rolls_back, scaled, scaling,
    set_instances, until_called, until_calls,
};
use crate::scene::{Door, ENDPOINT, Ended, Scene, event, with};

/// That a deployment timed out before it started.
#[track_caller]
fn assert_not_started(door: Door, ended: &Ended) {
    assert_eq!(ended.word(), "DeploymentTimedOut", "{door:?}: {ended:?}");
    let message = ended.message();
    assert!(
        message.contains("has not started") && !message.contains("It goes on"),
        "{door:?}: {message}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_was_busy_all_along_is_no_deployment_in_progress() {
    for door in Door::BOTH {
        for (kind, status) in [(New, "Deleting"), (Existing, "SystemUpdating")] {
            let (scene, _) = Scene::serving().await;
            scene.server.force_status(ENDPOINT, status, None);
            let before = scene.inventory();
            let event = with(event(&scene.package()), &json!({"on_timeout": "return"}));
            let wait = Duration::from_secs(120);
            let ended = scene.through_for(door, kind, &event, wait).await;
            assert_not_started(door, &ended);
            assert_eq!(scene.inventory(), before, "{door:?} {kind:?}");
            assert_eq!(scene.started(), 0, "{door:?} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_before_the_start_leaves_nothing() {
    for door in Door::BOTH {
        for on_timeout in ["return", "fail"] {
            // given an endpoint that somebody changes again whenever it is about to be updated
            let (scene, _) = scaled(QUICK).await;
            let (before, inventory) = (scaling(&scene), scene.inventory());
            scene
                .server
                .inject(Fault::once("UpdateEndpoint", in_progress()).always());
            let event = with(event(&scene.package()), &resized());
            let event = with(event, &json!({ "on_timeout": on_timeout }));
            let wait = Duration::from_secs(120);
            let ended = scene.through_for(door, Existing, &event, wait).await;
            assert_not_started(door, &ended);
            assert_eq!(scene.inventory(), inventory, "{door:?} {on_timeout}");
            assert_eq!(scaling(&scene), before, "{door:?} {on_timeout}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_throttles_until_the_time_is_up_leaves_nothing() {
    for door in Door::BOTH {
        let (scene, _) = scaled(QUICK).await;
        let (before, inventory) = (scaling(&scene), scene.inventory());
        let throttled = Fault::once("UpdateEndpoint", FaultKind::Throttle);
        scene.server.inject(throttled.always());
        let keys = json!({"instance_type": "ml.c7i.large", "on_timeout": "return"});
        let event = with(event(&scene.package()), &keys);
        let wait = Duration::from_secs(120);
        let ended = scene.through_for(door, Existing, &event, wait).await;
        let words = ["Throttled", "DeploymentTimedOut"];
        assert!(words.contains(&ended.word()), "{door:?}: {ended:?}");
        assert_eq!(scene.inventory(), inventory, "{door:?}");
        assert_eq!(scaling(&scene), before, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn somebodys_scaling_after_any_call_is_no_rollback() {
    for door in Door::BOTH {
        for after in 1.. {
            let (scene, _) = Scene::serving_with(QUICK).await;
            let event = event(&scene.package());
            let scales = async {
                until_calls(&scene, after).await;
                set_instances(&scene, 3)
            };
            let mut deployment = std::pin::pin!(scene.through(door, Existing, &event));
            let accepted = tokio::select! {
                _ = &mut deployment => break,
                accepted = scales => accepted,
            };
            let ended = deployment.await;
            let what = format!("scaled after call {after} (accepted: {accepted})");
            assert_eq!(ended.word(), "Deployed", "{door:?} {what}: {ended:?}");
            // The scaling may have come after the end.
            scene.until_status("InService").await;
            assert_serves(&scene, door, ended, &what);
            assert_eq!(scene.started(), 1, "{door:?} {what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn somebodys_scaling_after_a_refused_update_is_no_rollback() {
    let refusals = [
        in_progress(),
        FaultKind::Throttle,
        FaultKind::Fail,
        FaultKind::DropBefore,
        FaultKind::Hang,
    ];
    for door in Door::BOTH {
        for refusal in &refusals {
            // given an update that is refused some times, while somebody's scaling begins and ends
            let (scene, _) = Scene::serving_with(QUICK).await;
            let refused = Fault::once("UpdateEndpoint", refusal.clone()).times(3);
            scene.server.inject(refused);
            let event = event(&scene.package());
            let scales = async {
                until_called(&scene, "UpdateEndpoint").await;
                assert!(set_instances(&scene, 3), "the endpoint was in service");
            };
            let (ended, ()) = tokio::join!(scene.through(door, Existing, &event), scales);
            let what = format!("{refusal:?}");
            assert_serves(&scene, door, ended, &what);
            assert_eq!(scene.started(), 1, "{door:?} {what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_reply_nobody_got_is_started_again_if_it_was_rolled_back_unseen() {
    for door in Door::BOTH {
        // given a process that is killed in the call that starts the update
        let (scene, _) = Scene::serving_with(QUICK).await;
        rolls_back(&scene);
        let event = event(&scene.package());
        let mut asked = scene.ask(door, Existing, &event);
        let killed = asked.until_killed_in("UpdateEndpoint").await;
        assert_eq!(killed, None, "{door:?}");
        assert_eq!(scene.started(), 1, "{door:?}");
        // when the update has been rolled back before the next process polls
        sleep(SETTLED).await;
        let ended = asked.until_ended().await;
        // then it is started again
        assert_serves(&scene, door, ended, "killed in UpdateEndpoint");
        assert_eq!(scene.started(), 2, "{door:?}");
    }
}
