//! What time does to a deployment: spent budgets, calls that are taken up, and a service that sees late what it has.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use shared::contract::DeploymentStatus;
use tokio::time::Instant;

use crate::scene::{DEPLOYMENT, ENDPOINT, Scene, error_type, event, with};

#[tokio::test]
async fn a_stale_read_after_the_update_is_no_rollback() {
    let (scene, _) = Scene::serving().await;
    let stale = Fault::once("DescribeEndpoint", FaultKind::Stale)
        .times(3)
        .after(2);
    scene.server.inject(stale);
    let answer = scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1);
}

#[tokio::test]
async fn a_spent_budget_is_told_and_a_repeated_call_resumes() {
    for kind in [New, Existing] {
        let scene = Scene::before(kind).await;
        let event = event(&scene.package());
        // Given a deployment that outlasts its budget
        let ended = scene.run_for(kind, &event, DEPLOYMENT / 4).await;
        assert_eq!(error_type(&ended), "DeploymentTimedOut", "{kind:?}");
        // when the call is repeated, with the answer asked for instead of the error
        let returning = with(event.clone(), &json!({"on_timeout": "return"}));
        let answer = scene
            .run_for(kind, &returning, Duration::ZERO)
            .await
            .expect("in progress");
        assert_eq!(
            answer.deployment_status,
            DeploymentStatus::InProgress,
            "{kind:?}"
        );
        // and repeated with time enough
        let answer = scene.run(kind, &event).await.expect("deployed");
        // then the wait is resumed, and nothing was begun twice
        assert_eq!(
            answer.deployment_status,
            DeploymentStatus::Deployed,
            "{kind:?}"
        );
        let begun = scene.calls_of("CreateEndpoint").len() + scene.calls_of("UpdateEndpoint").len();
        assert_eq!(begun, 1, "{kind:?}");
        assert_eq!(scene.calls_of("CreateModel").len(), 1, "{kind:?}");
        assert!(scene.has_deleted_nothing());
    }
}

#[tokio::test]
async fn a_resumed_update_that_was_rolled_back_meanwhile_is_told_as_one() {
    let (scene, _) = Scene::serving().await;
    let event = event(&scene.package());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::UpdateRollsBack { reason: None });
    let ended = scene.run_for(Existing, &event, DEPLOYMENT / 4).await;
    assert_eq!(error_type(&ended), "DeploymentTimedOut");
    // The next call finds it under way, does not know how the endpoint looked before, and still tells.
    let ended = scene.run(Existing, &event).await;
    assert_eq!(error_type(&ended), "UpdateRolledBack");
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1);
}

#[tokio::test]
async fn an_endpoint_config_that_cannot_be_seen_yet_is_tried_again() {
    for kind in [New, Existing] {
        let scene = Scene::before(kind).await;
        let operation = if kind == New {
            "CreateEndpoint"
        } else {
            "UpdateEndpoint"
        };
        let unseen = Fault::once(operation, FaultKind::ConfigNotFound).times(3);
        scene.server.inject(unseen);
        let answer = scene
            .run(kind, &event(&scene.package()))
            .await
            .expect("deployed");
        assert_eq!(
            answer.deployment_status,
            DeploymentStatus::Deployed,
            "{kind:?}"
        );
        assert_eq!(scene.calls_of(operation).len(), 4, "{kind:?}");
    }
}

#[tokio::test]
async fn an_endpoint_config_that_is_never_seen_is_given_up_long_before_the_budget_ends() {
    let scene = Scene::empty().await;
    let unseen = Fault::once("CreateEndpoint", FaultKind::ConfigNotFound).always();
    scene.server.inject(unseen);
    let started = Instant::now();
    let event = event(&scene.package());
    let ended = scene.run_for(New, &event, Duration::from_secs(20)).await;
    assert_eq!(error_type(&ended), "SageMakerError", "{ended:?}");
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
}

#[tokio::test]
async fn what_was_replaced_is_told_even_where_the_reply_was_lost_and_the_update_quick() {
    let (scene, before) = Scene::serving_with(Duration::ZERO).await;
    scene
        .server
        .inject(Fault::once("UpdateEndpoint", FaultKind::DropAfter));
    let answer = scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(
        answer.previous_endpoint_config,
        Some(before.endpoint_config)
    );
}
