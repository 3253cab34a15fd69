//! AWS JSON 1.1 over HTTP.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sagemaker_local::{Call, Fault, FaultKind, Server, Settings};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::client::{call, call_briefly, instant, send};

#[tokio::test]
async fn an_operation_is_answered_in_aws_json() {
    let server = instant().await;
    let answer = call(
        &server,
        "CreateModelPackageGroup",
        json!({ "ModelPackageGroupName": "Shop" }),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("content-type: application/x-amz-json-1.1"),
        "{}",
        answer.head
    );
    assert!(
        answer.head.contains("x-amzn-requestid: "),
        "{}",
        answer.head
    );
    assert_eq!(
        answer.body,
        json!({ "ModelPackageGroupArn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/Shop" })
    );
}

#[tokio::test]
async fn a_refusal_is_answered_in_aws_json() {
    let server = instant().await;
    let answer = call(
        &server,
        "DescribeEndpoint",
        json!({ "EndpointName": "None" }),
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body,
        json!({
            "__type": "ValidationException",
            "message": "Could not find endpoint \"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/None\".",
        })
    );
}

#[tokio::test]
async fn an_operation_without_output_is_answered_with_no_body() {
    let server = instant().await;
    let package = server.register_package("shop");
    let answer = call(
        &server,
        "DeleteModelPackage",
        json!({ "ModelPackageName": package }),
    )
    .await;
    assert_eq!((answer.status, answer.body), (200, Value::Null));
    assert!(answer.head.contains("content-length: 0"), "{}", answer.head);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let server = instant().await;
    let target = "X-Amz-Target: SageMaker.ListModels\r\n";
    for (method, headers, body, code) in [
        ("POST", target, "{", "SerializationException"),
        ("POST", target, "[]", "SerializationException"),
        ("POST", "", "{}", "UnknownOperationException"),
        (
            "POST",
            "X-Amz-Target: SageMaker.MakeTea\r\n",
            "{}",
            "UnknownOperationException",
        ),
        (
            "POST",
            "X-Amz-Target: Other.ListModels\r\n",
            "{}",
            "UnknownOperationException",
        ),
        ("GET", target, "", "UnknownOperationException"),
    ] {
        let answer = send(&server.url(), method, "/", headers, body).await;
        assert_eq!(
            (answer.status, &answer.body["__type"]),
            (400, &json!(code)),
            "{headers} {body}"
        );
    }
    let empty = send(&server.url(), "POST", "/", target, "").await;
    assert_eq!(empty.body, json!({ "Models": [] }));
}

#[tokio::test]
async fn every_call_is_recorded() {
    let server = instant().await;
    call(&server, "ListModels", json!({ "MaxResults": 5 })).await;
    call(&server, "DeleteModel", json!({ "ModelName": "none" })).await;
    server.call("ListModels", json!({})).expect("unrecorded");

    let calls = server.calls();
    assert!(
        calls.is_sorted_by(|left, right| left.at_seconds <= right.at_seconds),
        "{calls:?}"
    );
    let expected =
        |operation: &str, request: Value, status: u16, error_code: Option<&str>, at_seconds| Call {
            operation: operation.to_owned(),
            request,
            status: Some(status),
            error_code: error_code.map(str::to_owned),
            at_seconds,
            acted: error_code.is_none(),
        };
    assert_eq!(
        calls,
        [
            expected(
                "ListModels",
                json!({ "MaxResults": 5 }),
                200,
                None,
                calls[0].at_seconds
            ),
            expected(
                "DeleteModel",
                json!({ "ModelName": "none" }),
                400,
                Some("ValidationException"),
                calls[1].at_seconds
            ),
        ]
    );
    server.clear_calls();
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other() {
    let server = instant().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        for _ in 0..2 {
            let request = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListModels\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(request.as_bytes()).expect("the server reads");
            let mut reader = BufReader::new(&stream);
            let head: Vec<String> =
                reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            assert_eq!(head[0], "HTTP/1.1 200 OK");
            let mut body = vec![0; r#"{"Models":[]}"#.len()];
            reader.read_exact(&mut body).expect("a body");
            assert_eq!(body, br#"{"Models":[]}"#);
        }
    })
    .await
    .expect("the client does not panic");
}

#[tokio::test]
async fn calls_are_served_side_by_side() {
    let server = instant().await;
    server.inject(Fault::once("ListModels", FaultKind::Hang));
    let url = server.url();
    let hanging = tokio::spawn(async move { call_briefly(&url, "ListModels", &json!({})).await });
    while server.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let answer = call(&server, "ListModels", json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.calls()[0].status, None, "the first one still hangs");
    hanging.await.expect("the client does not panic");
}

#[tokio::test]
async fn a_dropped_server_lets_go_of_its_port_and_its_connections() {
    let server = instant().await;
    server.inject(Fault::once("*", FaultKind::Hang));
    let url = server.url();
    let address = url
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let mut connection = TcpStream::connect(address).expect("the server listens");
    let patience = Some(Duration::from_secs(30));
    connection
        .set_read_timeout(patience)
        .expect("a timeout above 0");
    let request = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListModels\r\nContent-Length: 2\r\n\r\n{}";
    connection
        .write_all(request.as_bytes())
        .expect("the server reads");
    while server.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(server);

    let heard = spawn_blocking(move || connection.read(&mut [0; 1]))
        .await
        .expect("no panic");
    let reset = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionReset;
    let closed = heard.as_ref().map_or_else(reset, |count| *count == 0);
    assert!(closed, "the hanging connection is closed: {heard:?}");
    let again = Server::bind(address, Settings::default())
        .await
        .expect("the port is free");
    assert_eq!(again.url(), url);
}
