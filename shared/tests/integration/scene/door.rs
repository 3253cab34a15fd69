//! The two doors to a deployment, and the one outcome that both are to have: a call that waits, and a queue whose
//! message is delivered until it is done with.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use sagemaker_local::{Call, Server};
use serde_json::{Value, json};
use shared::callback::answer_batch;
use shared::contract::{DeployRequest, DeploymentKind, Environment};
use shared::drive::{Budget, deploy};
use shared::error::Failure;
use shared::wait::Pace;
use tokio::time::{Instant, sleep, sleep_until};

use super::Scene;
use super::process::{Death, Network, Process};

const EXECUTION: &str =
    "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn/execution/abcdefghijkl";
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/deployments";
const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:deployments";

/// How long a call waits by the contract, where no key says otherwise.
const CALL_WAIT: Duration = Duration::from_secs(540);

/// What an invocation has beyond the wait of its call.
const CALL_MARGIN: Duration = Duration::from_secs(60);

/// When a message comes back whose receiver has not asked for another time: the stack's `VisibilityTimeout`.
const QUEUE_VISIBILITY: Duration = Duration::from_secs(900);

/// When a message comes back in real time, whatever its receiver asked for.
const SOCKET_VISIBILITY: Duration = Duration::from_millis(50);

/// A message that has come back so often is put aside: the stack's `maxReceiveCount`.
const MOST_RECEIVES: u32 = 1000;

/// How a deployment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// An invocation that waits for the end.
    Call,
    /// A queue, whose message is delivered every 15 to 60 s, each time to another process.
    Queue,
}

impl Door {
    pub(crate) const BOTH: [Self; 2] = [Self::Call, Self::Queue];
}

/// How a deployment ended, as far as both doors can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With an answer, also if that is `Unchanged`, `InProgress` or `DryRun`.
    Deployed(Answer),
    /// With an error. A queue's message is cut to 256 characters.
    Failed { error_type: String, message: String },
    /// The message is done with, and its step has no answer; or it came back too often.
    Unanswered,
}

/// The keys of an answer, as text. One that the answer does not have is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) deployment_status: String,
    pub(crate) model: String,
    pub(crate) endpoint_config: String,
    pub(crate) previous_endpoint_config: String,
    pub(crate) endpoint_name: String,
    pub(crate) endpoint_status: String,
    pub(crate) endpoint_arn: String,
    pub(crate) body: String,
}

impl Answer {
    fn read(answer: &Value) -> Self {
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        Self {
            deployment_status: text("deployment_status"),
            model: text("model"),
            endpoint_config: text("endpoint_config"),
            previous_endpoint_config: text("previous_endpoint_config"),
            endpoint_name: text("endpoint_name"),
            endpoint_status: text("endpoint_status"),
            endpoint_arn: text("endpoint_arn"),
            body: text("body"),
        }
    }
}

impl Ended {
    fn of_call(ended: Result<Value, Failure>) -> Self {
        match ended {
            Ok(answer) => Self::Deployed(Answer::read(&answer)),
            Err(failure) => Self::Failed {
                error_type: failure.error.error_type().to_owned(),
                message: failure.to_string(),
            },
        }
    }

    fn of_step(step: &Value) -> Self {
        if step["status"] == "Succeeded" {
            return Self::Deployed(Answer::read(&step["outputs"]));
        }
        let Some(reason) = step["failure_reason"].as_str() else {
            return Self::Unanswered;
        };
        let (error_type, message) = reason.split_once(": ").unwrap_or(("", reason));
        Self::Failed {
            error_type: error_type.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The answer.
    #[track_caller]
    pub(crate) fn deployed(self) -> Answer {
        match self {
            Self::Deployed(answer) => answer,
            other => panic!("not deployed: {other:?}"),
        }
    }

    /// The error's message.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Failed { message, .. } => message,
            other => panic!("no failure: {other:?}"),
        }
    }

    /// The contract's word: of the answer, such as `Deployed`, or of the error.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Deployed(answer) => &answer.deployment_status,
            Self::Failed { error_type, .. } => error_type,
            Self::Unanswered => "Unanswered",
        }
    }
}

/// A deployment that was asked for through a door.
pub(crate) struct Asked {
    server: Arc<Server>,
    network: Network,
    door: Door,
    kind: DeploymentKind,
    event: Value,
    wait: Duration,
    /// How long the invocation of a call may take.
    invocation: Duration,
    message: Option<Message>,
}

/// The message that a pipeline's step has put into the queue.
struct Message {
    token: String,
    body: String,
    sent: Instant,
    received: u32,
    visible_from: Instant,
}

/// What became of one delivery of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The message is done with.
    Done,
    /// It comes back.
    Back,
    /// Its process died.
    Killed,
}

impl Asked {
    pub(super) fn new(
        scene: &Scene,
        door: Door,
        kind: DeploymentKind,
        event: &Value,
        wait: Option<Duration>,
    ) -> Self {
        let mut event = event.clone();
        if let (Door::Queue, Some(wait)) = (door, wait) {
            event["max_wait_seconds"] = json!(wait.as_secs());
        }
        let message = (door == Door::Queue).then(|| Message::send(&scene.server, &event));
        Self {
            server: Arc::clone(&scene.server),
            network: scene.network.clone(),
            door,
            kind,
            event,
            wait: wait.unwrap_or(CALL_WAIT),
            invocation: wait.unwrap_or(CALL_WAIT) + CALL_MARGIN,
            message,
        }
    }

    /// The same in an invocation that ends so soon.
    pub(super) fn in_invocation_of(self, invocation: Duration) -> Self {
        Self { invocation, ..self }
    }

    /// Calls, or delivers the message until it is done with.
    pub(crate) async fn until_ended(&mut self) -> Ended {
        self.run(None).await.expect("nothing kills it")
    }

    /// The same, with a process that is killed in the middle of call number `last`, counted from 0 over all deliveries:
    /// the call has acted, and nobody sees the answer. `None` if a process was killed, and else the end.
    pub(crate) async fn until_killed(&mut self, last: usize) -> Option<Ended> {
        self.run(Some(Death::in_call(last))).await
    }

    /// The same, killed in the middle of the next call of an operation.
    pub(crate) async fn until_killed_in(&mut self, operation: &'static str) -> Option<Ended> {
        self.run(Some(Death::in_call_of(operation))).await
    }

    /// Calls, or delivers the message until it is done with; `None` if the death comes first.
    async fn run(&mut self, death: Option<Death>) -> Option<Ended> {
        if self.door == Door::Call {
            let process = self.process(death);
            return process.run(self.call(&process)).await;
        }
        loop {
            match self.deliver_to(&self.process(death.clone())).await {
                Delivered::Done => return Some(self.ended()),
                Delivered::Killed => return None,
                Delivered::Back if self.message().received >= MOST_RECEIVES => {
                    return Some(Ended::Unanswered);
                }
                Delivered::Back => {}
            }
        }
    }

    fn process(&self, death: Option<Death>) -> Process {
        Process::start(&self.server, &self.network, death)
    }

    async fn call(&self, process: &Process) -> Ended {
        let text = self.event.to_string();
        let request = DeployRequest::parse(self.kind, &text, &Environment::new());
        let request = match request {
            Ok(request) => request,
            Err(error) => return Ended::of_call(Err(error.into())),
        };
        let budget = Budget::new(self.wait, Some(self.invocation));
        let ended = deploy(
            &process.services,
            self.kind,
            &request,
            &text,
            budget,
            Pace::default(),
        );
        let answer = Box::pin(ended).await;
        Ended::of_call(answer.map(|answer| serde_json::to_value(answer).expect("JSON")))
    }

    fn message(&self) -> &Message {
        self.message.as_ref().expect("it came through the queue")
    }

    /// The token of the step that waits for the deployment.
    pub(crate) fn token(&self) -> &str {
        &self.message().token
    }

    /// How the step that waits for the deployment has ended so far.
    pub(crate) fn ended(&self) -> Ended {
        let step = self.server.callback_step(self.token());
        Ended::of_step(&step.expect("it was started"))
    }

    /// Delivers the message once, when it is visible, to a fresh process.
    pub(crate) async fn deliver(&mut self) -> Delivered {
        self.deliver_to(&self.process(None)).await
    }

    /// Delivers the message once, when it is visible, to this process.
    pub(crate) async fn deliver_to(&mut self, process: &Process) -> Delivered {
        let message = self.message.as_mut().expect("it came through the queue");
        sleep_until(message.visible_from).await;
        sleep(self.network.latency()).await;
        let received = message.receive();
        let received_at = Instant::now();
        let handle = received.receipt_handle.clone().unwrap_or_default();
        let answered = process.run(deliver(process, self.kind, vec![received]));
        let answered = answered.await;
        let visibility = match self.network {
            Network::Socket => SOCKET_VISIBILITY,
            _ => asked_visibility(&self.server, &handle).unwrap_or(QUEUE_VISIBILITY),
        };
        message.visible_from = received_at + visibility;
        match answered {
            None => Delivered::Killed,
            Some(0) => Delivered::Done,
            Some(_) => Delivered::Back,
        }
    }

    /// Has the message come so often already.
    pub(crate) fn set_received(&mut self, times: u32) {
        let message = self.message.as_mut();
        message.expect("it came through the queue").received = times;
    }

    /// The message as it is received once more, whether it is visible or not.
    pub(crate) fn receive(&mut self) -> SqsMessage {
        let message = self.message.as_mut();
        message.expect("it came through the queue").receive()
    }
}

/// Delivers messages in one batch; returns how many come back.
pub(crate) async fn deliver(
    process: &Process,
    kind: DeploymentKind,
    messages: Vec<SqsMessage>,
) -> usize {
    let mut batch = SqsEvent::default();
    batch.records = messages;
    let (environment, pace) = (Environment::new(), Pace::default());
    let answered = answer_batch(&process.services, kind, &environment, batch, pace).await;
    answered.batch_item_failures.len()
}

impl Message {
    fn send(server: &Server, event: &Value) -> Self {
        let token = server.start_callback_step(EXECUTION, "Deploy", QUEUE);
        let body = json!({
            "token": token, "pipelineExecutionArn": EXECUTION, "stepName": "Deploy", "arguments": event,
        });
        let now = Instant::now();
        Self {
            token,
            body: body.to_string(),
            sent: now,
            received: 0,
            visible_from: now,
        }
    }

    /// The message as it is received once more.
    fn receive(&mut self) -> SqsMessage {
        self.received += 1;
        receive(&self.token, &self.body, self.sent, self.received)
    }
}

/// A message of this id that was sent at a moment, as it is received the so-many-th time.
pub(crate) fn receive(id: &str, body: &str, sent: Instant, received: u32) -> SqsMessage {
    let message = json!({
        "messageId": id,
        "receiptHandle": format!("{id}-{received}"),
        "body": body,
        "attributes": {
            "SentTimestamp": sent_timestamp(sent),
            "ApproximateReceiveCount": received.to_string(),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
    });
    serde_json::from_value(message).expect("a message")
}

/// When a message was sent, in the milliseconds since 1970 that the queue tells: the wall clock's time of a moment of
/// tokio's clock, which may have been moved ahead.
fn sent_timestamp(sent: Instant) -> String {
    let (wall, system) = (SystemTime::now(), std::time::Instant::now());
    let ahead = sent.into_std().saturating_duration_since(system);
    let behind = system.saturating_duration_since(sent.into_std());
    let since = (wall + ahead - behind).duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_millis().to_string()
}

/// The time after which a receiver asked for its message to come back (`ChangeMessageVisibility`).
fn asked_visibility(server: &Server, handle: &str) -> Option<Duration> {
    let is_about_it = |call: &&Call| {
        call.operation == "ChangeMessageVisibility"
            && call.acted
            && call.request["ReceiptHandle"] == handle
    };
    server.read_calls(|calls| {
        let asked = calls.iter().rev().find(is_about_it)?;
        let seconds = asked.request["VisibilityTimeout"].as_u64()?;
        Some(Duration::from_secs(seconds))
    })
}
