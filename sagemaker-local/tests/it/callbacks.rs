//! Callback steps of pipelines, through the control paths and from Rust.

use sagemaker_local::{Fault, FaultKind, Server};
use serde_json::{Value, json};

use crate::client::{Answer, call, instant, send};

const EXECUTION: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop/execution/abc123";
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/deployments";

async fn control(server: &Server, method: &str, query: &str, body: &Value) -> Answer {
    let path = format!("/_local/callback-steps{query}");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    send(&server.url(), method, &path, "", &body).await
}

fn step(more: Value) -> Value {
    let mut step = json!({
        "pipeline_execution_arn": EXECUTION,
        "step_name": "Deploy",
        "queue_url": QUEUE,
    });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    step.as_object_mut().expect("an object").extend(more);
    step
}

#[tokio::test]
async fn a_step_is_started_answered_and_told() {
    let server = instant().await;
    let started = control(&server, "POST", "", &step(json!({}))).await;
    assert_eq!(started.status, 200);
    let token = started.body["token"].as_str().expect("a token");
    let query = format!("?token={token}");
    let told = control(&server, "GET", &query, &Value::Null).await;
    assert_eq!(
        (told.status, told.body),
        (
            200,
            json!({ "step_name": "Deploy", "status": "Executing", "answers": [] })
        )
    );

    let outputs = json!([{ "Name": "endpoint_status", "Value": "InService" }]);
    let request = json!({ "CallbackToken": token, "OutputParameters": outputs });
    let answer = call(&server, "SendPipelineExecutionStepSuccess", request.clone()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({ "PipelineExecutionArn": EXECUTION }));
    let told = control(&server, "GET", &query, &Value::Null).await;
    assert_eq!(
        told.body,
        json!({
            "step_name": "Deploy",
            "status": "Succeeded",
            "outputs": { "endpoint_status": "InService" },
            "answers": [{
                "operation": "SendPipelineExecutionStepSuccess",
                "request": request,
                "accepted": true,
                "error_code": null,
            }],
        })
    );
    assert_eq!(server.callback_step(token), Some(told.body));

    let listed = call(
        &server,
        "ListPipelineExecutionSteps",
        json!({ "PipelineExecutionArn": EXECUTION }),
    )
    .await;
    let listed = &listed.body["PipelineExecutionSteps"][0];
    assert_eq!(listed["Metadata"]["Callback"]["OutputParameters"], outputs);
}

#[tokio::test]
async fn a_token_may_be_given_and_its_step_expired() {
    let server = instant().await;
    let given = step(json!({ "token": "token12345" }));
    let started = control(&server, "POST", "", &given).await;
    assert_eq!(started.body, json!({ "token": "token12345" }));
    let expired = control(&server, "DELETE", "?token=token12345", &Value::Null).await;
    assert_eq!((expired.status, expired.body), (200, json!({})));
    let answer = call(
        &server,
        "SendPipelineExecutionStepFailure",
        json!({ "CallbackToken": "token12345" }),
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["__type"], "ValidationException");
    let told = server.callback_step("token12345").expect("a step");
    assert_eq!(told["status"], "Stopped");
    assert_eq!(told["answers"][0]["error_code"], "ValidationException");
}

#[tokio::test]
async fn steps_are_started_and_expired_from_rust() {
    let server = instant().await;
    assert_eq!(server.callback_step("abcdefghij"), None);
    let tokens = ["One", "Two"].map(|name| server.start_callback_step(EXECUTION, name, QUEUE));
    assert_ne!(tokens[0], tokens[1]);
    server.expire_callback(&tokens[0]);
    let statuses = tokens.map(|token| {
        let step = server.callback_step(&token).expect("a step");
        step["status"].clone()
    });
    assert_eq!(statuses, ["Stopped", "Executing"]);
}

#[tokio::test]
#[should_panic(expected = "shop is not the ARN of a pipeline execution")]
async fn a_step_is_not_started_of_nothing() {
    let _ = instant().await.start_callback_step("shop", "Deploy", QUEUE);
}

#[tokio::test]
#[should_panic(expected = "there is no callback step abcdefghij")]
async fn nothing_does_not_expire() {
    instant().await.expire_callback("abcdefghij");
}

#[tokio::test]
async fn what_control_cannot_do_is_refused_with_a_message() {
    let server = instant().await;
    for (method, query, body) in [
        ("POST", "", json!({ "step_name": "Deploy" })),
        (
            "POST",
            "",
            step(json!({ "pipeline_execution_arn": "shop" })),
        ),
        ("POST", "", step(json!({ "step_name": "Deploy it" }))),
        ("POST", "", step(json!({ "token": "short" }))),
        ("GET", "", Value::Null),
        ("GET", "?token=abcdefghij", Value::Null),
        ("DELETE", "", Value::Null),
        ("DELETE", "?token=abcdefghij", Value::Null),
    ] {
        let answer = control(&server, method, query, &body).await;
        assert_eq!(answer.status, 400, "{method} {query} {body}");
        assert!(answer.body["message"].is_string(), "{method} {query}");
    }
}

#[tokio::test]
async fn an_answer_that_is_struck_down_leaves_the_step_waiting_and_is_noted() {
    let server = instant().await;
    let operation = "SendPipelineExecutionStepSuccess";
    let token = server.start_callback_step(EXECUTION, "Deploy", QUEUE);
    let request = json!({ "CallbackToken": token, "OutputParameters": [] });
    server.inject(Fault::once(operation, FaultKind::Deny));
    let denied = call(&server, operation, request.clone()).await;
    let message = denied.body["message"].as_str().expect("words");
    let words = format!("sagemaker:{operation} on resource: {EXECUTION} because");
    assert!(message.contains(&words), "{message}");
    server.inject(Fault::once(operation, FaultKind::Throttle));
    let throttled = call(&server, operation, request.clone()).await;
    assert_eq!(throttled.body["__type"], "ThrottlingException");
    let told = server.callback_step(&token).expect("a step");
    assert_eq!(told["status"], "Executing");

    assert_eq!(call(&server, operation, request).await.status, 200);
    let told = server.callback_step(&token).expect("a step");
    assert_eq!(told["status"], "Succeeded");
    let answers = told["answers"].as_array().expect("a list");
    let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error_code"]).collect();
    let codes = json!(codes);
    assert_eq!(
        codes,
        json!(["AccessDeniedException", "ThrottlingException", null])
    );
}

#[tokio::test]
async fn an_unknown_token_is_answered_as_the_service_spells_it() {
    let server = instant().await;
    let request = json!({ "CallbackToken": "abcdefghij" });
    let answer = call(&server, "SendPipelineExecutionStepFailure", request).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body,
        json!({
            "__type": "ResourceNotFound",
            "Message": "Callback token abcdefghij does not exist.",
        })
    );
}
