//! The driver: carries out the calls that the engine asks for, and lets the time pass that it waits for. There is
//! nothing to decide here.
//!
//! A call that waits drives its deployment to the end. A queue's delivery drives it until only time helps.

mod budget;
mod calls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::autoscaling::Autoscaling;
use crate::contract::{DeployAnswer, DeployRequest, DeploymentKind};
use crate::deploy::{Asked, Call, Callback, Deadlines, Engine, Next, Outcome, Reply};
use crate::error::{Error, Failure};
use crate::failure::ServiceFailure;
use crate::moment::Moment;
use crate::queue::Queues;
use crate::sagemaker::SageMaker;
use crate::wait::Pace;
pub use budget::{Budget, remaining_until};

/// The longest that one delivery of a message takes: it ends before the message is seen again.
const LONGEST_DELIVERY: Duration = Duration::from_secs(13);

/// How long after its time a deployment may still be undone, from delivery to delivery: until a claim of an earlier one has
/// run out, and somewhat more.
const UNDO_GRACE: Duration = Duration::from_secs(180);

/// Of that, the time in which a delivery repeats no call any more: in an account that is short of calls, the next delivery
/// comes soon enough.
const KEPT_FREE: Duration = Duration::from_secs(7);

/// Of that, the time in which the previous endpoint config is deleted after a second poll.
const KEPT_TO_DELETE: Duration = Duration::from_secs(2);

/// Of that, the time in which the last delivery may undo.
const UNDO_IN_DELIVERY: Duration = Duration::from_secs(10);

/// How long the closing goes on after a step was answered. What is left to do then is done by the next delivery.
const LONGEST_CLOSING: Duration = Duration::from_secs(13);

/// The services that a deployment calls.
#[derive(Debug, Clone)]
pub struct Services {
    /// Models, endpoint configs, endpoints, and the steps of pipelines that wait for a deployment.
    pub sagemaker: SageMaker,
    /// The autoscaling of an endpoint's variants.
    pub autoscaling: Autoscaling,
    /// The queues that deployments come through.
    pub queues: Queues,
}

/// The wall clock, as tokio's clock goes on from it. The two are the same, unless a test pauses the latter and moves it
/// ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    epoch: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let started = Instant::now();
        let (wall, system) = (SystemTime::now(), std::time::Instant::now());
        let ahead = started.into_std().saturating_duration_since(system);
        let behind = system.saturating_duration_since(started.into_std());
        let epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default() + ahead;
        Self {
            started,
            epoch: epoch.saturating_sub(behind),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.at(Instant::now())
    }

    fn at(&self, instant: Instant) -> Moment {
        let before = self.started.saturating_duration_since(instant);
        let after = instant.saturating_duration_since(self.started);
        Moment::since_epoch((self.epoch + after).saturating_sub(before))
    }
}

/// A word that tells this process of a deployment from every other.
fn process(clock: &Clock) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let text = format!("{} {} {number}", clock.epoch.as_nanos(), std::process::id());
    let word = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string();
    word.chars().take(8).collect()
}

/// Deploys a model package to an endpoint and waits until it serves.
///
/// `event` is given back as the answer's `body`. `budget` says when the waiting, the undo and the answer are due, and
/// `pace` how long to pause between two polls.
///
/// # Errors
///
/// The contract's errors, with what the undo of the failed deployment left behind.
pub async fn deploy(
    services: &Services,
    kind: DeploymentKind,
    request: &DeployRequest,
    event: &str,
    budget: Budget,
    pace: Pace,
) -> Result<DeployAnswer, Failure> {
    let clock = Clock::start();
    let mut engine = Engine::new(Asked {
        kind,
        request: Arc::new(request.clone()),
        event: event.into(),
        callback: None,
        process: process(&clock),
        started: clock.at(budget.started),
        deadlines: Deadlines {
            wait_until: clock.at(budget.wait_until),
            undo_until: clock.at(budget.undo_until),
            answer_by: clock.at(budget.answer_by),
        },
        pace,
    })?;
    loop {
        match engine.next(clock.now()) {
            Next::Call(call) => {
                let reply = carry_out(services, &call, budget.answer_by).await;
                engine.handle(clock.now(), reply);
            }
            Next::Wait(pause) => sleep(pause).await,
            Next::Finish(Outcome::Answered(answer)) => return Ok(*answer),
            Next::Finish(Outcome::Failed(failure)) => return Err(failure),
            // Who waits in the call itself is never found gone.
            Next::Finish(Outcome::NotWaitedFor { left_behind, .. }) => {
                let error = Error::EndpointNotFound {
                    endpoint_name: request.endpoint_name.clone(),
                };
                return Err(Failure { error, left_behind });
            }
        }
    }
}

/// One delivery of a message that asks for a deployment.
pub(crate) struct Delivery<'a> {
    services: &'a Services,
    engine: Engine,
    clock: Clock,
    cut: Instant,
    /// Whether it is answered now, whatever it came to.
    is_last: bool,
}

impl<'a> Delivery<'a> {
    /// Resumes a deployment whose message was sent this long ago.
    ///
    /// # Errors
    ///
    /// The keys that do not go together.
    pub(crate) fn new(
        services: &'a Services,
        kind: DeploymentKind,
        request: &DeployRequest,
        event: &str,
        callback: Callback,
        (clock, age, is_last, pace): (Clock, Duration, bool, Pace),
    ) -> Result<Self, Failure> {
        let now = clock.now();
        let left = request.max_age.saturating_sub(age);
        let wait_until = if is_last { now } else { now + left };
        let is_last = is_last || age >= request.max_age + UNDO_GRACE;
        let grace = (request.max_age + UNDO_GRACE).saturating_sub(age);
        let undo_until = if is_last { now } else { now + grace };
        let engine = Engine::new(Asked {
            kind,
            request: Arc::new(request.clone()),
            event: event.into(),
            callback: Some(callback),
            process: process(&clock),
            started: now.before(age),
            deadlines: Deadlines {
                wait_until,
                undo_until: undo_until + UNDO_IN_DELIVERY,
                answer_by: undo_until + LONGEST_DELIVERY,
            },
            pace,
        })?;
        Ok(Self {
            services,
            engine,
            clock,
            cut: Instant::now() + LONGEST_DELIVERY,
            is_last,
        })
    }

    /// Drives the deployment until only time helps, or its time is over; the outcome if it has ended.
    pub(crate) async fn run(&mut self) -> Option<Outcome> {
        loop {
            match self.engine.next(self.clock.now()) {
                Next::Call(call) => self.call(&call).await,
                // A call that is repeated is no reason to leave the rest to the next delivery.
                Next::Wait(pause) if self.is_last || self.repeats_within(pause) => {
                    sleep(pause).await;
                }
                Next::Finish(outcome) => return Some(outcome),
                Next::Wait(_) => return None,
            }
            if !self.is_last && Instant::now() >= self.cut {
                return None;
            }
        }
    }

    fn repeats_within(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        let repeats = self.engine.is_repeating() && end + KEPT_FREE < self.cut;
        repeats || self.engine.is_settling() && end + KEPT_TO_DELETE < self.cut
    }

    /// Removes what served the resumption, once the step is answered; whether that is done.
    pub(crate) async fn close(&mut self) -> bool {
        // The message comes back before the engine gives up.
        let given_up = LONGEST_CLOSING + Duration::from_secs(1);
        self.engine.close(self.clock.now() + given_up);
        self.cut = Instant::now() + LONGEST_CLOSING;
        while Instant::now() < self.cut {
            match self.engine.next(self.clock.now()) {
                Next::Call(call) => self.call(&call).await,
                Next::Wait(pause) => sleep(pause).await,
                Next::Finish(_) => return true,
            }
        }
        false
    }

    async fn call(&mut self, call: &Call) {
        let reply = carry_out(self.services, call, self.cut).await;
        self.engine.handle(self.clock.now(), reply);
    }
}

/// Makes a call until it passes, as long as its failure may pass and `give_up` has not come. Outside of a deployment,
/// whose engine repeats its calls itself.
///
/// # Errors
///
/// The last failure; that of a call that was cut off is `late`.
pub(crate) async fn until_it_passes<T, Sent>(
    pace: Pace,
    give_up: Instant,
    late: impl Fn() -> ServiceFailure,
    mut call: impl FnMut() -> Sent,
) -> Result<T, ServiceFailure>
where
    Sent: Future<Output = Result<T, ServiceFailure>>,
{
    let mut failures = 0;
    loop {
        let reply = timeout_at(give_up, call()).await;
        let failure = match reply.unwrap_or_else(|_| Err(late())) {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        let pause = pace.backoff(&failure.resource, failures);
        if !failure.may_pass_after(failures) || Instant::now() + pause >= give_up {
            return Err(failure);
        }
        failure.warn_of_repeat();
        sleep(pause).await;
        failures += 1;
    }
}

/// Carries out one call, until `cut`.
async fn carry_out(
    services: &Services,
    call: &Call,
    cut: Instant,
) -> Result<Reply, ServiceFailure> {
    // Boxed, because the compiler gives up on the layout of futures that nest as deep as this one.
    let reply = timeout_at(cut, Box::pin(calls::call(services, call))).await;
    reply.unwrap_or_else(|_| Err(ServiceFailure::no_reply(call.operation(), call.resource())))
}
