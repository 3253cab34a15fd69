//! The previous model and config of an update are deleted if the event asks for that, this product made them, and
//! nothing uses them.

use sagemaker_local::{Fault, FaultKind};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use crate::killed::killed_in;
use crate::scene::{Answer, Door, ENDPOINT, QUICK, Scene, THEIRS, event, with};

fn deleting(package_arn: &str) -> Value {
    with(event(package_arn), &json!({"delete_superseded": true}))
}

/// An endpoint config like the one of an answer, under another name.
fn config_like(answer: &Answer, name: &str) -> Value {
    json!({
        "EndpointConfigName": name,
        "ProductionVariants": [{
            "VariantName": "AllTraffic", "ModelName": answer.model,
            "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1,
        }],
    })
}

#[tokio::test(start_paused = true)]
async fn the_previous_model_and_config_are_deleted_after_success() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let event = deleting(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
        assert_eq!(answer.previous_endpoint_config, first.endpoint_config);
        assert_eq!(
            scene.inventory(),
            [
                vec![answer.model],
                vec![answer.endpoint_config],
                vec![ENDPOINT.to_owned()]
            ],
            "{door:?}"
        );
        let operations = scene.operations();
        let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
        assert!(
            at("UpdateEndpoint") < at("DeleteEndpointConfig"),
            "{operations:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_key_nothing_is_deleted() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let event = event(&scene.package());
        scene.through(door, Existing, &event).await.deployed();
        assert!(scene.has_deleted_nothing(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_the_new_config_serves_too_stays() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let same = scene.package().replace("/2", "/1");
        let resized = with(deleting(&same), &json!({"instance_type": "ml.c7i.large"}));
        let answer = scene.through(door, Existing, &resized).await.deployed();
        assert_eq!(answer.model, first.model);
        assert_eq!(scene.server.model_names(), vec![first.model], "{door:?}");
        assert_eq!(
            scene.server.endpoint_config_names(),
            vec![answer.endpoint_config],
            "{door:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_something_else_uses_stays() {
    for door in Door::BOTH {
        // Given an endpoint of somebody else's on the config that will be the previous one
        let (scene, first) = Scene::serving().await;
        scene
            .server
            .call(
                "CreateEndpoint",
                json!({"EndpointName": "shadow", "EndpointConfigName": first.endpoint_config}),
            )
            .expect("made");
        let event = deleting(&scene.package());
        scene.through(door, Existing, &event).await.deployed();
        assert!(scene.has_deleted_nothing(), "{door:?}");

        // and a config of somebody else's with the model that will be the previous one
        let (scene, first) = Scene::serving().await;
        scene
            .server
            .call("CreateEndpointConfig", config_like(&first, THEIRS))
            .expect("made");
        let event = deleting(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(scene.calls_of("DeleteModel"), vec![], "{door:?}");
        let mut configs = vec![answer.endpoint_config, THEIRS.to_owned()];
        configs.sort();
        assert_eq!(scene.server.endpoint_config_names(), configs, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_product_did_not_make_stays_whatever_its_name() {
    for door in Door::BOTH {
        // Given a live config that is named like one of ours
        let (scene, first) = Scene::serving().await;
        let name = "endpoint-config-00000000-0000-5000-8000-000000000000";
        scene
            .server
            .call("CreateEndpointConfig", config_like(&first, name))
            .expect("made");
        scene
            .server
            .call(
                "UpdateEndpoint",
                json!({"EndpointName": ENDPOINT, "EndpointConfigName": name}),
            )
            .expect("started");
        let event = deleting(&scene.package());
        let answer = scene.to_the_end(door, Existing, &event).await.deployed();
        assert_eq!(answer.previous_endpoint_config, name, "{door:?}");
        assert!(scene.has_deleted_nothing(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_fails_fails_no_deployment() {
    for door in Door::BOTH {
        for operation in [
            "ListEndpoints",
            "DeleteEndpointConfig",
            "ListEndpointConfigs",
            "DeleteModel",
        ] {
            let case = format!("{door:?} {operation}");
            let (scene, _) = Scene::serving().await;
            let event = deleting(&scene.package());
            scene
                .server
                .inject(Fault::once(operation, FaultKind::Deny).always());
            let ended = scene.through(door, Existing, &event).await;
            assert_eq!(ended.word(), "Deployed", "{case}: {ended:?}");
            assert_eq!(
                scene.endpoint(ENDPOINT)["EndpointConfigName"],
                ended.deployed().endpoint_config.as_str(),
                "{case}"
            );
            assert_eq!(
                scene.server.endpoints_serving_deleted(),
                Vec::<String>::new(),
                "{case}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_process_is_killed_is_completed_and_never_takes_what_serves() {
    for door in Door::BOTH {
        for last in 0.. {
            let case = format!("{door:?} killed in call {last}");
            let (scene, _) = Scene::serving_with(QUICK).await;
            let event = deleting(&scene.package());
            let Some(ended) = killed_in(&scene, door, Existing, &event, last).await else {
                break;
            };
            let answer = ended.deployed();
            assert!(
                scene.server.endpoints_serving_deleted().is_empty(),
                "{case}"
            );
            let left = [
                scene.server.endpoint_config_names(),
                scene.server.model_names(),
            ];
            assert_eq!(left, [[answer.endpoint_config], [answer.model]], "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_has_nothing_previous() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let event = deleting(&scene.package());
        scene.through(door, New, &event).await.deployed();
        assert!(scene.has_deleted_nothing(), "{door:?}");
    }
}
