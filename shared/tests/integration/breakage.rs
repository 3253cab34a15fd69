//! Every call of both deployments fails once and for good, in every way: the error's type, what is left in the
//! account, and that a repeated call then succeeds.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use shared::contract::DeploymentStatus;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::scene::{
    DEPLOYMENT, ENDPOINT, READ_TIMEOUT, Scene, budget, error_type, event, run, with,
};

/// The calls that a deployment makes before it waits, in order.
fn calls(kind: DeploymentKind) -> &'static [&'static str] {
    match kind {
        New => &[
            "DescribeEndpoint",
            "DescribeModelPackage",
            "CreateModel",
            "CreateEndpointConfig",
            "CreateEndpoint",
        ],
        Existing => &[
            "DescribeEndpoint",
            "DescribeEndpointConfig",
            "DescribeModel",
            "ListTags",
            "DescribeModelPackage",
            "CreateModel",
            "CreateEndpointConfig",
            "AddTags",
            "UpdateEndpoint",
        ],
    }
}

fn ways() -> Vec<FaultKind> {
    vec![
        FaultKind::Deny,
        FaultKind::Throttle,
        FaultKind::Fail,
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::Limit,
        FaultKind::Hang,
        FaultKind::Late {
            milliseconds: 2 * millis(READ_TIMEOUT),
        },
    ]
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().expect("short")
}

/// The error that a call's failure leads to; `none` where the deployment gets over it.
fn expected(operation: &str, way: &FaultKind, for_good: bool) -> &'static str {
    let begins = matches!(operation, "CreateEndpoint" | "UpdateEndpoint");
    match way {
        FaultKind::Deny => "AccessDenied",
        FaultKind::Limit => "ResourceLimitExceeded",
        // Any other failure passes, if it passes.
        _ if !for_good => "none",
        FaultKind::Throttle => "Throttled",
        // It has begun although no reply ever comes, and the endpoint shows it.
        FaultKind::DropAfter | FaultKind::Late { .. } if begins => "none",
        _ => "SageMakerError",
    }
}

async fn scene(kind: DeploymentKind) -> (Scene, Value) {
    let scene = Scene::before(kind).await;
    let event = with(event(&scene.package()), &json!({"tags": "team=growth"}));
    (scene, event)
}

async fn break_one(kind: DeploymentKind, operation: &'static str, way: FaultKind, for_good: bool) {
    let case = format!("{kind:?}: {operation} {way:?}, for good: {for_good}");
    // Given a call that fails
    let (scene, event) = scene(kind).await;
    let before = scene.inventory();
    let expected = expected(operation, &way, for_good);
    let fault = Fault::once(operation, way);
    scene
        .server
        .inject(if for_good { fault.always() } else { fault });
    // when the deployment meets it
    let wait = if expected == "none" {
        Duration::from_secs(10)
    } else {
        Duration::from_millis(700)
    };
    let ended = scene.run_for(kind, &event, wait).await;
    // then it says so in the contract's words
    assert_eq!(error_type(&ended), expected, "{case}: {ended:?}");
    // and leaves nothing, or what it is to leave
    match &ended {
        Err(failure) => {
            assert_eq!(failure.left_behind, [], "{case}");
            assert!(failure.to_string().contains(operation), "{case}: {failure}");
            assert_eq!(scene.inventory(), before, "{case}");
        }
        Ok(answer) => {
            assert_eq!(
                answer.deployment_status,
                DeploymentStatus::Deployed,
                "{case}"
            );
            assert_eq!(scene.inventory()[2], [ENDPOINT], "{case}");
        }
    }
    // and a repeated call succeeds.
    scene.server.clear_faults();
    let repeated = scene
        .run(kind, &event)
        .await
        .expect("nothing is in its way");
    assert_eq!(
        scene.endpoint(ENDPOINT)["EndpointConfigName"],
        repeated.endpoint_config.as_str(),
        "{case}"
    );
    let made = before.map(|names| names.len());
    let expected = if kind == New {
        [1, 1, 1]
    } else {
        [made[0] + 1, made[1] + 1, 1]
    };
    assert_eq!(
        scene.inventory().map(|names| names.len()),
        expected,
        "{case}"
    );
    assert_eq!(
        scene.server.endpoints_serving_deleted(),
        Vec::<String>::new(),
        "{case}"
    );
}

#[tokio::test]
async fn every_call_fails_in_every_way() {
    for kind in [New, Existing] {
        for operation in calls(kind) {
            // Side by side, because most of a case is waiting.
            let mut cases = JoinSet::new();
            for way in ways() {
                cases.spawn(break_one(kind, operation, way.clone(), false));
                cases.spawn(break_one(kind, operation, way, true));
            }
            while let Some(case) = cases.join_next().await {
                case.expect("the case holds");
            }
        }
    }
}

/// An endpoint config whose creation was not answered, and that the service then says to have and not to find.
async fn unseen_endpoint_config(times: u32) -> (Scene, Value) {
    let (scene, event) = scene(Existing).await;
    let lost = Fault::once("CreateEndpointConfig", FaultKind::DropAfter);
    let unseen = FaultKind::Error {
        code: "ValidationException".to_owned(),
        message: "Could not find endpoint configuration \"x\".".to_owned(),
        status: 400,
    };
    // The first look is at the live one.
    let unseen = Fault::once("DescribeEndpointConfig", unseen).times(times);
    scene.server.inject(lost);
    scene.server.inject(unseen.after(1));
    (scene, event)
}

#[tokio::test]
async fn an_endpoint_config_that_is_not_seen_yet_is_waited_for() {
    let (scene, event) = unseen_endpoint_config(2).await;
    let answer = scene.run(Existing, &event).await.expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
}

#[tokio::test]
async fn an_endpoint_config_that_is_never_seen_is_an_error() {
    let (scene, event) = unseen_endpoint_config(u32::MAX).await;
    let ended = scene.run(Existing, &event).await;
    assert_eq!(error_type(&ended), "SageMakerError");
    let message = ended.expect_err("an error").to_string();
    assert!(message.contains("does not see it"), "{message}");
}

/// Once it is under way, a deployment is not failed by looks that are.
#[tokio::test]
async fn looks_that_fail_do_not_fail_a_deployment_that_is_under_way() {
    for kind in [New, Existing] {
        for way in ways() {
            let case = format!("{kind:?}: {way:?}");
            let (scene, event) = scene(kind).await;
            // An update looks once more before it begins.
            let looks_before = if kind == New { 1 } else { 2 };
            let fault = Fault::once("DescribeEndpoint", way.clone())
                .always()
                .after(looks_before);
            scene.server.inject(fault);
            let ended = scene.run_for(kind, &event, DEPLOYMENT * 4).await;
            let expected = if way == FaultKind::Deny {
                "AccessDenied"
            } else {
                "DeploymentTimedOut"
            };
            assert_eq!(error_type(&ended), expected, "{case}");
            assert!(scene.has_deleted_nothing());
            scene.server.clear_faults();
            scene.run(kind, &event).await.expect("it went on");
            let begun =
                scene.calls_of("CreateEndpoint").len() + scene.calls_of("UpdateEndpoint").len();
            assert_eq!(begun, 1, "{case}");
        }
    }
}

/// The failures that make an undo necessary, and the calls that it makes.
fn undone() -> Vec<(DeploymentKind, Outcome, &'static [&'static str])> {
    let reason = Some("the container went away".to_owned());
    vec![
        (
            New,
            Outcome::CreateFails {
                reason: reason.clone(),
            },
            &["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"],
        ),
        (
            Existing,
            Outcome::UpdateRollsBack { reason },
            &["DeleteEndpointConfig", "DeleteModel"],
        ),
    ]
}

#[tokio::test]
async fn notes_that_could_not_be_removed_fail_nothing_and_go_with_the_next_call() {
    let (scene, event) = scene(Existing).await;
    scene
        .server
        .inject(Fault::once("DeleteTags", FaultKind::Deny));
    let answer = scene.run(Existing, &event).await.expect("deployed");
    let tags = || scene.tags_of_config(&answer.endpoint_config);
    assert!(tags().contains("replaces-since"), "{}", tags());
    scene.run(Existing, &event).await.expect("it serves");
    assert!(!tags().contains("replaces-since"), "{}", tags());
}

#[tokio::test]
async fn an_undo_gets_over_what_passes() {
    for (kind, outcome, deletes) in undone() {
        for delete in deletes {
            for way in ways() {
                if matches!(way, FaultKind::Deny | FaultKind::Limit) {
                    continue;
                }
                let case = format!("{kind:?}: {delete} {way:?}");
                let (scene, event) = scene(kind).await;
                let before = scene.inventory();
                scene.server.set_outcome(ENDPOINT, outcome.clone());
                scene.server.inject(Fault::once(delete, way));
                let failure = scene.run(kind, &event).await.expect_err("it fails");
                assert_eq!(failure.left_behind, [], "{case}");
                assert_eq!(scene.inventory(), before, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn an_undo_that_fails_names_what_is_left_and_the_error_stays() {
    for (kind, outcome, deletes) in undone() {
        for (index, delete) in deletes.iter().enumerate() {
            for way in [FaultKind::Deny, FaultKind::Throttle] {
                let case = format!("{kind:?}: {delete} {way:?}");
                // Given a failure whose undo fails too
                let (scene, event) = scene(kind).await;
                let before = scene.inventory();
                scene.server.set_outcome(ENDPOINT, outcome.clone());
                scene.server.inject(Fault::once(delete, way).always());
                let ended = scene
                    .run_for(kind, &event, Duration::from_millis(500))
                    .await;
                // then the error is the first one
                let expected = if kind == New {
                    "EndpointCreationFailed"
                } else {
                    "UpdateRolledBack"
                };
                assert_eq!(error_type(&ended), expected, "{case}");
                let failure = ended.expect_err("it fails");
                let message = failure.to_string();
                assert!(
                    message.contains("the container went away"),
                    "{case}: {message}"
                );
                // and the message names exactly what is left
                let left: usize = deletes.len() - index;
                assert_eq!(failure.left_behind.len(), left, "{case}: {message}");
                let after = scene.inventory();
                for (had, has) in before.iter().zip(&after) {
                    for name in has.iter().filter(|name| !had.contains(name)) {
                        assert!(
                            message.contains(name.as_str()),
                            "{case}: {name} in {message}"
                        );
                    }
                }
                let more: usize = after.iter().map(Vec::len).sum::<usize>()
                    - before.iter().map(Vec::len).sum::<usize>();
                assert_eq!(more, left, "{case}");
                // A repeated call clears the failed endpoint away where there still is one, and the next deploys.
                scene.server.clear_faults();
                if (kind, index) == (New, 0) {
                    let again = scene.run(kind, &event).await;
                    assert_eq!(error_type(&again), "EndpointCreationFailed", "{case}");
                    assert_eq!(scene.inventory(), before, "{case}");
                }
                scene
                    .run(kind, &event)
                    .await
                    .expect("nothing is in its way");
            }
        }
    }
}

#[tokio::test]
async fn a_failure_that_left_something_behind_is_told_once() {
    // Given a rolled-back update that may not be taken away, and whose note does not go at once
    let (scene, event) = scene(Existing).await;
    let reason = Some("the container went away".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::UpdateRollsBack { reason });
    let denied = Fault::once("DeleteEndpointConfig", FaultKind::Deny);
    scene.server.inject(denied.always());
    let throttled = Fault::once("DeleteTags", FaultKind::Throttle);
    scene.server.inject(throttled.times(2));
    let ended = scene.run(Existing, &event).await;
    assert_eq!(error_type(&ended), "UpdateRolledBack");
    // when the same is asked for again
    scene.server.clear_faults();
    let again = scene.run(Existing, &event).await;
    // then it is deployed
    assert_eq!(error_type(&again), "none");
}

/// Whatever the service does, the answer leaves in time, and nothing is deleted.
#[tokio::test]
async fn the_answer_leaves_before_the_deadline_whatever_hangs() {
    for kind in [New, Existing] {
        for operation in calls(kind) {
            let (scene, event) = scene(kind).await;
            // Given a client that would wait for ever, and a call that does
            let services = scene.patient_client();
            scene
                .server
                .inject(Fault::once(operation, FaultKind::Hang).always());
            let budget = budget(Duration::from_millis(100));
            let ended = run(&services, kind, &event, budget).await;
            assert_eq!(
                error_type(&ended),
                "DeploymentTimedOut",
                "{kind:?}: {operation}"
            );
            let late = Instant::now().saturating_duration_since(budget.answer_by);
            assert!(
                late < Duration::from_millis(100),
                "{kind:?}: {operation}: {late:?}"
            );
            assert!(scene.has_deleted_nothing());
            scene.server.clear_faults();
            scene.run(kind, &event).await.expect("it is taken up");
        }
    }
}
