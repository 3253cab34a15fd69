//! The answer to a pipeline's step: given once, however often the service refuses it, and always the same.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use serde_json::Value;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::Instant;

use super::{assert_serves, creation_fails, error, rolls_back};
use crate::scene::{Asked, DEPLOYMENT, Door, ENDPOINT, Scene, event};

/// Refusals of an answer that do not say that nobody waits for it.
fn refusals() -> Vec<FaultKind> {
    vec![
        error(
            "ConflictException",
            "There was a conflict when processing your request.",
        ),
        error(
            "ResourceLimitExceeded",
            "You have exceeded a SageMaker resource limit.",
        ),
        error(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        error(
            "ValidationException",
            "1 validation error detected: Value at 'outputParameters' failed to satisfy constraint.",
        ),
        FaultKind::Deny,
        FaultKind::Throttle,
        FaultKind::Fail,
    ]
}

/// Every attempt to answer a step: the operation, and the reason of a failure.
fn attempts(scene: &Scene, asked: &Asked) -> Vec<(String, String)> {
    let step = scene
        .server
        .callback_step(asked.token())
        .expect("it was started");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attempts = step["answers"].as_array().into_iter().flatten();
    attempts
        .map(|attempt| {
            (
                text(&attempt["operation"]),
                text(&attempt["request"]["FailureReason"]),
            )
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_that_is_refused_is_given_later() {
    for refusal in refusals() {
        for kind in [New, Existing] {
            let scene = Scene::before(kind).await;
            let refused = Fault::once("SendPipelineExecutionStepSuccess", refusal.clone());
            scene.server.inject(refused.times(5));
            let event = event(&scene.package());
            let ended = scene.through(Door::Queue, kind, &event).await;
            let what = format!("{kind:?} {refusal:?}");
            assert_serves(&scene, Door::Queue, ended, &what);
            assert_eq!(scene.started(), 1, "{what}");
            assert_eq!(
                scene.calls_of("SendPipelineExecutionStepFailure"),
                [],
                "{what}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_refused_is_told_later_in_the_same_words() {
    for refusal in refusals() {
        for (kind, word) in [
            (New, "EndpointCreationFailed"),
            (Existing, "UpdateRolledBack"),
        ] {
            let scene = Scene::before(kind).await;
            let inventory = scene.inventory();
            match kind {
                New => creation_fails(&scene),
                Existing => rolls_back(&scene),
            }
            let refused = Fault::once("SendPipelineExecutionStepFailure", refusal.clone());
            scene.server.inject(refused.times(5));
            let event = event(&scene.package());
            let mut asked = scene.ask(Door::Queue, kind, &event);
            let ended = asked.until_ended().await;
            let what = format!("{kind:?} {refusal:?}");
            assert_eq!(ended.word(), word, "{what}: {ended:?}");
            let attempts = attempts(&scene, &asked);
            assert_eq!(attempts.len(), 6, "{what}: {attempts:?}");
            assert!(
                attempts.iter().all(|attempt| *attempt == attempts[0]),
                "{what}: {attempts:?}"
            );
            assert_eq!(scene.started(), 1, "{what}");
            assert_eq!(scene.inventory(), inventory, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_its_pipeline_does_not_list_yet_is_waited_for() {
    for kind in [New, Existing] {
        for hidden in [20, 60, 240] {
            let scene = Scene::before(kind).await;
            let inventory = scene.inventory();
            let event = event(&scene.package());
            let mut asked = scene.ask(Door::Queue, kind, &event);
            let hidden = Duration::from_secs(hidden);
            scene.server.hide_callback(asked.token(), hidden);
            let until_listed = async {
                tokio::time::sleep(hidden.saturating_sub(Duration::from_secs(1))).await;
                assert_eq!(scene.inventory(), inventory, "not listed yet");
            };
            let (ended, ()) = tokio::join!(asked.until_ended(), until_listed);
            assert_serves(&scene, Door::Queue, ended, &format!("{kind:?} {hidden:?}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_put_off_once_is_not_a_quarter_of_an_hour_late() {
    let faults = [
        FaultKind::Throttle,
        FaultKind::Fail,
        FaultKind::DropBefore,
        FaultKind::Hang,
    ];
    for operation in ["ChangeMessageVisibility", "GetQueueUrl"] {
        for fault in &faults {
            let scene = Scene::empty();
            scene.server.inject(Fault::once(operation, fault.clone()));
            let started = Instant::now();
            let event = event(&scene.package());
            let ended = scene.through(Door::Queue, New, &event).await;
            let what = format!("{operation} {fault:?}");
            assert_serves(&scene, Door::Queue, ended, &what);
            let took = started.elapsed();
            assert!(
                took < DEPLOYMENT + Duration::from_secs(75),
                "{what}: {took:?}"
            );
            assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "InService");
        }
    }
}
