//! The service behind the socket: what misbehaves, what is done and what is recorded.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::account::{Account, Sight};
use crate::clock::Clock;
use crate::deployed::variants;
use crate::dispatch;
use crate::endpoint_configs;
use crate::endpoints;
use crate::error::ServiceError;
use crate::faults::{FaultKind, FaultQueue};
use crate::rate::RateLimit;
use crate::recording::Call;
use crate::requests::{Answer, Document, required, text};
use crate::settings::Settings;

/// The service and all it knows.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) clock: Clock,
    state: Mutex<State>,
}

/// What changes from call to call.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) account: Account,
    pub(crate) faults: FaultQueue,
    pub(crate) calls: Vec<Call>,
    rate: Option<RateLimit>,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// An answer, sent after a while.
    Answer { answer: Answer, after: Duration },
    /// No answer, and the connection stays open.
    Silence,
    /// No answer, and the connection is closed.
    Hangup,
}

impl State {
    fn new(settings: Settings) -> Self {
        Self {
            rate: settings.calls_per_second.map(RateLimit::new),
            account: Account::new(settings),
            faults: FaultQueue::default(),
            calls: Vec::new(),
        }
    }
}

impl Service {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            clock: Clock::start(),
            state: Mutex::new(State::new(settings)),
        }
    }

    /// The state, for as long as the guard lives. Never hold it over an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked meanwhile has not left the state half changed: each operation checks
        // before it acts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything but the settings.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        *state = State::new(state.account.settings.clone());
    }

    /// Carries an operation out, without misbehaviour and without a record.
    pub(crate) fn call(&self, operation: &str, request: &Value) -> Answer {
        let request = object(request)?;
        let mut state = self.state();
        // Read once the state is held, so that the times of the calls are in the order of their acts.
        let now = self.clock.now();
        dispatch::run(&mut state.account, operation, request, now, Sight::Fresh)
    }

    /// Puts an endpoint into a status; tells whether there is such an endpoint.
    pub(crate) fn force_status(
        &self,
        endpoint_name: &str,
        status: &str,
        lasting: Option<Duration>,
    ) -> bool {
        let mut state = self.state();
        let now = self.clock.now();
        endpoints::force_status(&mut state.account, endpoint_name, status, lasting, now)
    }

    /// Puts an alarm into or out of alarm.
    pub(crate) fn trip_alarm(&self, name: &str, tripped: bool) {
        let mut state = self.state();
        let now = self.clock.now();
        state.account.alarms.set(name, tripped, now);
    }

    /// What the config of an endpoint's latest deployment has of the traffic, in percent; `None`
    /// where there is no such endpoint.
    pub(crate) fn traffic(&self, endpoint_name: &str) -> Option<f64> {
        let state = self.state();
        endpoints::traffic(&state.account, endpoint_name, self.clock.now())
    }

    /// Receives a request from outside: lets the misbehaviour have its say, acts, and records.
    pub(crate) fn receive(&self, operation: &str, request: Result<Value, ServiceError>) -> Reply {
        let mut state = self.state();
        let elapsed = self.clock.elapsed();
        let (reply, acted) = match &request {
            Ok(request) => self.respond(&mut state, operation, request),
            Err(error) => (answer(Err(error.clone())), false),
        };
        let (status, error_code) = match &reply {
            Reply::Answer { answer: Ok(_), .. } => (Some(200), None),
            Reply::Answer {
                answer: Err(error), ..
            } => (Some(error.status), Some(error.code.clone())),
            Reply::Silence | Reply::Hangup => (None, None),
        };
        tracing::info!(operation, status, error_code, acted, "call");
        state.calls.push(Call {
            operation: operation.to_owned(),
            request: request.unwrap_or_default(),
            status,
            error_code,
            at_seconds: elapsed.as_secs_f64(),
            acted,
        });
        reply
    }

    /// The reply to a request, and whether the operation was carried out.
    fn respond(&self, state: &mut State, operation: &str, request: &Value) -> (Reply, bool) {
        let request = match object(request) {
            Ok(request) => request,
            Err(error) => return (answer(Err(error)), false),
        };
        let elapsed = self.clock.elapsed();
        if state.rate.as_mut().is_some_and(|rate| !rate.admit(elapsed)) {
            return (answer(Err(throttled())), false);
        }
        let Some(fault) = state.faults.strike(operation) else {
            return self.act(state, operation, request, Sight::Fresh, Duration::ZERO);
        };
        let account = &state.account;
        let error = match fault {
            FaultKind::Hang => return (Reply::Silence, false),
            FaultKind::DropBefore => return (Reply::Hangup, false),
            FaultKind::DropAfter => {
                let (_, acted) = self.act(state, operation, request, Sight::Fresh, Duration::ZERO);
                return (Reply::Hangup, acted);
            }
            FaultKind::Late { milliseconds } => {
                let after = Duration::from_millis(milliseconds);
                return self.act(state, operation, request, Sight::Fresh, after);
            }
            FaultKind::Stale => {
                return self.act(state, operation, request, Sight::Stale, Duration::ZERO);
            }
            FaultKind::Throttle => throttled(),
            FaultKind::Deny => denied(account, operation, request),
            FaultKind::Limit => over_the_limit(account, request),
            FaultKind::ConfigNotFound => {
                endpoint_configs::not_found(account, required(request, "EndpointConfigName"))
            }
            FaultKind::Fail => ServiceError {
                status: 500,
                ..ServiceError::new(
                    "InternalFailure",
                    "The request processing has failed because of an internal error.",
                )
            },
            FaultKind::Error {
                code,
                message,
                status,
            } => ServiceError {
                code,
                message,
                status,
            },
        };
        (answer(Err(error)), false)
    }

    fn act(
        &self,
        state: &mut State,
        operation: &str,
        request: &Document,
        sight: Sight,
        after: Duration,
    ) -> (Reply, bool) {
        let answer = dispatch::run(
            &mut state.account,
            operation,
            request,
            self.clock.now(),
            sight,
        );
        let acted = answer.is_ok();
        (Reply::Answer { answer, after }, acted)
    }
}

fn answer(answer: Answer) -> Reply {
    Reply::Answer {
        answer,
        after: Duration::ZERO,
    }
}

fn object(request: &Value) -> Result<&Document, ServiceError> {
    let wrong = || ServiceError::serialization("The request is not a JSON object");
    request.as_object().ok_or_else(wrong)
}

fn throttled() -> ServiceError {
    ServiceError::new("ThrottlingException", "Rate exceeded")
}

fn denied(account: &Account, operation: &str, request: &Document) -> ServiceError {
    let caller = account.arns.caller();
    let resource = dispatch::resource_arn(account, operation, request);
    ServiceError::new(
        "AccessDeniedException",
        format!(
            "User: {caller} is not authorized to perform: sagemaker:{operation} on resource: {resource} because no \
             identity-based policy allows the sagemaker:{operation} action"
        ),
    )
}

fn over_the_limit(account: &Account, request: &Document) -> ServiceError {
    let known = text(request, "EndpointConfigName").and_then(|name| account.endpoint_config(name));
    let config = known.map_or(request, |config| &config.document);
    let instance_type = variants(config).find_map(|variant| text(variant, "InstanceType"));
    ServiceError::new(
        "ResourceLimitExceeded",
        format!(
            "The account-level service limit '{} for endpoint usage' is 0 Instances, with current utilization of 0 \
             Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this \
             quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.",
            instance_type.unwrap_or("ml.m5.xlarge")
        ),
    )
}
