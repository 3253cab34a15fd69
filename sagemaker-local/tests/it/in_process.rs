//! A server without a socket, and its connections.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Request, Response};
use sagemaker_local::{Fault, FaultKind, Hangup, Server, Settings};
use serde_json::{Value, json};
use tokio::time::timeout;

async fn send(server: &Server, target: &str, request: Value) -> Result<Response<Bytes>, Hangup> {
    let request = Request::post("/")
        .header("x-amz-target", target)
        .body(request.to_string().into());
    let request = request.expect("a request");
    server.connect().send(request).await
}

#[tokio::test]
async fn a_call_is_answered_and_recorded_as_over_a_socket() {
    let server = Server::without_socket(Settings::default());
    for (target, status, body) in [
        ("SageMaker.ListEndpoints", 200, json!({ "Endpoints": [] })),
        (
            "AmazonSQS.GetQueueUrl",
            200,
            json!({ "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/shop" }),
        ),
    ] {
        let answer = send(&server, target, json!({ "QueueName": "shop" })).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status);
        let answered: Value = serde_json::from_slice(answer.body()).expect("JSON");
        assert_eq!(answered, body);
    }
    let later = json!({ "QueueUrl": "shop", "ReceiptHandle": "1", "VisibilityTimeout": 43_201 });
    let refused = send(&server, "AmazonSQS.ChangeMessageVisibility", later).await;
    assert_eq!(refused.expect("an answer").status(), 400);
    let calls = server.calls();
    let called: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.acted))
        .collect();
    assert_eq!(
        called,
        [
            ("ListEndpoints", true),
            ("GetQueueUrl", true),
            ("ChangeMessageVisibility", false)
        ]
    );
}

#[tokio::test]
async fn a_call_misbehaves_as_over_a_socket() {
    let server = Server::without_socket(Settings::default());
    let group = |name: &str| json!({ "ModelPackageGroupName": name });
    let create = |name| send(&server, "SageMaker.CreateModelPackageGroup", group(name));
    let is_there = |name| {
        let described = server.call("DescribeModelPackageGroup", group(name));
        described.is_ok()
    };
    for (kind, name, acts) in [
        (FaultKind::DropBefore, "dropped", false),
        (FaultKind::DropAfter, "unanswered", true),
    ] {
        server.inject(Fault::once("*", kind));
        create(name).await.expect_err("no answer");
        assert_eq!(is_there(name), acts, "{name}");
    }
    let milliseconds = 3_600_000;
    for (kind, name, acts) in [
        (FaultKind::Hang, "hanging", false),
        (FaultKind::Late { milliseconds }, "late", true),
    ] {
        server.inject(Fault::once("*", kind));
        // Done at once, or never.
        let waited = timeout(Duration::ZERO, create(name)).await;
        waited.expect_err("no answer in time");
        assert_eq!(is_there(name), acts, "{name}");
    }
}
