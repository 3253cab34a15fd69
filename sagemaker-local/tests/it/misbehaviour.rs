//! Every kind of misbehaviour, as a client meets it.

use std::time::{Duration, Instant};

use sagemaker_local::{Fault, FaultKind, Outcome, Server, Settings};
use serde_json::{Value, json};

use crate::client::{Received, call, call_briefly, instant, try_call};

/// A server with the model `model` and the configs `a` and `b`.
async fn with_configs() -> Server {
    let server = instant().await;
    let container = json!({ "Image": "image" });
    let model = json!({ "ModelName": "model", "PrimaryContainer": container });
    server.call("CreateModel", model).expect("a model");
    for name in ["a", "b"] {
        let variant = json!({
            "VariantName": "v",
            "ModelName": "model",
            "InstanceType": "ml.g6.48xlarge",
            "InitialInstanceCount": 1,
        });
        let config = json!({ "EndpointConfigName": name, "ProductionVariants": [variant] });
        server
            .call("CreateEndpointConfig", config)
            .expect("a config");
    }
    server
}

fn on(name: &str, config: &str) -> Value {
    json!({ "EndpointName": name, "EndpointConfigName": config })
}

fn told(server: &Server, name: &str) -> (String, String, Option<String>) {
    let described = server
        .call("DescribeEndpoint", json!({ "EndpointName": name }))
        .expect("an endpoint");
    let text = |member: &str| described[member].as_str().map(str::to_owned);
    (
        text("EndpointStatus").expect("a status"),
        text("EndpointConfigName").expect("a config"),
        text("FailureReason"),
    )
}

#[tokio::test]
async fn a_refused_call_is_not_carried_out() {
    let server = with_configs().await;
    let user = "arn:aws:sts::123456789012:assumed-role/sagemaker-local/caller";
    let endpoint = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/Shop";
    let other = FaultKind::Error {
        code: "ServiceUnavailable".to_owned(),
        message: "Later.".to_owned(),
        status: 503,
    };
    for (kind, status, code, member, message) in [
        (FaultKind::Throttle, 400, "ThrottlingException", "message", "Rate exceeded".to_owned()),
        (
            FaultKind::Deny,
            400,
            "AccessDeniedException",
            "message",
            format!(
                "User: {user} is not authorized to perform: sagemaker:CreateEndpoint on resource: {endpoint} because \
                 no identity-based policy allows the sagemaker:CreateEndpoint action"
            ),
        ),
        (
            FaultKind::Fail,
            500,
            "InternalFailure",
            "message",
            "The request processing has failed because of an internal error.".to_owned(),
        ),
        (
            FaultKind::Limit,
            400,
            "ResourceLimitExceeded",
            "Message",
            "The account-level service limit 'ml.g6.48xlarge for endpoint usage' is 0 Instances, with current \
             utilization of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request \
             an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an \
             increase for this quota."
                .to_owned(),
        ),
        (
            FaultKind::ConfigNotFound,
            400,
            "ValidationException",
            "message",
            "Could not find endpoint configuration \
             \"arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/a\"."
                .to_owned(),
        ),
        (other, 503, "ServiceUnavailable", "message", "Later.".to_owned()),
    ] {
        server.inject(Fault::once("CreateEndpoint", kind));
        let answer = call(&server, "CreateEndpoint", on("Shop", "a")).await;
        assert_eq!((answer.status, answer.body), (status, json!({ "__type": code, member: message })));
        let recorded = server.calls().pop().expect("a call");
        assert_eq!((recorded.status, recorded.error_code.as_deref()), (Some(status), Some(code)));
        assert!(!recorded.acted, "{code}");
        assert_eq!(server.endpoint_names(), Vec::<String>::new(), "{code}");
    }
    assert_eq!(
        call(&server, "CreateEndpoint", on("Shop", "a"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_connection_dropped_before_or_after_the_act_has_no_answer() {
    let server = with_configs().await;
    for (kind, acted) in [(FaultKind::DropBefore, false), (FaultKind::DropAfter, true)] {
        server.inject(Fault::once("CreateEndpoint", kind));
        let received = try_call(&server.url(), "CreateEndpoint", &on("Shop", "a")).await;
        assert_eq!(received, Received::Closed);
        let recorded = server.calls().pop().expect("a call");
        assert_eq!(
            (recorded.status, recorded.error_code, recorded.acted),
            (None, None, acted)
        );
        assert_eq!(server.endpoint_names().len(), usize::from(acted));
    }
}

#[tokio::test]
async fn a_hanging_call_is_never_answered_and_never_carried_out() {
    let server = with_configs().await;
    server.inject(Fault::once("CreateEndpoint", FaultKind::Hang));
    let received = call_briefly(&server.url(), "CreateEndpoint", &on("Shop", "a")).await;
    assert_eq!(received, Received::Silence);
    let recorded = server.calls().pop().expect("a call");
    assert_eq!((recorded.status, recorded.acted), (None, false));
    assert_eq!(server.endpoint_names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_late_call_is_carried_out_at_once_and_answered_late() {
    let server = with_configs().await;
    server.inject(Fault::once(
        "CreateEndpoint",
        FaultKind::Late { milliseconds: 100 },
    ));
    let started = Instant::now();
    assert_eq!(
        call(&server, "CreateEndpoint", on("Shop", "a"))
            .await
            .status,
        200
    );
    assert!(started.elapsed() >= Duration::from_millis(100));

    // Later than the client waits.
    server.inject(Fault::once(
        "CreateEndpoint",
        FaultKind::Late {
            milliseconds: 60_000,
        },
    ));
    let received = call_briefly(&server.url(), "CreateEndpoint", &on("Till", "a")).await;
    assert_eq!(received, Received::Silence);
    assert_eq!(server.endpoint_names(), ["Shop", "Till"]);
    assert!(server.calls().pop().expect("a call").acted);
}

#[tokio::test]
async fn a_stale_read_answers_as_before_the_update() {
    let server = with_configs().await;
    server
        .call("CreateEndpoint", on("Shop", "a"))
        .expect("created");
    server
        .call("UpdateEndpoint", on("Shop", "b"))
        .expect("updated");
    server.inject(Fault::once("*", FaultKind::Stale).times(2));

    let stale = call(
        &server,
        "DescribeEndpoint",
        json!({ "EndpointName": "shop" }),
    )
    .await;
    assert_eq!(stale.body["EndpointConfigName"], "a");
    let stale = call(&server, "ListEndpoints", json!({})).await;
    let fresh = call(&server, "ListEndpoints", json!({})).await;
    assert_ne!(
        stale.body["Endpoints"][0]["LastModifiedTime"],
        fresh.body["Endpoints"][0]["LastModifiedTime"]
    );
    let fresh = call(
        &server,
        "DescribeEndpoint",
        json!({ "EndpointName": "shop" }),
    )
    .await;
    assert_eq!(fresh.body["EndpointConfigName"], "b");
}

#[tokio::test]
async fn faults_come_and_go_as_they_were_told_to() {
    let server = instant().await;
    server.inject(
        Fault::once("ListModels", FaultKind::Throttle)
            .times(2)
            .after(1),
    );
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(call(&server, "ListModels", json!({})).await.status);
    }
    assert_eq!(statuses, [200, 400, 400, 200]);

    server.inject(Fault::once("*", FaultKind::Fail).always());
    for _ in 0..3 {
        assert_eq!(call(&server, "ListModels", json!({})).await.status, 500);
    }
    server.clear_faults();
    assert_eq!(call(&server, "ListModels", json!({})).await.status, 200);
}

#[tokio::test]
async fn past_the_rate_limit_every_call_is_throttled() {
    let settings = Settings {
        // So slow that no further call passes while the test runs.
        calls_per_second: Some(0.001),
        ..Settings::default()
    };
    let server = Server::start(settings).await.expect("a free port");
    server.inject(Fault::once("ListModels", FaultKind::Fail).after(1));
    assert_eq!(call(&server, "ListModels", json!({})).await.status, 200);
    for _ in 0..2 {
        let answer = call(&server, "ListModels", json!({})).await;
        assert_eq!(
            answer.body,
            json!({ "__type": "ThrottlingException", "message": "Rate exceeded" })
        );
    }
    let recorded = server.calls().pop().expect("a call");
    assert_eq!(recorded.error_code.as_deref(), Some("ThrottlingException"));
    assert!(!recorded.acted);
    server
        .call("ListModels", json!({}))
        .expect("not counted in-process");
}

#[tokio::test]
async fn the_rate_limit_lets_calls_pass_again_after_a_while() {
    let settings = Settings {
        calls_per_second: Some(2.0),
        ..Settings::default()
    };
    let server = Server::start(settings).await.expect("a free port");
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut throttled = false;
    loop {
        assert!(Instant::now() < deadline, "throttled once: {throttled}");
        let status = call(&server, "ListModels", json!({})).await.status;
        if throttled && status == 200 {
            break;
        }
        throttled |= status == 400;
    }
}

#[tokio::test]
async fn a_deployment_ends_as_it_was_told_to() {
    let server = with_configs().await;
    let reason = Some("told to".to_owned());

    server.set_outcome(
        "SHOP",
        Outcome::CreateFails {
            reason: reason.clone(),
        },
    );
    call(&server, "CreateEndpoint", on("Shop", "a")).await;
    assert_eq!(
        told(&server, "Shop"),
        ("Failed".to_owned(), "a".to_owned(), reason.clone())
    );
    call(&server, "DeleteEndpoint", json!({ "EndpointName": "Shop" })).await;

    call(&server, "CreateEndpoint", on("Shop", "a")).await;
    for (outcome, status) in [
        (
            Outcome::UpdateRollsBack {
                reason: reason.clone(),
            },
            "InService",
        ),
        (
            Outcome::UpdateRollbackFails {
                reason: reason.clone(),
            },
            "UpdateRollbackFailed",
        ),
        (
            Outcome::UpdateFails {
                reason: reason.clone(),
            },
            "Failed",
        ),
    ] {
        server.set_outcome("Shop", outcome);
        assert_eq!(
            call(&server, "UpdateEndpoint", on("Shop", "b"))
                .await
                .status,
            200
        );
        assert_eq!(
            told(&server, "Shop"),
            (status.to_owned(), "a".to_owned(), reason.clone())
        );
    }
}
