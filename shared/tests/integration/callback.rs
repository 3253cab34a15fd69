//! What only a queue has: messages that come back, come twice, come side by side, or that nobody waits for any more.

use aws_lambda_events::sqs::SqsMessage;
use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use tokio::time::{Instant, sleep};

use crate::autoscaling::{scaled, scaling};
use crate::scene::{
    Asked, DEPLOYMENT, Delivered, Door, ENDPOINT, Ended, Scene, deliver, event, receive, with,
};

fn ask(scene: &Scene, kind: DeploymentKind, event: &Value) -> Asked {
    scene.ask(Door::Queue, kind, event)
}

/// A step, and how many answers it got.
fn step(scene: &Scene, asked: &Asked) -> (Value, usize) {
    let step = scene.server.callback_step(asked.token());
    let step = step.expect("there is such a step");
    let answers = step["answers"].as_array().map_or(0, Vec::len);
    (step, answers)
}

fn assert_deployed(scene: &Scene, asked: &Asked, status: &str) {
    let (step, answers) = step(scene, asked);
    assert_eq!(
        (&step["status"], answers),
        (&json!("Succeeded"), 1),
        "{step}"
    );
    let outputs = &step["outputs"];
    assert_eq!(outputs["deployment_status"], status, "{outputs}");
    let live = scene.endpoint(ENDPOINT);
    assert_eq!(live["EndpointStatus"], "InService");
    assert_eq!(outputs["endpoint_config"], live["EndpointConfigName"]);
    for (name, value) in outputs.as_object().expect("outputs") {
        assert!(
            value.as_str().is_some_and(|value| value.len() <= 1024),
            "{name}: {value}"
        );
    }
}

fn rolls_back(scene: &Scene) {
    let reason = Some("out of memory".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::UpdateRollsBack { reason });
}

/// Delivers messages in one batch to a fresh process; returns how many come back.
async fn deliver_batch(scene: &Scene, kind: DeploymentKind, messages: Vec<SqsMessage>) -> usize {
    deliver(&scene.process(), kind, messages).await
}

#[tokio::test(start_paused = true)]
async fn a_deployment_goes_on_from_message_to_message() {
    for kind in [New, Existing] {
        let scene = Scene::before(kind).await;
        let mut asked = ask(&scene, kind, &event(&scene.package()));
        // One delivery starts it, another finds it done.
        assert_eq!(asked.deliver().await, Delivered::Back);
        asked.until_ended().await;
        assert_deployed(&scene, &asked, "Deployed");
        assert_eq!(scene.started(), 1);
        // A message that is delivered once more changes nothing and answers nothing.
        let inventory = scene.inventory();
        assert_eq!(asked.deliver().await, Delivered::Done);
        assert_eq!(scene.inventory(), inventory);
        assert_eq!(step(&scene, &asked).0["status"], "Succeeded");
        assert_eq!(scene.started(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_autoscaling_is_restored_by_another_process_than_suspended_it() {
    for fails in [false, true] {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        if fails {
            rolls_back(&scene);
        }
        let keys = json!({"instance_type": "ml.c7i.large", "delete_superseded": true});
        let mut asked = ask(&scene, Existing, &with(event(&scene.package()), &keys));
        assert_eq!(asked.deliver().await, Delivered::Back);
        assert_eq!(scaling(&scene), Vec::<Value>::new());
        let ended = asked.until_ended().await;
        let expected = if fails {
            "UpdateRolledBack"
        } else {
            "Deployed"
        };
        assert_eq!(ended.word(), expected, "{ended:?}");
        assert_eq!(scaling(&scene), before);
        // Either way one deployment is left of two.
        assert_eq!(scene.inventory().map(|names| names.len()), [1, 1, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_config_that_serves_already_is_answered_at_once() {
    let (scene, _) = Scene::serving().await;
    let event = event(&scene.package().replace("/2", "/1"));
    for kind in [New, Existing] {
        let mut asked = ask(&scene, kind, &event);
        assert_eq!(asked.deliver().await, Delivered::Done);
        assert_deployed(&scene, &asked, "Unchanged");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_once_and_its_message_starts_nothing_any_more() {
    let (scene, _) = Scene::serving().await;
    let inventory = scene.inventory();
    rolls_back(&scene);
    let mut asked = ask(&scene, Existing, &event(&scene.package()));
    asked.until_ended().await;
    let (failed, answers) = step(&scene, &asked);
    assert_eq!((&failed["status"], answers), (&json!("Failed"), 1));
    let reason = failed["failure_reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("UpdateRolledBack: The update of the endpoint churn"),
        "{reason}"
    );
    assert!(
        reason.chars().count() <= 256 && reason.contains("out of memory"),
        "{reason}"
    );
    for _ in 0..2 {
        assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1);
        assert_eq!(scene.inventory(), inventory);
        assert_eq!(asked.deliver().await, Delivered::Done);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_left_something_behind_is_not_reported_to_the_next_step() {
    // Given an update that was rolled back, and whose endpoint config could not be deleted
    let (scene, _) = Scene::serving().await;
    rolls_back(&scene);
    scene
        .server
        .inject(Fault::once("DeleteEndpointConfig", FaultKind::Deny).always());
    let event = event(&scene.package());
    let ended = scene.through(Door::Queue, Existing, &event).await;
    assert_eq!(ended.word(), "UpdateRolledBack", "{ended:?}");
    // when the next step asks for the same
    scene.server.clear_faults();
    let mut next = ask(&scene, Existing, &event);
    next.until_ended().await;
    // then it is deployed
    assert_deployed(&scene, &next, "Deployed");
}

#[tokio::test(start_paused = true)]
async fn the_same_message_delivered_many_times_at_once_is_one_deployment() {
    for kind in [New, Existing] {
        for fails in [false, true] {
            let case = format!("{kind:?}, fails: {fails}");
            let scene = Scene::before(kind).await;
            if fails && kind == New {
                let outcome = Outcome::CreateFails { reason: None };
                scene.server.set_outcome(ENDPOINT, outcome);
            } else if fails {
                rolls_back(&scene);
            }
            let mut asked = ask(&scene, kind, &event(&scene.package()));
            let mut pending = 4;
            while pending > 0 {
                let messages = (0..4).map(|_| asked.receive()).collect();
                pending = deliver_batch(&scene, kind, messages).await;
                sleep(DEPLOYMENT / 20).await;
            }
            let (step, _) = step(&scene, &asked);
            let expected = if fails { "Failed" } else { "Succeeded" };
            assert_eq!(step["status"], expected, "{case}");
            assert_eq!(scene.started(), 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_mixes_messages_and_a_bad_one_holds_up_no_other() {
    let (scene, _) = Scene::serving().await;
    let first = event(&scene.package().replace("/2", "/1"));
    let mut good = ask(&scene, Existing, &first);
    let bad_event = with(first, &json!({"endpoint_name": "no_name"}));
    let mut bad = ask(&scene, Existing, &bad_event);
    let messages = vec![
        receive("no-json", "no JSON", Instant::now(), 1),
        bad.receive(),
        receive("no-token", r#"{"arguments": {}}"#, Instant::now(), 1),
        good.receive(),
    ];
    // Those without a token come back, until the queue puts them aside.
    assert_eq!(deliver_batch(&scene, Existing, messages).await, 2);
    assert_deployed(&scene, &good, "Unchanged");
    let ended = bad.ended();
    assert_eq!(ended.word(), "InvalidRequest", "{ended:?}");
    assert!(ended.message().contains("endpoint_name"), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_a_while_does_not_fail_the_deployment() {
    for kind in [FaultKind::Throttle, FaultKind::Fail, FaultKind::DropAfter] {
        let (scene, _) = Scene::serving().await;
        scene
            .server
            .inject(Fault::once("*", kind.clone()).times(7).after(3));
        let event = event(&scene.package());
        let ended = scene.through(Door::Queue, Existing, &event).await;
        assert_eq!(ended.word(), "Deployed", "{kind:?}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_another_replaced_unseen_does_not_start_again() {
    // Given an update whose end no delivery has seen yet, and another that started right after it
    let (scene, _) = Scene::serving().await;
    let [mut one, mut other] = [(); 2].map(|()| ask(&scene, Existing, &event(&scene.package())));
    for asked in [&mut one, &mut other] {
        assert_eq!(asked.deliver().await, Delivered::Back);
        scene.until_status("InService").await;
    }
    // when both messages come back
    assert_eq!(one.deliver().await, Delivered::Done);
    other.until_ended().await;
    // then the first ends with this reason, and the endpoint stays with the second
    let replaced = one.ended();
    assert_eq!(replaced.word(), "EndpointNotUpdatable", "{replaced:?}");
    assert!(
        replaced
            .message()
            .contains("another deployment replaced this one"),
        "{replaced:?}"
    );
    assert_deployed(&scene, &other, "Deployed");
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn two_deployments_of_one_endpoint_end_and_never_alternate() {
    let (scene, _) = Scene::serving().await;
    let [mut one, mut other] = [(); 2].map(|()| ask(&scene, Existing, &event(&scene.package())));
    let (one, other) = tokio::join!(one.until_ended(), other.until_ended());
    assert!(scene.started() <= 2, "{} updates", scene.started());
    assert!(
        [one.word(), other.word()].contains(&"Deployed"),
        "{one:?} {other:?}"
    );
}

mod ends;
