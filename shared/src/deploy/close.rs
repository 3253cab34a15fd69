//! The closing: once the outcome is known, what only serves the resumption is removed. A call that waits does that
//! before its answer, a queue's delivery after it, so that a repeated message finds the same outcome.

use super::call::Write;
use super::decide::Launch;
use super::facts::Known;
use super::forward::call;
use super::{Engine, Errand, Fate, Outcome, Phase, Presence, Step};
use crate::error::{LeftBehind, Resource, Stays};
use crate::failure::ServiceFailure;
use crate::moment::Moment;
use crate::plan::{Route, checkpoint_keys, made_by_key};
use tracing::warn;

/// A part of the closing, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What was deployed belongs to nobody's undo any more.
    ReleaseModel,
    ReleaseEndpointConfig,
    ReleaseEndpoint,
    /// The anchor is about to go.
    Announce,
    /// The anchor goes, and with it the checkpoint.
    RemoveAnchor,
    /// An anchor that could not be removed is without its checkpoint at least, so that a failure is not reported twice.
    ForgetCheckpoint,
}

/// A closing on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Closing {
    pub(super) outcome: Outcome,
    /// What is still to do, the first part last.
    todo: Vec<Part>,
}

impl Closing {
    pub(super) fn after(outcome: Outcome, engine: &Engine) -> Self {
        let anchor = if engine.is_new() {
            &engine.model
        } else {
            &engine.anchor
        };
        let has_anchor = engine.checkpoint.is_some() || *anchor != Presence::Unknown;
        let may_have_created = engine.route() != Route::Update && engine.launch != Launch::NotSent;
        let mut todo = match engine.fate {
            Some(Fate::Serves) if has_anchor => engine.release(),
            // Until the endpoint is created again, there is nothing else to start from.
            Some(Fate::Stays) if engine.is_between() => Vec::new(),
            Some(Fate::Undone) if may_have_created && !engine.leaves_endpoint() => {
                vec![Part::RemoveAnchor, Part::ReleaseEndpoint]
            }
            Some(_) | None => vec![Part::RemoveAnchor],
        };
        todo.retain(|part| has_anchor || *part != Part::RemoveAnchor);
        Self { outcome, todo }
    }

    /// Leaves the anchor, and only removes its checkpoint; `false` if that has been tried.
    pub(super) fn forget_checkpoint(&mut self) -> bool {
        let has_anchor = self.todo.contains(&Part::RemoveAnchor);
        self.todo = has_anchor
            .then_some(Part::ForgetCheckpoint)
            .into_iter()
            .collect();
        has_anchor
    }

    pub(super) fn done(&mut self) {
        self.todo.pop();
    }
}

impl Engine {
    fn leaves_endpoint(&self) -> bool {
        let is_endpoint = |left: &LeftBehind| matches!(left.resource, Resource::Endpoint(_));
        self.left_behind.iter().any(is_endpoint)
    }

    /// The parts of the closing after success, the first one last.
    fn release(&self) -> Vec<Part> {
        let mut parts = vec![
            Part::ReleaseModel,
            Part::ReleaseEndpointConfig,
            Part::ReleaseEndpoint,
            Part::RemoveAnchor,
        ];
        if self.route() == Route::Update {
            parts.retain(|part| *part != Part::ReleaseEndpoint);
        }
        if self.is_new() {
            // The model is the anchor.
            parts.retain(|part| *part != Part::ReleaseModel);
        }
        parts.reverse();
        parts
    }

    /// What comes next in the closing.
    pub(super) fn closing(&mut self, now: Moment) -> Known<Step> {
        let Phase::Close(closing) = self.phase.clone() else {
            return Ok(Step::Enter(Box::new(Phase::Forward)));
        };
        for part in closing.todo.iter().rev() {
            if *part == Part::RemoveAnchor
                && self.is_new()
                && let Some(step) = self.make_way(now)?
            {
                return Ok(step);
            }
            if let Some(write) = self.part_of_closing(*part, now)? {
                return Ok(call(write, Errand::Close(*part)));
            }
            if let Phase::Close(closing) = &mut self.phase {
                closing.done();
            }
        }
        Ok(Step::Enter(Box::new(Phase::Finished(closing.outcome))))
    }

    /// Before a model is deleted: announces that, and waits while another process of this deployment may be about to
    /// launch. Of an undo and a launch one gives way.
    fn make_way(&self, now: Moment) -> Known<Option<Step>> {
        let name = self.anchor_name();
        let Some(arn) = self.model_arn(&name)? else {
            return Ok(None);
        };
        if self.fate != Some(Fate::Undone) || !self.left_behind.is_empty() {
            return Ok(None);
        }
        if !self.has_announced(now)
            && self.is_own(&arn, &self.model)?
            && let Some(target) = self.names()
        {
            let tags = vec![self.notice(&target, now).undo(&self.id)];
            let write = Write::AddTags { arn, tags };
            return Ok(Some(call(write, Errand::Close(Part::Announce))));
        }
        let process = &self.asked.process;
        let is_claimed = self
            .facts
            .tags(&arn)?
            .is_claimed_by_own(&self.id, process, now);
        // A claim of a launch that has been seen says nothing any more.
        Ok((is_claimed && !self.launch.is_confirmed()).then_some(Step::Wait))
    }

    fn part_of_closing(&self, part: Part, now: Moment) -> Known<Option<Write>> {
        if part == Part::RemoveAnchor && !self.is_new() {
            let name = self.anchor_name();
            return Ok(Some(Write::DeleteEndpointConfig { name }));
        }
        let Some(target) = self.names() else {
            return Ok(None);
        };
        Ok(match part {
            Part::ReleaseModel => {
                let Some(arn) = self.model_arn(&target.model)? else {
                    return Ok(None);
                };
                let keys = self.facts.tags(&arn)?.passing_keys(&self.id, now);
                (!keys.is_empty()).then_some(Write::DeleteTags { arn, keys })
            }
            Part::ReleaseEndpointConfig => {
                let arn = if let Presence::Certain { arn: Some(arn), .. } = &self.endpoint_config {
                    Some(arn.clone())
                } else {
                    let config = self.facts.endpoint_config(&target.endpoint_config)?;
                    config.and_then(|config| config.endpoint_config_arn.clone())
                };
                let keys = vec![made_by_key()];
                arn.map(|arn| Write::DeleteTags { arn, keys })
            }
            Part::ReleaseEndpoint => {
                let Some(arn) = self.endpoint_arn() else {
                    return Ok(None);
                };
                let is_made = self.facts.tags(&arn)?.is_made_by(&self.id);
                let keys = vec![made_by_key()];
                is_made.then_some(Write::DeleteTags { arn, keys })
            }
            Part::Announce => None,
            Part::RemoveAnchor => self.remove_model(&target.model, now)?,
            Part::ForgetCheckpoint => {
                let keys = checkpoint_keys(&self.id);
                self.anchor_arn()?
                    .map(|arn| Write::DeleteTags { arn, keys })
            }
        })
    }

    /// A part of the closing was refused for good. A failure names what is left of it.
    pub(super) fn part_of_closing_refused(
        &mut self,
        part: Part,
        failure: &ServiceFailure,
        now: Moment,
    ) {
        let why = Stays::refused(failure);
        warn!(reason = %why, "a part of the closing was refused");
        if part == Part::Announce {
            // Without an announcement the claims of others are still read.
            self.announced = Some(now);
            return;
        }
        let Phase::Close(mut closing) = self.phase.clone() else {
            return;
        };
        if part == Part::RemoveAnchor {
            self.name_anchor(&mut closing, why);
        }
        closing.done();
        if part == Part::RemoveAnchor {
            closing.todo.push(Part::ForgetCheckpoint);
        }
        self.phase = Phase::Close(closing);
    }

    /// Has a failure name the anchor, if that could not be removed.
    pub(super) fn name_anchor(&self, closing: &mut Closing, why: Stays) {
        let anchor = self.anchor_name();
        let resource = if self.is_new() {
            Resource::Model(anchor)
        } else {
            Resource::EndpointConfig(anchor)
        };
        if let Outcome::Failed(failed) = &mut closing.outcome
            && closing.todo.contains(&Part::RemoveAnchor)
            && failed
                .left_behind
                .iter()
                .all(|left| left.resource != resource)
        {
            failed.left_behind.push(LeftBehind { resource, why });
        }
    }

    /// The anchor of a new endpoint is its model: it goes with a deployment that failed, and loses its checkpoint with
    /// one that did not.
    fn remove_model(&self, name: &str, now: Moment) -> Known<Option<Write>> {
        let Some(arn) = self.model_arn(name)? else {
            return Ok(None);
        };
        let board = self.facts.tags(&arn)?;
        let keys = match self.fate {
            Some(Fate::Serves) => board.passing_keys(&self.id, now),
            // What is left is still this deployment's, should it be asked for again.
            _ => board.resumption_keys(&self.id, now),
        };
        let claimed = board.is_claimed(&self.id, &self.asked.process, now)
            && !(self.launch.is_confirmed()
                && board.is_claimed_by_own(&self.id, &self.asked.process, now));
        let goes = self.fate == Some(Fate::Undone) && self.left_behind.is_empty();
        if goes && self.is_own(&arn, &self.model)? && !claimed {
            return Ok(Some(Write::DeleteModel {
                name: name.to_owned(),
            }));
        }
        Ok((!keys.is_empty()).then_some(Write::DeleteTags { arn, keys }))
    }
}
