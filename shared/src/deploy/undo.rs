//! The undo: what a failed deployment made is deleted, newest first, and the autoscaling that it suspended is restored.
//!
//! Nothing is deleted before a poll shows that the endpoint does not use it, nothing that this deployment did not make,
//! and nothing that another one has claimed. What stays is named. It never replaces the error that made the undo
//! necessary.

use std::collections::BTreeSet;

use aws_sdk_sagemaker::types::EndpointStatus;

use super::call::Write;
use super::decide::{Launch, SETTLING, Target, shows_launch};
use super::deletions::Claims;
use super::facts::Known;
use super::forward::call;
use super::{Engine, Errand, Fate, Phase, Presence, Step};
use crate::contract::OnFailure;
use crate::error::{Error, Resource, Stays};
use crate::moment::Moment;
use crate::plan::{Route, failure_tags, notice_keys};
use crate::sagemaker::{Endpoint, Waiting};

/// What comes after an undo.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Purpose {
    /// The error.
    Fail(Error),
    /// Nobody waits for the deployment, and it has not started.
    Abandon(Waiting),
    /// The deployment goes on with another plan.
    Discard { keeps_model: bool },
}

/// A part of the undo, in order. Each is done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    RestoreScaling,
    ForgetScaling,
    RecordFailure,
    DeleteEndpoint,
    Announce,
    /// Poll once more, now that nobody claims it: who has withdrawn a claim may have launched before.
    PollAgain,
    DeleteEndpointConfig,
    DeleteModel,
    Retract,
}

/// An undo on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Undo {
    pub(super) purpose: Purpose,
    /// What goes; `None` if nothing was made.
    pub(super) target: Option<Target>,
    pub(super) model: Presence,
    pub(super) endpoint_config: Presence,
    pub(super) done: BTreeSet<Part>,
}

/// What a poll means for the undo.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clearing {
    /// The endpoint does not use the target.
    Clear,
    /// It is the failed endpoint of this deployment.
    DeleteEndpoint,
    /// Only time tells.
    Wait,
    /// The endpoint uses the target, or may.
    Keep(Stays),
    /// The event asks to keep it.
    AskedToKeep,
    /// The launch was accepted after all.
    Started,
}

impl Undo {
    pub(super) fn new(
        purpose: Purpose,
        target: Option<Target>,
        model: Presence,
        endpoint_config: Presence,
    ) -> Self {
        Self {
            purpose,
            target,
            model,
            endpoint_config,
            done: BTreeSet::new(),
        }
    }

    pub(super) fn keeps_model(&self) -> bool {
        matches!(self.purpose, Purpose::Discard { keeps_model: true })
    }
}

/// What one poll means for the undo of a target. Pure.
pub(super) fn clearing(
    endpoint: Option<&Endpoint>,
    target: &Target,
    route: Route,
    launch: Launch,
    on_failure: OnFailure,
) -> Clearing {
    use EndpointStatus as S;
    let Some(endpoint) = endpoint else {
        return Clearing::Clear;
    };
    let used = endpoint.uses(&target.endpoint_config);
    let creates = route != Route::Update;
    let is_sent = matches!(launch, Launch::Sent { .. });
    if is_sent && (shows_launch(endpoint, target, route) || used && endpoint.status == S::InService)
    {
        return Clearing::Started;
    }
    match (&endpoint.status, used) {
        (S::Failed, true) if creates && on_failure == OnFailure::Delete => Clearing::DeleteEndpoint,
        (S::Failed, true) if creates => Clearing::AskedToKeep,
        // The old and the new variants are both in service, whatever endpoint config it names.
        (S::UpdateRollbackFailed, _) => Clearing::Keep(Stays::PerhapsInUse),
        (S::InService | S::OutOfService | S::Failed, true) => Clearing::Keep(Stays::InUse),
        // What is being created, or deleted, came from the endpoint config that it names.
        (S::InService | S::OutOfService | S::Failed | S::Creating | S::Deleting, false) => {
            Clearing::Clear
        }
        // It is on its way to another endpoint config, or back to the one that it names.
        (S::Updating, false) if endpoint.pending_config.is_some() => Clearing::Clear,
        _ => Clearing::Wait,
    }
}

impl Engine {
    /// What comes next in the undo.
    pub(super) fn undo(&mut self, now: Moment) -> Known<Step> {
        let Phase::Undo(undo) = self.phase.clone() else {
            return Ok(Step::Enter(Box::new(Phase::Forward)));
        };
        let Some(target) = undo.target.clone() else {
            return Ok(self.end_undo(undo));
        };
        if undo.done.contains(&Part::Retract) {
            return Ok(self.end_undo(undo));
        }
        if let Launch::Sent { at: Some(at) } = self.launch
            && now.since(at) < SETTLING
        {
            return Ok(Step::Wait);
        }
        let name = self.name().to_owned();
        let endpoint = self.facts.endpoint(&name)?.cloned();
        let endpoint = endpoint.as_ref();
        let route = self.route();
        let on_failure = self.asked.request.on_failure;
        match clearing(endpoint, &target, route, self.launch, on_failure) {
            Clearing::Clear => {}
            Clearing::Wait => return Ok(Step::Wait),
            Clearing::Started => {
                self.target = Some(target);
                self.launch = Launch::Visible {
                    modified: endpoint.and_then(|endpoint| endpoint.last_modified),
                    at: now,
                };
                return Ok(Step::Enter(Box::new(Phase::Forward)));
            }
            Clearing::AskedToKeep => {
                self.undone(undo.purpose, Fate::Stays);
                return Ok(Step::Enter(Box::new(self.phase.clone())));
            }
            Clearing::Keep(why) => {
                if let Some(step) = self.restore_scaling(&undo, endpoint, now)? {
                    return Ok(step);
                }
                self.leave_all(&undo, &target, &why)?;
                return Ok(self.end_undo(undo));
            }
            Clearing::DeleteEndpoint => {
                if let Some(step) = self.delete_failed(&undo, endpoint)? {
                    return Ok(step);
                }
            }
        }
        if let Some(step) = self.restore_scaling(&undo, endpoint, now)? {
            return Ok(step);
        }
        // Before the model: whoever makes both makes the model first, so the model of an endpoint config that is there can
        // be seen, and whether somebody has claimed it.
        let config_is_made = !undo.done.contains(&Part::DeleteEndpointConfig)
            && self.is_made(&undo.endpoint_config, &target.endpoint_config)?;
        let model_arn = self.arn_of_model(&undo, &target)?;
        let claims = match &model_arn {
            Some(arn) => match self.announce(&undo, &target, arn, now)? {
                Ok(claims) => claims,
                Err(step) => return Ok(step),
            },
            // Who wrote the checkpoint just now may be about to make the model.
            None if self.is_young(now) && !undo.done.contains(&Part::DeleteModel) => {
                return Ok(Step::Wait);
            }
            None => Claims::default(),
        };
        if let Phase::Undo(undo) = &mut self.phase
            && undo.done.insert(Part::PollAgain)
        {
            self.facts.poll_again(&name);
            self.facts.endpoint(&name)?;
        }
        if config_is_made && let Some(step) = self.delete_endpoint_config(&target, claims) {
            return Ok(step);
        }
        if claims.made && !config_is_made {
            self.keep_what_succeeded(&undo, &target)?;
        }
        if let Some(step) = self.delete_model(&undo, &target, endpoint, claims)? {
            return Ok(step);
        }
        if let Some(arn) = model_arn
            && self.announced.is_some()
            && !self.deletes_model_later()
            && !undo.done.contains(&Part::DeleteModel)
            && !undo.done.contains(&Part::Retract)
        {
            let keys = notice_keys(&self.id, &self.asked.process);
            return Ok(part(Part::Retract, Write::DeleteTags { arn, keys }));
        }
        Ok(self.end_undo(undo))
    }

    fn end_undo(&mut self, undo: Undo) -> Step {
        self.undone(undo.purpose, Fate::Undone);
        Step::Enter(Box::new(self.phase.clone()))
    }

    /// Deletes the failed endpoint that this deployment made, once its reason is where the next process finds it.
    fn delete_failed(&mut self, undo: &Undo, endpoint: Option<&Endpoint>) -> Known<Option<Step>> {
        let Some(endpoint) = endpoint else {
            return Ok(None);
        };
        if !self.facts.tags(&endpoint.arn)?.is_made_by(&self.id) {
            return Ok(Some(self.keep_endpoint(undo, &Stays::EndpointOfAnother)?));
        }
        if undo.done.contains(&Part::DeleteEndpoint) {
            return Ok(Some(Step::Wait));
        }
        if !undo.done.contains(&Part::RecordFailure)
            && let Purpose::Fail(Error::EndpointCreationFailed { how, .. }) = &undo.purpose
            && let Some(arn) = self.anchor_arn()?
        {
            let tags = failure_tags(how.words());
            return Ok(Some(part(
                Part::RecordFailure,
                Write::AddTags { arn, tags },
            )));
        }
        let name = self.name().to_owned();
        Ok(Some(part(
            Part::DeleteEndpoint,
            Write::DeleteEndpoint { name },
        )))
    }

    fn keep_endpoint(&mut self, undo: &Undo, why: &Stays) -> Known<Step> {
        if let Some(target) = &undo.target {
            self.leave_all(undo, target, why)?;
        }
        let purpose = undo.purpose.clone();
        self.undone(purpose, Fate::Undone);
        Ok(Step::Enter(Box::new(self.phase.clone())))
    }

    /// Restores what this deployment has suspended. A deployment that goes on leaves it suspended.
    fn restore_scaling(
        &mut self,
        undo: &Undo,
        endpoint: Option<&Endpoint>,
        now: Moment,
    ) -> Known<Option<Step>> {
        let Some(endpoint) = endpoint else {
            return Ok(None);
        };
        if matches!(undo.purpose, Purpose::Discard { .. })
            || undo.done.contains(&Part::ForgetScaling)
        {
            return Ok(None);
        }
        let board = self.facts.tags(&endpoint.arn)?.clone();
        if let Some(failure) = self.facts.unreadable_tags(&endpoint.arn) {
            let why = Stays::refused(failure);
            for scaling in self.saved.clone() {
                self.leave(Resource::Autoscaling(scaling.variant), &why);
            }
        }
        let keys = board.suspended_keys_of(&self.id);
        if keys.is_empty() {
            return Ok(None);
        }
        self.saved = board.suspended_by(&self.id);
        if !undo.done.contains(&Part::RestoreScaling) {
            for wanted in board.suspended_by(&self.id) {
                let registered = self.facts.scaling(self.own_name(), &wanted.variant)?;
                let step = self.put_scaling(registered.as_ref(), &wanted, now);
                if let Some(Step::Do(call, _)) = step {
                    return Ok(Some(Step::Do(call, Errand::Undo(Part::RestoreScaling))));
                }
            }
        }
        let arn = endpoint.arn.clone();
        Ok(Some(part(
            Part::ForgetScaling,
            Write::DeleteTags { arn, keys },
        )))
    }
}

pub(super) fn part(part: Part, write: Write) -> Step {
    call(write, Errand::Undo(part))
}
