//! A deployment of any length in steps: one turn a message of a queue, each in a process that knows nothing of the
//! others. The waiting deployment runs the same turns in a loop.

use std::time::Duration;

use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::EndpointStatus;
use tokio::time::Instant;
use tracing::warn;

use super::Services;
use super::budget::Budget;
use super::turn::{Deployment, Resources, Turn};
use crate::contract::{DeployAnswer, DeployRequest, DeploymentKind, DeploymentStatus, OnFailure};
use crate::error::{Error, Failure};
use crate::failure::ServiceFailure;
use crate::sagemaker::Waiting;
use crate::wait::Pace;

/// How long a step goes on with undoing, before it leaves the rest to the next.
const UNDO: Duration = Duration::from_secs(5);

/// The step of a pipeline that waits for a deployment.
#[derive(Debug, Clone)]
pub struct Callback {
    /// What the answer is given under (`CallbackToken`).
    pub token: String,
    /// ARN of the pipeline execution, where the message has it.
    pub pipeline_execution_arn: Option<String>,
    /// When the deployment was asked for: when its message was first sent.
    pub asked_at: Option<DateTime>,
}

/// What one step of a deployment came to.
#[derive(Debug)]
pub(crate) enum Stepped {
    /// It goes on; look again later.
    Pending,
    /// It has ended.
    Ended(Result<Box<DeployAnswer>, Failure>),
    /// It has not begun, and nobody waits for it any more.
    Abandoned(Waiting),
}

/// A deployment that comes in steps.
pub(crate) struct Stepping<'a> {
    deployment: Deployment<'a>,
    event: &'a str,
    /// How long ago it was asked for.
    age: Duration,
    /// Whether its time is up, so that it is answered now whatever it came to.
    is_due: bool,
    pace: Pace,
    /// What is left to take away once the failure has been told: as long as the endpoint config is there, its
    /// notes keep a repeated message from beginning once more.
    remains: Option<Resources>,
    /// Whether the endpoint serves what was asked for.
    serves: bool,
}

impl<'a> Stepping<'a> {
    /// Takes a deployment up where the service says that it is.
    ///
    /// # Errors
    ///
    /// The keys that do not go together.
    pub(crate) fn new(
        services: &'a Services,
        kind: DeploymentKind,
        request: &'a DeployRequest,
        event: &'a str,
        callback: &'a Callback,
        (age, is_last, pace): (Duration, bool, Pace),
    ) -> Result<Self, Failure> {
        let finish_by = Instant::now() + UNDO;
        let mut deployment = Deployment::new(services, kind, request, pace, finish_by)?;
        deployment.callback = Some(callback);
        deployment.has_leave = false;
        Ok(Self {
            deployment,
            event,
            age,
            is_due: is_last || age >= request.max_age,
            pace,
            remains: None,
            serves: false,
        })
    }

    /// Does everything that can be done by one look at the endpoint.
    pub(crate) async fn step(&mut self) -> Stepped {
        match self.deployment.turn().await {
            Ok(Turn::Abandoned(waiting)) => Stepped::Abandoned(waiting),
            Ok(Turn::Done(status)) => {
                self.serves = true;
                self.ended(Ok(status))
            }
            Ok(Turn::Failed(error)) => self.undo(error).await,
            Ok(Turn::LookAgain) => self.look_again(),
            Err(failure) => {
                failure.warn_of_repeat();
                self.deployment.trouble = Some(failure);
                self.look_again()
            }
        }
    }

    /// What a step that was cut off came to.
    pub(crate) fn cut_off(&mut self) -> Stepped {
        self.look_again()
    }

    fn look_again(&mut self) -> Stepped {
        if !self.is_due {
            return Stepped::Pending;
        }
        let ended = self.deployment.out_of_time(self.budget());
        self.ended(ended)
    }

    /// Undoes a failed deployment, in as many steps as that takes.
    async fn undo(&mut self, error: Error) -> Stepped {
        let Some(made) = self.deployment.made_by(&error) else {
            return Stepped::Ended(Err(error.into()));
        };
        if let Err(failure) = self.note_failure(&error).await {
            failure.warn_of_repeat();
            return Stepped::Pending;
        }
        let give_up = Instant::now() + UNDO;
        if let Err(left_behind) = self.deployment.put_scaling_back(self.pace, give_up).await {
            self.deployment
                .forget_beginning(self.pace, give_up + UNDO)
                .await;
            return Stepped::Ended(Err(Failure { error, left_behind }));
        }
        let but_the_config = Resources {
            endpoint_config: false,
            ..made
        };
        let undone = self
            .deployment
            .take_away(but_the_config, self.pace, give_up)
            .await;
        if undone.needs_time && !self.is_due {
            return Stepped::Pending;
        }
        self.remains = made.endpoint_config.then_some(Resources {
            model: false,
            endpoint_config: true,
        });
        Stepped::Ended(Err(Failure {
            error,
            left_behind: undone.left_behind,
        }))
    }

    /// A failed endpoint tells by itself what happened, as long as it is there.
    async fn note_failure(&mut self, error: &Error) -> Result<(), ServiceFailure> {
        let deployment = &mut self.deployment;
        let endpoint = deployment.endpoint.as_ref();
        let is_there = endpoint.is_some_and(|look| look.status == EndpointStatus::Failed);
        let goes = deployment.request.on_failure == OnFailure::Delete;
        match error {
            Error::EndpointCreationFailed { reason, .. } if is_there && goes => {
                let reason = reason.clone().unwrap_or_default();
                deployment.note_failure(&reason).await
            }
            _ => Ok(()),
        }
    }

    /// Takes away what had to stay until the answer was given.
    pub(crate) async fn clear(&mut self) {
        self.deployment.callback = None;
        if self.serves
            && self.deployment.notes_open()
            && let Err(failure) = self.deployment.close_notes().await
        {
            // They are no harm before the next update, which removes them too.
            warn!(
                reason = failure.reason(),
                "left notes of a finished update on its endpoint config"
            );
        }
        if let Some(remains) = self.remains {
            let give_up = Instant::now() + UNDO;
            let undone = self.deployment.take_away(remains, self.pace, give_up).await;
            if !undone.left_behind.is_empty() {
                self.deployment
                    .forget_beginning(self.pace, give_up + UNDO)
                    .await;
            }
        }
    }

    fn ended(&self, ended: Result<DeploymentStatus, Failure>) -> Stepped {
        let answer = |status| self.deployment.answer(status, self.event, self.budget());
        Stepped::Ended(ended.map(|status| Box::new(answer(status))))
    }

    /// The deployment's time, as if one call had waited for it since it was asked for.
    fn budget(&self) -> Budget {
        let now = Instant::now();
        Budget {
            started: now.checked_sub(self.age).unwrap_or(now),
            wait_until: now,
            undo_until: now,
            answer_by: now,
        }
    }
}
