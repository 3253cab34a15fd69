//! Prerequisites that the service does not find: for a while, because it reads late what was just made, or for good.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::sleep;

use super::{assert_serves, error, in_progress, until_called};
use crate::scene::{Door, Scene, event};

/// Less than the functions' patience with a prerequisite that they have just made.
const WHILE: Duration = Duration::from_secs(22);

/// Less than a refusal has to last before it counts.
const MOMENT: Duration = Duration::from_secs(2);

/// Makes an operation misbehave for a while.
async fn misbehaves(scene: &Scene, operation: &str, kind: FaultKind, lasting: Duration) {
    scene.server.inject(Fault::once(operation, kind).always());
    sleep(lasting).await;
    scene.server.clear_faults();
}

fn not_found(what: &str) -> FaultKind {
    error("ValidationException", &format!("Could not find {what}."))
}

#[tokio::test(start_paused = true)]
async fn what_is_never_found_ends_the_deployment_soon_with_the_services_words() {
    let config =
        "endpoint configuration \"arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/gone\"";
    for door in Door::BOTH {
        for (kind, what) in [(Existing, config), (New, config)] {
            let scene = Scene::before(kind).await;
            let inventory = scene.inventory();
            let operation = if kind == New {
                "CreateEndpoint"
            } else {
                "UpdateEndpoint"
            };
            scene
                .server
                .inject(Fault::once(operation, not_found(what)).always());
            let event = event(&scene.package());
            let ended = scene.through(door, kind, &event).await;
            let case = format!("{door:?} {kind:?} {what}");
            assert_eq!(ended.word(), "SageMakerError", "{case}: {ended:?}");
            let message = ended.message();
            assert!(
                message.contains(&format!("Could not find {what}")),
                "{case}: {message}"
            );
            assert_eq!(scene.inventory(), inventory, "{case}");
            let made = scene.calls_of("CreateEndpointConfig");
            let made = made.iter().rfind(|call| call.acted).expect("made");
            let given_up = &scene.calls_of("DeleteEndpointConfig")[0];
            let after = given_up.at_seconds - made.at_seconds;
            let longest = if door == Door::Call { 50.0 } else { 80.0 };
            assert!(
                (25.0..longest).contains(&after),
                "{case}: given up after {after} s"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_repetition_brings_ends_the_deployment_at_once_with_the_services_words() {
    let data = "model data at s3://bucket/model.tar.gz";
    let (model, alarm) = ("model \"other\"", "alarm \"latency\"");
    let cases = [
        ("UpdateEndpoint", Existing, model),
        ("UpdateEndpoint", Existing, alarm),
        ("CreateEndpoint", New, model),
        ("CreateEndpointConfig", New, data),
        ("CreateModel", New, "subnet \"subnet-1\""),
        ("CreateModel", Existing, "role \"trainer\""),
    ];
    for door in Door::BOTH {
        for (operation, kind, what) in cases {
            let scene = Scene::before(kind).await;
            let inventory = scene.inventory();
            let refused = Fault::once(operation, not_found(what));
            scene.server.inject(refused.always());
            let event = event(&scene.package());
            let ended = scene.through(door, kind, &event).await;
            let case = format!("{door:?} {operation} {what}: {ended:?}");
            assert_eq!(ended.word(), "SageMakerError", "{case}");
            let words = format!("Could not find {what}");
            assert!(ended.message().contains(&words), "{case}");
            assert_eq!(scene.calls_of(operation).len(), 1, "{case}");
            assert_eq!(scene.inventory(), inventory, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_that_is_deleted_before_the_model_is_made_does_not_exist() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            let scene = Scene::before(kind).await;
            let package = scene.package();
            let gone = error(
                "ValidationException",
                &format!("ModelPackage {package}  does not exist."),
            );
            let refused = Fault::once("CreateModel", gone);
            scene.server.inject(refused.always());
            let ended = scene.through(door, kind, &event(&package)).await;
            assert_eq!(ended.word(), "ModelPackageNotFound", "{door:?} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_prerequisite_that_is_found_late_ends_nothing() {
    for door in Door::BOTH {
        for (kind, operation) in [(New, "CreateEndpoint"), (Existing, "UpdateEndpoint")] {
            let scene = Scene::before(kind).await;
            let event = event(&scene.package());
            let late = misbehaves(&scene, operation, FaultKind::ConfigNotFound, WHILE);
            let (ended, ()) = tokio::join!(scene.through(door, kind, &event), async {
                until_called(&scene, "CreateModel").await;
                late.await;
            });
            assert_serves(&scene, door, ended, &format!("{kind:?}"));
            assert_eq!(scene.started(), 1, "{door:?} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_patience_starts_anew_with_the_next_prerequisite() {
    for door in Door::BOTH {
        for (kind, operation) in [(New, "CreateEndpoint"), (Existing, "UpdateEndpoint")] {
            // given a model that is not found for a while, and then an endpoint config that is not
            let scene = Scene::before(kind).await;
            let event = event(&scene.package());
            let late = async {
                until_called(&scene, "CreateModel").await;
                let model =
                    not_found("model \"arn:aws:sagemaker:eu-west-1:123456789012:model/late\"");
                misbehaves(&scene, "CreateEndpointConfig", model, WHILE).await;
                misbehaves(&scene, operation, FaultKind::ConfigNotFound, WHILE).await;
            };
            let (ended, ()) = tokio::join!(scene.through(door, kind, &event), late);
            assert_serves(&scene, door, ended, &format!("{kind:?}"));
            assert_eq!(scene.started(), 1, "{door:?} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_moment_without_an_old_prerequisite_ends_nothing() {
    for door in Door::BOTH {
        // given an endpoint config that waits for a busy endpoint, for longer than the patience with a new one
        let (scene, _) = Scene::serving().await;
        let event = event(&scene.package());
        let late = async {
            until_called(&scene, "CreateModel").await;
            for _ in 0..3 {
                misbehaves(&scene, "UpdateEndpoint", in_progress(), WHILE).await;
                // when a part of the service does not find it for a moment
                let unseen = FaultKind::ConfigNotFound;
                misbehaves(&scene, "UpdateEndpoint", unseen, MOMENT).await;
            }
        };
        // then that passes.
        let (ended, ()) = tokio::join!(scene.through(door, Existing, &event), late);
        assert_serves(&scene, door, ended, "found in between");
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}
