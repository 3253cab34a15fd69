//! The second door: messages of a queue that pipelines' callback steps put there. The queue is the timer and the
//! message is the state; nothing else is stored.

use std::collections::HashMap;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, error, info, info_span, warn};

use crate::contract::{CallbackMessage, DeployRequest, DeploymentKind, Environment, unknown_keys};
use crate::deploy::{Callback, Outcome};
use crate::drive::{Clock, Delivery, Services, until_it_passes};
use crate::error::{LONGEST_REASON, stopped};
use crate::failure::{FailureKind, ServiceFailure};
use crate::metrics;
use crate::moment::Moment;
use crate::sagemaker::Waiting;
use crate::wait::Pace;

/// When a message comes back: 15 to 60 s later, growing with the age of the deployment.
pub const VISIBILITY: Pace = Pace {
    shortest: Duration::from_secs(15),
    longest: Duration::from_secs(60),
    share: 0.1,
    // A delivery leaves the waiting to the next one.
    patience: Duration::ZERO,
};

/// What a message cannot be answered under comes back at once, so that it has soon come back often enough for the
/// dead-letter queue.
const USELESS: Duration = Duration::from_secs(1);

/// A message goes to the dead-letter queue when it has come back a thousand times; its step is answered before, a few
/// receives of other kinds allowed for.
const LAST_RECEIVE: u32 = 990;

/// How long an answer is sent again before the message is left to come back.
const ANSWERING: Duration = Duration::from_secs(5);

/// The longest that one attempt to put a message off takes.
const ATTEMPT: Duration = Duration::from_secs(1);

/// How old a message is when the service certainly shows the step that sent it.
const SHOWN: Duration = Duration::from_secs(300);

/// Takes one delivery of each message of a batch; the response names those that are to come back.
///
/// One bad message never holds up the others: each goes by itself.
pub async fn answer_batch(
    services: &Services,
    kind: DeploymentKind,
    environment: &Environment,
    batch: SqsEvent,
    pace: Pace,
) -> SqsBatchResponse {
    let (mut messages, mut ids) = (JoinSet::new(), HashMap::new());
    for message in batch.records {
        let id = message.message_id.clone().unwrap_or_default();
        let span = info_span!("message", message_id = id);
        let (services, environment) = (services.clone(), environment.clone());
        let answered = async move {
            let door = Door {
                services: &services,
                kind,
                pace,
            };
            // Boxed, because a future that holds a whole engine is large.
            Box::pin(door.answer(&environment, &message)).await
        };
        let task = messages.spawn(answered.instrument(span));
        ids.insert(task.id(), id);
    }
    let mut response = SqsBatchResponse::default();
    while let Some(answered) = messages.join_next_with_id().await {
        let (task, done) = match answered {
            Ok(answered) => answered,
            // The panic has its line in the log, and the others go on.
            Err(panicked) => (panicked.id(), false),
        };
        if let Some(id) = ids.remove(&task).filter(|_| !done) {
            response.add_failure(id);
        }
    }
    response
}

/// What every message is answered with.
struct Door<'a> {
    services: &'a Services,
    kind: DeploymentKind,
    pace: Pace,
}

impl Door<'_> {
    /// Takes one delivery of a message; whether the message is done with.
    async fn answer(&self, environment: &Environment, message: &SqsMessage) -> bool {
        let body = message.body.as_deref().unwrap_or_default();
        let callback = match CallbackMessage::parse(body) {
            Ok(callback) => callback,
            Err(reason) => {
                error!(reason, "a message is none of a callback step");
                self.bring_back(message, USELESS).await;
                return false;
            }
        };
        let clock = Clock::start();
        let age = sent(message).map(|sent| clock.now().since(sent));
        let age = age.unwrap_or_default();
        // At once, so that a delivery that is cut off is resumed as soon as any.
        self.bring_back(message, VISIBILITY.pause(age)).await;
        let step = Waiter {
            age,
            callback: Callback {
                token: callback.token.clone(),
                pipeline_execution_arn: callback.pipeline_execution_arn.clone(),
            },
        };
        let request = match DeployRequest::parse(self.kind, callback.event(), environment) {
            Ok(request) => request,
            Err(error) => {
                warn_once_of_unknown_keys(message, &callback);
                return self.tell(&step, &Outcome::Failed(error.into())).await;
            }
        };
        let span = info_span!(
            "call",
            endpoint_name = request.endpoint_name,
            model_name = tracing::field::Empty,
            token = step.callback.token,
        );
        span.in_scope(|| warn_once_of_unknown_keys(message, &callback));
        let is_last = received(message) >= LAST_RECEIVE;
        let delivered = self.deliver(&request, callback.event(), &step, (clock, is_last));
        // Boxed, because a future that holds a whole engine is large.
        Box::pin(delivered).instrument(span).await
    }

    async fn deliver(
        &self,
        request: &DeployRequest,
        event: &str,
        step: &Waiter,
        (clock, is_last): (Clock, bool),
    ) -> bool {
        let callback = step.callback.clone();
        let time = (clock, step.age, is_last, self.pace);
        let delivery = Delivery::new(self.services, self.kind, request, event, callback, time);
        let mut delivery = match delivery {
            Ok(delivery) => delivery,
            Err(failure) => return self.tell(step, &Outcome::Failed(failure)).await,
        };
        let Some(outcome) = delivery.run().await else {
            return false;
        };
        self.tell(step, &outcome).await && delivery.close().await
    }

    /// Answers the step; whether the message is done with.
    async fn tell(&self, step: &Waiter, outcome: &Outcome) -> bool {
        let (word, error_type) = match outcome {
            Outcome::Answered(answer) => {
                info!("deployment finished");
                (answer.deployment_status.as_str(), None)
            }
            Outcome::Failed(failure) => {
                let error_type = failure.error.error_type();
                error!(error_type, error_message = %failure, "deployment failed");
                ("Failed", Some(error_type))
            }
            Outcome::NotWaitedFor { waiting, .. } => {
                info!("nobody waits for the deployment any more, and it has not started");
                if *waiting != Waiting::ToStop {
                    return true;
                }
                ("Stopped", None)
            }
        };
        let token = &step.callback.token;
        let send = || self.send(token, outcome);
        match self
            .until_it_passes("SendPipelineExecutionStep", send)
            .await
        {
            Ok(()) => {
                metrics::ended("Deployments", word, error_type, step.age, token);
                true
            }
            Err(failure) if failure.is_transient() => {
                warn!(reason = failure.reason(), "the step is answered later");
                false
            }
            Err(failure) => self.is_answered(step, &failure).await,
        }
    }

    async fn until_it_passes<Sent>(
        &self,
        operation: &'static str,
        call: impl FnMut() -> Sent,
    ) -> Result<(), ServiceFailure>
    where
        Sent: Future<Output = Result<(), ServiceFailure>>,
    {
        let late = || ServiceFailure::no_reply(operation, "the message".to_owned());
        until_it_passes(self.pace, Instant::now() + ANSWERING, late, call).await
    }

    async fn send(&self, token: &str, outcome: &Outcome) -> Result<(), ServiceFailure> {
        let sagemaker = &self.services.sagemaker;
        match outcome {
            Outcome::Answered(answer) => {
                sagemaker
                    .send_step_success(token, answer.output_parameters())
                    .await
            }
            Outcome::Failed(failure) => {
                sagemaker
                    .send_step_failure(token, &failure.brief(LONGEST_REASON))
                    .await
            }
            Outcome::NotWaitedFor { left_behind, .. } => {
                sagemaker
                    .send_step_failure(token, &stopped(left_behind))
                    .await
            }
        }
    }

    /// Whether an answer was refused because the step has one already, or is over. Its pipeline knows.
    ///
    /// Any other refusal brings the message back: a step that waits must not be forgotten.
    async fn is_answered(&self, step: &Waiter, refused: &ServiceFailure) -> bool {
        let reason = refused.reason();
        let sagemaker = &self.services.sagemaker;
        let token = &step.callback.token;
        let waiting = match &step.callback.pipeline_execution_arn {
            Some(arn) => sagemaker.waiting_for(arn, token).await.ok(),
            None => None,
        };
        let unknown = refused.kind == FailureKind::NotFound && step.age > SHOWN;
        match waiting {
            Some(Waiting::NoMore) => {
                info!(reason, "nobody waits for the answer any more");
                true
            }
            Some(Waiting::NotListed) | None if unknown => {
                info!(reason, "no step waits under this token");
                true
            }
            _ => {
                error!(reason, "the pipeline's step could not be answered");
                false
            }
        }
    }

    /// Has the message come back after a time. The queue's own visibility timeout, which is longer, does it if that
    /// fails.
    async fn bring_back(&self, message: &SqsMessage, after: Duration) {
        let queue = message.event_source_arn.as_deref().unwrap_or_default();
        let handle = message.receipt_handle.as_deref().unwrap_or_default();
        // An attempt that hangs must leave time for another one.
        let call = || async {
            let sent = self.services.queues.bring_back(queue, handle, after);
            let late =
                || ServiceFailure::no_reply("ChangeMessageVisibility", "the message".to_owned());
            timeout(ATTEMPT, sent).await.unwrap_or_else(|_| Err(late()))
        };
        if let Err(failure) = self.until_it_passes("ChangeMessageVisibility", call).await {
            warn!(
                resource = failure.resource,
                reason = failure.reason(),
                "a message comes back later than it should"
            );
        }
    }
}

/// A pipeline's step that waits, and for how long it has.
struct Waiter {
    callback: Callback,
    age: Duration,
}

/// Says which keys of a message's event are ignored: when it comes for the first time, and not for each delivery.
fn warn_once_of_unknown_keys(message: &SqsMessage, callback: &CallbackMessage) {
    if received(message) <= 1 {
        warn_of_unknown_keys(callback.event());
    }
}

/// Says which keys of an event are ignored because no function knows them.
pub(crate) fn warn_of_unknown_keys(event: &str) {
    if let Some(keys) = unknown_keys(event) {
        warn!(keys, "keys of the event that no function knows are ignored");
    }
}

/// How often a message has been received.
fn received(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// When a message was sent.
fn sent(message: &SqsMessage) -> Option<Moment> {
    let milliseconds = message.attributes.get("SentTimestamp")?.parse().ok()?;
    Some(Moment::since_epoch(Duration::from_millis(milliseconds)))
}
