//! Other people's changes to the same endpoint, before, during and after this deployment's own.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind};
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use shared::contract::DeploymentStatus;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::scene::{DEPLOYMENT, ENDPOINT, Scene, THEIRS, budget, error_type, event, run, with};

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

#[tokio::test]
async fn losing_the_race_to_an_update_means_looking_again() {
    let (scene, _) = Scene::serving().await;
    scene.server.inject(refused("UpdateEndpoint").times(2));
    let answer = scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(
        scene.calls_of("CreateModel").len(),
        1,
        "what was made is not made again"
    );
}

#[tokio::test]
async fn losing_the_race_to_create_the_endpoint_is_an_endpoint_that_exists() {
    // Given an endpoint that somebody makes between our look and our call
    let scene = Scene::empty().await;
    let (mine, theirs) = (scene.package(), scene.package());
    let other = scene.run(New, &event(&theirs)).await.expect("deployed");
    scene
        .server
        .inject(Fault::once("DescribeEndpoint", FaultKind::Stale));
    // when we create ours
    let ended = scene.run(New, &event(&mine)).await;
    // then theirs stays, and ours leaves nothing
    assert_eq!(error_type(&ended), "EndpointAlreadyExists");
    let left = [
        vec![other.model],
        vec![other.endpoint_config],
        vec![ENDPOINT.to_owned()],
    ];
    assert_eq!(scene.inventory(), left);
}

#[tokio::test]
async fn a_live_config_that_changes_meanwhile_is_planned_from_anew() {
    // Given an update that is refused because somebody else's is under way, which changes the instance count
    let (scene, before) = Scene::serving().await;
    let event = event(&scene.package());
    scene.server.inject(refused("UpdateEndpoint"));
    let mine = scene.run(Existing, &event);
    let theirs = scene.theirs_after("UpdateEndpoint", &before.model, 7);
    // when ours gets its turn
    let (answer, ()) = tokio::join!(mine, theirs);
    // then it keeps what theirs has set, and the config that was planned before is gone
    let answer = answer.expect("deployed");
    assert_eq!(answer.previous_endpoint_config.as_deref(), Some(THEIRS));
    let live = json!({"EndpointConfigName": answer.endpoint_config});
    let live = scene
        .server
        .call("DescribeEndpointConfig", live)
        .expect("live");
    assert_eq!(live["ProductionVariants"][0]["InitialInstanceCount"], 7);
    assert_eq!(scene.inventory().map(|names| names.len()), [2, 3, 1]);
}

#[tokio::test]
async fn network_settings_that_change_meanwhile_are_those_of_the_new_model() {
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
    let mine = scene.run(Existing, &event);
    let theirs = scene.theirs_after("UpdateEndpoint", "their-model", 1);
    let (answer, ()) = tokio::join!(mine, theirs);
    // then our model is in the VPC too, and the one that was made before for outside is gone
    let answer = answer.expect("deployed");
    let model = scene
        .server
        .call("DescribeModel", json!({"ModelName": answer.model}));
    assert_eq!(
        model.expect("it serves")["VpcConfig"]["Subnets"],
        json!(["subnet-1"])
    );
    assert_eq!(scene.inventory().map(|names| names.len()), [3, 3, 1]);
}

#[tokio::test]
async fn a_deployment_that_is_overtaken_does_not_claim_to_serve() {
    // Given an update of ours that has begun, whose end nobody has seen yet
    let (scene, before) = Scene::serving().await;
    let event = event(&scene.package());
    let mine = scene.run(Existing, &event);
    // when somebody puts the endpoint onto another config by other means
    let theirs = scene.theirs_after("UpdateEndpoint", &before.model, 1);
    let (ended, ()) = tokio::join!(mine, theirs);
    // then ours says that it was replaced, and takes its own away
    assert_eq!(error_type(&ended), "EndpointNotUpdatable", "{ended:?}");
    assert_eq!(scene.server.model_names(), [before.model]);
    let mut configs = vec![before.endpoint_config, THEIRS.to_owned()];
    configs.sort();
    assert_eq!(scene.server.endpoint_config_names(), configs);
}

#[tokio::test]
async fn the_same_deployment_called_many_times_at_once_is_one() {
    for kind in [New, Existing] {
        let scene = Scene::before(kind).await;
        let event = event(&scene.package());
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            let (services, event) = (scene.services.clone(), event.clone());
            calls.spawn(async move {
                run(&services, kind, &event, budget(Duration::from_secs(3))).await
            });
        }
        let mut names = Vec::new();
        while let Some(ended) = calls.join_next().await {
            let answer = ended.expect("no panic").expect("deployed");
            names.push((answer.model, answer.endpoint_config));
        }
        names.dedup();
        assert_eq!(names.len(), 1, "{kind:?}");
        let expected = if kind == New { [1, 1, 1] } else { [2, 2, 1] };
        assert_eq!(
            scene.inventory().map(|names| names.len()),
            expected,
            "{kind:?}"
        );
        let accepted = |operation| {
            let calls = scene.calls_of(operation);
            calls.iter().filter(|call| call.status == Some(200)).count()
        };
        assert_eq!(
            accepted("CreateEndpoint") + accepted("UpdateEndpoint"),
            1,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn different_packages_to_one_endpoint_take_turns() {
    let (scene, _) = Scene::serving().await;
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let (services, event) = (scene.services.clone(), event(&scene.package()));
        calls.spawn(async move {
            run(&services, Existing, &event, budget(Duration::from_secs(5))).await
        });
    }
    let mut served = Vec::new();
    while let Some(ended) = calls.join_next().await {
        match ended.expect("no panic") {
            Ok(answer) => served.push(answer.endpoint_config),
            // One whose turn had passed before it looked again.
            Err(failure) => assert_eq!(
                failure.error.error_type(),
                "EndpointNotUpdatable",
                "{failure}"
            ),
        }
    }
    let live = scene.endpoint(ENDPOINT);
    assert_eq!(live["EndpointStatus"], "InService");
    assert!(
        served
            .iter()
            .any(|config| live["EndpointConfigName"] == config.as_str())
    );
    assert_eq!(
        scene.server.endpoints_serving_deleted(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_deletion_under_our_hands_is_told() {
    // A new endpoint that somebody deletes as soon as it serves, before it has been seen to
    let scene = Scene::empty().await;
    let event = with(event(&scene.package()), &json!({}));
    let mine = scene.run(New, &event);
    let theirs = async {
        scene.until_called("DescribeEndpoint", 2).await;
        scene.server.force_status(ENDPOINT, "InService", None);
        let delete = json!({"EndpointName": ENDPOINT});
        scene
            .server
            .call("DeleteEndpoint", delete)
            .expect("it serves");
    };
    let (ended, ()) = tokio::join!(mine, theirs);
    assert_eq!(error_type(&ended), "EndpointCreationFailed", "{ended:?}");
    sleep(DEPLOYMENT).await;
    assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
}
