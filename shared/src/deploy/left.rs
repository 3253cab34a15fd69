//! What an undo leaves behind, and why.

use super::decide::Target;
use super::facts::Known;
use super::undo::{Part, Undo};
use super::{Engine, Fate, LastPoll, Phase, Presence};
use crate::error::{LeftBehind, Resource, Stays};
use crate::failure::ServiceFailure;
use crate::plan::Route;
use aws_sdk_sagemaker::types::EndpointStatus;

impl Engine {
    pub(super) fn is_left(&self, resource: &Resource) -> bool {
        self.left_behind
            .iter()
            .any(|left| left.resource == *resource)
    }

    /// Leaves everything that this deployment made, because of the endpoint.
    pub(super) fn leave_all(&mut self, undo: &Undo, target: &Target, why: &Stays) -> Known<()> {
        let config_made = self.is_made(&undo.endpoint_config, &target.endpoint_config)?;
        let model_made = match self.arn_of_model(undo, target)? {
            // What cannot be found out is named.
            Some(arn) => {
                self.is_own(&arn, &undo.model)? || self.facts.unreadable_tags(&arn).is_some()
            }
            None => false,
        };
        if config_made {
            self.leave(
                Resource::EndpointConfig(target.endpoint_config.clone()),
                why,
            );
        }
        if model_made && !undo.keeps_model() {
            self.leave(Resource::Model(target.model.clone()), why);
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, resource: Resource, why: &Stays) {
        if self.is_left(&resource) {
            return;
        }
        tracing::warn!(%resource, reason = %why, "left behind by a failed deployment");
        let why = why.clone();
        self.left_behind.push(LeftBehind { resource, why });
    }

    /// A part of the undo was refused for good: what it was about is left behind and named.
    pub(super) fn part_refused(&mut self, which: Part, failure: &ServiceFailure) {
        let Phase::Undo(undo) = &mut self.phase else {
            return;
        };
        undo.done.insert(which);
        let Some(target) = undo.target.clone() else {
            return;
        };
        let why = Stays::refused(failure);
        match which {
            Part::RestoreScaling => {
                // What could not be restored stays saved, for the next deployment.
                undo.done.insert(Part::ForgetScaling);
                let variant = failure.resource.rsplit('/').next().unwrap_or_default();
                self.leave(Resource::Autoscaling(variant.to_owned()), &why);
            }
            Part::DeleteEndpoint => {
                undo.target = None;
                self.leave(Resource::Endpoint(self.own_name().to_owned()), &why);
                self.leave(Resource::EndpointConfig(target.endpoint_config), &why);
                self.leave(Resource::Model(target.model), &why);
            }
            Part::DeleteEndpointConfig => {
                undo.done.insert(Part::DeleteModel);
                self.leave(Resource::EndpointConfig(target.endpoint_config), &why);
                self.leave(Resource::Model(target.model), &why);
            }
            Part::DeleteModel => self.leave(Resource::Model(target.model), &why),
            Part::ForgetScaling => {
                // It is restored, and would be once more.
                for scaling in self.saved.clone() {
                    self.leave(Resource::Autoscaling(scaling.variant), &why);
                }
            }
            // Without an announcement the claims of others are still read.
            Part::RecordFailure | Part::Announce | Part::PollAgain | Part::Retract => {
                tracing::warn!(reason = %why, "a part of the undo was refused");
            }
        }
    }

    /// The time of an undo, or of the closing, is over: what is left is named.
    pub(super) fn give_up_cleaning(&mut self) {
        self.pending = None;
        match self.phase.clone() {
            Phase::Undo(undo) => {
                let why = self
                    .trouble
                    .as_ref()
                    .map_or(Stays::NotSeenUnused, Stays::refused);
                if !undo.done.contains(&Part::ForgetScaling) {
                    for scaling in self.saved.clone() {
                        self.leave(Resource::Autoscaling(scaling.variant), &why);
                    }
                }
                self.leave_unfinished(&undo, &why);
                self.undone(undo.purpose, Fate::Undone);
            }
            Phase::Close(mut closing) => {
                let why = self.trouble.as_ref().map_or(Stays::NoTime, Stays::refused);
                self.name_anchor(&mut closing, why);
                self.trouble = None;
                self.phase = if closing.forget_checkpoint() {
                    Phase::Close(closing)
                } else {
                    Phase::Finished(closing.outcome)
                };
            }
            Phase::Forward | Phase::Finished(_) => {}
        }
    }

    fn leave_unfinished(&mut self, undo: &Undo, why: &Stays) {
        let Some(target) = &undo.target else {
            return;
        };
        let is_ours = matches!(&self.last_poll, LastPoll::Endpoint(endpoint)
            if endpoint.status == EndpointStatus::Failed && endpoint.config == target.endpoint_config);
        if is_ours && self.route() != Route::Update {
            self.leave(Resource::Endpoint(self.own_name().to_owned()), why);
        }
        let is_there = |presence: &Presence| *presence != Presence::Unknown;
        let written = self.checkpoint.is_some();
        let config = is_there(&undo.endpoint_config) || written;
        if config && !undo.done.contains(&Part::DeleteEndpointConfig) {
            self.leave(
                Resource::EndpointConfig(target.endpoint_config.clone()),
                why,
            );
        }
        let model = is_there(&undo.model) || written;
        if model && !undo.keeps_model() && !undo.done.contains(&Part::DeleteModel) {
            self.leave(Resource::Model(target.model.clone()), why);
        }
    }
}
