//! The same over a socket and in real time: that an HTTP client of the SDK makes of lost, late and missing answers what
//! the other tests take for granted. Deployments take a tenth of a second here.

use std::time::{Duration, Instant};

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use tokio::task::JoinSet;

use crate::scene::{Door, ENDPOINT, SOCKET_TIMEOUT, Scene, event, with};

const DEPLOYMENT: Duration = Duration::from_millis(100);

async fn scene(kind: DeploymentKind) -> (Scene, Value) {
    let scene = Scene::on_socket(DEPLOYMENT).await;
    let first = event(&scene.package());
    if kind == New {
        return (scene, first);
    }
    scene.through(Door::Call, New, &first).await.deployed();
    scene.server.clear_calls();
    let next = event(&scene.package());
    (scene, next)
}

/// Both kinds of deployment, through both doors, which a fault strikes once.
async fn all_get_over(fault: Fault) {
    let mut deployments = JoinSet::new();
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let fault = fault.clone();
            deployments.spawn(async move {
                let (scene, event) = scene(kind).await;
                scene.server.inject(fault);
                let ended = scene.through(door, kind, &event).await;
                assert_eq!(ended.word(), "Deployed", "{door:?} {kind:?}: {ended:?}");
                assert_eq!(scene.started(), 1, "{door:?} {kind:?}");
            });
        }
    }
    deployments.join_all().await;
}

#[tokio::test]
async fn a_deployment_goes_through() {
    // A fault for an operation that is never called.
    all_get_over(Fault::once("ListModels", FaultKind::Fail)).await;
}

#[tokio::test]
async fn a_connection_that_is_closed_before_the_call_acts_is_an_answer_that_was_lost() {
    all_get_over(Fault::once("CreateModel", FaultKind::DropBefore)).await;
}

#[tokio::test]
async fn a_connection_that_is_closed_after_the_call_has_acted_is_an_answer_that_was_lost() {
    for operation in ["CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint"] {
        all_get_over(Fault::once(operation, FaultKind::DropAfter)).await;
    }
}

#[tokio::test]
async fn a_call_that_hangs_is_given_up() {
    all_get_over(Fault::once("CreateEndpointConfig", FaultKind::Hang)).await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_lost() {
    let milliseconds = 2 * u64::try_from(SOCKET_TIMEOUT.as_millis()).expect("short");
    all_get_over(Fault::once("*", FaultKind::Late { milliseconds }).after(2)).await;
}

#[tokio::test]
async fn errors_of_the_moment_pass() {
    for kind in [FaultKind::Throttle, FaultKind::Fail] {
        all_get_over(Fault::once("CreateModel", kind)).await;
    }
}

#[tokio::test]
async fn a_denial_ends_a_deployment_with_its_own_word() {
    for door in Door::BOTH {
        let (scene, event) = scene(New).await;
        scene
            .server
            .inject(Fault::once("CreateEndpoint", FaultKind::Deny));
        let ended = scene.through(door, New, &event).await;
        assert_eq!(ended.word(), "AccessDenied", "{door:?}: {ended:?}");
        assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
    }
}

#[tokio::test]
async fn a_rollback_is_reported_and_cleans_up() {
    for door in Door::BOTH {
        let (scene, event) = scene(Existing).await;
        let inventory = scene.inventory();
        let outcome = Outcome::UpdateRollsBack { reason: None };
        scene.server.set_outcome(ENDPOINT, outcome);
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
        assert_eq!(scene.inventory(), inventory, "{door:?}");
    }
}

#[tokio::test]
async fn the_answer_leaves_before_the_deadline() {
    // Given an invocation of two seconds, and a service that does not answer
    let (scene, event) = scene(New).await;
    scene
        .server
        .inject(Fault::once("*", FaultKind::Hang).always());
    let deadline = Duration::from_secs(2);
    let started = Instant::now();
    let ended = scene.ask_until(New, &event, deadline).until_ended().await;
    let took = started.elapsed();
    assert_eq!(ended.word(), "SageMakerError", "{ended:?}");
    assert!(took < deadline, "{took:?}");
}

#[tokio::test]
async fn a_connection_that_dies_with_its_process_is_resumed() {
    for door in Door::BOTH {
        let (scene, event) = scene(Existing).await;
        let mut asked = scene.ask(door, Existing, &event);
        tokio::select! {
            ended = asked.until_ended() => panic!("{door:?}: not killed: {ended:?}"),
            () = scene.until_called("UpdateEndpoint", 1) => {}
        }
        let ended = asked.until_ended().await;
        assert!(
            ["Deployed", "Unchanged"].contains(&ended.word()),
            "{door:?}: {ended:?}"
        );
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}

#[tokio::test]
async fn deployments_go_through_side_by_side() {
    let (scene, event) = scene(New).await;
    let mut deployments = JoinSet::new();
    for number in 0..24 {
        let name = json!({"endpoint_name": format!("churn-{number}")});
        let door = Door::BOTH[number % 2];
        let mut asked = scene.ask(door, New, &with(event.clone(), &name));
        deployments.spawn(async move { asked.until_ended().await });
    }
    for ended in deployments.join_all().await {
        assert_eq!(ended.word(), "Deployed", "{ended:?}");
    }
    assert_eq!(scene.inventory().map(|names| names.len()), [24, 24, 24]);
}
