//! The end of a deployment that does not succeed: which error it is, and what has to be undone.

use super::decide::{Target, Why};
use super::undo::{Purpose, Undo};
use super::{Engine, Fate, LastPoll, Outcome, Phase, Presence, Task};
use crate::contract::DeploymentKind;
use crate::error::{CreationFailure, Error, Failure, Resource, Stays};
use crate::failure::ServiceFailure;
use crate::moment::Moment;
use crate::plan::Route;
use crate::sagemaker::{Endpoint, Waiting};

impl Engine {
    /// The error that a poll shows.
    pub(super) fn why(&self, why: Why, endpoint: Option<&Endpoint>) -> Error {
        let endpoint_name = self.own_name().to_owned();
        let status = endpoint.map_or("NotFound", |endpoint| endpoint.status.as_str());
        let endpoint_config = endpoint.map(|endpoint| endpoint.config.clone());
        let endpoint_config = endpoint_config.unwrap_or_default();
        match why {
            Why::NotFound => Error::EndpointNotFound { endpoint_name },
            Why::AlreadyExists => Error::EndpointAlreadyExists {
                endpoint_name,
                status: status.to_owned(),
                endpoint_config,
            },
            Why::CreationFailed(how) => self.creation_failed(how),
            Why::RolledBack { reason } => Error::UpdateRolledBack {
                endpoint_name,
                endpoint_config,
                reason,
            },
            Why::NotUpdatable(why) => Error::EndpointNotUpdatable {
                endpoint_name,
                status: status.to_owned(),
                why,
            },
        }
    }

    pub(super) fn creation_failed(&self, how: CreationFailure) -> Error {
        Error::EndpointCreationFailed {
            endpoint_name: self.own_name().to_owned(),
            how,
        }
    }

    /// The error of an endpoint that serves what was asked for and did not get the rest.
    pub(super) fn unfinished(&self, failure: ServiceFailure) -> Error {
        Error::NotFinished {
            endpoint_name: self.own_name().to_owned(),
            model_name: self.names().map(|target| target.model).unwrap_or_default(),
            failure: Box::new(failure),
        }
    }

    /// Ends the deployment with an error, once what it made is undone.
    pub(super) fn fail(&mut self, error: Error, now: Moment) {
        let goes_on = match &error {
            // The endpoint serves what was asked for.
            Error::NotFinished { .. } => return self.conclude(Err(error), now),
            // It cannot be watched any more, and goes on.
            Error::Service(_) => self.has_started() || self.is_between(),
            _ => self.is_between(),
        };
        if !self.resumed && !self.asked.request.dry_run {
            // An earlier process may have made something, and this one could not find out.
            let anchor = self.anchor_name();
            match self.names().filter(|_| self.is_new()) {
                Some(target) => {
                    let config = Resource::EndpointConfig(target.endpoint_config);
                    self.leave(config, &Stays::Unknown);
                    self.leave(Resource::Model(anchor), &Stays::Unknown);
                }
                None => self.leave(Resource::EndpointConfig(anchor), &Stays::Unknown),
            }
        }
        self.leave_for_the_next();
        if self.asked.request.dry_run || goes_on {
            return self.finish(Err(error), now);
        }
        self.clean(Purpose::Fail(error));
    }

    /// Names what a repeated call creates the endpoint from, and in which it finds what the endpoint had.
    pub(super) fn leave_for_the_next(&mut self) {
        if self.is_between() {
            self.leave_made(&Stays::ToCreateAgain);
            let anchor = Resource::EndpointConfig(self.anchor_name());
            self.leave(anchor, &Stays::ToCreateAgain);
        }
    }

    /// Whether the failed endpoint has been deleted, and is not created again yet; or may have been.
    pub(super) fn is_between(&self) -> bool {
        let is_unknown = self.route() == Route::Recreate && self.last_poll == LastPoll::None;
        (self.recreating || is_unknown) && !self.launch.is_confirmed()
    }

    /// Ends a deployment that has not started and that nobody waits for.
    pub(super) fn abandon(&mut self, waiting: Waiting) {
        if self.asked.request.dry_run {
            let left_behind = Vec::new();
            self.phase = Phase::Finished(Outcome::NotWaitedFor {
                waiting,
                left_behind,
            });
            return;
        }
        self.clean(Purpose::Abandon(waiting));
    }

    /// Deletes what was made for an earlier plan, then goes on with the present one.
    pub(super) fn discard(&mut self, earlier: Target) {
        if self.asked.request.dry_run {
            return;
        }
        let keeps_model = self
            .target
            .as_ref()
            .is_some_and(|next| next.model == earlier.model);
        for task in [
            Task::Checkpoint,
            Task::EndpointConfig,
            Task::Claim,
            Task::Verify,
        ] {
            self.done.remove(&task);
        }
        self.announced = None;
        self.missing = None;
        let (model, endpoint_config) = (self.model.clone(), self.endpoint_config.clone());
        self.endpoint_config = Presence::Unknown;
        if !keeps_model {
            self.done.remove(&Task::Model);
            self.model = Presence::Unknown;
        }
        let undo = Undo::new(
            Purpose::Discard { keeps_model },
            Some(earlier),
            model,
            endpoint_config,
        );
        self.phase = Phase::Undo(undo);
    }

    fn clean(&mut self, purpose: Purpose) {
        let has_made = self.checkpoint.is_some()
            || self.model != Presence::Unknown
            || self.endpoint_config != Presence::Unknown;
        let target = match (&self.target, &self.checkpoint) {
            (Some(target), _) => Some(target.clone()),
            (None, Some(checkpoint)) => Some(super::plans::target_of(checkpoint)),
            (None, None) => self.names(),
        };
        let undo = Undo::new(
            purpose,
            target.filter(|_| has_made),
            self.model.clone(),
            self.endpoint_config.clone(),
        );
        if let Some(target) = undo.target.as_ref().filter(|_| !self.asked.request.dry_run) {
            // Another process of this deployment may have made meanwhile what was not there.
            self.facts
                .forget_absent(&target.model, &target.endpoint_config);
        }
        if self.done.contains(&Task::ReadSaved)
            && let Some(plan) = &self.plan
        {
            // Whether it was saved is not known if the reply was lost.
            self.saved = plan.autoscaling.kept.clone();
        }
        self.repoll();
        self.announced = None;
        self.pause_until = None;
        self.failures = 0;
        self.phase = Phase::Undo(undo);
    }

    /// Names what this process has made, as far as it knows, and has not deleted.
    pub(super) fn leave_made(&mut self, why: &Stays) {
        let Some(target) = self.names() else {
            return;
        };
        if self.endpoint_config != Presence::Unknown {
            self.leave(Resource::EndpointConfig(target.endpoint_config), why);
        }
        if self.model != Presence::Unknown {
            self.leave(Resource::Model(target.model), why);
        }
    }

    /// Ends a deployment that was undone.
    pub(super) fn undone(&mut self, purpose: Purpose, fate: Fate) {
        self.fate = Some(fate);
        match purpose {
            Purpose::Fail(error) => {
                let outcome = Outcome::Failed(Failure {
                    error,
                    left_behind: self.left_behind.clone(),
                });
                self.end(outcome);
            }
            Purpose::Abandon(waiting) => {
                let left_behind = self.left_behind.clone();
                self.end(Outcome::NotWaitedFor {
                    waiting,
                    left_behind,
                });
            }
            Purpose::Discard { .. } => {
                self.phase = Phase::Forward;
                self.repoll();
            }
        }
    }

    /// Whether the deployment is of a new endpoint.
    pub(super) fn is_new(&self) -> bool {
        self.asked.kind == DeploymentKind::New
    }

    /// The ARN of the endpoint, as the last poll showed it.
    pub(super) fn endpoint_arn(&self) -> Option<String> {
        match &self.last_poll {
            LastPoll::Endpoint(endpoint) => Some(endpoint.arn.clone()),
            _ => None,
        }
    }
}
