//! What an update replaced goes where that is asked for, this product made it, and nothing uses it.

use sagemaker_local::{Fault, FaultKind};
use serde_json::{Value, json};
use shared::contract::DeployAnswer;
use shared::contract::DeploymentKind::{Existing, New};

use crate::killed::killed_after;
use crate::scene::{ENDPOINT, Scene, THEIRS, event, with};

fn deleting(package_arn: &str) -> Value {
    with(event(package_arn), &json!({"delete_superseded": true}))
}

/// An endpoint config like the one that an answer tells of, under another name.
fn config_like(answer: &DeployAnswer, name: &str) -> Value {
    json!({
        "EndpointConfigName": name,
        "ProductionVariants": [{
            "VariantName": "AllTraffic", "ModelName": answer.model,
            "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1,
        }],
    })
}

#[tokio::test]
async fn the_replaced_model_and_config_go_after_success() {
    let (scene, first) = Scene::serving().await;
    let answer = scene
        .run(Existing, &deleting(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(answer.previous_endpoint_config, Some(first.endpoint_config));
    assert_eq!(
        scene.inventory(),
        [
            vec![answer.model],
            vec![answer.endpoint_config],
            vec![ENDPOINT.to_owned()]
        ]
    );
    let operations = scene.operations();
    let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
    assert!(
        at("UpdateEndpoint") < at("DeleteEndpointConfig"),
        "{operations:?}"
    );
}

#[tokio::test]
async fn without_the_key_nothing_goes() {
    let (scene, _) = Scene::serving().await;
    scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect("deployed");
    assert!(scene.has_deleted_nothing());
}

#[tokio::test]
async fn a_model_that_the_new_config_serves_too_stays() {
    let (scene, first) = Scene::serving().await;
    let package = scene.package();
    let same = package.rsplit_once('/').expect("versioned").0.to_owned() + "/1";
    let resized = with(deleting(&same), &json!({"instance_type": "ml.c7i.large"}));
    let answer = scene.run(Existing, &resized).await.expect("deployed");
    assert_eq!(answer.model, first.model);
    assert_eq!(scene.server.model_names(), vec![first.model]);
    assert_eq!(
        scene.server.endpoint_config_names(),
        vec![answer.endpoint_config]
    );
}

#[tokio::test]
async fn what_something_else_uses_stays() {
    // given an endpoint of somebody else's on the config that will be replaced
    let (scene, first) = Scene::serving().await;
    scene
        .server
        .call(
            "CreateEndpoint",
            json!({"EndpointName": "shadow", "EndpointConfigName": first.endpoint_config}),
        )
        .expect("made");
    scene
        .run(Existing, &deleting(&scene.package()))
        .await
        .expect("deployed");
    assert!(scene.has_deleted_nothing());

    // and a config of somebody else's with the model that will be replaced
    let (scene, first) = Scene::serving().await;
    scene
        .server
        .call("CreateEndpointConfig", config_like(&first, THEIRS))
        .expect("made");
    let answer = scene
        .run(Existing, &deleting(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(scene.calls_of("DeleteModel"), vec![]);
    let mut configs = vec![answer.endpoint_config, THEIRS.to_owned()];
    configs.sort();
    assert_eq!(scene.server.endpoint_config_names(), configs);
}

#[tokio::test]
async fn what_this_product_did_not_make_stays_whatever_its_name() {
    // given a live config that looks like one of ours
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
        .expect("begun");
    let answer = scene
        .run(Existing, &deleting(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(answer.previous_endpoint_config.as_deref(), Some(name));
    assert!(scene.has_deleted_nothing());
}

#[tokio::test]
async fn a_removal_that_fails_fails_nothing() {
    for operation in [
        "ListTags",
        "ListEndpoints",
        "DeleteEndpointConfig",
        "ListEndpointConfigs",
        "DeleteModel",
    ] {
        let (scene, _) = Scene::serving().await;
        let skip = u32::from(operation == "ListTags");
        scene
            .server
            .inject(Fault::once(operation, FaultKind::Deny).always().after(skip));
        let answer = scene.run(Existing, &deleting(&scene.package())).await;
        let answer = answer.unwrap_or_else(|failure| panic!("{operation}: {failure}"));
        assert_eq!(
            scene.endpoint(ENDPOINT)["EndpointConfigName"],
            answer.endpoint_config.as_str()
        );
        assert!(scene.server.endpoints_serving_deleted().is_empty());
    }
}

#[tokio::test]
async fn a_killed_removal_is_completed_by_the_next_call_and_never_takes_what_serves() {
    for last in 0.. {
        let (scene, _) = Scene::serving().await;
        let event = deleting(&scene.package());
        if !killed_after(&scene, Existing, &event, last).await {
            break;
        }
        let answer = scene.run(Existing, &event).await.expect("taken up");
        assert!(
            scene.server.endpoints_serving_deleted().is_empty(),
            "call {last}"
        );
        assert_eq!(
            scene.server.endpoint_config_names(),
            vec![answer.endpoint_config],
            "call {last}"
        );
        assert_eq!(
            scene.server.model_names(),
            vec![answer.model],
            "call {last}"
        );
    }
}

#[tokio::test]
async fn a_new_endpoint_replaces_nothing() {
    let scene = Scene::empty().await;
    scene
        .run(New, &deleting(&scene.package()))
        .await
        .expect("deployed");
    assert!(scene.has_deleted_nothing());
}
