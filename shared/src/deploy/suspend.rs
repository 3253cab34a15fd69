//! What stands in the way of the launch: autoscaling that the service does not allow, and a process that undoes.

use super::call::{Call, Write};
use super::decide::Target;
use super::facts::Known;
use super::forward::task;
use super::{Claim, Engine, Errand, HOLD, Presence, Step, Task};
use crate::error::{Error, NotUpdatable};
use crate::moment::Moment;
use aws_sdk_sagemaker::types::Tag;

use crate::plan::{Board, MOST_TAGS, Notice, made_by_key, notice_keys, suspended_tags, tags};
use crate::sagemaker::Endpoint;

/// So many old claims of a deployment may stand on a model before they are removed: a resource has 50 tags at most.
const MOST_IDLE_CLAIMS: usize = 4;

impl Engine {
    /// Saves and suspends the autoscaling that the service does not allow during the update.
    pub(super) fn suspend(
        &mut self,
        endpoint: Option<&Endpoint>,
        board: &Board,
        deletes: bool,
        now: Moment,
    ) -> Known<Option<Step>> {
        let (Some(plan), Some(endpoint)) = (&self.plan, endpoint) else {
            return Ok(None);
        };
        let kept = plan.autoscaling.kept.clone();
        if kept.is_empty() && !deletes {
            return Ok(None);
        }
        let pieces = suspended_tags(&self.id, &kept, now).unwrap_or_default();
        if self.saved != kept {
            // Another process of this deployment may have saved and suspended it while this one read it: then the tags,
            // read afterwards, say so.
            if self.done.insert(Task::ReadSaved) {
                self.facts.forget_tags(&endpoint.arn);
                return self.facts.tags(&endpoint.arn).map(|_| None);
            }
            let arn = endpoint.arn.clone();
            let tags = pieces;
            return Ok(Some(task(Task::SaveScaling, Write::AddTags { arn, tags })));
        }
        if deletes && !self.done.contains(&Task::SaveOnAnchor) {
            let mut tags = pieces;
            tags.extend(board.others().cloned());
            match self.anchor_arn()? {
                Some(arn) if !tags.is_empty() => {
                    return Ok(Some(task(Task::SaveOnAnchor, Write::AddTags { arn, tags })));
                }
                _ => {}
            }
            self.done.insert(Task::SaveOnAnchor);
        }
        let own = board.suspended_keys_of(&self.id);
        let mut keys = board.suspended_keys(&self.id, now);
        keys.retain(|key| !own.contains(key));
        if !keys.is_empty() && !self.done.contains(&Task::TakeOver) {
            let arn = endpoint.arn.clone();
            return Ok(Some(task(Task::TakeOver, Write::DeleteTags { arn, keys })));
        }
        let variants = kept.iter().map(|scaling| &scaling.variant);
        let in_the_way = |variant: &&String| {
            plan.resized.contains(variant) && !self.suspended.contains(*variant)
        };
        let Some(variant) = variants.into_iter().find(in_the_way) else {
            return Ok(None);
        };
        let write = Write::Deregister {
            endpoint_name: self.own_name().to_owned(),
            variant: variant.clone(),
        };
        Ok(Some(task(Task::Suspend, write)))
    }

    /// Takes the endpoint over from the deployment that created it: what serves, and is updated by somebody else, is not
    /// that one's to delete any more.
    pub(super) fn take_over(&self, endpoint: Option<&Endpoint>, board: &Board) -> Option<Step> {
        let endpoint = endpoint.filter(|_| !self.done.contains(&Task::Own))?;
        let made_by = board.made_by().filter(|id| *id != self.id.as_str());
        made_by.map(|_| {
            let (arn, keys) = (endpoint.arn.clone(), vec![made_by_key()]);
            task(Task::Own, Write::DeleteTags { arn, keys })
        })
    }

    /// Refuses an endpoint whose tags leave no room for the event's, and for the autoscaling that has to be saved.
    pub(super) fn too_many_tags(
        &self,
        board: &Board,
        endpoint: &Endpoint,
        deletes: bool,
        now: Moment,
    ) -> Option<Error> {
        let kept = &self.plan.as_ref()?.autoscaling.kept;
        let event = tags(&self.asked.request).unwrap_or_default();
        if kept.is_empty() && event.is_empty() && !deletes {
            return None;
        }
        let own = board.suspended_keys_of(&self.id);
        let mut keys: Vec<_> = board
            .tags()
            .iter()
            .chain(&event)
            .filter_map(Tag::key)
            .collect();
        keys.retain(|key| !key.starts_with("aws:") && own.iter().all(|own| own != key));
        keys.sort_unstable();
        keys.dedup();
        let pieces = suspended_tags(&self.id, kept, now)
            .unwrap_or_default()
            .len();
        // The anchor has three own tags besides.
        let needed = pieces + if deletes { 3 } else { 0 };
        let present = keys.len();
        (present + needed > MOST_TAGS).then(|| {
            let why = NotUpdatable::TooManyTags { present, needed };
            self.not_updatable(endpoint, why)
        })
    }

    /// Removes the claim of a delivery whose launch was refused: the next delivery must not take it for a launch that may
    /// still come.
    pub(super) fn withdraw(&mut self) -> Option<(Call, Errand)> {
        if self.claim != Claim::Void || self.asked.callback.is_none() {
            return None;
        }
        self.claim = Claim::None;
        let target = self.target.as_ref()?;
        let arn = self.model_arn(&target.model).ok()??;
        let keys = notice_keys(&self.id, &self.asked.process);
        let write = Write::DeleteTags { arn, keys };
        Some((write.into(), Errand::Do(Task::Withdraw)))
    }

    /// Claims the launch, and sees that nobody is about to delete what it needs.
    ///
    /// Of a process that launches and one that undoes, each announces itself on the model before it looks for the other.
    /// So at least one of them sees the other, and gives way.
    pub(super) fn claim(&mut self, target: &Target, now: Moment) -> Known<Option<Step>> {
        let Some(arn) = self.model_arn(&target.model)? else {
            return Ok(None);
        };
        if !matches!(self.claim, Claim::Made(at) if now.since(at) < HOLD) {
            self.done.remove(&Task::Claim);
            self.done.remove(&Task::Verify);
        }
        if !self.done.contains(&Task::Claim) {
            // Each delivery claims under a key of its own.
            let idle = self.facts.tags(&arn)?.idle_claims(&self.id, now);
            if idle.len() >= MOST_IDLE_CLAIMS {
                return Ok(Some(task(
                    Task::Tidy,
                    Write::DeleteTags { arn, keys: idle },
                )));
            }
            let tags = vec![self.notice(target, now).claim(&self.id)];
            return Ok(Some(task(Task::Claim, Write::AddTags { arn, tags })));
        }
        if !self.done.contains(&Task::Verify) {
            let board = self.facts.tags(&arn)?;
            let undone = board
                .undos()
                .any(|(_, notice)| notice.process != self.asked.process && notice.holds(now));
            if undone {
                // What it deletes is made again once it is over.
                for task in [Task::Model, Task::EndpointConfig, Task::Claim] {
                    self.done.remove(&task);
                }
                self.model = Presence::Unknown;
                self.endpoint_config = Presence::Unknown;
                self.facts.forget_model(&target.model);
                self.facts.forget_endpoint_config(&target.endpoint_config);
                return Ok(Some(Step::Wait));
            }
            self.done.insert(Task::Verify);
        }
        Ok(None)
    }

    /// What this process says on the model before it launches, or undoes.
    pub(super) fn notice(&self, target: &Target, now: Moment) -> Notice {
        Notice {
            at: now,
            process: self.asked.process.clone(),
            endpoint_config: target.endpoint_config.clone(),
        }
    }
}
