//! A process that is killed after a call has acted, and the next one that resumes from what it finds.

use sagemaker_local::Outcome;
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};

use crate::scene::{Door, ENDPOINT, Ended, QUICK, Scene, event, with};

/// Fails the next creation or update of the endpoint.
fn fails(scene: &Scene, kind: DeploymentKind) {
    let reason = Some("no such image".to_owned());
    let outcome = match kind {
        New => Outcome::CreateFails { reason },
        Existing => Outcome::UpdateRollsBack { reason },
    };
    scene.server.set_outcome(ENDPOINT, outcome);
}

fn failure_of(kind: DeploymentKind) -> &'static str {
    match kind {
        New => "EndpointCreationFailed",
        Existing => "UpdateRolledBack",
    }
}

/// A deployment of which a process is killed in the middle of call number `last`, and which is then taken to its end:
/// the call is repeated, or the message delivered again. `None` if it ends before that call.
pub(crate) async fn killed_in(
    scene: &Scene,
    door: Door,
    kind: DeploymentKind,
    event: &Value,
    last: usize,
) -> Option<Ended> {
    let mut asked = scene.ask(door, kind, event);
    if asked.until_killed(last).await.is_some() {
        return None;
    }
    Some(asked.until_ended().await)
}

async fn killed_in_every_call_of_a_deployment(door: Door, kind: DeploymentKind) {
    for last in 0.. {
        let case = format!("{door:?} {kind:?} killed in call {last}");
        let scene = Scene::before_with(kind, QUICK).await;
        let event = event(&scene.package());
        let Some(ended) = killed_in(&scene, door, kind, &event, last).await else {
            // Every call from the first observation to the last has been cut off once.
            assert!(last >= 15, "{case}: so few");
            break;
        };
        let answer = ended.deployed();
        // A call that is repeated after the end cannot always know that it was the first to deploy this.
        let words: &[&str] = match door {
            Door::Call => &["Deployed", "Unchanged"],
            Door::Queue => &["Deployed"],
        };
        assert!(
            words.contains(&answer.deployment_status.as_str()),
            "{case}: {answer:?}"
        );
        let live = &scene.endpoint(ENDPOINT)["EndpointConfigName"];
        assert_eq!(*live, answer.endpoint_config.as_str(), "{case}");
        // No second model, no second config, no second fleet.
        let expected = match kind {
            New => [1, 1, 1],
            Existing => [2, 2, 1],
        };
        let found = scene.inventory().map(|names| names.len());
        assert_eq!(found, expected, "{case}");
        assert_eq!(scene.started(), 1, "{case}");
    }
}

async fn killed_in_every_call_of_a_deployment_that_fails(door: Door, kind: DeploymentKind) {
    for last in 0.. {
        let case = format!("{door:?} {kind:?} killed in call {last}");
        let scene = Scene::before_with(kind, QUICK).await;
        let event = event(&scene.package());
        let inventory = scene.inventory();
        fails(&scene, kind);
        let Some(mut ended) = killed_in(&scene, door, kind, &event, last).await else {
            assert!(last >= 15, "{case}: so few");
            break;
        };
        let has_failed = ended.word() == failure_of(kind);
        if has_failed {
            assert_eq!(scene.inventory(), inventory, "{case}");
            assert_eq!(scene.started(), 1, "{case}");
        }
        match door {
            // A message is one deployment, which fails once and says so.
            Door::Queue => assert!(has_failed, "{case}: {ended:?}"),
            // A call reports a failure at most once; another call deploys.
            Door::Call => {
                if has_failed {
                    ended = scene.through(door, kind, &event).await;
                }
                assert!(
                    ["Deployed", "Unchanged"].contains(&ended.word()),
                    "{case}: {ended:?}"
                );
                let made = scene.inventory().map(|names| names.len());
                let expected = if kind == New { [1, 1, 1] } else { [2, 2, 1] };
                assert_eq!(made, expected, "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_deployment_that_is_killed_in_any_call_is_resumed() {
    for door in Door::BOTH {
        killed_in_every_call_of_a_deployment(door, New).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_killed_in_any_call_is_resumed() {
    for door in Door::BOTH {
        killed_in_every_call_of_a_deployment(door, Existing).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_creation_that_is_killed_in_any_call_is_reported_and_cleans_up() {
    for door in Door::BOTH {
        killed_in_every_call_of_a_deployment_that_fails(door, New).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_update_that_is_killed_in_any_call_is_reported_and_cleans_up() {
    for door in Door::BOTH {
        killed_in_every_call_of_a_deployment_that_fails(door, Existing).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_acceptance_nobody_knows_of_starts_again() {
    for door in Door::BOTH {
        for keys in [json!({}), json!({"instance_type": "ml.c7i.large"})] {
            // Given a process that is killed when its update has started
            let (scene, _) = Scene::serving().await;
            let event = with(event(&scene.package()), &keys);
            fails(&scene, Existing);
            let mut asked = scene.ask(door, Existing, &event);
            let killed = asked.until_killed_in("UpdateEndpoint").await;
            assert!(killed.is_none(), "{door:?} {keys}: {killed:?}");
            // when the call is repeated, or the message comes back, after the rollback
            scene.until_status("InService").await;
            let ended = asked.until_ended().await;
            // then it starts once more: nobody can know whether the service had accepted the first one
            assert_eq!(ended.word(), "Deployed", "{door:?} {keys}");
            assert_eq!(scene.calls_of("UpdateEndpoint").len(), 2, "{door:?} {keys}");
        }
    }
}
