//! Every shape of endpoint in `events/`, deployed and updated on the local `SageMaker`.

use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};
use shared::contract::DeploymentStatus;

use crate::events::events;
use crate::scene::{ENDPOINT, Scene, error_type, event, with};

fn describe_config(scene: &Scene, name: &str) -> Value {
    let config = json!({ "EndpointConfigName": name });
    scene
        .server
        .call("DescribeEndpointConfig", config)
        .expect("it is there")
}

fn describe_model(scene: &Scene, name: &str) -> Value {
    scene
        .server
        .call("DescribeModel", json!({ "ModelName": name }))
        .expect("it is there")
}

/// Without what an update is to change.
fn but_the_names(mut config: Value) -> Value {
    for member in ["EndpointConfigName", "EndpointConfigArn", "CreationTime"] {
        config.as_object_mut().expect("an object").remove(member);
    }
    config["ProductionVariants"][0]["ModelName"] = json!("");
    config
}

#[tokio::test]
async fn every_event_for_a_new_endpoint_is_deployed_and_keeps_its_shape_when_updated() {
    let mut shapes = 0;
    for (name, text) in events("events") {
        if !name.starts_with("deploy-new-endpoint") {
            continue;
        }
        shapes += 1;
        let scene = Scene::empty().await;
        assert!(scene.package().ends_with(":model-package/churn/1"));
        let event: Value = serde_json::from_str(&text).expect("JSON");
        let first = scene.run(New, &event).await;
        let first = first.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(
            first.deployment_status,
            DeploymentStatus::Deployed,
            "{name}"
        );
        let endpoint = event["endpoint_name"].as_str().expect("named");
        assert_eq!(
            scene.endpoint(endpoint)["EndpointStatus"],
            "InService",
            "{name}"
        );

        // The event that made it changes nothing any more, through either function.
        for kind in [New, Existing] {
            let again = scene.run(kind, &event).await.expect("it serves already");
            assert_eq!(
                again.deployment_status,
                DeploymentStatus::Unchanged,
                "{name} {kind:?}"
            );
        }
        // The next version, with nothing said of the shape, has the same.
        let next = json!({
            "role": event["role"],
            "endpoint_name": endpoint,
            "package_arn": scene.package(),
        });
        let second = scene.run(Existing, &next).await;
        let second = second.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(
            second.deployment_status,
            DeploymentStatus::Deployed,
            "{name}"
        );
        let mut before = but_the_names(describe_config(&scene, &first.endpoint_config));
        let after = but_the_names(describe_config(&scene, &second.endpoint_config));
        // Tags belong to a config and are no part of what is live.
        before.as_object_mut().expect("an object").remove("Tags");
        assert_eq!(after, before, "{name}");
        let (old, new) = (
            describe_model(&scene, &first.model),
            describe_model(&scene, &second.model),
        );
        for member in ["VpcConfig", "EnableNetworkIsolation"] {
            assert_eq!(new.get(member), old.get(member), "{name}");
        }
    }
    assert!(shapes >= 7, "{shapes} events");
}

#[tokio::test]
async fn every_event_for_an_update_is_deployed() {
    let scene = Scene::empty().await;
    let packages = [scene.package(), scene.package()];
    for (endpoint, keys) in [
        ("churn", json!({})),
        (
            "churn-serverless",
            json!({"inference_option": "serverless"}),
        ),
    ] {
        let made = with(event(&packages[0]), &json!({"endpoint_name": endpoint}));
        scene.run(New, &with(made, &keys)).await.expect("deployed");
    }
    let mut updates = 0;
    for (name, text) in events("events") {
        if name.starts_with("deploy-existing-endpoint") {
            updates += 1;
            let event: Value = serde_json::from_str(&text).expect("JSON");
            let answer = scene.run(Existing, &event).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{name}: {failure}"));
            assert_eq!(
                answer.deployment_status,
                DeploymentStatus::Deployed,
                "{name}"
            );
        }
    }
    assert!(updates >= 3, "{updates} events");
    let variant = &scene.endpoint("churn")["ProductionVariants"][0];
    assert_eq!(
        variant["DesiredInstanceCount"], 3,
        "a count that is asked for is wanted"
    );
    assert!(
        scene.endpoint("churn-serverless")["ProductionVariants"][0]["CurrentInstanceCount"]
            .is_number()
    );
}

#[tokio::test]
async fn an_autoscaled_count_survives_an_update_and_gives_way_to_one_that_is_asked_for() {
    let (scene, _) = Scene::serving().await;
    let scaled = json!({
        "EndpointName": ENDPOINT,
        "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredInstanceCount": 6}],
    });
    scene
        .server
        .call("UpdateEndpointWeightsAndCapacities", scaled)
        .expect("it serves");
    let count =
        || scene.endpoint(ENDPOINT)["ProductionVariants"][0]["DesiredInstanceCount"].clone();
    scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(count(), 6);
    let asked = with(
        event(&scene.package()),
        &json!({"initial_instance_count": 2}),
    );
    scene.run(Existing, &asked).await.expect("deployed");
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn tags_go_on_the_model_the_config_and_the_endpoint() {
    let (scene, first) = Scene::serving().await;
    let event = with(event(&scene.package()), &json!({"tags": "team=growth"}));
    let answer = scene.run(Existing, &event).await.expect("deployed");
    let expected = json!([{"Key": "team", "Value": "growth"}]);
    let root = first
        .endpoint_arn
        .rsplit_once(":endpoint/")
        .expect("an endpoint's ARN")
        .0;
    for arn in [
        answer.endpoint_arn.clone(),
        format!("{root}:model/{}", answer.model),
        format!("{root}:endpoint-config/{}", answer.endpoint_config),
    ] {
        let tags = scene
            .server
            .call("ListTags", json!({"ResourceArn": arn}))
            .expect("it is there");
        // What it makes itself is known by a tag of its own besides.
        let all = tags["Tags"].as_array().cloned().unwrap_or_default();
        let own = |tag: &Value| {
            let key = tag["Key"].as_str().unwrap_or_default();
            key.starts_with("sagemaker-deployments:")
        };
        let (own, asked): (Vec<_>, Vec<_>) = all.into_iter().partition(own);
        assert_eq!(Value::from(asked), expected, "{arn}");
        assert_eq!(own.is_empty(), arn == answer.endpoint_arn, "{arn}");
    }
    // Before the update is begun, so that one that cannot be tagged is not begun.
    let operations = scene.operations();
    let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
    assert!(at("AddTags") < at("UpdateEndpoint"), "{operations:?}");
}

#[tokio::test]
async fn what_does_not_fit_the_live_endpoint_stops_before_anything_is_made() {
    let (scene, _) = Scene::serving().await;
    let before = scene.inventory();
    for keys in [
        json!({"serverless_memory_size_mb": 1024}),
        json!({"inference_option": "async"}),
        json!({"variant_name": "green"}),
    ] {
        let ended = scene
            .run(Existing, &with(event(&scene.package()), &keys))
            .await;
        assert_eq!(error_type(&ended), "InvalidRequest", "{keys}");
        assert_eq!(scene.inventory(), before, "{keys}");
    }
}
