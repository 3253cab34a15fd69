//! An update loses nothing in silence: what is live is carried over, or the update is refused before anything is made.

use sagemaker_local::{Fault, FaultKind};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use crate::scene::{Answer, Door, ENDPOINT, QUICK, ROLE, Scene, THEIRS, event, with};

/// An endpoint of this product's that somebody has put onto an endpoint config of theirs, with these members and with
/// these of its variant.
async fn on_theirs(config: &Value, variant: &Value) -> (Scene, Answer) {
    let (scene, first) = Scene::serving().await;
    let plain = json!({
        "VariantName": "AllTraffic", "ModelName": first.model, "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 1,
    });
    let named = json!({"EndpointConfigName": THEIRS, "ProductionVariants": [with(plain, variant)]});
    put_onto(&scene, &with(named, config)).await;
    (scene, first)
}

/// Puts the endpoint onto a new endpoint config, by another hand.
async fn put_onto(scene: &Scene, config: &Value) {
    let server = &scene.server;
    let name = config["EndpointConfigName"].clone();
    server
        .call("CreateEndpointConfig", config.clone())
        .expect("new");
    let update = json!({"EndpointName": ENDPOINT, "EndpointConfigName": name});
    server.call("UpdateEndpoint", update).expect("it serves");
    scene.until_status("InService").await;
    server.clear_calls();
}

/// The endpoint config that an answer names.
fn described(scene: &Scene, answer: &Answer) -> Value {
    let config = json!({ "EndpointConfigName": answer.endpoint_config });
    let config = scene.server.call("DescribeEndpointConfig", config);
    config.expect("it is there")
}

/// That an update of this event is refused in these words, and has only read; and that a dry run says the same.
async fn assert_refused(scene: &Scene, door: Door, keys: &Value, word: &str, said: &str) {
    for dry_run in [false, true] {
        let event = with(event(&scene.package()), keys);
        let event = with(event, &json!({ "dry_run": dry_run }));
        scene.server.clear_calls();
        let ended = scene.through(door, Existing, &event).await;
        let case = format!("{door:?}, dry run {dry_run}: {ended:?}");
        assert_eq!(ended.word(), word, "{case}");
        assert!(ended.message().contains(said), "{case}");
        assert!(scene.has_only_read(), "{case}: {:?}", scene.operations());
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_inference_components_is_refused_before_anything_is_made() {
    for door in Door::BOTH {
        let role = json!({"ExecutionRoleArn": "arn:aws:iam::123456789012:role/Theirs"});
        let (scene, _) = on_theirs(&role, &json!({"ModelName": null})).await;
        let (word, said) = ("EndpointNotUpdatable", "inference components");
        assert_refused(&scene, door, &json!({}), word, said).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_does_not_leave_the_network_of_a_live_model_that_was_deleted() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let model = json!({ "ModelName": first.model });
        scene
            .server
            .call("DeleteModel", model)
            .expect("it was there");
        let (word, said) = ("EndpointNotUpdatable", "VPC and network isolation");
        assert_refused(&scene, door, &json!({}), word, said).await;
        // What the event says itself is not lost.
        let keys = json!({
            "subnets": "subnet-1", "security_group_ids": "sg-1", "enable_network_isolation": true,
        });
        let event = with(event(&scene.package()), &keys);
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_swaps_the_model_of_every_instance_pool() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let own = json!({
            "ModelName": "pools", "PrimaryContainer": {"ModelPackageName": scene.package()},
            "ExecutionRoleArn": ROLE,
        });
        scene.server.call("CreateModel", own).expect("new");
        let config = json!({"EndpointConfigName": THEIRS, "ProductionVariants": [{
            "VariantName": "AllTraffic", "ModelName": first.model, "InitialInstanceCount": 1,
            "InstancePools": [
                {"InstanceType": "ml.g5.xlarge", "Priority": 1, "ModelNameOverride": "pools"},
                {"InstanceType": "ml.m5.xlarge", "Priority": 2},
            ],
        }]});
        put_onto(&scene, &config).await;
        let event = event(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        let variant = described(&scene, &answer)["ProductionVariants"][0].clone();
        assert_eq!(variant["ModelName"], json!(answer.model), "{door:?}");
        assert_eq!(
            variant["InstancePools"],
            json!([
                {"InstanceType": "ml.g5.xlarge", "Priority": 1, "ModelNameOverride": answer.model},
                {"InstanceType": "ml.m5.xlarge", "Priority": 2},
            ]),
            "{door:?}"
        );
    }
}

/// What an update of this event sends to the service, once the endpoint has been updated as a canary.
async fn update_sent(door: Door, keys: &Value) -> Value {
    let (scene, _) = Scene::serving().await;
    let guarded = json!({"traffic_routing": "canary", "auto_rollback_alarms": "churn-errors"});
    let guarded = with(event(&scene.package()), &guarded);
    scene.to_the_end(door, Existing, &guarded).await.deployed();
    scene.server.clear_calls();
    let event = with(event(&scene.package()), keys);
    scene.to_the_end(door, Existing, &event).await.deployed();
    let mut calls = scene.calls_of("UpdateEndpoint");
    assert_eq!(calls.len(), 1, "{door:?} {keys}");
    calls.remove(0).request
}

#[tokio::test(start_paused = true)]
async fn an_update_without_traffic_keys_keeps_the_endpoints_guard() {
    for door in Door::BOTH {
        let sent = update_sent(door, &json!({})).await;
        assert_eq!(sent["RetainDeploymentConfig"], true, "{door:?}");
        assert_eq!(sent.get("DeploymentConfig"), None, "{door:?}");
        // A key that says otherwise is obeyed, and the two are never sent together.
        let sent = update_sent(door, &json!({"traffic_routing": "all-at-once"})).await;
        assert_eq!(sent.get("RetainDeploymentConfig"), None, "{door:?}");
        assert_eq!(sent.get("DeploymentConfig"), None, "{door:?}");
        let sent = update_sent(door, &json!({"traffic_wait_seconds": 60})).await;
        assert_eq!(sent.get("RetainDeploymentConfig"), None, "{door:?}");
        assert!(sent.get("DeploymentConfig").is_some(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_retained_alarms_roll_an_update_without_traffic_keys_back() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let guarded = json!({"traffic_routing": "canary", "auto_rollback_alarms": "churn-errors"});
        let guarded = with(event(&scene.package()), &guarded);
        scene.to_the_end(door, Existing, &guarded).await.deployed();
        scene.server.clear_calls();
        let alarm = async {
            scene.until_called("UpdateEndpoint", 1).await;
            scene.until(|| scene.server.traffic(ENDPOINT) > 0.0).await;
            scene.server.trip_alarm("churn-errors", true);
        };
        let event = event(&scene.package());
        let (ended, ()) = tokio::join!(scene.to_the_end(door, Existing, &event), alarm);
        assert_eq!(ended.word(), "UpdateRolledBack", "{door:?}: {ended:?}");
    }
}

/// Members that this program's SDK does not know, at the top of an endpoint config and within a variant.
fn unknown() -> (Value, Value) {
    (
        json!({"CrossRegionTrafficConfig": {"Regions": ["eu-north-1"]}}),
        json!({"Warmth": {"Level": 3}}),
    )
}

#[tokio::test(start_paused = true)]
async fn members_that_the_sdk_does_not_know_are_carried_over() {
    for door in Door::BOTH {
        let (config, variant) = unknown();
        let (scene, _) = on_theirs(&config, &variant).await;
        let event = event(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
        let made = described(&scene, &answer);
        let traffic = "CrossRegionTrafficConfig";
        assert_eq!(made[traffic], config[traffic], "{door:?}");
        let after = &made["ProductionVariants"][0];
        assert_eq!(after["Warmth"], variant["Warmth"], "{door:?}");
        assert_eq!(after["ModelName"], json!(answer.model), "{door:?}");
        // The same event finds that all of it is live.
        let again = scene.through(door, Existing, &event).await;
        assert_eq!(again.word(), "Unchanged", "{door:?}: {again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_of_a_live_model_that_the_sdk_does_not_know_are_carried_over() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let theirs = json!({
            "ModelName": "their-model", "ExecutionRoleArn": ROLE, "Firewall": "on",
            "PrimaryContainer": {"ModelPackageName": scene.package()},
            "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "Ipv6": true},
        });
        scene.server.call("CreateModel", theirs).expect("new");
        let config = json!({"EndpointConfigName": THEIRS, "ProductionVariants": [{
            "VariantName": "AllTraffic", "ModelName": "their-model", "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.xlarge",
        }]});
        put_onto(&scene, &config).await;
        let event = event(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        let made = scene
            .server
            .call("DescribeModel", json!({ "ModelName": answer.model }))
            .expect("it is there");
        assert_eq!(made["Firewall"], "on", "{door:?}");
        assert_eq!(made["VpcConfig"]["Ipv6"], true, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_member_without_a_place_is_refused_before_anything_is_made() {
    for door in Door::BOTH {
        let pool = json!({"InstanceType": "ml.m5.xlarge", "Priority": 1, "Spot": true});
        let pools = json!({"InstanceType": null, "InstancePools": [pool]});
        let (scene, _) = on_theirs(&json!({}), &pools).await;
        let keys = json!({"instance_type": "ml.g5.xlarge"});
        let said = "ProductionVariants[AllTraffic].InstancePools[ml.m5.xlarge].Spot";
        assert_refused(&scene, door, &keys, "EndpointNotUpdatable", said).await;
    }
}

/// Without the types, everything is captured as base64, and no monitor reads it.
#[tokio::test(start_paused = true)]
async fn what_a_new_endpoint_captures_is_readable() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let keys = json!({"data_capture_s3_uri": "s3://bucket/captured"});
        let event = with(event(&scene.package()), &keys);
        let answer = scene.through(door, New, &event).await.deployed();
        let capture = described(&scene, &answer)["DataCaptureConfig"].clone();
        assert_eq!(
            capture["CaptureContentTypeHeader"],
            json!({"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}),
            "{door:?}"
        );
    }
}

/// The words of a refused guard.
const UNGUARDED: &str = "would guard nothing";

#[tokio::test(start_paused = true)]
async fn a_guard_that_would_be_none_is_refused_before_anything_is_made() {
    let shapes = [
        json!({"inference_option": "serverless"}),
        json!({"instance_type": "ml.inf1.xlarge"}),
    ];
    for door in Door::BOTH {
        for shape in &shapes {
            let (scene, _) = Scene::serving_as(QUICK, shape).await;
            for routing in ["canary", "linear"] {
                let keys = json!({ "traffic_routing": routing });
                assert_refused(&scene, door, &keys, "InvalidRequest", UNGUARDED).await;
            }
            let event = with(
                event(&scene.package()),
                &json!({"traffic_routing": "all-at-once"}),
            );
            let ended = scene.through(door, Existing, &event).await;
            assert_eq!(ended.word(), "Deployed", "{door:?} {shape}: {ended:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_of_the_marketplace_is_not_guarded_by_a_canary() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving_with(QUICK).await;
        let package = json!({
            "ModelPackageGroupName": "churn", "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [{"Image": "bought", "ProductId": "product"}],
                "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
            },
        });
        let package = scene.server.call("CreateModelPackage", package);
        let arn = package.expect("new")["ModelPackageArn"].clone();
        let keys = json!({"package_arn": arn, "traffic_routing": "canary"});
        assert_refused(&scene, door, &keys, "InvalidRequest", UNGUARDED).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_retained_guard_that_would_be_none_has_to_be_taken_back_aloud() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving_with(QUICK).await;
        let guarded = with(
            event(&scene.package()),
            &json!({"traffic_routing": "canary"}),
        );
        scene.to_the_end(door, Existing, &guarded).await.deployed();
        let keys = json!({"instance_type": "ml.inf1.xlarge"});
        assert_refused(&scene, door, &keys, "InvalidRequest", UNGUARDED).await;
    }
}

/// Registers an approved version of the group whose package has an environment; its ARN.
fn package_with(scene: &Scene, environment: &Value) -> Value {
    let package = json!({
        "ModelPackageGroupName": "churn", "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"Image": "image", "Environment": environment}],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
        },
    });
    let made = scene.server.call("CreateModelPackage", package);
    made.expect("new")["ModelPackageArn"].clone()
}

/// Puts the endpoint onto a model of somebody else's that has this container.
async fn put_onto_model(scene: &Scene, container: &Value) {
    let theirs = json!({
        "ModelName": "their-model", "ExecutionRoleArn": ROLE, "PrimaryContainer": container,
        "InferenceExecutionConfig": {"Mode": "Direct"},
    });
    scene.server.call("CreateModel", theirs).expect("new");
    let config = json!({"EndpointConfigName": THEIRS, "ProductionVariants": [{
        "VariantName": "AllTraffic", "ModelName": "their-model", "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.xlarge",
    }]});
    put_onto(scene, &config).await;
}

#[tokio::test(start_paused = true)]
async fn a_live_models_own_settings_are_kept_and_its_packages_are_not() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let package = package_with(&scene, &json!({"WORKERS": "1", "VERSION": "old"}));
        let container = json!({
            "ModelPackageName": package, "ContainerHostname": "serving",
            "Environment": {"WORKERS": "4", "VERSION": "old", "LEVEL": "debug"},
        });
        put_onto_model(&scene, &container).await;
        let event = event(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        let model = json!({ "ModelName": answer.model });
        let model = scene.server.call("DescribeModel", model).expect("made");
        assert_eq!(
            model["PrimaryContainer"],
            json!({
                "ModelPackageName": event["package_arn"], "ContainerHostname": "serving",
                "Environment": {"WORKERS": "4", "LEVEL": "debug"},
            }),
            "{door:?}"
        );
        let execution = json!({"Mode": "Direct"});
        assert_eq!(model["InferenceExecutionConfig"], execution, "{door:?}");
        // The same event finds that all of it is live.
        let again = scene.through(door, Existing, &event).await;
        assert_eq!(again.word(), "Unchanged", "{door:?}: {again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_models_own_environment_that_nobody_can_tell_is_not_lost() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let package = package_with(&scene, &json!({}));
        let container = json!({"ModelPackageName": package, "Environment": {"LEVEL": "debug"}});
        put_onto_model(&scene, &container).await;
        let gone = json!({ "ModelPackageName": package });
        scene
            .server
            .call("DeleteModelPackage", gone)
            .expect("it was there");
        let (word, said) = (
            "EndpointNotUpdatable",
            "of its model does not exist any more",
        );
        assert_refused(&scene, door, &json!({}), word, said).await;
    }
}

/// The tags of a resource that are not this product's own.
fn tags_of(scene: &Scene, arn: &Value) -> Vec<(String, String)> {
    let tags = scene
        .server
        .call("ListTags", json!({ "ResourceArn": arn }))
        .expect("it is there");
    let tags = tags["Tags"].as_array().cloned().unwrap_or_default();
    let text = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
    let mut tags: Vec<_> = tags
        .iter()
        .map(|tag| (text(tag, "Key"), text(tag, "Value")))
        .filter(|(key, _)| !key.starts_with("sagemaker-deployments:"))
        .collect();
    tags.sort();
    tags
}

#[tokio::test(start_paused = true)]
async fn an_update_carries_over_the_tags_of_the_live_model_and_endpoint_config() {
    for door in Door::BOTH {
        let theirs = json!({"Tags": [
            {"Key": "cost-center", "Value": "42"}, {"Key": "team", "Value": "old"},
        ]});
        let (scene, first) = on_theirs(&theirs, &json!({})).await;
        let described_model = |name: &str| {
            let model = scene
                .server
                .call("DescribeModel", json!({ "ModelName": name }));
            model.expect("it is there")
        };
        let owner = json!({
            "ResourceArn": described_model(&first.model)["ModelArn"],
            "Tags": [{"Key": "owner", "Value": "ann"}],
        });
        scene.server.call("AddTags", owner).expect("it is there");
        let event = with(event(&scene.package()), &json!({"tags": "team=growth"}));
        let answer = scene.through(door, Existing, &event).await.deployed();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let config = described(&scene, &answer)["EndpointConfigArn"].clone();
        assert_eq!(
            tags_of(&scene, &config),
            [pair("cost-center", "42"), pair("team", "growth")],
            "{door:?}"
        );
        assert_eq!(
            tags_of(&scene, &described_model(&answer.model)["ModelArn"]),
            [pair("owner", "ann"), pair("team", "growth")],
            "{door:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_live_tags_cannot_be_read_is_refused_before_anything_is_made() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let denied = Fault::once("ListTags", FaultKind::Deny).always();
        scene.server.inject(denied.about(&first.model));
        scene.server.clear_calls();
        let event = event(&scene.package());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "AccessDenied", "{door:?}: {ended:?}");
        assert!(scene.has_only_read(), "{door:?}: {:?}", scene.operations());
    }
}
