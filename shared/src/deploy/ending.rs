//! How a deployment ends, whoever runs its turns: out of time, with what has to be taken away, with its answer.

use tokio::time::{Instant, sleep, timeout_at};

use super::budget::Budget;
use super::turn::{Deployment, Resources};
use crate::contract::{DeployAnswer, DeploymentKind, DeploymentStatus, OnTimeout};
use crate::error::{Error, Failure};
use crate::failure::ServiceFailure;
use crate::rollback::{self, Traces, Undone};
use crate::wait::Pace;

/// Makes a call again as long as that may help and there is time.
///
/// # Errors
///
/// The last failure; `None` where the time was up before there was any reply.
pub(super) async fn until_it_passes<Call>(
    pace: Pace,
    give_up: Instant,
    mut call: impl FnMut() -> Call,
) -> Result<(), Option<ServiceFailure>>
where
    Call: Future<Output = Result<(), ServiceFailure>>,
{
    let mut backoff = pace.backoff();
    loop {
        let failure = match timeout_at(give_up, call()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failure)) => failure,
            Err(_) => return Err(None),
        };
        match failure.is_passing().then(|| backoff.next()).flatten() {
            Some(pause) if Instant::now() + pause < give_up => sleep(pause).await,
            _ => return Err(Some(failure)),
        }
    }
}

impl Deployment<'_> {
    /// What a spent budget means. Nothing is deleted: a deployment that has begun goes on.
    pub(super) fn out_of_time(&self, budget: Budget) -> Result<DeploymentStatus, Failure> {
        if let Some(error) = self.serves_unscaled() {
            return Err(error.into());
        }
        if let (None, Some(trouble)) = (&self.begun, &self.trouble) {
            return Err(Error::Service(trouble.clone()).into());
        }
        if self.request.on_timeout == OnTimeout::Return && self.plan.is_some() {
            return Ok(DeploymentStatus::InProgress);
        }
        Err(Error::DeploymentTimedOut {
            endpoint_name: self.request.endpoint_name.clone(),
            status: self.status().to_owned(),
            waited_seconds: budget.started.elapsed().as_secs(),
            begun: self.begun.is_some(),
        }
        .into())
    }

    /// What goes with a deployment that ended in this error; `None` where it has to stay.
    pub(super) fn made_by(&self, error: &Error) -> Option<Resources> {
        let begun = self.begun.is_some();
        let stays = match error {
            // The endpoint serves what was asked for.
            Error::AutoscalingNotSet { .. } => true,
            // One that is under way and can no longer be watched goes on, and needs what it was given.
            Error::Service(_) => begun,
            _ => false,
        };
        (!stays).then_some(Resources {
            model: self.traces.model || begun,
            endpoint_config: self.traces.endpoint_config || begun,
        })
    }

    /// Takes away what was made, as far as the endpoint does not use it.
    pub(super) async fn take_away(&self, made: Resources, pace: Pace, give_up: Instant) -> Undone {
        let Some(plan) = self
            .plan
            .as_ref()
            .filter(|_| made.model || made.endpoint_config)
        else {
            return Undone::default();
        };
        let traces = Traces {
            endpoint_name: &self.request.endpoint_name,
            plan,
            model: made.model,
            endpoint_config: made.endpoint_config,
            endpoint: false,
            creates: self.creates().then_some(self.request.on_failure),
        };
        rollback::undo(&self.services.sagemaker, traces, pace, give_up).await
    }

    /// The answer, with what the last look at the endpoint said.
    pub(super) fn answer(
        &self,
        status: DeploymentStatus,
        event: &str,
        budget: Budget,
    ) -> DeployAnswer {
        let plan = self.plan.as_ref();
        let endpoint_config = plan.map(|plan| plan.endpoint_config_name.clone());
        let noted = self.notes.replaces.clone();
        let replaced = noted
            .filter(|_| self.was_begun_before())
            .or_else(|| plan?.live_endpoint_config.clone())
            .filter(|live| Some(live) != endpoint_config.as_ref());
        DeployAnswer {
            status_code: 200,
            body: event.to_owned(),
            model: plan.map(|plan| plan.model_name.clone()).unwrap_or_default(),
            endpoint_name: self.request.endpoint_name.clone(),
            endpoint_arn: self
                .endpoint
                .as_ref()
                .map(|endpoint| endpoint.arn.clone())
                .unwrap_or_default(),
            endpoint_config: endpoint_config.unwrap_or_default(),
            endpoint_status: self.status().to_owned(),
            previous_endpoint_config: (self.kind == DeploymentKind::Existing)
                .then(|| replaced.unwrap_or_default()),
            deployment_status: status,
            elapsed: budget.started.elapsed(),
        }
    }
}
