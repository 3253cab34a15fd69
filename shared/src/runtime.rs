//! What the three binaries share: logging, the clients, and the way from an invocation to its answer.

mod clients;

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, error, info, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::callback::{answer_batch, warn_of_unknown_keys};
use crate::check::check_endpoint_exists;
use crate::contract::{
    CheckAnswer, CheckRequest, DeployAnswer, DeployRequest, DeploymentKind, Environment,
};
use crate::drive::{Budget, Services, deploy, remaining_until};
use crate::error::Failure;
use crate::metrics;
use crate::sagemaker::SageMaker;
use crate::wait::Pace;

pub use clients::{connect, connect_for_deployments};

/// How long the check goes on through throttling where no deadline is known.
const CHECK_WAIT: Duration = Duration::from_secs(20);

/// An event as it came: kept as text, because an answer gives it back to the letter.
pub type Event = LambdaEvent<Box<RawValue>>;

/// Starts JSON logging and metrics on standard output, logging at the level of `FUNCTION_LOG_LEVEL` (default `INFO`).
///
/// The variable is the product's own. Lambda takes its own one, `AWS_LAMBDA_LOG_LEVEL`, as a filter too: above `INFO` it drops
/// every line without a level, and metrics have none.
///
/// Panics become a log line too; Lambda gets them as an error and the process goes on.
pub fn init() {
    let level = std::env::var("FUNCTION_LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    // The runtime logs each handler error by itself; here a failure is logged once, by `logged`.
    let targets = Targets::new()
        .with_default(level)
        .with_target("lambda_runtime", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .init();
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME");
    metrics::start(function.unwrap_or_else(|_| "local".to_owned()));
    std::panic::set_hook(Box::new(|panic| error!(%panic, "the function panicked")));
}

/// The process's environment variables; those that are not Unicode set no key.
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Answers one event of `check-endpoint-exists`.
///
/// # Errors
///
/// The contract's errors, as `lambda_runtime` answers them: `errorType` and `errorMessage`.
pub async fn answer_check(sagemaker: &SageMaker, event: Event) -> Result<CheckAnswer, Failure> {
    let outcome = |answer: &CheckAnswer| {
        if answer.endpoint_exists {
            "Exists"
        } else {
            "Absent"
        }
    };
    logged(("check", "Checks"), &event, outcome, async {
        let request = CheckRequest::parse(event.payload.get())?;
        let budget = Budget::new(CHECK_WAIT, remaining(&event));
        Ok(check_endpoint_exists(sagemaker, &request, Pace::default(), budget.answer_by).await?)
    })
    .await
}

/// What a deploy function answers: to an event of the contract, or to a queue's batch of messages.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A deployment's answer.
    Deployment(Box<DeployAnswer>),
    /// Which messages of a batch are to come back.
    Batch(SqsBatchResponse),
}

/// Answers one event of `deploy-new-endpoint` or `deploy-existing-endpoint`, through whichever door it came.
///
/// # Errors
///
/// The contract's errors. A queue's messages have theirs answered to their own steps.
pub async fn answer_deployment(
    services: &Services,
    kind: DeploymentKind,
    environment: &Environment,
    event: Event,
) -> Result<Answer, Failure> {
    if let Some(batch) = queue_batch(event.payload.get()) {
        let batch = answer_batch(services, kind, environment, batch, Pace::default());
        return Ok(Answer::Batch(batch.await));
    }
    let outcome = |answer: &DeployAnswer| answer.deployment_status.as_str();
    let answer = logged(("deployment", "Deployments"), &event, outcome, async {
        let text = event.payload.get();
        let request = DeployRequest::parse(kind, text, environment)?;
        let budget = Budget::new(request.max_wait, remaining(&event));
        // Boxed, because the compiler gives up on the layout of futures that nest as deep as this one.
        let answer = Box::pin(deploy(
            services,
            kind,
            &request,
            text,
            budget,
            Pace::default(),
        ));
        answer.await
    });
    Ok(Answer::Deployment(Box::new(answer.await?)))
}

/// The messages of a queue, where the event is that.
fn queue_batch(event: &str) -> Option<SqsEvent> {
    let batch: SqsEvent = serde_json::from_str(event).ok()?;
    let is_of_a_queue = |message: &SqsMessage| message.event_source.as_deref() == Some("aws:sqs");
    // A batch without messages asks for nothing; Lambda sends none.
    let is_batch = !batch.records.is_empty() && batch.records.iter().all(is_of_a_queue);
    is_batch.then_some(batch)
}

fn remaining(event: &Event) -> Option<Duration> {
    remaining_until(event.context.deadline, SystemTime::now())
}

/// Runs one call within its span, with a line at its start and one at its end, and counts it.
///
/// `what` names the call in the log and in the metrics.
async fn logged<T>(
    what: (&'static str, &'static str),
    event: &Event,
    outcome: impl Fn(&T) -> &'static str,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let (what, calls) = what;
    let span = info_span!(
        "call",
        request_id = event.context.request_id,
        endpoint_name = endpoint_name(event),
        model_name = Empty
    );
    async {
        info!("{what} started");
        warn_of_unknown_keys(event.payload.get());
        let started = Instant::now();
        let ended = call.await;
        let duration = started.elapsed();
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let error_type = ended
            .as_ref()
            .err()
            .map(|failure| failure.error.error_type());
        match &ended {
            Ok(_) => info!(duration_ms, "{what} finished"),
            Err(failure) => {
                error!(duration_ms, error_type, error_message = %failure, "{what} failed");
            }
        }
        let outcome = ended.as_ref().map_or("Failed", outcome);
        metrics::ended(
            calls,
            outcome,
            error_type,
            duration,
            &event.context.request_id,
        );
        ended
    }
    .instrument(span)
    .await
}

/// The endpoint's name as the event spells it, good or not, so that even the line before parsing has it.
fn endpoint_name(event: &Event) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        endpoint_name: String,
    }
    serde_json::from_str(event.payload.get())
        .ok()
        .map(|named: Named| named.endpoint_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queues_batch_is_told_from_an_event_of_the_contract() {
        let message = r#"{"messageId": "1", "eventSource": "aws:sqs", "body": "{}"}"#;
        let batch = queue_batch(&format!(r#"{{"Records": [{message}, {message}]}}"#));
        assert_eq!(batch.map(|batch| batch.records.len()), Some(2));
        for event in [
            r#"{"endpoint_name": "churn"}"#,
            r#"{"Records": [{"eventSource": "aws:s3"}]}"#,
            r#"{"Records": "none"}"#,
            r#"{"Records": []}"#,
            "[]",
        ] {
            assert!(queue_batch(event).is_none(), "{event}");
        }
    }
}
