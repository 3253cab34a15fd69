//! Forward: from the checkpoint and a poll to the launch.

use std::time::Duration;

use aws_sdk_sagemaker::types::Tag;
use tracing::info;

use super::call::{Call, Write};
use super::decide::{Launch, Target, Verdict, Why, decide};
use super::facts::Known;
use super::prepare::checkpoint;
use super::{Engine, Errand, Step, Task};
use crate::contract::{DeploymentKind, DeploymentStatus};
use crate::error::{CreationFailure, Error};
use crate::moment::Moment;
use crate::plan::{Board, Checkpoint, Guard, Plan, Route, Stage, made_by};
use crate::sagemaker::{Endpoint, Waiting};

/// How long refusals have to last before they count, with two of them in the same process.
const SECOND_THOUGHT: Duration = Duration::from_secs(3);

impl Engine {
    /// What comes next on the way to what was asked for.
    pub(super) fn forward(&mut self, now: Moment) -> Known<Step> {
        self.resume()?;
        let name = self.name().to_owned();
        if let Some(step) = self.accept(now)? {
            return Ok(step);
        }
        let endpoint = self.facts.endpoint(&name)?.cloned();
        let endpoint = endpoint.as_ref();
        if let Some(reason) = self.recorded_failure(endpoint)? {
            let how = CreationFailure::Failed(Some(reason));
            return Ok(Step::Fail(self.creation_failed(how)));
        }
        let route = self.choose_route(endpoint);
        if let Some(step) = self.aim(route, endpoint)? {
            return Ok(step);
        }
        self.watch(route, endpoint, now);
        if let Some(step) = self.accept(now)? {
            return Ok(step);
        }
        let Some(target) = self.target.clone() else {
            self.look_for_another_process()?;
            return Ok(Step::Fail(self.why(Why::NotFound, endpoint)));
        };
        match decide(route, endpoint, &target, self.launch, now) {
            // A dry run does not wait for what others do.
            Verdict::Wait if self.asked.request.dry_run => self.prepare(route, endpoint, now),
            Verdict::Wait => Ok(Step::Wait),
            Verdict::Launch | Verdict::DeleteFailed => self.prepare(route, endpoint, now),
            Verdict::Complete => match endpoint {
                Some(endpoint) => self.complete(route, endpoint, now),
                None => Ok(Step::Wait),
            },
            Verdict::Fail(why) => {
                self.look_for_another_process()?;
                Ok(Step::Fail(self.why(why, endpoint)))
            }
        }
    }

    /// Before the deployment ends without having started: another process of it may have written a checkpoint meanwhile,
    /// and be what the poll shows.
    fn look_for_another_process(&mut self) -> Known<()> {
        let is_alone = self.checkpoint.is_some() || self.asked.request.dry_run;
        if is_alone || self.done.contains(&Task::LookAgain) {
            return Ok(());
        }
        self.done.insert(Task::LookAgain);
        self.resumed = false;
        let anchor = self.anchor_name();
        if self.is_new() {
            self.facts.forget_model(&anchor);
            return self.facts.model(&anchor).map(drop);
        }
        self.facts.forget_endpoint_config(&anchor);
        self.facts.endpoint_config(&anchor).map(drop)
    }

    /// Why an earlier process saw the creation fail, if it was about to delete the endpoint that tells it.
    fn recorded_failure(&self, endpoint: Option<&Endpoint>) -> Known<Option<String>> {
        let is_gone = endpoint.is_none_or(|endpoint| {
            endpoint.status == aws_sdk_sagemaker::types::EndpointStatus::Deleting
        });
        if self.checkpoint_found.is_none() || !is_gone {
            return Ok(None);
        }
        let Some(arn) = self.anchor_arn()? else {
            return Ok(None);
        };
        Ok(self.facts.tags(&arn)?.failure())
    }

    /// Writes down that the service accepted the launch: the next process could not know it otherwise.
    ///
    /// That goes for a launch of another deployment of the same names too, which this one follows.
    fn accept(&mut self, now: Moment) -> Known<Option<Step>> {
        if !self.launch.is_confirmed() || self.asked.request.dry_run {
            return Ok(None);
        }
        let stage = self.checkpoint.as_ref().map(|checkpoint| checkpoint.stage);
        if stage == Some(Stage::Accepted) || self.done.contains(&Task::Accept) {
            return Ok(None);
        }
        if stage.is_none()
            && self.plan.is_some()
            && let Some(target) = self.target.clone()
        {
            let route = self.present_route();
            return self.write_checkpoint(route, &target, now);
        }
        let (Some(arn), Some(target)) = (self.anchor_arn()?, self.target.clone()) else {
            return Ok(None);
        };
        let at = match self.launch {
            Launch::Accepted { at } => at,
            _ => now,
        };
        let checkpoint = Checkpoint {
            stage: Stage::Accepted,
            at,
            ..checkpoint(self.route(), &target, now)
        };
        Ok(Some(task(
            Task::Accept,
            Write::AddTags {
                arn,
                tags: vec![checkpoint.tag(&self.id)],
            },
        )))
    }

    /// Everything that has to be there before the endpoint is touched, in order, and then the launch.
    ///
    /// 1. Somebody waits for the deployment.
    /// 2. The model package may be deployed.
    /// 3. The checkpoint is written, where every process of this deployment finds it.
    /// 4. The model and the endpoint config exist.
    /// 5. The autoscaling that is in the way is saved, then suspended.
    /// 6. The launch is claimed, and nobody undoes what it needs.
    /// 7. The endpoint has been polled since anything was written.
    fn prepare(&mut self, route: Route, endpoint: Option<&Endpoint>, now: Moment) -> Known<Step> {
        // What has deleted the failed endpoint creates it again, whoever waits.
        if !self.recreating {
            match self.who_waits()? {
                Waiting::ForTheDeployment => {}
                Waiting::NotListed => return Ok(Step::Wait),
                other => {
                    self.look_for_another_process()?;
                    return Ok(Step::Abandon(other));
                }
            }
        }
        if let Some(error) = self.check_package()? {
            return Ok(Step::Fail(error));
        }
        if let Some(error) = self.check_guard(route, endpoint)? {
            return Ok(Step::Fail(error));
        }
        let deletes = endpoint.is_some() && route == Route::Recreate;
        let board = match endpoint {
            Some(endpoint) if self.asked.kind == DeploymentKind::Existing => {
                let board = self.facts.tags(&endpoint.arn)?.clone();
                match self.plan_scaling(endpoint, &board, deletes, now)? {
                    Ok(scaling) => self.plan = self.plan.take().map(|plan| plan.with(scaling)),
                    Err(error) => return Ok(Step::Fail(error)),
                }
                if let Some(error) = self.too_many_tags(&board, endpoint, deletes, now) {
                    return Ok(Step::Fail(error));
                }
                board
            }
            _ => Board::of(Vec::new()),
        };
        if self.asked.request.dry_run {
            if let (Some(endpoint), Some(plan), false) = (endpoint, &self.plan, deletes) {
                self.tell_guard(endpoint, plan);
            }
            return Ok(Step::Succeed(DeploymentStatus::DryRun));
        }
        // What another deployment has just suspended would go with the endpoint, and its deployment may still restore it.
        if deletes && board.is_just_suspended_by_others(&self.id, now) {
            return Ok(Step::Wait);
        }
        // Nothing is begun that there is no time to end.
        if now >= self.asked.deadlines.undo_until {
            return Ok(Step::Wait);
        }
        let Some(target) = self.target.clone() else {
            return Ok(Step::Wait);
        };
        let has_endpoint = endpoint.is_some();
        if let Some(missing) = &self.missing {
            let is_gone = !has_endpoint && route == Route::Recreate;
            if is_gone
                && self
                    .facts
                    .endpoint_config(&target.endpoint_config)?
                    .is_none()
            {
                // Somebody deleted the endpoint before there was anything to create it again from.
                return Ok(Step::Fail(self.why(Why::NotFound, endpoint)));
            }
            let age = self.age_of_prerequisite(missing, &target, now)?;
            // What counts is the last refusal, and not the pause after it. One alone may come from a part of the service
            // that has not heard of it.
            let age = age.saturating_sub(now.since(missing.at));
            let lasts = missing.at.since(missing.since) >= SECOND_THOUGHT;
            if age > self.asked.pace.patience && lasts {
                return Ok(Step::Fail(Error::Service(missing.failure.clone())));
            }
            if now < missing.retry_at {
                return Ok(Step::Pause(missing.retry_at));
            }
        }
        if has_endpoint || route == Route::Create {
            if let Some(step) = self.make(route, &target, now)? {
                return Ok(step);
            }
            if let Some(step) = self.suspend(endpoint, &board, deletes, now)? {
                return Ok(step);
            }
        }
        if self.only_finds_out(now) {
            return Ok(Step::Wait);
        }
        if !deletes && let Some(step) = self.claim(&target, now)? {
            return Ok(step);
        }
        if !deletes && let Some(step) = self.take_over(endpoint, &board) {
            return Ok(step);
        }
        if has_endpoint && self.acted_since_poll {
            let name = self.name().to_owned();
            self.facts.poll_again(&name);
            self.facts.endpoint(&name)?;
        }
        if deletes {
            let name = self.name().to_owned();
            return Ok(call(Write::DeleteEndpoint { name }, Errand::DeleteFailed));
        }
        self.launch(endpoint, &target)
    }

    /// Whether a later delivery of a deployment that is due only finds out what the earlier ones came to. It launches
    /// nothing, and claims nothing.
    pub(super) fn only_finds_out(&self, now: Moment) -> bool {
        now >= self.asked.deadlines.wait_until && self.checkpoint_found.is_some()
    }

    fn launch(&mut self, endpoint: Option<&Endpoint>, target: &Target) -> Known<Step> {
        let before = self.launch;
        let (name, endpoint_config) = (self.name().to_owned(), target.endpoint_config.clone());
        let write = match (endpoint, &self.plan) {
            (Some(endpoint), Some(plan)) => Write::UpdateEndpoint {
                name,
                endpoint_config,
                retained: plan.retained.clone(),
                guard: self.tell_guard(endpoint, plan),
            },
            (Some(_), None) => return Ok(Step::Wait),
            (None, _) => Write::CreateEndpoint {
                name,
                endpoint_config,
                tags: self.endpoint_tags()?,
            },
        };
        Ok(call(write, Errand::Launch { before }))
    }

    pub(super) fn guard(&self, endpoint: &Endpoint, plan: &Plan) -> Guard {
        let any_key = self.asked.request.traffic.any_key;
        let last = endpoint.last_deployment_config.as_deref();
        Guard::of(plan.deployment_config.as_ref(), any_key, last)
    }

    /// What guards the update, which the log says: it can take much longer than the instances do.
    fn tell_guard(&self, endpoint: &Endpoint, plan: &Plan) -> Guard {
        let guard = self.guard(endpoint, plan);
        info!(
            guard = %guard,
            said_by = guard.source(),
            waits_seconds = guard.waits_seconds(),
            "how the traffic of the update moves"
        );
        guard
    }

    /// The tags of an endpoint that is created: the event's, over those of the endpoint that it replaces.
    fn endpoint_tags(&self) -> Known<Vec<Tag>> {
        let mut tags: Vec<Tag> = Vec::new();
        if self.asked.kind == DeploymentKind::Existing
            && let Some(arn) = self.anchor_arn()?
        {
            let board = self.facts.tags(&arn)?;
            tags.extend(board.others().chain(board.suspended_tags()).cloned());
        }
        for tag in crate::plan::tags(&self.asked.request).unwrap_or_default() {
            tags.retain(|other| other.key != tag.key);
            tags.push(tag);
        }
        tags.push(made_by(&self.id));
        Ok(tags)
    }
}

pub(super) fn task(task: Task, write: Write) -> Step {
    call(write, Errand::Do(task))
}

pub(super) fn call(call: impl Into<Call>, errand: Errand) -> Step {
    Step::Do(Box::new(call.into()), errand)
}
