//! Every shape of endpoint in `events/`, deployed and updated on the local `SageMaker`.

use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use crate::events::events;
use crate::scene::{Door, ENDPOINT, QUICK, Scene, event, with};

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

/// Without the members that an update is to change.
fn without_names(mut config: Value) -> Value {
    for member in ["EndpointConfigName", "EndpointConfigArn", "CreationTime"] {
        config.as_object_mut().expect("an object").remove(member);
    }
    config["ProductionVariants"][0]["ModelName"] = json!("");
    config
}

#[tokio::test(start_paused = true)]
async fn every_event_for_a_new_endpoint_is_deployed_and_keeps_its_shape_when_updated() {
    for door in Door::BOTH {
        let mut shapes = 0;
        for (name, text) in events("events") {
            if !name.starts_with("deploy-new-endpoint") {
                continue;
            }
            shapes += 1;
            let case = format!("{door:?} {name}");
            // Quick, because one of the events allows it a minute.
            let scene = Scene::lasting(QUICK, QUICK);
            assert!(scene.package().ends_with(":model-package/churn/1"));
            let event: Value = serde_json::from_str(&text).expect("JSON");
            let ended = scene.through(door, New, &event).await;
            assert_eq!(ended.word(), "Deployed", "{case}: {ended:?}");
            let first = ended.deployed();
            let endpoint = event["endpoint_name"].as_str().expect("named");
            assert_eq!(
                scene.endpoint(endpoint)["EndpointStatus"],
                "InService",
                "{case}"
            );

            // The event that made it changes nothing any more, through either function.
            for kind in [New, Existing] {
                let again = scene.through(door, kind, &event).await;
                assert_eq!(again.word(), "Unchanged", "{case} {kind:?}: {again:?}");
            }
            // The next version has the same shape, because the event does not mention any.
            let next = json!({
                "role": event["role"],
                "endpoint_name": endpoint,
                "package_arn": scene.package(),
            });
            let ended = scene.through(door, Existing, &next).await;
            assert_eq!(ended.word(), "Deployed", "{case}: {ended:?}");
            let second = ended.deployed();
            let mut before = without_names(describe_config(&scene, &first.endpoint_config));
            let after = without_names(describe_config(&scene, &second.endpoint_config));
            // Tags belong to a config and are no part of what is live.
            before.as_object_mut().expect("an object").remove("Tags");
            assert_eq!(after, before, "{case}");
            let (old, new) = (
                describe_model(&scene, &first.model),
                describe_model(&scene, &second.model),
            );
            for member in ["VpcConfig", "EnableNetworkIsolation"] {
                assert_eq!(new.get(member), old.get(member), "{case}");
            }
        }
        assert!(shapes >= 7, "{shapes} events");
    }
}

#[tokio::test(start_paused = true)]
async fn every_event_for_an_update_is_deployed() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let packages = [scene.package(), scene.package()];
        for (endpoint, keys) in [
            ("churn", json!({})),
            (
                "churn-serverless",
                json!({"inference_option": "serverless"}),
            ),
        ] {
            let made = with(event(&packages[0]), &json!({"endpoint_name": endpoint}));
            scene
                .through(door, New, &with(made, &keys))
                .await
                .deployed();
        }
        let mut updates = 0;
        for (name, text) in events("events") {
            if name.starts_with("deploy-existing-endpoint") {
                updates += 1;
                let event: Value = serde_json::from_str(&text).expect("JSON");
                let ended = scene.to_the_end(door, Existing, &event).await;
                assert_eq!(ended.word(), "Deployed", "{door:?} {name}: {ended:?}");
            }
        }
        assert!(updates >= 3, "{updates} events");
        let variant = &scene.endpoint("churn")["ProductionVariants"][0];
        assert_eq!(
            variant["DesiredInstanceCount"], 3,
            "{door:?}: a count that the event sets is wanted"
        );
        let serverless = &scene.endpoint("churn-serverless")["ProductionVariants"][0];
        assert!(serverless["CurrentInstanceCount"].is_number());
    }
}

#[tokio::test(start_paused = true)]
async fn an_autoscaled_count_survives_an_update_and_gives_way_to_one_of_the_event() {
    for door in Door::BOTH {
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
        let plain = event(&scene.package());
        scene.to_the_end(door, Existing, &plain).await.deployed();
        assert_eq!(count(), 6, "{door:?}");
        let counted = with(
            event(&scene.package()),
            &json!({"initial_instance_count": 2}),
        );
        scene.to_the_end(door, Existing, &counted).await.deployed();
        assert_eq!(count(), 2, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tags_are_on_the_model_the_config_and_the_endpoint() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let event = with(event(&scene.package()), &json!({"tags": "team=growth"}));
        let answer = scene.through(door, Existing, &event).await.deployed();
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
            // The product recognizes its own resources by a tag of its own.
            let all = tags["Tags"].as_array().cloned().unwrap_or_default();
            let own = |tag: &Value| {
                let key = tag["Key"].as_str().unwrap_or_default();
                key.starts_with("sagemaker-deployments:")
            };
            let (own, of_the_event): (Vec<_>, Vec<_>) = all.into_iter().partition(own);
            assert_eq!(Value::from(of_the_event), expected, "{door:?} {arn}");
            assert_eq!(own.is_empty(), arn == answer.endpoint_arn, "{door:?} {arn}");
        }
        // After the update, so that one that is rolled back leaves no tags.
        let operations = scene.operations();
        let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
        let last = operations
            .iter()
            .rposition(|operation| operation == "AddTags");
        assert!(at("UpdateEndpoint") < last, "{operations:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_do_not_fit_the_live_endpoint_stop_before_anything_is_made() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let before = scene.inventory();
        for keys in [
            json!({"serverless_memory_size_mb": 1024}),
            json!({"inference_option": "async"}),
            json!({"variant_name": "green"}),
        ] {
            let event = with(event(&scene.package()), &keys);
            let ended = scene.through(door, Existing, &event).await;
            assert_eq!(ended.word(), "InvalidRequest", "{door:?} {keys}: {ended:?}");
            assert_eq!(scene.inventory(), before, "{door:?} {keys}");
        }
    }
}
