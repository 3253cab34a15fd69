//! Steps that nobody waits for any more: what was not launched is not launched, and what was made for it goes.

use sagemaker_local::{Fault, FaultKind};
use serde_json::json;
use shared::contract::DeploymentKind::{self, Existing, New};

use super::{QUICK, assert_serves, endpoint_tags, in_progress, resized, scaled, scaling};
use crate::scene::{Asked, Delivered, Door, Ended, Scene, event, with};

/// What a deployment starts from: nothing, or an endpoint that serves and scales.
async fn before(kind: DeploymentKind) -> Scene {
    match kind {
        New => Scene::empty(),
        Existing => scaled(QUICK).await.0,
    }
}

/// The event of a deployment that has to suspend the autoscaling, if there is any.
fn event_of(scene: &Scene, kind: DeploymentKind) -> serde_json::Value {
    let event = event(&scene.package());
    match kind {
        New => event,
        Existing => with(event, &resized()),
    }
}

/// Makes nobody wait for a step: its pipeline is stopped, or its time is over.
fn give_up(scene: &Scene, asked: &Asked, by_stop: bool) {
    if by_stop {
        scene.server.stop_callback(asked.token());
    } else {
        scene.server.expire_callback(asked.token());
    }
}

async fn until_done(asked: &mut Asked) -> Ended {
    while asked.deliver().await != Delivered::Done {}
    asked.ended()
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_launched_is_not_launched_for_nobody() {
    for kind in [New, Existing] {
        for by_stop in [false, true] {
            for last in 0.. {
                // given a process that is killed before it launches
                let scene = before(kind).await;
                let (inventory, autoscaling) = (scene.inventory(), scaling(&scene));
                let event = event_of(&scene, kind);
                let mut asked = scene.ask(Door::Queue, kind, &event);
                let killed = asked.until_killed(last).await.is_none();
                if !killed || scene.started() > 0 {
                    break;
                }
                // when nobody waits any more
                give_up(&scene, &asked, by_stop);
                let ended = until_done(&mut asked).await;
                // then nothing of it is left, and the step is told so
                let what = format!("{kind:?} killed in call {last}, stopped: {by_stop}");
                assert_eq!(scene.started(), 0, "{what}");
                assert_eq!(scene.inventory(), inventory, "{what}");
                assert_eq!(scaling(&scene), autoscaling, "{what}");
                if by_stop {
                    let message = ended.message();
                    assert!(message.contains("was stopped"), "{what}: {message}");
                } else {
                    assert_eq!(ended, Ended::Unanswered, "{what}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_earlier_deliveries_made_for_a_stopped_step_goes() {
    for by_stop in [false, true] {
        // given some deliveries that made everything and could not launch it
        let scene = before(Existing).await;
        let (inventory, autoscaling) = (scene.inventory(), scaling(&scene));
        let tags = endpoint_tags(&scene);
        let refused = Fault::once("UpdateEndpoint", in_progress()).always();
        scene.server.inject(refused);
        let event = event_of(&scene, Existing);
        let mut asked = scene.ask(Door::Queue, Existing, &event);
        for _ in 0..3 {
            assert_eq!(asked.deliver().await, Delivered::Back);
        }
        assert!(
            scene.inventory() != inventory,
            "there is something to delete"
        );
        // when nobody waits any more
        give_up(&scene, &asked, by_stop);
        until_done(&mut asked).await;
        // then it goes, and the autoscaling is back
        assert_eq!(scene.inventory(), inventory, "stopped: {by_stop}");
        assert_eq!(scaling(&scene), autoscaling, "stopped: {by_stop}");
        assert_eq!(endpoint_tags(&scene), tags, "stopped: {by_stop}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_stopped_step_names_what_could_not_be_deleted() {
    for (operation, prefix) in [
        ("DeleteModel", "model-"),
        ("DeleteEndpointConfig", "endpoint-config-"),
    ] {
        let scene = before(Existing).await;
        let [models, configs, _] = scene.inventory();
        let refused = Fault::once("UpdateEndpoint", in_progress()).always();
        scene.server.inject(refused);
        let denied = Fault::once(operation, FaultKind::Deny).always();
        scene.server.inject(denied);
        let event = event_of(&scene, Existing);
        let mut asked = scene.ask(Door::Queue, Existing, &event);
        assert_eq!(asked.deliver().await, Delivered::Back);
        give_up(&scene, &asked, true);
        let ended = until_done(&mut asked).await;
        let [models_left, configs_left, _] = scene.inventory();
        let left = models_left.into_iter().chain(configs_left);
        let left = left.filter(|name| !models.contains(name) && !configs.contains(name));
        let left: Vec<_> = left.filter(|name| name.starts_with(prefix)).collect();
        assert!(!left.is_empty(), "{operation}");
        let message = ended.message();
        let is_named = left.iter().any(|name| message.contains(name.as_str()));
        assert!(is_named, "{operation}: {left:?} in {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_launched_deployment_of_a_stopped_step_is_followed_and_its_end_told() {
    for kind in [New, Existing] {
        let scene = before(kind).await;
        let autoscaling = scaling(&scene);
        let event = with(event_of(&scene, kind), &json!({"tags": "team=blue"}));
        let mut asked = scene.ask(Door::Queue, kind, &event);
        while scene.started() == 0 {
            assert_eq!(asked.deliver().await, Delivered::Back);
        }
        give_up(&scene, &asked, true);
        let ended = until_done(&mut asked).await;
        assert_serves(&scene, Door::Queue, ended, &format!("{kind:?}"));
        assert_eq!(scaling(&scene), autoscaling, "{kind:?}");
    }
}
