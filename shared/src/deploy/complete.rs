//! Completion: the endpoint serves what was asked for, and gets the rest of it.

use super::call::Write;
use super::facts::Known;
use super::forward::task;
use super::{Engine, Step, Task};
use crate::contract::{DeploymentKind, DeploymentStatus, InferenceOption, OnSuccess};
use crate::moment::Moment;
use crate::plan::{Board, Change, Route, Scaling, changes, is_over, tags};
use crate::sagemaker::Endpoint;

impl Engine {
    /// What is left to do once the endpoint serves the target, in order:
    ///
    /// 1. The event's tags are put on it.
    /// 2. The number of instances is set, if the event asks for one and nothing else had to change.
    /// 3. Its variants scale as they should; what was suspended is restored.
    /// 4. What was saved of that is removed.
    /// 5. The previous endpoint config and its models are deleted, if the event asks for that.
    pub(super) fn complete(
        &mut self,
        route: Route,
        endpoint: &Endpoint,
        now: Moment,
    ) -> Known<Step> {
        if let Some(step) = self.plan_of_live(route, endpoint)? {
            return Ok(step);
        }
        let board = match route {
            Route::Create => Board::of(Vec::new()),
            _ => self.facts.tags(&endpoint.arn)?.clone(),
        };
        if let Some(step) = self.add_tags(endpoint, &board) {
            return Ok(step);
        }
        if let Some(step) = self.set_instance_count(endpoint, now)? {
            return Ok(step);
        }
        if !self.done.contains(&Task::Scaling) {
            // Its deployment may be about to launch. If it is over, this one restores the autoscaling.
            if board.is_just_suspended_by_others(&self.id, now) {
                return Ok(Step::Wait);
            }
            let scaling = match self.plan_scaling(endpoint, &board, false, now)? {
                Ok(scaling) => scaling,
                Err(error) => return Ok(Step::Fail(error)),
            };
            for wanted in self.wanted(route, scaling.wanted) {
                let registered = self.facts.scaling(self.own_name(), &wanted.variant)?;
                let step = self.put_scaling(registered.as_ref(), &wanted, now);
                if let Some(step) = step {
                    return Ok(step);
                }
            }
            self.done.insert(Task::Scaling);
        }
        let keys = board.suspended_keys(&self.id, now);
        if !keys.is_empty() && !self.done.contains(&Task::ForgetScaling) {
            let arn = endpoint.arn.clone();
            return Ok(task(Task::ForgetScaling, Write::DeleteTags { arn, keys }));
        }
        self.done.insert(Task::Rest);
        let deletes = self.asked.request.on_success == OnSuccess::DeletePrevious;
        if deletes && !self.done.contains(&Task::Previous) {
            if let Some(step) = self.delete_previous(now)? {
                return Ok(step);
            }
            self.done.insert(Task::Previous);
        }
        let changed = self.launch.is_confirmed()
            || self.checkpoint.is_some()
            || !self.put.is_empty()
            || self.done.contains(&Task::InstanceCount);
        Ok(Step::Succeed(if changed {
            DeploymentStatus::Deployed
        } else {
            DeploymentStatus::Unchanged
        }))
    }

    /// A process that resumes plans from what is live by now: that is what was asked for.
    fn plan_of_live(&mut self, route: Route, endpoint: &Endpoint) -> Known<Option<Step>> {
        let name = |plan: &crate::plan::Plan| plan.endpoint_config_name == endpoint.config;
        if route == Route::Create || self.plan.as_ref().is_some_and(name) {
            return Ok(None);
        }
        self.plan = None;
        if self.facts.endpoint_config(&endpoint.config)?.is_none() {
            // Somebody deleted it while it serves. There is nothing to plan the rest from.
            return Ok(Some(Step::Succeed(DeploymentStatus::Deployed)));
        }
        self.plan_from(endpoint)
    }

    fn add_tags(&self, endpoint: &Endpoint, board: &Board) -> Option<Step> {
        if self.asked.kind == DeploymentKind::New || self.done.contains(&Task::Tags) {
            return None;
        }
        let has = |tag: &aws_sdk_sagemaker::types::Tag| board.tags().contains(tag);
        let mut tags = tags(&self.asked.request).unwrap_or_default();
        tags.retain(|tag| !has(tag));
        let arn = endpoint.arn.clone();
        (!tags.is_empty()).then(|| task(Task::Tags, Write::AddTags { arn, tags }))
    }

    /// A number of instances that the event asks for, of an endpoint whose config has it already.
    fn set_instance_count(&mut self, endpoint: &Endpoint, now: Moment) -> Known<Option<Step>> {
        let count = self.asked.request.shape.initial_instance_count.event;
        let (Some(count), Some(plan)) = (count, self.plan.clone()) else {
            return Ok(None);
        };
        let Some(present) = endpoint.instance_counts.get(&plan.variant) else {
            return Ok(None);
        };
        let is_instances = plan.option != InferenceOption::Serverless;
        let applies = self.asked.kind == DeploymentKind::Existing && is_instances;
        // Of a deployment that had more to do, the update has set it.
        let launched = self.launch.is_confirmed()
            || self.checkpoint.as_ref().is_some_and(|checkpoint| {
                checkpoint.endpoint_config != checkpoint.previous
                    || endpoint.last_modified != checkpoint.since
            });
        if !applies || launched || *present == count || self.done.contains(&Task::InstanceCount) {
            return Ok(None);
        }
        if self.checkpoint.is_none()
            && let Some(target) = self.target.clone()
            && let Some(step) = self.write_checkpoint(Route::Update, &target, now)?
        {
            return Ok(Some(step));
        }
        let write = Write::SetInstanceCount {
            endpoint_name: self.own_name().to_owned(),
            variant: plan.variant.clone(),
            count,
        };
        Ok(Some(task(Task::InstanceCount, write)))
    }

    /// A new endpoint has nothing registered to start from, so its own plan says how it scales.
    fn wanted(&self, route: Route, of_live: Vec<Scaling>) -> Vec<Scaling> {
        match (&self.plan, route) {
            (Some(plan), Route::Create) => plan.autoscaling.wanted.clone(),
            _ => of_live,
        }
    }

    /// The next change that lets a variant scale as wanted.
    pub(super) fn put_scaling(
        &self,
        registered: Option<&Scaling>,
        wanted: &Scaling,
        now: Moment,
    ) -> Option<Step> {
        let is_put = |change: &Change| {
            let mut put = self.put.iter();
            put.any(|(variant, put)| *variant == wanted.variant && put == change)
        };
        let change = changes(registered, wanted)
            .into_iter()
            .find(|change| !is_put(change) && !is_over(change, now))?;
        let write = Write::PutScaling {
            endpoint_name: self.own_name().to_owned(),
            variant: wanted.variant.clone(),
            change,
        };
        Some(task(Task::Scaling, write))
    }
}
