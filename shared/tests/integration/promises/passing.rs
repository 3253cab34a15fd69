//! Failures that pass: in every call, of both services, in an undo too. What does not pass ends the deployment in time.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::{Instant, sleep};

use super::{assert_serves, endpoint_tags, error, resized, rolls_back, scaled, scaling};
use crate::scene::{DEPLOYMENT, Door, Scene, event, with};

const SIGNED_TOO_EARLY: &str = "Signature not yet current: 20261126T000100Z is still later";

/// Refusals of Application Auto Scaling that pass.
fn passing_of_scaling() -> Vec<FaultKind> {
    let access = "FailedResourceAccessException";
    let role = "Unable to assume IAM role: arn:aws:iam::123456789012:role/service-role";
    vec![
        error("TooManyRequestsException", "Too many requests"),
        error("ConcurrentUpdateException", "There is another update"),
        error(access, "Rate exceeded"),
        error(
            access,
            "User: x is not authorized to perform: cloudwatch:PutMetricAlarm",
        ),
        error(
            access,
            "The security token included in the request is invalid",
        ),
        error("ObjectNotFoundException", "No scalable target registered"),
        error("ValidationException", role),
    ]
}

fn is_of_registration(refusal: &FaultKind) -> bool {
    matches!(refusal, FaultKind::Error { message, .. } if message.starts_with("Unable to assume"))
}

#[tokio::test(start_paused = true)]
async fn a_passing_refusal_in_an_undo_leaves_the_autoscaling_restored() {
    for door in Door::BOTH {
        for refusal in passing_of_scaling() {
            // given a resize that is rolled back
            let (scene, _) = scaled(DEPLOYMENT).await;
            let (before, tags) = (scaling(&scene), endpoint_tags(&scene));
            rolls_back(&scene);
            // when the service refuses a part of the autoscaling twice
            let operation = if is_of_registration(&refusal) {
                "RegisterScalableTarget"
            } else {
                "PutScalingPolicy"
            };
            scene
                .server
                .inject(Fault::once(operation, refusal.clone()).times(2));
            let event = with(event(&scene.package()), &resized());
            let ended = scene.through(door, Existing, &event).await;
            // then the endpoint scales as before
            let what = format!("{door:?} {refusal:?}");
            assert_eq!(ended.word(), "UpdateRolledBack", "{what}: {ended:?}");
            assert_eq!(scaling(&scene), before, "{what}");
            assert_eq!(endpoint_tags(&scene), tags, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_passing_refusal_ends_no_plan() {
    let refusals = [
        error("ConcurrentUpdateException", "There is another update"),
        error("FailedResourceAccessException", "Rate exceeded"),
        error("ThrottledException", ""),
    ];
    for door in Door::BOTH {
        for operation in ["DescribeScalingPolicies", "DeregisterScalableTarget"] {
            for refusal in &refusals {
                let (scene, _) = scaled(DEPLOYMENT).await;
                let before = scaling(&scene);
                scene
                    .server
                    .inject(Fault::once(operation, refusal.clone()).times(2));
                let event = with(event(&scene.package()), &resized());
                let ended = scene.through(door, Existing, &event).await;
                let what = format!("{door:?} {operation} {refusal:?}");
                assert_serves(&scene, door, ended, &what);
                assert_eq!(scaling(&scene), before, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_and_clocks_that_were_out_of_date_once_end_nothing() {
    let refusals = [
        error(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        error("InvalidSignatureException", SIGNED_TOO_EARLY),
        error("RequestTimeTooSkewed", ""),
    ];
    for door in Door::BOTH {
        for operation in ["DescribeModelPackage", "CreateModel", "CreateEndpoint"] {
            for refusal in &refusals {
                let scene = Scene::empty();
                scene.server.inject(Fault::once(operation, refusal.clone()));
                let ended = scene.through(door, New, &event(&scene.package())).await;
                let what = format!("{door:?} {operation} {refusal:?}");
                assert_serves(&scene, door, ended, &what);
                assert_eq!(scene.started(), 1, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_does_not_pass_ends_in_time_with_the_services_words() {
    let expired = error("ExpiredTokenException", "The token is expired");
    let alarms = "User: x is not authorized to perform: cloudwatch:PutMetricAlarm";
    let alarms = error("FailedResourceAccessException", alarms);
    for door in Door::BOTH {
        let scene = Scene::empty();
        scene
            .server
            .inject(Fault::once("CreateModel", expired.clone()).always());
        let ended = scene.through(door, New, &event(&scene.package())).await;
        assert_eq!(ended.word(), "SageMakerError", "{door:?}: {ended:?}");
        assert!(
            ended.message().contains("The token is expired"),
            "{ended:?}"
        );
        assert_eq!(scene.calls_of("CreateModel").len(), 3, "{door:?}");

        let (scene, _) = scaled(DEPLOYMENT).await;
        scene
            .server
            .inject(Fault::once("PutScalingPolicy", alarms.clone()).always());
        let started = Instant::now();
        let event = with(event(&scene.package()), &resized());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "SageMakerError", "{door:?}: {ended:?}");
        assert!(
            ended.message().contains("cloudwatch:PutMetricAlarm"),
            "{ended:?}"
        );
        let took = started.elapsed();
        assert!(
            took < DEPLOYMENT + Duration::from_secs(150),
            "{door:?}: {took:?}"
        );
    }
}

/// A reply of something between the function and the service.
fn foreign(status: u16, body: &str) -> FaultKind {
    let body = body.to_owned();
    FaultKind::Foreign { status, body }
}

const PAGE: &str =
    "<html><head><title>Blocked</title></head><body>Ask the network team.</body></html>";

#[tokio::test(start_paused = true)]
async fn a_reply_of_a_proxy_is_told_by_its_status_and_its_first_words() {
    let html = "Blocked Ask the network team";
    for door in Door::BOTH {
        for operation in ["DescribeModelPackage", "CreateModel", "CreateEndpoint"] {
            for (status, body, word, words) in [
                (403, PAGE, "AccessDenied", html),
                (404, PAGE, "SageMakerError", html),
                (403, "", "AccessDenied", "the reply is empty"),
                (
                    403,
                    "{\"message\": \"Forbidden\"}",
                    "AccessDenied",
                    "Forbidden",
                ),
            ] {
                let scene = Scene::empty();
                scene
                    .server
                    .inject(Fault::once(operation, foreign(status, body)).always());
                let ended = scene.through(door, New, &event(&scene.package())).await;
                let what = format!("{door:?} {operation} {status} {body}: {ended:?}");
                assert_eq!(ended.word(), word, "{what}");
                let told = format!("{operation} on ");
                assert!(ended.message().contains(&told), "{what}");
                let is_told = ended.message().contains(&format!("HTTP {status}: "));
                assert!(is_told && ended.message().contains(words), "{what}");
                assert_eq!(scene.calls_of(operation).len(), 1, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_of_a_busy_proxy_passes() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            for (status, body) in [(429, ""), (503, ""), (502, PAGE)] {
                let scene = Scene::before(kind).await;
                scene
                    .server
                    .inject(Fault::once("*", foreign(status, body)).after(1).times(3));
                let ended = scene.through(door, kind, &event(&scene.package())).await;
                let what = format!("{door:?} {kind:?} {status}");
                assert_serves(&scene, door, ended, &what);
                assert_eq!(scene.started(), 1, "{what}");
            }
        }
    }
}

/// Refusals of a model because of a role, or of a bucket's policy, that may be seconds old.
fn new_role() -> [FaultKind; 2] {
    [
        "Could not assume role arn:aws:iam::123456789012:role/SageMakerRole. Please ensure that the role exists.",
        "Could not access model data at s3://models/churn/model.tar.gz. Please ensure that the role exists.",
    ]
    .map(|message| error("ValidationException", message))
}

#[tokio::test(start_paused = true)]
async fn a_role_made_seconds_ago_is_waited_for() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            for refusal in new_role() {
                let scene = Scene::before(kind).await;
                scene
                    .server
                    .inject(Fault::once("CreateModel", refusal.clone()).always());
                let event = event(&scene.package());
                let known = async {
                    scene.until_called("CreateModel", 1).await;
                    sleep(Duration::from_secs(90)).await;
                    scene.server.clear_faults();
                };
                let (ended, ()) = tokio::join!(scene.through(door, kind, &event), known);
                let what = format!("{door:?} {kind:?} {refusal:?}");
                assert_serves(&scene, door, ended, &what);
                assert_eq!(scene.started(), 1, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_for_two_minutes_is_told() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            for refusal in new_role() {
                let scene = Scene::before(kind).await;
                let inventory = scene.inventory();
                scene
                    .server
                    .inject(Fault::once("CreateModel", refusal.clone()).always());
                let ended = scene.through(door, kind, &event(&scene.package())).await;
                let what = format!("{door:?} {kind:?} {refusal:?}: {ended:?}");
                assert_eq!(ended.word(), "SageMakerError", "{what}");
                assert!(ended.message().contains("Could not a"), "{what}");
                let calls = scene.calls_of("CreateModel");
                let (first, last) = (&calls[0], &calls[calls.len() - 1]);
                let lasted = last.at_seconds - first.at_seconds;
                assert!((110.0..150.0).contains(&lasted), "{lasted} s: {what}");
                assert_eq!(scene.inventory(), inventory, "{what}");
            }
        }
    }
}
