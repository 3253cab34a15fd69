//! The second door: messages of a queue that pipelines' callback steps put there. The queue is the timer and the
//! message is the state; nothing else is stored.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sagemaker::primitives::DateTime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, error, info, info_span, warn};

use crate::contract::{
    CallbackMessage, DeployAnswer, DeployRequest, DeploymentKind, Environment, unknown_keys,
};
use crate::deploy::{Callback, Services, Stepped, Stepping};
use crate::error::Failure;
use crate::failure::{FailureKind, ServiceFailure};
use crate::metrics;
use crate::sagemaker::Waiting;
use crate::wait::Pace;

/// When a message comes back: 15 to 60 s later, growing with the age of the deployment.
pub const VISIBILITY: Pace = Pace {
    shortest: Duration::from_secs(15),
    longest: Duration::from_secs(60),
    share: 0.1,
    // One step of a deployment waits for nothing.
    patience: Duration::ZERO,
};

/// What a message cannot be answered under comes back at once, so that it has soon come back often enough for the
/// dead-letter queue.
const USELESS: Duration = Duration::from_secs(1);

/// The longest that one message's turn takes: it ends before the message is seen again.
const LONGEST_STEP: Duration = Duration::from_secs(13);

/// A message goes to the dead-letter queue when it has come back a thousand times; its step is answered before, a few
/// receives of other kinds allowed for.
const LAST_RECEIVE: u32 = 990;

/// How often an answer is sent before the message is left to come back.
const ATTEMPTS: usize = 3;

/// The longest reason that the service takes for a callback step's failure, in characters.
const LONGEST_REASON: usize = 256;

/// Takes every message of a batch one step on; tells which are to come back.
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
            door.answer(&environment, &message).await
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
    /// Takes one message a step on; tells whether it is done with.
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
        let asked_at = sent(message);
        let age = asked_at.and_then(|at| SystemTime::now().duration_since(at).ok());
        let age = age.unwrap_or_default();
        // At once, so that a step that is cut off is taken up as soon as any.
        self.bring_back(message, VISIBILITY.pause(age)).await;
        let waiting = Callback {
            token: callback.token.clone(),
            pipeline_execution_arn: callback.pipeline_execution_arn.clone(),
            asked_at: asked_at.map(DateTime::from),
        };
        let request = match DeployRequest::parse(self.kind, callback.event(), environment) {
            Ok(request) => request,
            Err(error) => {
                warn_once_of_unknown_keys(message, &callback);
                return self.tell(&waiting, age, Err(error.into())).await;
            }
        };
        let span = info_span!(
            "call",
            endpoint_name = request.endpoint_name,
            model_name = tracing::field::Empty,
            token = waiting.token,
        );
        span.in_scope(|| warn_once_of_unknown_keys(message, &callback));
        let is_last = received(message) >= LAST_RECEIVE;
        self.step(&request, callback.event(), &waiting, (age, is_last))
            .instrument(span)
            .await
    }

    async fn step(
        &self,
        request: &DeployRequest,
        event: &str,
        callback: &Callback,
        (age, is_last): (Duration, bool),
    ) -> bool {
        let time = (age, is_last, self.pace);
        let stepping = Stepping::new(self.services, self.kind, request, event, callback, time);
        let mut stepping = match stepping {
            Ok(stepping) => stepping,
            Err(failure) => return self.tell(callback, age, Err(failure)).await,
        };
        let cut = Instant::now() + LONGEST_STEP;
        // Boxed, because the compiler gives up on the layout of futures that nest as deep as this one.
        let stepped = timeout_at(cut, Box::pin(stepping.step())).await;
        match stepped.unwrap_or_else(|_| stepping.cut_off()) {
            Stepped::Pending => false,
            Stepped::Abandoned(waiting) => {
                info!("nobody waits for the deployment any more, and it has not begun");
                waiting != Waiting::ToStop || self.let_stop(callback).await
            }
            Stepped::Ended(ended) => {
                let told = self.tell(callback, age, ended).await;
                if told {
                    stepping.clear().await;
                }
                told
            }
        }
    }

    /// Answers the step; tells whether the message is done with.
    async fn tell(
        &self,
        callback: &Callback,
        age: Duration,
        ended: Result<Box<DeployAnswer>, Failure>,
    ) -> bool {
        let error_type = ended
            .as_ref()
            .err()
            .map(|failure| failure.error.error_type());
        match &ended {
            Ok(_) => info!("deployment finished"),
            Err(failure) => error!(error_type, error_message = %failure, "deployment failed"),
        }
        let outcome = ended
            .as_ref()
            .map_or("Failed", |answer| answer.deployment_status.as_str());
        let mut backoff = self.pace.backoff();
        for _ in 0..ATTEMPTS {
            let sent = match &ended {
                Ok(answer) => self.send_success(callback, answer).await,
                Err(failure) => self.send_failure(callback, failure).await,
            };
            match sent {
                Ok(()) => {
                    metrics::ended("Deployments", outcome, error_type, age, &callback.token);
                    return true;
                }
                Err(failure) if failure.is_transient() => {
                    failure.warn_of_repeat();
                    sleep(backoff.next().unwrap_or_default()).await;
                }
                Err(failure) => return nobody_waits(&failure),
            }
        }
        false
    }

    /// Answers a step whose pipeline was stopped, and is not over before the step is; tells whether the message is
    /// done with.
    async fn let_stop(&self, callback: &Callback) -> bool {
        let reason = "The pipeline was stopped before the deployment began; nothing was changed.";
        let sagemaker = &self.services.sagemaker;
        match sagemaker.send_step_failure(&callback.token, reason).await {
            Ok(()) => true,
            Err(failure) if failure.is_transient() => {
                failure.warn_of_repeat();
                false
            }
            Err(failure) => nobody_waits(&failure),
        }
    }

    async fn send_success(
        &self,
        callback: &Callback,
        answer: &DeployAnswer,
    ) -> Result<(), ServiceFailure> {
        let outputs = answer.output_parameters();
        let sagemaker = &self.services.sagemaker;
        sagemaker.send_step_success(&callback.token, outputs).await
    }

    async fn send_failure(
        &self,
        callback: &Callback,
        failure: &Failure,
    ) -> Result<(), ServiceFailure> {
        let reason = failure.brief(LONGEST_REASON);
        let sagemaker = &self.services.sagemaker;
        sagemaker.send_step_failure(&callback.token, &reason).await
    }

    /// Where this fails, the queue's own visibility timeout brings the message back.
    async fn bring_back(&self, message: &SqsMessage, after: Duration) {
        let queue = message.event_source_arn.as_deref().unwrap_or_default();
        let handle = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(failure) = self.services.queues.bring_back(queue, handle, after).await {
            warn!(
                resource = failure.resource,
                reason = failure.reason(),
                "a message comes back later than it should"
            );
        }
    }
}

/// What an answer that was refused for good means: that the step was answered before or its pipeline is over, or that
/// the function may not answer.
fn nobody_waits(refused: &ServiceFailure) -> bool {
    let reason = refused.reason();
    match refused.kind {
        FailureKind::AccessDenied | FailureKind::NotSent => {
            error!(reason, "the pipeline's step could not be answered");
            false
        }
        _ => {
            info!(reason, "nobody waits for the answer any more");
            true
        }
    }
}

/// Says which keys of a message's event are ignored: when it comes for the first time, and not for each of its steps.
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
fn sent(message: &SqsMessage) -> Option<SystemTime> {
    let milliseconds = message.attributes.get("SentTimestamp")?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}
