//! The service behind the socket: what misbehaves, what is done and what is recorded.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::account::{Account, Sight};
use crate::api::Api;
use crate::callback_steps::CallbackStep;
use crate::clock::Clock;
use crate::dispatch;
use crate::endpoint_configs;
use crate::endpoints;
use crate::error::ServiceError;
use crate::faults::{FaultKind, FaultQueue};
use crate::pipeline_executions;
use crate::rate::RateLimit;
use crate::recording::Call;
use crate::refusals;
use crate::requests::{Answer, Document, required};
use crate::scalable_targets;
use crate::scaling_policies;
use crate::scheduled_actions;
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
    /// An answer that is not the service's.
    Foreign { status: u16, body: String },
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

    /// Starts a callback step; its token, or what is wrong with what it was told.
    pub(crate) fn start_callback_step(
        &self,
        execution_arn: &str,
        step_name: &str,
        queue_url: &str,
        token: Option<&str>,
    ) -> Result<String, String> {
        let mut state = self.state();
        let now = self.clock.now();
        let steps = &mut state.account.callback_steps;
        steps.start(execution_arn, step_name, queue_url, token, now)
    }

    /// A callback step and all attempts to answer it; `None` where no step has the token.
    pub(crate) fn callback_step(&self, token: &str) -> Option<Value> {
        let state = self.state();
        state
            .account
            .callback_steps
            .get(token)
            .map(CallbackStep::told)
    }

    /// Has a callback step's pipeline stopped; tells whether there is such a step.
    pub(crate) fn stop_callback(&self, token: &str) -> bool {
        self.state().account.callback_steps.stop(token)
    }

    /// Keeps a callback step off the list for a while; tells whether there is such a step.
    pub(crate) fn hide_callback(&self, token: &str, lasting: Duration) -> bool {
        let mut state = self.state();
        let until = self.clock.now() + lasting;
        state.account.callback_steps.hide(token, until)
    }

    /// Stops the waiting of a callback step; tells whether there is such a step.
    pub(crate) fn expire_callback(&self, token: &str) -> bool {
        let mut state = self.state();
        let now = self.clock.now();
        state.account.callback_steps.expire(token, now)
    }

    /// The scalable targets that there are, each with its policies and scheduled actions.
    pub(crate) fn scalable_targets(&self) -> Vec<Value> {
        let state = self.state();
        let account = &state.account;
        let targets = account.scalable_targets.values().map(|target| {
            let mut described = scalable_targets::description(account, target);
            described["ScalingPolicies"] = scaling_policies::of(target).into();
            described["ScheduledActions"] = scheduled_actions::of(target).into();
            described
        });
        targets.collect()
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
            Reply::Foreign { status, .. } => (Some(*status), None),
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
        // Queues have limits of their own, which nobody reaches here.
        let rate = state
            .rate
            .as_mut()
            .filter(|_| Api::of(operation) != Api::Sqs);
        if rate.is_some_and(|rate| !rate.admit(elapsed)) {
            return refuse(state, operation, request, refusals::throttled());
        }
        let Some(fault) = state.faults.strike(operation, request) else {
            return self.act(state, operation, request, Sight::Fresh, Duration::ZERO);
        };
        let account = &state.account;
        let error = match fault {
            FaultKind::Hang => return (Reply::Silence, false),
            FaultKind::Foreign { status, body } => return (Reply::Foreign { status, body }, false),
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
            FaultKind::Throttle => refusals::throttled(),
            FaultKind::Deny => refusals::denied(account, operation, request),
            FaultKind::Limit => refusals::over_the_limit(account, operation, request),
            FaultKind::ConfigNotFound => {
                endpoint_configs::not_found(account, required(request, "EndpointConfigName"))
            }
            FaultKind::Fail => refusals::broken(operation),
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
        refuse(state, operation, request, error)
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

/// Refuses a request that is not carried out.
fn refuse(
    state: &mut State,
    operation: &str,
    request: &Document,
    error: ServiceError,
) -> (Reply, bool) {
    let refused = Err(error);
    pipeline_executions::note(&mut state.account, operation, request, &refused);
    (answer(refused), false)
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
