//! Every call of both deployments fails once and for good, in every way and through both doors: the type of the error,
//! what is left in the account, and that the deployment then succeeds.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use tokio::time::Instant;

use crate::scene::{ATTEMPT_TIMEOUT, Door, ENDPOINT, QUICK, Scene, event, with};

/// The calls that a deployment makes before it waits, in order.
fn calls(kind: DeploymentKind) -> &'static [&'static str] {
    match kind {
        New => &[
            "DescribeModel",
            "DescribeEndpoint",
            "DescribeModelPackage",
            "CreateModel",
            "CreateEndpointConfig",
            "ListTags",
            "CreateEndpoint",
        ],
        Existing => &[
            "DescribeEndpointConfig",
            "DescribeEndpoint",
            "DescribeModel",
            "DescribeModelPackage",
            "ListTags",
            "CreateEndpointConfig",
            "CreateModel",
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
            milliseconds: 2 * 1000 * ATTEMPT_TIMEOUT.as_secs(),
        },
    ]
}

/// The error that a call's failure leads to; `Deployed` if the deployment gets over it.
fn expected(operation: &str, way: &FaultKind, for_good: bool) -> &'static str {
    let shows = operation.starts_with("Create") || operation == "UpdateEndpoint";
    match way {
        FaultKind::Deny => "AccessDenied",
        FaultKind::Limit => "ResourceLimitExceeded",
        // Any other failure passes, if it passes.
        _ if !for_good => "Deployed",
        FaultKind::Throttle => "Throttled",
        // The service has carried it out although no reply ever comes, and the next read shows it.
        FaultKind::DropAfter | FaultKind::Late { .. } if shows => "Deployed",
        _ => "SageMakerError",
    }
}

async fn scene(kind: DeploymentKind) -> (Scene, Value) {
    let scene = Scene::before_with(kind, QUICK).await;
    let event = with(event(&scene.package()), &json!({"tags": "team=growth"}));
    (scene, event)
}

async fn break_one(
    door: Door,
    kind: DeploymentKind,
    operation: &'static str,
    way: FaultKind,
    for_good: bool,
) {
    let case = format!("{door:?} {kind:?}: {operation} {way:?}, for good: {for_good}");
    // Given a call that fails
    let (scene, event) = scene(kind).await;
    let before = scene.inventory();
    let expected = expected(operation, &way, for_good);
    let fault = Fault::once(operation, way);
    scene
        .server
        .inject(if for_good { fault.always() } else { fault });
    // when the deployment meets it
    let wait = if expected == "Deployed" {
        QUICK + Duration::from_secs(240)
    } else {
        Duration::from_secs(90)
    };
    let ended = scene.through_for(door, kind, &event, wait).await;
    // then it says so in the contract's words
    let launches = matches!(operation, "CreateEndpoint" | "UpdateEndpoint");
    // The last delivery does not launch any more, and so has no refusal to report.
    let is_late = door == Door::Queue && launches && ended.word() == "DeploymentTimedOut";
    if !is_late || expected == "Deployed" {
        assert_eq!(ended.word(), expected, "{case}: {ended:?}");
    }
    // and leaves nothing, or names it
    if expected == "Deployed" {
        assert_eq!(scene.inventory()[2], [ENDPOINT], "{case}");
    } else {
        let message = ended.message();
        assert!(is_late || message.contains(operation), "{case}: {message}");
        // Without the tags nobody knows who else needs a model, so it stays.
        let is_blind = operation == "ListTags" && kind == New;
        for (had, has) in before.iter().zip(&scene.inventory()) {
            for name in has.iter().filter(|name| !had.contains(name)) {
                let is_named = message.contains(name.as_str()) || door == Door::Queue;
                assert!(is_blind && is_named, "{case}: {name} in {message}");
            }
        }
    }
    // and the same deployment succeeds afterwards.
    scene.server.clear_faults();
    let repeated = scene.through(door, kind, &event).await;
    assert!(
        ["Deployed", "Unchanged"].contains(&repeated.word()),
        "{case}: {repeated:?}"
    );
    assert_eq!(
        scene.endpoint(ENDPOINT)["EndpointConfigName"],
        repeated.deployed().endpoint_config.as_str(),
        "{case}"
    );
    let made = before.map(|names| names.len());
    let expected = match kind {
        New => [1, 1, 1],
        Existing => [made[0] + 1, made[1] + 1, 1],
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

async fn break_every_call(door: Door, kind: DeploymentKind) {
    for operation in calls(kind) {
        for way in ways() {
            for for_good in [false, true] {
                break_one(door, kind, operation, way.clone(), for_good).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_of_a_creation_fails_in_every_way() {
    break_every_call(Door::Call, New).await;
}

#[tokio::test(start_paused = true)]
async fn every_call_of_an_update_fails_in_every_way() {
    break_every_call(Door::Call, Existing).await;
}

#[tokio::test(start_paused = true)]
async fn every_call_of_a_creation_through_a_queue_fails_in_every_way() {
    break_every_call(Door::Queue, New).await;
}

#[tokio::test(start_paused = true)]
async fn every_call_of_an_update_through_a_queue_fails_in_every_way() {
    break_every_call(Door::Queue, Existing).await;
}

/// An endpoint config whose creation was not answered, and that the service then says to have and not to find.
async fn unseen_endpoint_config(times: u32) -> (Scene, Value) {
    let (scene, event) = scene(Existing).await;
    let dry = with(event.clone(), &json!({"dry_run": true}));
    let planned = scene.through(Door::Call, Existing, &dry).await.deployed();
    let lost = Fault::once("CreateEndpointConfig", FaultKind::DropAfter);
    scene.server.inject(lost);
    let unseen = FaultKind::Error {
        code: "ValidationException".to_owned(),
        message: "Could not find endpoint configuration \"x\".".to_owned(),
        status: 400,
    };
    let unseen = Fault::once("DescribeEndpointConfig", unseen).times(times);
    scene.server.inject(unseen.about(&planned.endpoint_config));
    (scene, event)
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_config_that_is_not_seen_yet_is_waited_for() {
    for door in Door::BOTH {
        let (scene, event) = unseen_endpoint_config(2).await;
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
    }
}

/// Once it has started, a deployment is not failed by failed polls.
#[tokio::test(start_paused = true)]
async fn failed_polls_do_not_fail_a_deployment_that_has_started() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            for way in ways() {
                let case = format!("{door:?} {kind:?}: {way:?}");
                let (scene, event) = scene(kind).await;
                let fault = Fault::once("DescribeEndpoint", way.clone()).always();
                let starts = match kind {
                    New => "CreateEndpoint",
                    Existing => "UpdateEndpoint",
                };
                let broken = async {
                    scene.until_called(starts, 1).await;
                    scene.server.inject(fault);
                };
                let deployment = scene.through_for(door, kind, &event, QUICK * 8);
                let (ended, ()) = tokio::join!(deployment, broken);
                let expected = match way {
                    FaultKind::Deny => "AccessDenied",
                    _ => "DeploymentTimedOut",
                };
                assert_eq!(ended.word(), expected, "{case}: {ended:?}");
                assert!(scene.has_deleted_nothing(), "{case}");
                scene.server.clear_faults();
                let ended = scene.through(door, kind, &event).await;
                assert!(
                    ["Deployed", "Unchanged"].contains(&ended.word()),
                    "{case}: {ended:?}"
                );
                assert_eq!(scene.started(), 1, "{case}");
            }
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

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_may_not_be_removed_fails_nothing() {
    for door in Door::BOTH {
        // Given an anchor that may not be deleted
        let (scene, event) = scene(Existing).await;
        let denied = Fault::once("DeleteEndpointConfig", FaultKind::Deny);
        scene.server.inject(denied);
        let ended = scene.through(door, Existing, &event).await;
        // then the deployment succeeds, and so does the same one once more
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        let again = scene.through(door, Existing, &event).await;
        assert_eq!(again.word(), "Unchanged", "{door:?}: {again:?}");
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_may_not_be_written_are_reported_once_the_endpoint_serves() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let (scene, event) = scene(kind).await;
            let denied = Fault::once("AddTags", FaultKind::Deny);
            scene.server.inject(denied.always());
            let ended = scene.through(door, kind, &event).await;
            let expected = match kind {
                New => "Deployed",
                // The event's tags are put on the endpoint that serves.
                Existing => "AccessDenied",
            };
            assert_eq!(ended.word(), expected, "{door:?} {kind:?}: {ended:?}");
            if kind == Existing {
                let message = ended.message();
                assert!(message.contains("serves the model"), "{door:?}: {message}");
            }
            assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "InService");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_undo_gets_over_failures_that_pass() {
    for door in Door::BOTH {
        for (kind, outcome, deletes) in undone() {
            for delete in deletes {
                for way in ways() {
                    if matches!(way, FaultKind::Deny | FaultKind::Limit) {
                        continue;
                    }
                    let case = format!("{door:?} {kind:?}: {delete} {way:?}");
                    let (scene, event) = scene(kind).await;
                    let before = scene.inventory();
                    scene.server.set_outcome(ENDPOINT, outcome.clone());
                    scene.server.inject(Fault::once(delete, way));
                    let failed = scene.through(door, kind, &event).await;
                    assert_eq!(failed.word(), failure_of(kind), "{case}: {failed:?}");
                    assert_eq!(scene.inventory(), before, "{case}");
                }
            }
        }
    }
}

fn failure_of(kind: DeploymentKind) -> &'static str {
    match kind {
        New => "EndpointCreationFailed",
        Existing => "UpdateRolledBack",
    }
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_names_the_resources_that_are_left_and_the_error_stays() {
    for door in Door::BOTH {
        for (kind, outcome, deletes) in undone() {
            for (index, delete) in deletes.iter().enumerate() {
                for way in [FaultKind::Deny, FaultKind::Throttle] {
                    let case = format!("{door:?} {kind:?}: {delete} {way:?}");
                    // Given a failure whose undo fails too
                    let (scene, event) = scene(kind).await;
                    let before = scene.inventory();
                    scene.server.set_outcome(ENDPOINT, outcome.clone());
                    scene.server.inject(Fault::once(delete, way).always());
                    let wait = QUICK + Duration::from_secs(120);
                    let failed = scene.through_for(door, kind, &event, wait).await;
                    // then the error is the first one
                    assert_eq!(failed.word(), failure_of(kind), "{case}: {failed:?}");
                    let message = failed.message();
                    assert!(
                        message.contains("the container went away"),
                        "{case}: {message}"
                    );
                    // and the message names exactly what is left, if it has the room
                    let after = scene.inventory();
                    let mut left = 0;
                    for (had, has) in before.iter().zip(&after) {
                        for name in has.iter().filter(|name| !had.contains(name)) {
                            left += 1;
                            let is_named = message.contains(name.as_str());
                            assert!(
                                is_named || door == Door::Queue,
                                "{case}: {name} in {message}"
                            );
                        }
                    }
                    // An anchor is an endpoint config too.
                    let anchor = usize::from(kind == Existing && *delete == "DeleteEndpointConfig");
                    match door {
                        Door::Call => assert_eq!(left, deletes.len() - index + anchor, "{case}"),
                        // The config may outlast the model there, because its checkpoint is needed until the answer.
                        Door::Queue => assert!(
                            (1..=deletes.len() - index + anchor).contains(&left),
                            "{case}: {left}"
                        ),
                    }
                    // The next deployment deletes the failed endpoint if there still is one, and the one after deploys.
                    scene.server.clear_faults();
                    let mut again = scene.through(door, kind, &event).await;
                    if (kind, index, door) == (New, 0, Door::Queue) {
                        // The failed endpoint is another deployment's.
                        assert_eq!(again.word(), failure_of(kind), "{case}: {again:?}");
                        assert_eq!(scene.inventory()[2], [ENDPOINT], "{case}");
                        continue;
                    }
                    if (kind, index) == (New, 0) {
                        assert_eq!(again.word(), failure_of(kind), "{case}: {again:?}");
                        assert_eq!(scene.inventory(), before, "{case}");
                        again = scene.through(door, kind, &event).await;
                    }
                    assert_eq!(again.word(), "Deployed", "{case}: {again:?}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_left_something_behind_is_reported_once() {
    for door in Door::BOTH {
        // Given a rolled-back update that may not be deleted, and whose checkpoint is not removed at once
        let (scene, event) = scene(Existing).await;
        let reason = Some("the container went away".to_owned());
        scene
            .server
            .set_outcome(ENDPOINT, Outcome::UpdateRollsBack { reason });
        let denied = Fault::once("DeleteEndpointConfig", FaultKind::Deny);
        scene.server.inject(denied.always());
        let throttled = Fault::once("DeleteTags", FaultKind::Throttle);
        scene.server.inject(throttled.times(2));
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
        // when the same is asked for again
        scene.server.clear_faults();
        let again = scene.through(door, Existing, &event).await;
        // then it is deployed
        assert_eq!(again.word(), "Deployed", "{door:?}: {again:?}");
    }
}

/// Whatever the service does, the answer leaves in time, and nothing is deleted.
#[tokio::test(start_paused = true)]
async fn the_answer_leaves_before_the_deadline_whatever_hangs() {
    for kind in [New, Existing] {
        for operation in calls(kind) {
            let case = format!("{kind:?}: {operation}");
            let (scene, event) = scene(kind).await;
            // Given a call that hangs, in an invocation that ends before the client gives the call up
            scene
                .server
                .inject(Fault::once(operation, FaultKind::Hang).always());
            let (deadline, margin) = (Duration::from_secs(8), Duration::from_secs(1));
            let started = Instant::now();
            let mut asked = scene.ask_until(kind, &event, deadline);
            let ended = asked.until_ended().await;
            let took = started.elapsed();
            assert_eq!(ended.word(), "DeploymentTimedOut", "{case}: {ended:?}");
            assert!(took + margin < deadline, "{case}: {took:?}");
            assert!(scene.has_deleted_nothing(), "{case}");
            scene.server.clear_faults();
            let ended = scene.through(Door::Call, kind, &event).await;
            assert_eq!(ended.word(), "Deployed", "{case}: {ended:?}");
        }
    }
}
