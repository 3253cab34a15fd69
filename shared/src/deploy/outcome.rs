//! The outcome and its answer.

use super::close::Closing;
use super::{Engine, Fate, LastPoll, Outcome, Phase};
use crate::contract::{DeployAnswer, DeploymentKind, DeploymentStatus};
use crate::error::{Error, Failure};
use crate::moment::Moment;

impl Engine {
    /// Ends the deployment; what only serves its resumption is removed before a waiting call is answered.
    pub(super) fn conclude(&mut self, ended: Result<DeploymentStatus, Error>, now: Moment) {
        let outcome = self.outcome(ended, now);
        self.fate = Some(Fate::Serves);
        self.end(outcome);
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        self.phase = if self.asked.callback.is_some() || self.asked.request.dry_run {
            Phase::Finished(outcome)
        } else {
            Phase::Close(Closing::after(outcome, self))
        };
    }

    /// Ends the deployment as it stands.
    pub(super) fn finish(&mut self, ended: Result<DeploymentStatus, Error>, now: Moment) {
        self.fate = Some(Fate::Stays);
        self.phase = Phase::Finished(self.outcome(ended, now));
    }

    pub(super) fn outcome(&self, ended: Result<DeploymentStatus, Error>, now: Moment) -> Outcome {
        match ended {
            Ok(status) => Outcome::Answered(Box::new(self.answer(status, now))),
            Err(error) => Outcome::Failed(Failure {
                error,
                left_behind: self.left_behind.clone(),
            }),
        }
    }

    pub(super) fn answer(&self, status: DeploymentStatus, now: Moment) -> DeployAnswer {
        let target = self.names();
        let endpoint_config = target.as_ref().map(|target| target.endpoint_config.clone());
        let previous = target.as_ref().map(|target| target.previous.clone());
        let previous = previous.filter(|previous| Some(previous) != endpoint_config.as_ref());
        DeployAnswer {
            status_code: 200,
            body: self.asked.event.to_string(),
            model: target.map(|target| target.model).unwrap_or_default(),
            endpoint_name: self.own_name().to_owned(),
            endpoint_arn: match &self.last_poll {
                LastPoll::Endpoint(endpoint) => endpoint.arn.clone(),
                _ => String::new(),
            },
            endpoint_config: endpoint_config.unwrap_or_default(),
            endpoint_status: self.status().to_owned(),
            previous_endpoint_config: (self.asked.kind == DeploymentKind::Existing)
                .then(|| previous.unwrap_or_default()),
            deployment_status: status,
            elapsed: now.since(self.asked.started),
        }
    }
}
