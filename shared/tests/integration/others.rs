//! Other people's changes to the same endpoint: before, during and after this deployment's own.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Scene, THEIRS, event};

fn refused(operation: &str) -> Fault {
    let message = format!(
        "Cannot update in-progress endpoint \"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{ENDPOINT}\"."
    );
    let kind = FaultKind::Error {
        code: "ValidationException".to_owned(),
        message,
        status: 400,
    };
    Fault::once(operation, kind)
}

#[tokio::test(start_paused = true)]
async fn an_update_that_comes_too_late_is_tried_again() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        scene.server.inject(refused("UpdateEndpoint").times(2));
        let event = event(&scene.package());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        // Nothing is made twice.
        // The second endpoint config is the anchor.
        for (operation, times) in [("CreateModel", 1), ("CreateEndpointConfig", 2)] {
            let acted = scene.calls_of(operation);
            let acted = acted.iter().filter(|call| call.acted).count();
            assert_eq!(acted, times, "{door:?} {operation}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_comes_too_late_finds_an_endpoint_that_exists() {
    for door in Door::BOTH {
        // Given an endpoint that somebody creates between our observation and our call
        let scene = Scene::empty();
        let (mine, theirs) = (scene.package(), scene.package());
        let other = scene.through(Door::Call, New, &event(&theirs)).await;
        let other = other.deployed();
        scene
            .server
            .inject(Fault::once("DescribeEndpoint", FaultKind::Stale));
        // when we create ours
        let ended = scene.through(door, New, &event(&mine)).await;
        // then theirs stays, and ours leaves nothing
        assert_eq!(ended.word(), "EndpointAlreadyExists", "{door:?}: {ended:?}");
        let left = [
            vec![other.model],
            vec![other.endpoint_config],
            vec![ENDPOINT.to_owned()],
        ];
        assert_eq!(scene.inventory(), left, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_starts_from_a_live_config_that_changed_meanwhile() {
    for door in Door::BOTH {
        // Given an update that is refused because somebody else's is in progress, which changes the instance count
        let (scene, before) = Scene::serving().await;
        let event = event(&scene.package());
        scene.server.inject(refused("UpdateEndpoint"));
        let mine = scene.to_the_end(door, Existing, &event);
        let theirs = scene.theirs_after("UpdateEndpoint", &before.model, 7);
        // when ours gets its turn
        let (ended, ()) = tokio::join!(mine, theirs);
        // then it keeps their count, and the config that was planned before is deleted
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        let answer = ended.deployed();
        assert_eq!(answer.previous_endpoint_config, THEIRS, "{door:?}");
        let live = json!({"EndpointConfigName": answer.endpoint_config});
        let live = scene
            .server
            .call("DescribeEndpointConfig", live)
            .expect("live");
        assert_eq!(live["ProductionVariants"][0]["InitialInstanceCount"], 7);
        let left = scene.inventory().map(|names| names.len());
        assert_eq!(left, [2, 3, 1], "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_has_the_network_settings_that_changed_meanwhile() {
    for door in Door::BOTH {
        // Given an update that is refused because somebody else moves the endpoint into a VPC
        let (scene, _) = Scene::serving().await;
        let model = json!({
            "ModelName": "their-model",
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/Theirs",
            "PrimaryContainer": {"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/theirs:1"},
            "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        });
        scene.server.call("CreateModel", model).expect("new");
        let event = event(&scene.package());
        scene.server.inject(refused("UpdateEndpoint"));
        let mine = scene.to_the_end(door, Existing, &event);
        let theirs = scene.theirs_after("UpdateEndpoint", "their-model", 1);
        let (ended, ()) = tokio::join!(mine, theirs);
        // then our model is in the VPC too, and the one that was made for outside is deleted
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
        let answer = ended.deployed();
        let model = scene
            .server
            .call("DescribeModel", json!({"ModelName": answer.model}));
        assert_eq!(
            model.expect("it serves")["VpcConfig"]["Subnets"],
            json!(["subnet-1"]),
            "{door:?}"
        );
        let left = scene.inventory().map(|names| names.len());
        assert_eq!(left, [3, 3, 1], "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_another_replaced_does_not_claim_to_serve() {
    for door in Door::BOTH {
        // Given an update of ours that has started, whose end nobody has seen yet
        let (scene, before) = Scene::serving().await;
        let event = event(&scene.package());
        let mine = scene.to_the_end(door, Existing, &event);
        // when somebody puts the endpoint onto another config by other means
        let theirs = scene.theirs_after("UpdateEndpoint", &before.model, 1);
        let (ended, ()) = tokio::join!(mine, theirs);
        // then ours says that it was replaced, and deletes its own model and config
        assert_eq!(ended.word(), "EndpointNotUpdatable", "{door:?}: {ended:?}");
        assert_eq!(scene.server.model_names(), [before.model], "{door:?}");
        let mut configs = vec![before.endpoint_config, THEIRS.to_owned()];
        configs.sort();
        assert_eq!(scene.server.endpoint_config_names(), configs, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_deployment_asked_for_many_times_at_once_is_one() {
    for doors in [
        [Door::Call, Door::Call],
        [Door::Queue, Door::Queue],
        Door::BOTH,
    ] {
        for kind in [New, Existing] {
            let case = format!("{doors:?} {kind:?}");
            let scene = Scene::before(kind).await;
            let event = event(&scene.package());
            let mut deployments = JoinSet::new();
            for door in doors.repeat(4) {
                let mut asked = scene.ask(door, kind, &event);
                deployments.spawn(async move { asked.until_ended().await });
            }
            let mut names = Vec::new();
            for ended in deployments.join_all().await {
                assert!(
                    ["Deployed", "Unchanged"].contains(&ended.word()),
                    "{case}: {ended:?}"
                );
                let answer = ended.deployed();
                names.push((answer.model, answer.endpoint_config));
            }
            names.dedup();
            assert_eq!(names.len(), 1, "{case}");
            let expected = match kind {
                New => [1, 1, 1],
                Existing => [2, 2, 1],
            };
            let found = scene.inventory().map(|names| names.len());
            assert_eq!(found, expected, "{case}");
            assert_eq!(scene.started(), 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn different_packages_for_one_endpoint_take_turns() {
    for doors in [
        [Door::Call, Door::Call],
        [Door::Queue, Door::Queue],
        Door::BOTH,
    ] {
        let (scene, _) = Scene::serving_with(Duration::from_secs(60)).await;
        let mut deployments = JoinSet::new();
        for door in doors.repeat(2) {
            let mut asked = scene.ask(door, Existing, &event(&scene.package()));
            deployments.spawn(async move { asked.until_ended().await });
        }
        let mut served = Vec::new();
        for ended in deployments.join_all().await {
            match ended.word() {
                "Deployed" => served.push(ended.deployed().endpoint_config),
                // One whose turn had passed before it polled again.
                word => assert_eq!(word, "EndpointNotUpdatable", "{doors:?}: {ended:?}"),
            }
        }
        let live = scene.endpoint(ENDPOINT);
        assert_eq!(live["EndpointStatus"], "InService");
        assert!(
            served
                .iter()
                .any(|config| live["EndpointConfigName"] == config.as_str()),
            "{doors:?}"
        );
        assert_eq!(
            scene.server.endpoints_serving_deleted(),
            Vec::<String>::new(),
            "{doors:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_that_somebody_deletes_is_a_failed_creation() {
    for door in Door::BOTH {
        // Given a new endpoint that somebody deletes while it is being created, once it has been seen so
        let scene = Scene::empty();
        let event = event(&scene.package());
        let mine = scene.through(door, New, &event);
        let theirs = async {
            scene.until_called("CreateEndpoint", 1).await;
            let polls = scene.calls_of("DescribeEndpoint").len();
            scene.until_called("DescribeEndpoint", polls + 1).await;
            scene.server.force_status(ENDPOINT, "InService", None);
            let delete = json!({"EndpointName": ENDPOINT});
            scene
                .server
                .call("DeleteEndpoint", delete)
                .expect("it serves");
        };
        let (ended, ()) = tokio::join!(mine, theirs);
        assert_eq!(
            ended.word(),
            "EndpointCreationFailed",
            "{door:?}: {ended:?}"
        );
        sleep(DEPLOYMENT).await;
        assert_eq!(
            scene.inventory(),
            [const { Vec::<String>::new() }; 3],
            "{door:?}"
        );
        assert_eq!(scene.started(), 1, "{door:?}");
    }
}
