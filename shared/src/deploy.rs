//! The reconciler: observe the endpoint, decide purely what comes next, act, and again.
//!
//! Each turn starts from what the service says and not from what an earlier turn remembers, so that a
//! lost reply, a killed process and a repeated call need no code of their own. A turn ends where only time
//! helps; [`deploy`] runs the turns in a loop, with the pauses of [`crate::wait`] between them.

mod act;
mod budget;
mod decide;
mod ending;
mod notes;
mod observe;
mod scaling;
mod step;
mod superseded;
mod turn;

use tokio::time::{Instant, sleep, timeout_at};

use crate::autoscaling::Autoscaling;
use crate::contract::{DeployAnswer, DeployRequest, DeploymentKind, DeploymentStatus};
use crate::error::{Error, Failure};
use crate::queue::Queues;
use crate::sagemaker::SageMaker;
use crate::wait::Pace;
pub use budget::{Budget, remaining_until};
pub use step::Callback;
pub(crate) use step::{Stepped, Stepping};
use turn::{Deployment, Turn};

/// How many of the shortest pauses a look must come after a lost reply to count: 5 s, where a stale read is
/// over in one or two.
const SETTLING: u32 = 5;

/// The services that a deployment calls.
#[derive(Debug, Clone)]
pub struct Services {
    /// Models, endpoint configs, endpoints, and the steps of pipelines that wait for a deployment.
    pub sagemaker: SageMaker,
    /// What scales an endpoint's variants.
    pub autoscaling: Autoscaling,
    /// The queues that deployments come through.
    pub queues: Queues,
}

/// Deploys a model package to an endpoint and waits until it serves.
///
/// `event` is given back as the answer's `body`. `budget` says when the waiting, the undo and the answer are due, and
/// `pace` how long to pause between two looks.
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
    let mut deployment = Deployment::new(services, kind, request, pace, budget.undo_until)?;
    let ended = if let Ok(ended) = timeout_at(budget.answer_by, deployment.run(budget, pace)).await
    {
        ended
    } else {
        // A call hangs. What failed before it is not what kept the answer.
        deployment.trouble = None;
        deployment.out_of_time(budget)
    };
    ended.map(|status| deployment.answer(status, event, budget))
}

impl Deployment<'_> {
    /// Runs the turns until the deployment ends or the waiting budget is spent.
    async fn run(&mut self, budget: Budget, pace: Pace) -> Result<DeploymentStatus, Failure> {
        let mut backoff = pace.backoff();
        let mut steps_before = 0;
        loop {
            let turn = self.turn().await;
            if self.steps_done > steps_before {
                // It is getting on: what fails now fails for the first time.
                steps_before = self.steps_done;
                backoff = pace.backoff();
            }
            let pause = match turn {
                Ok(Turn::Done(status)) => return Ok(status),
                Ok(Turn::Failed(error)) => {
                    self.settle(pace).await;
                    return Err(self.undo(error, budget, pace).await);
                }
                // Who waits in the call itself is never found gone.
                Ok(Turn::LookAgain | Turn::Abandoned(_)) => {
                    self.trouble = None;
                    backoff = pace.backoff();
                    pace.pause(budget.started.elapsed())
                }
                Err(failure) => {
                    failure.warn_of_repeat();
                    self.trouble = Some(failure);
                    backoff.next().unwrap_or(pace.longest)
                }
            };
            let left = budget.wait_until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.settle(pace).await;
                return match self.out_of_time(budget) {
                    // What has not begun does not go on by itself: it is cleared away like any failure.
                    Err(failure) if self.begun.is_none() && self.trouble.is_some() => {
                        Err(self.undo(failure.error, budget, pace).await)
                    }
                    ended => ended,
                };
            }
            sleep(pause.min(left)).await;
        }
    }

    /// Where the reply to the deployment's beginning was lost, one more look tells whether it has begun.
    async fn settle(&mut self, pace: Pace) {
        if self.begun.as_ref().is_none_or(|begun| begun.certain) {
            return;
        }
        // A look right after the call could be stale.
        sleep(pace.shortest * SETTLING).await;
        if let Ok(false) = self.seems_begun().await {
            self.begun = None;
        }
    }

    /// Takes away what the failed deployment made.
    async fn undo(&self, error: Error, budget: Budget, pace: Pace) -> Failure {
        let Some(made) = self.made_by(&error) else {
            return error.into();
        };
        // The rest is for the notes of what has to stay.
        let now = Instant::now();
        let give_up = now + budget.undo_until.saturating_duration_since(now) * 3 / 4;
        let left_behind = match self.put_scaling_back(pace, give_up).await {
            Ok(()) => self.take_away(made, pace, give_up).await.left_behind,
            // The endpoint config has the notes of it, and refers to the model.
            Err(left_behind) => left_behind,
        };
        if !left_behind.is_empty() {
            self.forget_beginning(pace, budget.undo_until).await;
        }
        Failure { error, left_behind }
    }
}
