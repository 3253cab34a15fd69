//! A dry run writes nothing, whatever it finds. A step that asked for it is answered, and that is all.

use std::time::Duration;

use serde_json::json;
use shared::contract::DeploymentKind::{self, Existing, New};

use super::{assert_serves, creation_fails, reject, scaled, scaling};
use crate::scene::{Delivered, Door, ENDPOINT, Ended, Scene, event, with};

/// Asks for a dry run. That it wrote nothing, and how it ended.
#[track_caller]
fn assert_has_only_read(scene: &Scene, what: &str) {
    assert!(scene.has_only_read(), "{what}: {:?}", scene.operations());
}

/// A dry run of an event.
async fn dry_run(
    scene: &Scene,
    door: Door,
    kind: DeploymentKind,
    event: &serde_json::Value,
) -> Ended {
    scene.server.clear_calls();
    let event = with(event.clone(), &json!({"dry_run": true}));
    scene.through(door, kind, &event).await
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_leaves_a_failed_endpoint_that_was_kept() {
    for door in Door::BOTH {
        for keys in [json!({}), json!({"on_failure": "keep"})] {
            let scene = Scene::empty();
            creation_fails(&scene);
            let event = event(&scene.package());
            let kept = with(event.clone(), &json!({"on_failure": "keep"}));
            let ended = scene.through(door, New, &kept).await;
            assert_eq!(ended.word(), "EndpointCreationFailed", "{door:?}");
            let inventory = scene.inventory();
            assert_eq!(inventory.clone().map(|names| names.len()), [1, 1, 1]);
            dry_run(&scene, door, New, &with(event, &keys)).await;
            assert_has_only_read(&scene, &format!("{door:?} {keys}"));
            assert_eq!(scene.inventory(), inventory, "{door:?} {keys}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_leaves_a_failed_endpoint_that_would_be_replaced() {
    for door in Door::BOTH {
        let (scene, _) = scaled(Duration::from_secs(30)).await;
        scene.server.force_status(ENDPOINT, "Failed", None);
        let (before, inventory) = (scaling(&scene), scene.inventory());
        let keys = json!({"replace_failed_endpoint": true, "tags": "team=blue"});
        let event = with(event(&scene.package()), &keys);
        let ended = dry_run(&scene, door, Existing, &event).await;
        assert_eq!(ended.word(), "DryRun", "{door:?}: {ended:?}");
        assert_has_only_read(&scene, &format!("{door:?}"));
        assert_eq!(scaling(&scene), before, "{door:?}");
        assert_eq!(scene.inventory(), inventory, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_leaves_a_deployment_of_the_same_event_that_is_under_way() {
    for door in Door::BOTH {
        for kind in [New, Existing] {
            for rejected in [false, true] {
                let what = format!("{door:?} {kind:?}, rejected: {rejected}");
                // given a deployment that is under way
                let scene = Scene::before(kind).await;
                let package = scene.package();
                let event = event(&package);
                let short = Duration::from_secs(30);
                let mut under_way = scene.ask(door, kind, &event);
                match door {
                    Door::Call => {
                        let ended = scene.through_for(door, kind, &event, short).await;
                        assert_eq!(ended.word(), "DeploymentTimedOut", "{what}");
                    }
                    Door::Queue => assert_eq!(under_way.deliver().await, Delivered::Back),
                }
                assert_eq!(scene.started(), 1, "{what}");
                if rejected {
                    reject(&scene, &package);
                }
                // when the same is asked for as a dry run
                dry_run(&scene, door, kind, &event).await;
                // then it has written nothing, and the deployment goes on
                assert_has_only_read(&scene, &what);
                let ended = under_way.until_ended().await;
                assert_serves(&scene, door, ended, &what);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_rejected_package_leaves_what_an_earlier_call_made() {
    for door in Door::BOTH {
        // given what a killed deployment has made and not launched
        for last in 0.. {
            let scene = Scene::before(Existing).await;
            let package = scene.package();
            let event = event(&package);
            let mut asked = scene.ask(door, Existing, &event);
            let killed = asked.until_killed(last).await.is_none();
            if !killed || scene.started() > 0 {
                break;
            }
            reject(&scene, &package);
            let inventory = scene.inventory();
            let ended = dry_run(&scene, door, Existing, &event).await;
            let what = format!("{door:?} killed in call {last}");
            assert_eq!(ended.word(), "ModelPackageNotApproved", "{what}: {ended:?}");
            assert_has_only_read(&scene, &what);
            assert_eq!(scene.inventory(), inventory, "{what}");
        }
    }
}
