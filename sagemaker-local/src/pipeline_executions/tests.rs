use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::scene::Scene;

const SUCCEED: &str = "SendPipelineExecutionStepSuccess";
const FAIL: &str = "SendPipelineExecutionStepFailure";
const EXECUTION: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop/execution/abc123";
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/deployments";
/// Two client tokens of the least length.
const ONE: &str = "11111111111111111111111111111111";
const OTHER: &str = "22222222222222222222222222222222";

/// Starts a step of the execution; its token.
fn start(scene: &mut Scene, name: &str) -> String {
    let now = scene.now;
    let steps = &mut scene.account.callback_steps;
    steps
        .start(EXECUTION, name, QUEUE, None, now)
        .expect("a token")
}

fn succeeds(token: &str, outputs: &Value) -> Value {
    json!({ "CallbackToken": token, "OutputParameters": outputs })
}

fn told(scene: &Scene, token: &str) -> Value {
    let step = scene.account.callback_steps.get(token);
    step.expect("a step").told()
}

fn model(value: &str) -> Value {
    json!([{ "Name": "model", "Value": value }])
}

fn steps(scene: &mut Scene, more: Value) -> Value {
    let mut request = json!({ "PipelineExecutionArn": EXECUTION });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    request.as_object_mut().expect("an object").extend(more);
    scene.done("ListPipelineExecutionSteps", request)
}

#[test]
fn a_step_succeeds_with_its_outputs() {
    let mut scene = Scene::new();
    let token = start(&mut scene, "Deploy");
    assert_eq!(told(&scene, &token)["status"], "Executing");
    let started = timestamp(scene.now);
    scene.pass(9.0);
    let request = succeeds(&token, &model("m-1"));
    assert_eq!(
        scene.done(SUCCEED, request.clone()),
        json!({ "PipelineExecutionArn": EXECUTION })
    );
    let ended = timestamp(scene.now);
    assert_eq!(
        told(&scene, &token),
        json!({
            "step_name": "Deploy",
            "status": "Succeeded",
            "outputs": { "model": "m-1" },
            "answers": [{ "operation": SUCCEED, "request": request, "accepted": true, "error_code": null }],
        })
    );
    assert_eq!(
        steps(&mut scene, json!({})),
        json!({ "PipelineExecutionSteps": [{
            "StepName": "Deploy",
            "StepStatus": "Succeeded",
            "StartTime": started,
            "EndTime": ended,
            "Metadata": { "Callback": {
                "CallbackToken": token,
                "SqsQueueUrl": QUEUE,
                "OutputParameters": model("m-1"),
            } },
        }] })
    );
}

#[test]
fn a_step_fails_with_a_reason_or_none() {
    let mut scene = Scene::new();
    for reason in [json!("no capacity"), Value::Null] {
        let token = start(&mut scene, "Deploy");
        let request = json!({ "CallbackToken": token, "FailureReason": reason });
        scene.done(FAIL, request);
        let told = told(&scene, &token);
        assert_eq!(told["status"], "Failed");
        let reason = reason.as_str();
        assert_eq!(told.get("failure_reason").and_then(Value::as_str), reason);
        assert_eq!(told.get("outputs"), None);
        let listed = steps(&mut scene, json!({ "MaxResults": 1 }));
        let step = &listed["PipelineExecutionSteps"][0];
        assert_eq!(step["StepStatus"], "Failed");
        assert_eq!(step.get("FailureReason").and_then(Value::as_str), reason);
    }
}

#[test]
fn a_token_that_nobody_was_given_is_not_found() {
    for operation in [SUCCEED, FAIL] {
        let request = json!({ "CallbackToken": "abcdefghij" });
        let refused = Scene::new().refused(operation, request);
        assert_eq!(refused.code, "ResourceNotFound");
        assert_eq!(refused.message, "Callback token abcdefghij does not exist.");
    }
}

#[test]
fn a_step_is_answered_once() {
    let mut scene = Scene::new();
    let token = start(&mut scene, "Deploy");
    scene.done(SUCCEED, succeeds(&token, &model("m-1")));
    for (operation, request) in [
        (SUCCEED, succeeds(&token, &model("m-1"))),
        (FAIL, json!({ "CallbackToken": token })),
    ] {
        let refused = scene.refused(operation, request);
        assert_eq!(refused.code, "ValidationException");
        let words = format!(
            "Callback token {token} is no longer valid: step Deploy of {EXECUTION} is Succeeded."
        );
        assert_eq!(refused.message, words);
    }
    let told = told(&scene, &token);
    assert_eq!(told["outputs"], json!({ "model": "m-1" }));
    let answers = told["answers"].as_array().expect("a list");
    let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error_code"]).collect();
    let refused = json!("ValidationException");
    assert_eq!(codes, [&Value::Null, &refused, &refused]);
    assert_eq!(answers[2]["operation"], FAIL);
    assert_eq!(answers[2]["accepted"], false);
}

#[test]
fn the_same_answer_is_accepted_again_by_its_client_token() {
    let with = |token: &str, client: Option<&str>, outputs: Value| {
        let mut request = succeeds(token, &outputs);
        request["ClientRequestToken"] = client.into();
        request
    };
    let two = |first: &str, second: &str| json!([{ "Name": first, "Value": "v" }, { "Name": second, "Value": "v" }]);
    for (first, client, second, good) in [
        (two("a", "b"), Some(ONE), two("a", "b"), true),
        (two("a", "b"), Some(ONE), two("b", "a"), true),
        (two("a", "b"), Some(ONE), two("a", "c"), false),
        (two("a", "b"), Some(OTHER), two("a", "b"), false),
        (two("a", "b"), None, two("a", "b"), false),
    ] {
        let mut scene = Scene::new();
        let token = start(&mut scene, "Deploy");
        let accepted = scene.done(SUCCEED, with(&token, Some(ONE), first.clone()));
        let again = scene.call(SUCCEED, with(&token, client, second.clone()));
        if good {
            assert_eq!(again, Ok(accepted));
        } else {
            assert!(again.is_err(), "{client:?} {second}");
        }
        assert_eq!(
            told(&scene, &token)["outputs"],
            json!({ "a": "v", "b": "v" })
        );
    }

    let mut scene = Scene::new();
    let token = start(&mut scene, "Deploy");
    let fails = |reason: &str| json!({ "CallbackToken": token, "FailureReason": reason, "ClientRequestToken": ONE });
    scene.done(FAIL, fails("no capacity"));
    scene.done(FAIL, fails("no capacity"));
    scene.refused(FAIL, fails("no quota"));
    scene.refused(SUCCEED, with(&token, Some(ONE), json!([])));

    // A failure without a reason is no success without outputs.
    let token = start(&mut scene, "Deploy");
    let bare = json!({ "CallbackToken": token, "ClientRequestToken": ONE });
    scene.done(FAIL, bare.clone());
    scene.refused(SUCCEED, bare);
}

#[test]
fn an_expired_step_is_not_answered_and_an_answered_one_does_not_expire() {
    let mut scene = Scene::new();
    let (late, done) = (start(&mut scene, "Late"), start(&mut scene, "Done"));
    scene.done(SUCCEED, succeeds(&done, &json!([])));
    let now = scene.now;
    for token in [&late, &done] {
        assert!(scene.account.callback_steps.expire(token, now));
    }
    assert!(!scene.account.callback_steps.expire("abcdefghij", now));
    assert_eq!(told(&scene, &done)["status"], "Succeeded");
    assert_eq!(told(&scene, &late)["status"], "Stopped");
    let refused = scene.refused(SUCCEED, succeeds(&late, &json!([])));
    assert_eq!(refused.code, "ValidationException");
    assert_eq!(told(&scene, &late)["status"], "Stopped");
}

#[test]
fn a_step_whose_pipeline_is_stopped_still_waits_for_an_answer() {
    let mut scene = Scene::new();
    let token = start(&mut scene, "Deploy");
    assert!(scene.account.callback_steps.stop(&token));
    assert!(!scene.account.callback_steps.stop("abcdefghij"));
    assert_eq!(told(&scene, &token)["status"], "Stopping");
    scene.done(
        FAIL,
        json!({ "CallbackToken": token, "FailureReason": "stopped" }),
    );
    assert_eq!(told(&scene, &token)["status"], "Failed");
}

#[test]
fn an_answer_is_within_its_bounds_and_noted_all_the_same() {
    let many: Vec<Value> = (0..51)
        .map(|index| json!({ "Name": format!("n{index}"), "Value": "" }))
        .collect();
    let output = |name: usize, value: usize| json!([{ "Name": "n".repeat(name), "Value": "v".repeat(value) }]);
    let mut scene = Scene::new();
    let token = start(&mut scene, "Deploy");
    let of = |more: Value| {
        let mut request = json!({ "CallbackToken": token });
        let more = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(more);
        request
    };
    let bad = [
        (SUCCEED, json!({ "OutputParameters": many })),
        (SUCCEED, json!({ "OutputParameters": output(257, 1) })),
        (SUCCEED, json!({ "OutputParameters": output(1, 1025) })),
        (SUCCEED, json!({ "OutputParameters": [{ "Name": "n" }] })),
        (
            SUCCEED,
            json!({ "OutputParameters": [{ "Name": "n", "Value": "1" }, { "Name": "n", "Value": "2" }] }),
        ),
        (SUCCEED, json!({ "ClientRequestToken": "x".repeat(31) })),
        (FAIL, json!({ "ClientRequestToken": "x".repeat(129) })),
        (FAIL, json!({ "FailureReason": "x".repeat(257) })),
    ];
    for (operation, more) in &bad {
        let refused = scene.refused(operation, of(more.clone()));
        assert_eq!(refused.code, "ValidationException", "{more}");
    }
    let noted = told(&scene, &token);
    assert_eq!(noted["status"], "Executing");
    let answers = noted["answers"].as_array().expect("a list");
    assert_eq!(answers.len(), bad.len());
    assert!(answers.iter().all(|answer| answer["accepted"] == false));

    let mut most = many[..49].to_vec();
    most.push(output(256, 1024)[0].clone());
    scene.done(SUCCEED, of(json!({ "OutputParameters": most })));
    let token = start(&mut scene, "Deploy");
    let longest = "é".repeat(256);
    scene.done(
        FAIL,
        json!({ "CallbackToken": token, "FailureReason": longest }),
    );
}

#[test]
fn a_token_has_ten_letters_and_digits() {
    for token in [
        json!("abcdefghi"),
        json!("abcdefghijk"),
        json!("abcdefghi-"),
        Value::Null,
    ] {
        for operation in [SUCCEED, FAIL] {
            let request = json!({ "CallbackToken": token });
            let refused = Scene::new().refused(operation, request);
            assert_eq!(refused.code, "ValidationException", "{token}");
            assert!(refused.message.contains("at 'callbackToken'"), "{refused}");
        }
    }
}

#[test]
fn steps_are_listed_newest_first_and_page_by_page() {
    let mut scene = Scene::new();
    for name in ["One", "Two", "Three"] {
        start(&mut scene, name);
    }
    let names = |answer: &Value| {
        let steps = answer["PipelineExecutionSteps"].as_array().expect("a list");
        let names = steps.iter().map(|step| step["StepName"].clone());
        names.collect::<Vec<_>>()
    };
    let first = steps(&mut scene, json!({ "MaxResults": 2 }));
    assert_eq!(names(&first), ["Three", "Two"]);
    let token = first["NextToken"].clone();
    let second = steps(&mut scene, json!({ "MaxResults": 2, "NextToken": token }));
    assert_eq!(names(&second), ["One"]);
    assert_eq!(second.get("NextToken"), None);
    let oldest = steps(&mut scene, json!({ "SortOrder": "Ascending" }));
    assert_eq!(names(&oldest), ["One", "Two", "Three"]);

    let other = EXECUTION.replace("abc123", "other");
    for operation in ["ListPipelineExecutionSteps", "DescribePipelineExecution"] {
        let request = json!({ "PipelineExecutionArn": other });
        assert_eq!(scene.refused(operation, request).code, "ResourceNotFound");
        let refused = scene.refused(operation, json!({ "PipelineExecutionArn": "shop" }));
        assert_eq!(refused.code, "ValidationException");
    }
}

#[test]
fn an_execution_is_what_its_steps_make_of_it() {
    let mut scene = Scene::new();
    let created = timestamp(scene.now);
    let tokens = ["One", "Two", "Three"].map(|name| start(&mut scene, name));
    let request = json!({ "PipelineExecutionArn": EXECUTION.replace("shop", "Shop") });
    let described = scene.done("DescribePipelineExecution", request);
    assert_eq!(
        described,
        json!({
            "PipelineArn": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop",
            "PipelineExecutionArn": EXECUTION,
            "PipelineExecutionStatus": "Executing",
            "CreationTime": created,
            "LastModifiedTime": created,
        })
    );
    let status = |scene: &mut Scene| {
        let request = json!({ "PipelineExecutionArn": EXECUTION });
        scene.done("DescribePipelineExecution", request)["PipelineExecutionStatus"].clone()
    };
    for token in &tokens[..2] {
        scene.done(SUCCEED, succeeds(token, &json!([])));
    }
    assert_eq!(status(&mut scene), "Executing");
    scene.done(SUCCEED, succeeds(&tokens[2], &json!([])));
    assert_eq!(status(&mut scene), "Succeeded");
    let late = start(&mut scene, "Late");
    let now = scene.now;
    scene.account.callback_steps.expire(&late, now);
    assert_eq!(status(&mut scene), "Stopped");
    let bad = start(&mut scene, "Bad");
    scene.done(FAIL, json!({ "CallbackToken": bad }));
    assert_eq!(status(&mut scene), "Failed");
}

#[test]
fn a_hidden_step_is_not_listed_for_a_while_and_waits_all_the_same() {
    let mut scene = Scene::new();
    let hidden = start(&mut scene, "Hidden");
    start(&mut scene, "Listed");
    let until = scene.now + Duration::from_secs(60);
    assert!(scene.account.callback_steps.hide(&hidden, until));
    assert!(!scene.account.callback_steps.hide("0000000000", until));
    let names = |scene: &mut Scene| {
        let listed = steps(scene, json!({ "SortOrder": "Ascending" }));
        let listed = listed["PipelineExecutionSteps"].as_array().cloned();
        let listed = listed.expect("a list").into_iter();
        let names = listed.map(|step| step["StepName"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&mut scene), [json!("Listed")]);
    scene.pass(59.0);
    scene.done(SUCCEED, succeeds(&hidden, &model("m-1")));
    assert_eq!(names(&mut scene), [json!("Listed")]);
    scene.pass(1.0);
    assert_eq!(names(&mut scene), [json!("Hidden"), json!("Listed")]);
}
