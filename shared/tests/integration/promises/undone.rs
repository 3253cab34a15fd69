//! The undo of a failed deployment: all that this deployment made, and nothing else.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::time::sleep;

use super::{
    QUICK, SETTLED, assert_serves, creation_fails, deploy_another, endpoint_tags,
    killed_and_resumed, reject, resized, rolls_back, scaled, scaling, tag_endpoint,
};
use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Network, Scene, event, with};

#[tokio::test(start_paused = true)]
async fn a_rollback_leaves_what_an_earlier_success_of_the_same_event_made() {
    for door in Door::BOTH {
        for last in 0.. {
            // given a package that was deployed, and another one that was deployed after it
            let (scene, _) = Scene::serving_with(QUICK).await;
            let [one, two] = [(); 2].map(|()| event(&scene.package()));
            let first = scene.through(door, Existing, &one).await.deployed();
            scene.through(door, Existing, &two).await.deployed();
            let inventory = scene.inventory();
            scene.server.clear_calls();
            // when the first one is deployed again, and that is rolled back
            rolls_back(&scene);
            let mut asked = scene.ask(door, Existing, &one);
            let (killed, ended) = killed_and_resumed(&mut asked, last).await;
            // then its model and its endpoint config stay
            let what = format!("{door:?} killed in call {last}");
            let words = ["UpdateRolledBack", "Deployed"];
            assert!(words.contains(&ended.word()), "{what}: {ended:?}");
            let updates = scene.calls_of("UpdateEndpoint");
            let asked_for = &updates[0].request["EndpointConfigName"];
            assert_eq!(asked_for, first.endpoint_config.as_str(), "{what}");
            assert_eq!(scene.inventory(), inventory, "{what}");
            if !killed {
                assert_eq!(ended.word(), "UpdateRolledBack", "{what}");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_endpoint_has_the_tags_that_it_had() {
    for door in Door::BOTH {
        for last in 0.. {
            let (scene, _) = Scene::serving_with(QUICK).await;
            tag_endpoint(&scene, "team", "red");
            let (tags, inventory) = (endpoint_tags(&scene), scene.inventory());
            rolls_back(&scene);
            let event = with(
                event(&scene.package()),
                &json!({"tags": "team=blue,cost=7"}),
            );
            let mut asked = scene.ask(door, Existing, &event);
            let (killed, ended) = killed_and_resumed(&mut asked, last).await;
            let what = format!("{door:?} killed in call {last}");
            // If nobody knows whether the update started, it is started again, and succeeds.
            if ended.word() == "UpdateRolledBack" {
                assert_eq!(endpoint_tags(&scene), tags, "{what}");
                assert_eq!(scene.inventory(), inventory, "{what}");
            } else {
                assert_serves(&scene, door, ended, &what);
                assert!(killed, "{what}");
            }
            if !killed {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_told_although_it_cannot_be_written_down() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        creation_fails(&scene);
        let event = event(&scene.package());
        let denied = async {
            scene.until_status("Failed").await;
            let denied = Fault::once("AddTags", FaultKind::Deny);
            scene.server.inject(denied.always());
        };
        let (ended, ()) = tokio::join!(scene.through(door, New, &event), denied);
        assert_eq!(
            ended.word(),
            "EndpointCreationFailed",
            "{door:?}: {ended:?}"
        );
        // The message of a step is short. The first process to see the failure tells its reason.
        if door == Door::Call {
            assert!(ended.message().contains("no such image"), "{ended:?}");
        }
        assert_eq!(
            scene.inventory(),
            [const { Vec::<String>::new() }; 3],
            "{door:?}"
        );
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_told_and_undone_although_nothing_can_be_tagged() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let inventory = scene.inventory();
        rolls_back(&scene);
        let event = event(&scene.package());
        let denied = async {
            scene.until_status("RollingBack").await;
            let denied = Fault::once("AddTags", FaultKind::Deny);
            scene.server.inject(denied.always());
        };
        let (ended, ()) = tokio::join!(scene.through(door, Existing, &event), denied);
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
        assert_eq!(scene.inventory(), inventory, "{door:?}");
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn autoscaling_that_cannot_be_restored_for_minutes_is_restored_after_them() {
    for door in Door::BOTH {
        // given a rollback, and a service that throttles the registration for some minutes after it
        let (scene, _) = scaled(DEPLOYMENT).await;
        let (before, tags) = (scaling(&scene), endpoint_tags(&scene));
        rolls_back(&scene);
        let event = with(event(&scene.package()), &resized());
        let throttled = async {
            scene.until_status("RollingBack").await;
            let throttled = Fault::once("RegisterScalableTarget", FaultKind::Throttle);
            scene.server.inject(throttled.always());
            scene.until_status("InService").await;
            sleep(Duration::from_secs(240)).await;
            scene.server.clear_faults();
        };
        let (ended, ()) = tokio::join!(scene.through(door, Existing, &event), throttled);
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
        match door {
            Door::Queue => assert_eq!(scaling(&scene), before),
            // A call has to end before that. It says so, and the next deployment restores the autoscaling.
            Door::Call => {
                let message = ended.message();
                assert!(
                    message.contains("autoscaling of the variant AllTraffic"),
                    "{message}"
                );
                let ended = deploy_another(&scene, door).await;
                assert_serves(&scene, door, ended, "the next deployment");
                assert_eq!(scaling(&scene), before);
            }
        }
        assert_eq!(endpoint_tags(&scene), tags, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_deployments_and_a_rollback_are_two_updates_at_most() {
    for door in Door::BOTH {
        for same in [false, true] {
            for later in [0, 3, 20, 310, 360, 395, 420] {
                let (scene, _) = Scene::serving().await;
                let inventory = scene.inventory();
                rolls_back(&scene);
                rolls_back(&scene);
                let one = event(&scene.package());
                let other = if same {
                    one.clone()
                } else {
                    event(&scene.package())
                };
                let second = async {
                    sleep(Duration::from_secs(later)).await;
                    scene.through(door, Existing, &other).await
                };
                let (one, other) = tokio::join!(scene.through(door, Existing, &one), second);
                let what = format!("{door:?}, same: {same}, {later} s later: {one:?} {other:?}");
                assert!(scene.started() <= 2, "{} updates: {what}", scene.started());
                let words = [
                    "UpdateRolledBack",
                    "EndpointNotUpdatable",
                    "DeploymentTimedOut",
                ];
                for ended in [one, other] {
                    assert!(words.contains(&ended.word()), "{what}");
                }
                let harmed = scene.server.endpoints_serving_deleted();
                assert_eq!(harmed, Vec::<String>::new(), "{what}");
                sleep(SETTLED).await;
                assert_eq!(scene.server.endpoint_names(), inventory[2], "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_polls_too_early_deletes_nothing_that_is_in_use() {
    for door in Door::BOTH {
        for stale in 1..=3 {
            // given a process that is killed in the call that starts the update, late in its delivery
            let (mut scene, _) = Scene::serving_with(QUICK).await;
            scene.network = Network::Steady(Duration::from_millis(250));
            let package = scene.package();
            let event = event(&package);
            let mut asked = scene.ask(door, Existing, &event);
            let killed = asked.until_killed_in("UpdateEndpoint").await;
            assert_eq!(killed, None, "{door:?}");
            assert_eq!(scene.started(), 1, "{door:?}");
            // when the next one has a reason to fail, and its polls do not show the update yet
            reject(&scene, &package);
            let stale_polls = Fault::once("DescribeEndpoint", FaultKind::Stale);
            scene.server.inject(stale_polls.times(stale));
            let ended = asked.until_ended().await;
            sleep(SETTLED).await;
            // then the update has what it needs
            let what = format!("{door:?}, {stale} stale polls: {ended:?}");
            let harmed = scene.server.endpoints_serving_deleted();
            assert_eq!(harmed, Vec::<String>::new(), "{what}");
            assert_eq!(
                scene.endpoint(ENDPOINT)["EndpointStatus"],
                "InService",
                "{what}"
            );
        }
    }
}
