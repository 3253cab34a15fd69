//! What tests ask of a server directly.

use std::time::Duration;

use sagemaker_local::{Server, ServiceError, Settings};
use serde_json::json;

use crate::client::instant;

/// Creates a model from a package, a config and an endpoint, all of one name.
fn deploy(server: &Server, name: &str) {
    let container = json!({ "ModelPackageName": server.register_package("Group") });
    let model = json!({ "ModelName": name, "PrimaryContainer": container });
    server.call("CreateModel", model).expect("a model");
    let variant = json!({
        "VariantName": "v",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    });
    let config = json!({ "EndpointConfigName": name, "ProductionVariants": [variant] });
    server
        .call("CreateEndpointConfig", config)
        .expect("a config");
    let endpoint = json!({ "EndpointName": name, "EndpointConfigName": name });
    server
        .call("CreateEndpoint", endpoint)
        .expect("an endpoint");
}

#[tokio::test]
async fn packages_are_registered_as_versions_of_their_group() {
    let server = instant().await;
    let prefix = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/Shop";
    assert_eq!(server.register_package("Shop"), format!("{prefix}/1"));
    assert_eq!(server.register_package("shop"), format!("{prefix}/2"));
    let described = server
        .call(
            "DescribeModelPackage",
            json!({ "ModelPackageName": format!("{prefix}/2") }),
        )
        .expect("a package");
    assert_eq!(described["ModelApprovalStatus"], "Approved");
}

#[tokio::test]
async fn names_are_listed_sorted() {
    let server = instant().await;
    for name in ["b", "C", "a"] {
        deploy(&server, name);
    }
    let sorted = ["C", "a", "b"];
    assert_eq!(server.model_names(), sorted);
    assert_eq!(server.endpoint_config_names(), sorted);
    assert_eq!(server.endpoint_names(), sorted);
    server
        .call("DeleteEndpoint", json!({ "EndpointName": "b" }))
        .expect("deleted");
    assert_eq!(server.endpoint_names(), ["C", "a"]);
}

#[tokio::test]
async fn a_deleted_config_or_model_shows_on_the_endpoints_that_served_it() {
    let server = instant().await;
    for name in ["b", "C", "a"] {
        deploy(&server, name);
    }
    assert_eq!(server.endpoints_serving_deleted(), Vec::<String>::new());
    server
        .call("DeleteEndpointConfig", json!({ "EndpointConfigName": "C" }))
        .expect("deleted");
    server
        .call("DeleteModel", json!({ "ModelName": "a" }))
        .expect("deleted");
    assert_eq!(server.endpoints_serving_deleted(), ["C", "a"]);
}

#[tokio::test]
async fn a_status_is_forced() {
    let server = instant().await;
    deploy(&server, "shop");
    let status = || {
        let described = server.call("DescribeEndpoint", json!({ "EndpointName": "shop" }));
        described.expect("an endpoint")["EndpointStatus"].clone()
    };
    server.force_status("SHOP", "OutOfService", None);
    assert_eq!(status(), "OutOfService");
    server.force_status("shop", "SystemUpdating", Some(Duration::ZERO));
    assert_eq!(status(), "InService");
}

#[tokio::test]
#[should_panic(expected = "there is no endpoint none")]
async fn a_status_cannot_be_forced_on_nothing() {
    instant().await.force_status("none", "Failed", None);
}

/// Updates an endpoint to the config of its name, by a canary that bakes for an hour.
fn update_by_canary(server: &Server, name: &str) {
    let canary = json!({
        "Type": "CANARY",
        "CanarySize": { "Type": "CAPACITY_PERCENT", "Value": 10 },
        "WaitIntervalInSeconds": 3600,
    });
    let request = json!({
        "EndpointName": name,
        "EndpointConfigName": name,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": canary },
            "AutoRollbackConfiguration": { "Alarms": [{ "AlarmName": "slow" }] },
        },
    });
    server.call("UpdateEndpoint", request).expect("an update");
}

#[tokio::test]
async fn an_alarm_takes_the_traffic_back() {
    let server = instant().await;
    deploy(&server, "shop");
    assert_eq!(server.traffic("shop").to_string(), "100");
    update_by_canary(&server, "shop");
    assert_eq!(server.traffic("SHOP").to_string(), "10");
    server.trip_alarm("slow", true);
    assert_eq!(server.traffic("shop").to_string(), "0");
}

#[tokio::test]
async fn the_waits_of_a_canary_are_scaled() {
    let server = Server::start(Settings {
        create: Duration::ZERO,
        update: Duration::ZERO,
        guardrail_scale: 0.0,
        ..Settings::default()
    });
    let server = server.await.expect("a free port");
    deploy(&server, "shop");
    update_by_canary(&server, "shop");
    let described = server.call("DescribeEndpoint", json!({ "EndpointName": "shop" }));
    let described = described.expect("an endpoint");
    assert_eq!(described["EndpointStatus"], "InService");
    assert!(described["LastDeploymentConfig"].is_object(), "{described}");
}

#[tokio::test]
#[should_panic(expected = "there is no endpoint none")]
async fn nothing_has_no_traffic() {
    let _ = instant().await.traffic("none");
}

#[tokio::test]
async fn a_refusal_says_what_the_service_says() {
    let server = instant().await;
    let refused = server.call("DeleteModel", json!({ "ModelName": "none" }));
    let message = "Could not find model \"arn:aws:sagemaker:eu-west-1:123456789012:model/none\".";
    let expected = ServiceError {
        code: "ValidationException".to_owned(),
        message: message.to_owned(),
        status: 400,
    };
    assert_eq!(refused, Err(expected.clone()));
    assert_eq!(
        expected.to_string(),
        format!("ValidationException: {message}")
    );
    let unreadable = server
        .call("DeleteModel", json!("none"))
        .expect_err("no object");
    assert_eq!(unreadable.code, "SerializationException");
}
