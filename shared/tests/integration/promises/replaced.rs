//! A failed endpoint that is deleted and created again.

use std::time::Duration;

use serde_json::json;
use shared::contract::DeploymentKind::Existing;
use tokio::time::sleep;

use super::{
    QUICK, assert_serves, endpoint_tags, killed_and_resumed, scaled, scaling, tag_endpoint,
};
use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Scene, event, with};

/// An endpoint that scales and has an operator's tag, and that has failed.
async fn failed(update: Duration) -> Scene {
    let (scene, _) = scaled(update).await;
    tag_endpoint(&scene, "owner", "risk");
    scene.server.force_status(ENDPOINT, "Failed", None);
    scene
}

#[tokio::test(start_paused = true)]
async fn a_failed_endpoint_is_created_again_whichever_call_its_process_is_killed_in() {
    for door in Door::BOTH {
        for last in 0.. {
            let scene = failed(QUICK).await;
            let (before, mut tags) = (scaling(&scene), endpoint_tags(&scene));
            let keys = json!({"replace_failed_endpoint": true, "tags": "team=blue"});
            let event = with(event(&scene.package()), &keys);
            let mut asked = scene.ask(door, Existing, &event);
            let (killed, ended) = killed_and_resumed(&mut asked, last).await;
            let what = format!("killed in call {last}");
            assert_serves(&scene, door, ended, &what);
            assert_eq!(scaling(&scene), before, "{door:?} {what}");
            tags.push(("team".to_owned(), "blue".to_owned()));
            tags.sort();
            assert_eq!(endpoint_tags(&scene), tags, "{door:?} {what}");
            let acted = |operation| {
                let calls = scene.calls_of(operation).into_iter();
                calls.filter(|call| call.acted).count()
            };
            let acted = [acted("DeleteEndpoint"), acted("CreateEndpoint")];
            assert_eq!(acted, [1, 1], "{door:?} {what}");
            if !killed {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_ends_before_the_creation_does_not_lose_the_endpoint() {
    for door in Door::BOTH {
        // given a wait that ends while the failed endpoint is being deleted
        let scene = failed(DEPLOYMENT).await;
        let (before, tags) = (scaling(&scene), endpoint_tags(&scene));
        let keys = json!({"replace_failed_endpoint": true});
        let event = with(event(&scene.package()), &keys);
        let short = Duration::from_secs(16);
        let ended = scene.through_for(door, Existing, &event, short).await;
        assert_eq!(ended.word(), "DeploymentTimedOut", "{door:?}: {ended:?}");
        sleep(DEPLOYMENT).await;
        assert_eq!(scene.server.endpoint_names(), Vec::<String>::new());
        // when the same is asked for again
        let ended = scene.through(door, Existing, &event).await;
        // then the endpoint is created
        assert_serves(&scene, door, ended, "asked again");
        assert_eq!(scaling(&scene), before, "{door:?}");
        assert_eq!(endpoint_tags(&scene), tags, "{door:?}");
    }
}
