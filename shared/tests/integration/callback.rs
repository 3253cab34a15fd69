//! Deployments that come through a queue: a message is delivered as often as it comes back, each time to a process
//! that knows nothing of the last, and its step is answered once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::{Value, json};
use shared::callback::answer_batch;
use shared::contract::DeploymentKind::{self, Existing, New};
use shared::contract::Environment;
use tokio::time::sleep;

use crate::autoscaling::{scaled, scaling};
use crate::scene::{ENDPOINT, PACE, Scene, event, with};

const EXECUTION: &str =
    "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn/execution/abcdefghijkl";
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/deployments";

/// More than any deployment here comes back.
const MOST_DELIVERIES: usize = 400;

fn milliseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).expect("after 1970");
    since.as_millis().to_string()
}

fn message(body: &str, sent: SystemTime) -> SqsMessage {
    let message = json!({
        "messageId": "message-1", "receiptHandle": "handle", "body": body,
        "attributes": {"SentTimestamp": milliseconds(sent)}, "messageAttributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:deployments",
    });
    serde_json::from_value(message).expect("a message")
}

/// A pipeline's step that waits for a deployment, and the message that it sent.
struct Waiting {
    token: String,
    message: SqsMessage,
}

fn waiting(scene: &Scene, event: &Value) -> Waiting {
    sent_at(scene, event, SystemTime::now())
}

fn sent_at(scene: &Scene, event: &Value, sent: SystemTime) -> Waiting {
    let token = scene.server.start_callback_step(EXECUTION, "Deploy", QUEUE);
    let body = json!({
        "token": token, "pipelineExecutionArn": EXECUTION, "stepName": "Deploy", "arguments": event,
    });
    Waiting {
        message: message(&body.to_string(), sent),
        token,
    }
}

/// Delivers messages once; tells which come back.
async fn deliver(scene: &Scene, kind: DeploymentKind, messages: Vec<SqsMessage>) -> usize {
    let mut batch = SqsEvent::default();
    batch.records = messages;
    let environment = Environment::new();
    let response = answer_batch(&scene.services, kind, &environment, batch, PACE).await;
    response.batch_item_failures.len()
}

/// Delivers a message until it is done with; tells how often that was.
async fn deliver_until_done(scene: &Scene, kind: DeploymentKind, message: &SqsMessage) -> usize {
    for deliveries in 1..MOST_DELIVERIES {
        if deliver(scene, kind, vec![message.clone()]).await == 0 {
            return deliveries;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("the message comes back for ever");
}

/// What became of a step, and how many answers it got.
fn told(scene: &Scene, token: &str) -> (Value, usize) {
    let step = scene
        .server
        .callback_step(token)
        .expect("there is such a step");
    let answers = step["answers"].as_array().map_or(0, Vec::len);
    (step, answers)
}

fn assert_deployed(scene: &Scene, waiting: &Waiting, status: &str) {
    let (step, answers) = told(scene, &waiting.token);
    assert_eq!(
        (&step["status"], answers),
        (&json!("Succeeded"), 1),
        "{step}"
    );
    let outputs = &step["outputs"];
    assert_eq!(outputs["deployment_status"], status, "{outputs}");
    let live = scene.endpoint(ENDPOINT);
    assert_eq!(live["EndpointStatus"], "InService");
    assert_eq!(outputs["endpoint_config"], live["EndpointConfigName"]);
    for (name, value) in outputs.as_object().expect("outputs") {
        assert!(
            value.as_str().is_some_and(|value| value.len() <= 1024),
            "{name}: {value}"
        );
    }
}

fn rolls_back(scene: &Scene) {
    let reason = Some("out of memory".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::UpdateRollsBack { reason });
}

#[tokio::test]
async fn a_deployment_goes_on_from_message_to_message() {
    for kind in [New, Existing] {
        let (scene, previous) = match kind {
            New => (Scene::empty().await, None),
            Existing => {
                let (scene, first) = Scene::serving().await;
                (scene, Some(first.endpoint_config))
            }
        };
        let waiting = waiting(&scene, &event(&scene.package()));
        let deliveries = deliver_until_done(&scene, kind, &waiting.message).await;
        // One begins it, another finds it done.
        assert!(deliveries > 1, "{deliveries} deliveries");
        assert_deployed(&scene, &waiting, "Deployed");
        let (step, _) = told(&scene, &waiting.token);
        let replaced = step["outputs"]["previous_endpoint_config"]
            .as_str()
            .map(str::to_owned);
        assert_eq!(replaced, previous);
        let begun = scene.calls_of("CreateEndpoint").len() + scene.calls_of("UpdateEndpoint").len();
        assert_eq!(begun, 1);
        // A message that is delivered once more changes nothing and answers nothing.
        let inventory = scene.inventory();
        assert_eq!(
            deliver(&scene, kind, vec![waiting.message.clone()]).await,
            0
        );
        assert_eq!(scene.inventory(), inventory);
        assert_eq!(told(&scene, &waiting.token).0["status"], "Succeeded");
    }
}

#[tokio::test]
async fn what_scales_the_endpoint_is_put_back_by_another_process_than_took_it_off() {
    for fails in [false, true] {
        let (scene, _) = scaled().await;
        let before = scaling(&scene);
        if fails {
            rolls_back(&scene);
        }
        let keys = json!({"instance_type": "ml.c7i.large", "delete_superseded": true});
        let waiting = waiting(&scene, &with(event(&scene.package()), &keys));
        assert_eq!(
            deliver(&scene, Existing, vec![waiting.message.clone()]).await,
            1
        );
        assert_eq!(scaling(&scene), Vec::<Value>::new());
        deliver_until_done(&scene, Existing, &waiting.message).await;
        let (step, _) = told(&scene, &waiting.token);
        assert_eq!(step["status"], if fails { "Failed" } else { "Succeeded" });
        assert_eq!(scaling(&scene), before);
        // Either way one deployment is left of two.
        assert_eq!(scene.inventory().map(|names| names.len()), [1, 1, 1]);
    }
}

#[tokio::test]
async fn what_serves_already_is_answered_at_once() {
    let (scene, _) = Scene::serving().await;
    let package = scene.package();
    let first = package.rsplit_once('/').expect("versioned").0.to_owned() + "/1";
    for kind in [New, Existing] {
        let waiting = waiting(&scene, &event(&first));
        assert_eq!(deliver_until_done(&scene, kind, &waiting.message).await, 1);
        assert_deployed(&scene, &waiting, "Unchanged");
    }
}

#[tokio::test]
async fn a_rollback_is_told_whichever_process_looks() {
    let (scene, _) = Scene::serving().await;
    let inventory = scene.inventory();
    rolls_back(&scene);
    let waiting = waiting(&scene, &event(&scene.package()));
    deliver_until_done(&scene, Existing, &waiting.message).await;
    let (step, answers) = told(&scene, &waiting.token);
    assert_eq!((&step["status"], answers), (&json!("Failed"), 1));
    let reason = step["failure_reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("UpdateRolledBack: The update of the endpoint churn"),
        "{reason}"
    );
    assert!(
        reason.chars().count() <= 256 && reason.contains("out of memory"),
        "{reason}"
    );
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1);
    assert_eq!(scene.inventory(), inventory);
    // Delivered once more, it does not begin once more.
    assert_eq!(
        deliver(&scene, Existing, vec![waiting.message.clone()]).await,
        0
    );
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1);
    assert_eq!(scene.inventory(), inventory);
}

#[tokio::test]
async fn a_failure_that_left_something_behind_is_not_told_to_the_next_step() {
    // given an update that was rolled back, and whose endpoint config could not be deleted
    let (scene, _) = Scene::serving().await;
    rolls_back(&scene);
    scene
        .server
        .inject(Fault::once("DeleteEndpointConfig", FaultKind::Deny).always());
    let event = event(&scene.package());
    let failed = waiting(&scene, &event);
    deliver_until_done(&scene, Existing, &failed.message).await;
    assert_eq!(told(&scene, &failed.token).0["status"], "Failed");
    // when the next step asks for the same
    scene.server.clear_faults();
    let next = waiting(&scene, &event);
    deliver_until_done(&scene, Existing, &next.message).await;
    // then it is deployed
    assert_deployed(&scene, &next, "Deployed");
}

#[tokio::test]
async fn a_creation_that_fails_is_cleared_away_in_steps() {
    let scene = Scene::empty().await;
    let reason = Some("no such image".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::CreateFails { reason });
    let waiting = waiting(&scene, &event(&scene.package()));
    deliver_until_done(&scene, New, &waiting.message).await;
    let (step, answers) = told(&scene, &waiting.token);
    assert_eq!((&step["status"], answers), (&json!("Failed"), 1));
    let reason = step["failure_reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("EndpointCreationFailed") && reason.contains("no such image"),
        "{reason}"
    );
    assert_eq!(scene.inventory(), [vec![], vec![], Vec::<String>::new()]);
    assert_eq!(scene.calls_of("CreateEndpoint").len(), 1);
}

/// Returns when nothing is under way at the endpoint.
async fn until_settled(scene: &Scene) {
    let is_settled = || {
        let name = json!({ "EndpointName": ENDPOINT });
        let look = scene.server.call("DescribeEndpoint", name);
        look.map_or(true, |look| {
            ["InService", "Failed"].contains(&look["EndpointStatus"].as_str().unwrap_or_default())
        })
    };
    while !is_settled() {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_same_message_delivered_many_times_at_once_is_one_deployment() {
    for fails in [false, true] {
        let (scene, _) = Scene::serving_with(Duration::from_millis(300)).await;
        if fails {
            rolls_back(&scene);
        }
        let waiting = waiting(&scene, &event(&scene.package()));
        let mut pending = 4;
        while pending > 0 {
            pending = deliver(&scene, Existing, vec![waiting.message.clone(); 4]).await;
            sleep(Duration::from_millis(10)).await;
        }
        let (step, _) = told(&scene, &waiting.token);
        assert_eq!(step["status"], if fails { "Failed" } else { "Succeeded" });
        let accepted = scene.calls_of("UpdateEndpoint");
        let accepted = accepted
            .iter()
            .filter(|call| call.status == Some(200))
            .count();
        assert_eq!(accepted, 1);
    }
}

#[tokio::test]
async fn a_batch_mixes_messages_and_a_bad_one_holds_up_no_other() {
    let (scene, _) = Scene::serving().await;
    let package = scene.package();
    let first = package.rsplit_once('/').expect("versioned").0.to_owned() + "/1";
    let good = waiting(&scene, &event(&first));
    let bad = waiting(
        &scene,
        &with(event(&first), &json!({"endpoint_name": "no_name"})),
    );
    let messages = vec![
        message("no JSON", SystemTime::now()),
        bad.message.clone(),
        message(r#"{"arguments": {}}"#, SystemTime::now()),
        good.message.clone(),
    ];
    // Those without a token come back, until the queue has enough of them.
    assert_eq!(deliver(&scene, Existing, messages).await, 2);
    assert_deployed(&scene, &good, "Unchanged");
    let (step, _) = told(&scene, &bad.token);
    let reason = step["failure_reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("InvalidRequest: ") && reason.contains("endpoint_name"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_call_that_fails_for_a_while_does_not_fail_the_deployment() {
    for kind in [FaultKind::Throttle, FaultKind::Fail, FaultKind::DropAfter] {
        let (scene, _) = Scene::serving().await;
        scene
            .server
            .inject(Fault::once("*", kind.clone()).times(7).after(3));
        let waiting = waiting(&scene, &event(&scene.package()));
        deliver_until_done(&scene, Existing, &waiting.message).await;
        let (step, _) = told(&scene, &waiting.token);
        assert_eq!(step["status"], "Succeeded", "{kind:?}: {step}");
    }
}

#[tokio::test]
async fn a_deployment_that_another_overtook_unseen_is_not_begun_again() {
    // Given an update whose end no delivery has seen yet, and another that began right after it
    let (scene, _) = Scene::serving().await;
    let [one, other] = [(); 2].map(|()| waiting(&scene, &event(&scene.package())));
    for waiting in [&one, &other] {
        assert_eq!(
            deliver(&scene, Existing, vec![waiting.message.clone()]).await,
            1
        );
        until_settled(&scene).await;
    }
    // when both messages come back
    let overtaken = deliver_until_done(&scene, Existing, &one.message).await;
    deliver_until_done(&scene, Existing, &other.message).await;
    // then the first ends by being told so, and the endpoint stays with the second
    assert_eq!(overtaken, 1);
    let (step, _) = told(&scene, &one.token);
    let reason = step["failure_reason"].as_str().expect("it failed");
    assert!(
        reason.contains("another deployment replaced this one"),
        "{reason}"
    );
    assert_deployed(&scene, &other, "Deployed");
    assert_eq!(scene.calls_of("UpdateEndpoint").len(), 2);
}

#[tokio::test]
async fn two_deployments_of_one_endpoint_end_and_never_alternate() {
    let (mut scene, _) = Scene::serving().await;
    // No reply is lost, however busy the machine.
    scene.services = scene.patient_client();
    let one = waiting(&scene, &event(&scene.package()));
    let other = waiting(&scene, &event(&scene.package()));
    let mut messages = vec![one.message.clone(), other.message.clone()];
    for _ in 0..MOST_DELIVERIES {
        let mut left = Vec::new();
        for message in messages {
            if deliver(&scene, Existing, vec![message.clone()]).await > 0 {
                left.push(message);
            }
            sleep(Duration::from_millis(30)).await;
        }
        messages = left;
        if messages.is_empty() {
            break;
        }
    }
    assert_eq!(messages, vec![]);
    let accepted = scene.calls_of("UpdateEndpoint");
    let accepted = accepted
        .iter()
        .filter(|call| call.status == Some(200))
        .count();
    assert!(accepted <= 2, "{accepted} updates");
    let statuses = [&one, &other].map(|waiting| told(&scene, &waiting.token).0["status"].clone());
    assert!(statuses.contains(&json!("Succeeded")), "{statuses:?}");
}

mod ends;
mod killed;
