//! An endpoint whose name the event spells in another case than the service: it is one endpoint, and its own spelling
//! counts. Played with ARNs in either spelling, because the service has answered both.

use std::time::Duration;

use sagemaker_local::{ArnCase, Outcome, Settings};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use crate::autoscaling::scaling;
use crate::scene::{Answer, Door, ENDPOINT, QUICK, Scene, event, with};

/// The endpoint's own spelling. The event's is [`ENDPOINT`].
const OWN: &str = "Churn";

/// An endpoint that serves and scales, made under its own spelling in a region whose ARNs are spelled so.
async fn serving(case: ArnCase) -> (Scene, Answer) {
    let scene = Scene::with(Settings {
        create: QUICK,
        update: QUICK,
        rollback: Duration::from_secs(10),
        arn_case: case,
        ..Settings::default()
    });
    let keys = json!({
        "endpoint_name": OWN,
        "autoscaling_max_capacity": 6,
        "autoscaling_target_invocations_per_instance": 70,
    });
    let event = with(event(&scene.server.register_package("Churn")), &keys);
    let answer = scene.through(Door::Call, New, &event).await.deployed();
    scene.server.clear_calls();
    (scene, answer)
}

fn next_version(scene: &Scene, keys: &Value) -> Value {
    with(event(&scene.server.register_package("Churn")), keys)
}

fn all() -> impl Iterator<Item = (Door, ArnCase)> {
    let cases = [ArnCase::Kept, ArnCase::Lower];
    let with = move |door| cases.into_iter().map(move |case| (door, case));
    Door::BOTH.into_iter().flat_map(with)
}

#[tokio::test(start_paused = true)]
async fn an_update_in_another_spelling_suspends_and_restores_the_autoscaling() {
    for (door, case) in all() {
        let (scene, _) = serving(case).await;
        let before = scaling(&scene);
        let resized = next_version(&scene, &json!({"instance_type": "ml.c7i.large"}));
        let ended = scene.through(door, Existing, &resized).await;
        assert_eq!(ended.word(), "Deployed", "{door:?} {case:?}: {ended:?}");
        assert_eq!(scaling(&scene), before, "{door:?} {case:?}");
        assert_eq!(scene.calls_of("DeregisterScalableTarget").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_an_event_in_another_spelling_change_the_one_scalable_target() {
    for (door, case) in all() {
        let (scene, _) = serving(case).await;
        let mut expected = scaling(&scene);
        expected[0]["MaxCapacity"] = json!(9);
        let more = next_version(&scene, &json!({"autoscaling_max_capacity": 9}));
        scene.through(door, Existing, &more).await.deployed();
        assert_eq!(scaling(&scene), expected, "{door:?} {case:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_update_in_another_spelling_restores_the_autoscaling_and_names_the_log_group()
{
    for (door, case) in all() {
        let (scene, _) = serving(case).await;
        let (before, inventory) = (scaling(&scene), scene.inventory());
        let outcome = Outcome::UpdateRollsBack {
            reason: Some("ping".to_owned()),
        };
        scene.server.set_outcome(ENDPOINT, outcome);
        let resized = next_version(&scene, &json!({"instance_type": "ml.c7i.large"}));
        let ended = scene.through(door, Existing, &resized).await;
        let case = format!("{door:?} {case:?}: {ended:?}");
        assert_eq!(ended.word(), "UpdateRolledBack", "{case}");
        assert!(ended.message().contains("endpoint Churn"), "{case}");
        if door == Door::Call {
            // A step's reason has no room for it.
            let log_group = "/aws/sagemaker/Endpoints/Churn";
            assert!(ended.message().contains(log_group), "{case}");
        }
        assert_eq!(scaling(&scene), before, "{case}");
        assert_eq!(scene.inventory(), inventory, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_spells_the_endpoint_as_the_service_does() {
    for (door, case) in all() {
        let (scene, made) = serving(case).await;
        let next = next_version(&scene, &json!({}));
        for status in ["Deployed", "Unchanged"] {
            let answer = scene.through(door, Existing, &next).await.deployed();
            assert_eq!(answer.deployment_status, status, "{door:?} {case:?}");
            assert_eq!(answer.endpoint_name, OWN, "{door:?} {case:?}");
            assert_eq!(answer.endpoint_arn, made.endpoint_arn, "{door:?} {case:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_whose_name_is_taken_in_another_spelling_is_refused() {
    for (door, case) in all() {
        let (scene, _) = serving(case).await;
        let next = next_version(&scene, &json!({}));
        let ended = scene.through(door, New, &next).await;
        let case = format!("{door:?} {case:?}: {ended:?}");
        assert_eq!(ended.word(), "EndpointAlreadyExists", "{case}");
        assert!(ended.message().contains("endpoint Churn"), "{case}");
        assert!(scene.has_only_read(), "{case}");
    }
}
