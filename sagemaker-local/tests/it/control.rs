//! The control paths.

use sagemaker_local::Server;
use serde_json::{Value, json};

use crate::client::{Answer, call, instant, send};

async fn post(server: &Server, path: &str, body: Value) -> Answer {
    send(&server.url(), "POST", path, "", &body.to_string()).await
}

async fn plain(server: &Server, method: &str, path: &str) -> Answer {
    send(&server.url(), method, path, "", "").await
}

/// A server with the endpoint `Shop` in service on `a`, and the config `b`.
async fn in_service() -> Server {
    let server = instant().await;
    let container = json!({ "Image": "image" });
    let model = json!({ "ModelName": "model", "PrimaryContainer": container });
    server.call("CreateModel", model).expect("a model");
    for name in ["a", "b"] {
        let variant = json!({
            "VariantName": "v",
            "ModelName": "model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        });
        let config = json!({ "EndpointConfigName": name, "ProductionVariants": [variant] });
        server
            .call("CreateEndpointConfig", config)
            .expect("a config");
    }
    let endpoint = json!({ "EndpointName": "Shop", "EndpointConfigName": "a" });
    server
        .call("CreateEndpoint", endpoint)
        .expect("an endpoint");
    server
}

#[tokio::test]
async fn faults_are_injected_and_cleared() {
    let server = instant().await;
    let fault = json!({ "operation": "ListModels", "kind": "throttle", "calls": 9, "skip": 1 });
    assert_eq!(post(&server, "/_local/faults", fault).await.status, 200);
    assert_eq!(call(&server, "ListModels", json!({})).await.status, 200);
    assert_eq!(call(&server, "ListModels", json!({})).await.status, 400);
    assert_eq!(plain(&server, "DELETE", "/_local/faults").await.status, 200);
    assert_eq!(call(&server, "ListModels", json!({})).await.status, 200);
}

#[tokio::test]
async fn outcomes_are_set() {
    let server = in_service().await;
    let outcome =
        json!({ "endpoint_name": "shop", "outcome": "update-rolls-back", "reason": "unhealthy" });
    assert_eq!(post(&server, "/_local/outcomes", outcome).await.status, 200);
    let outcome = json!({ "endpoint_name": "shop", "outcome": "update-fails", "reason": null });
    assert_eq!(post(&server, "/_local/outcomes", outcome).await.status, 200);

    let mut ends = Vec::new();
    for _ in 0..2 {
        call(
            &server,
            "UpdateEndpoint",
            json!({ "EndpointName": "Shop", "EndpointConfigName": "b" }),
        )
        .await;
        let described = call(
            &server,
            "DescribeEndpoint",
            json!({ "EndpointName": "Shop" }),
        )
        .await
        .body;
        ends.push((
            described["EndpointStatus"].clone(),
            described["FailureReason"].clone(),
        ));
    }
    assert_eq!(
        ends,
        [
            (json!("InService"), json!("unhealthy")),
            (json!("Failed"), Value::Null)
        ]
    );
}

#[tokio::test]
async fn statuses_are_forced() {
    let server = in_service().await;
    for (seconds, seen) in [
        (json!(3600), "SystemUpdating"),
        (json!(0.0), "InService"),
        (Value::Null, "SystemUpdating"),
    ] {
        let status =
            json!({ "endpoint_name": "shop", "status": "SystemUpdating", "seconds": seconds });
        assert_eq!(post(&server, "/_local/statuses", status).await.status, 200);
        let described = call(
            &server,
            "DescribeEndpoint",
            json!({ "EndpointName": "Shop" }),
        )
        .await;
        assert_eq!(described.body["EndpointStatus"], seen, "{seconds}");
    }
}

#[tokio::test]
async fn calls_are_told_and_forgotten_and_control_requests_are_not_among_them() {
    let server = instant().await;
    call(&server, "ListModels", json!({ "MaxResults": 1 })).await;
    let told = plain(&server, "GET", "/_local/calls").await.body;
    assert!(told[0]["at_seconds"].is_number(), "{told}");
    assert_eq!(
        told,
        json!([{
            "operation": "ListModels",
            "request": { "MaxResults": 1 },
            "status": 200,
            "error_code": null,
            "at_seconds": told[0]["at_seconds"],
            "acted": true,
        }])
    );
    assert_eq!(plain(&server, "DELETE", "/_local/calls").await.status, 200);
    assert_eq!(plain(&server, "GET", "/_local/calls").await.body, json!([]));
}

#[tokio::test]
async fn an_alarm_rolls_back_a_canary_whose_traffic_is_told() {
    let server = in_service().await;
    let told = || async { plain(&server, "GET", "/_local/traffic?endpoint_name=Shop").await };
    assert_eq!(told().await.body, json!({ "percent": 100.0 }));

    let canary = json!({ "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": {
        "Type": "CANARY",
        "CanarySize": { "Type": "CAPACITY_PERCENT", "Value": 10 },
        "WaitIntervalInSeconds": 3600,
    } }, "AutoRollbackConfiguration": { "Alarms": [{ "AlarmName": "slow" }] } });
    let update = json!({
        "EndpointName": "Shop",
        "EndpointConfigName": "b",
        "DeploymentConfig": canary,
    });
    let updated = call(&server, "UpdateEndpoint", update).await;
    assert_eq!(updated.status, 200);
    assert_eq!(told().await.body, json!({ "percent": 10.0 }));

    let alarm = json!({ "alarm_name": "slow", "tripped": true });
    assert_eq!(post(&server, "/_local/alarms", alarm).await.status, 200);
    assert_eq!(told().await.body, json!({ "percent": 0.0 }));
    let described = call(
        &server,
        "DescribeEndpoint",
        json!({ "EndpointName": "Shop" }),
    )
    .await
    .body;
    assert_eq!(described["EndpointStatus"], "InService");
    assert_eq!(described["EndpointConfigName"], "a");
    assert!(described["FailureReason"].is_string(), "{described}");
}

#[tokio::test]
async fn the_traffic_is_that_of_an_endpoint() {
    let server = in_service().await;
    for path in ["traffic", "traffic?name=Shop", "traffic?endpoint_name=none"] {
        let answer = plain(&server, "GET", &format!("/_local/{path}")).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.body["message"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let server = in_service().await;
    let fault = json!({ "operation": "*", "kind": "fail", "calls": 100, "skip": 1 });
    post(&server, "/_local/faults", fault).await;
    call(&server, "ListModels", json!({})).await;
    assert_eq!(plain(&server, "POST", "/_local/reset").await.status, 200);

    assert_eq!(server.calls(), []);
    assert_eq!(server.endpoint_names(), Vec::<String>::new());
    assert_eq!(
        call(&server, "ListModels", json!({})).await.body,
        json!({ "Models": [] })
    );
}

#[tokio::test]
async fn the_server_says_that_it_is_well() {
    assert_eq!(
        plain(&instant().await, "GET", "/_local/health")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_control_cannot_read_is_refused_with_a_message() {
    let server = in_service().await;
    for (path, body, status) in [
        ("/_local/faults", json!({ "operation": "*" }), 400),
        ("/_local/faults", json!({ "kind": "fail" }), 400),
        ("/_local/faults", json!([]), 400),
        ("/_local/statuses", json!({ "endpoint_name": "Shop" }), 400),
        (
            "/_local/faults",
            json!({ "operation": "*", "kind": "explode" }),
            400,
        ),
        (
            "/_local/faults",
            json!({ "operation": "*", "kind": "late" }),
            400,
        ),
        (
            "/_local/outcomes",
            json!({ "endpoint_name": "x", "outcome": "rains" }),
            400,
        ),
        (
            "/_local/statuses",
            json!({ "endpoint_name": "none", "status": "Failed" }),
            400,
        ),
        (
            "/_local/statuses",
            json!({ "endpoint_name": "Shop", "status": "Failed", "seconds": -1 }),
            400,
        ),
        ("/_local/alarms", json!({ "alarm_name": "slow" }), 400),
        ("/_local/tea", json!({}), 404),
    ] {
        let answer = post(&server, path, body.clone()).await;
        assert_eq!(answer.status, status, "{path} {body}");
        assert!(answer.body["message"].is_string(), "{path} {body}");
    }
    assert_eq!(server.calls(), []);
}
