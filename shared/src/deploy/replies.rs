//! Replies: what the engine makes of each reply, and of each call that failed.

use std::time::Duration;

use tracing::{info, warn};

use super::call::{Call, Read, Reply, Write};
use super::close;
use super::decide::Launch;
use super::facts::Facts;
use super::undo::Part;
use super::{Claim, Engine, Errand, LastPoll, Missing, Phase, Presence, Task};
use crate::error::Error;
use crate::failure::{FailureKind, ServiceFailure};
use crate::moment::Moment;
use crate::plan::{Checkpoint, Route, Stage};
use crate::sagemaker::Made;

/// How long a change of the service takes to be known everywhere: a role, a registration.
const SETTLES: Duration = Duration::from_secs(60);

/// How long a model is asked for whose role cannot be assumed, or cannot read the artifact: both may be seconds old.
const ROLE_SETTLES: Duration = Duration::from_secs(120);

/// How often the service may refuse to set autoscaling before that is an error.
const MOST_REFUSALS: usize = 3;

impl Engine {
    /// Takes in the reply to the call that [`Engine::next`] gave last.
    ///
    /// A call that was cut off has failed with [`FailureKind::NoReply`].
    pub fn handle(&mut self, now: Moment, reply: Result<Reply, ServiceFailure>) {
        let Some((call, errand)) = self.pending.take() else {
            return;
        };
        if let (Call::Write(_), Errand::Launch { .. }) = (&call, &errand) {
            self.launch = Launch::Sent { at: Some(now) };
        }
        match reply {
            Ok(reply) => self.answered(&call, &errand, reply, now),
            Err(failure) => self.refused(&call, errand, failure, now),
        }
    }

    fn answered(&mut self, call: &Call, errand: &Errand, reply: Reply, now: Moment) {
        if self.missing.is_none() {
            self.failures = 0;
            self.trouble = None;
        }
        self.refusals.remove(call.operation());
        let found = reply == Reply::Made(Made::Found);
        match call {
            Call::Read(read) => self.learn(read, reply, now),
            Call::Write(write) => {
                self.acted_since_poll = true;
                self.remember(write, &reply, now);
            }
        }
        match errand {
            Errand::Learn => {}
            Errand::Do(task) => self.task_done(*task, call, found, now),
            Errand::Launch { .. } => {
                let updates = matches!(call, Call::Write(Write::UpdateEndpoint { .. }));
                info!(
                    "{} the endpoint",
                    if updates { "updating" } else { "creating" }
                );
                self.launch = Launch::Accepted { at: now };
                self.missing = None;
                self.repoll();
            }
            Errand::DeleteFailed => {
                info!("deleting the failed endpoint, to create it again");
                self.recreating = true;
                self.repoll();
                self.pause(self.asked.pace.shortest, now);
            }
            Errand::Undo(part) => self.part_done(*part, now),
            Errand::Close(close::Part::Announce) => self.announced = Some(now),
            Errand::Close(part) => self.closed(*part),
        }
    }

    fn learn(&mut self, read: &Read, reply: Reply, now: Moment) {
        if let (Read::Endpoint { name }, Reply::Endpoint(found)) = (read, &reply)
            && name == self.name()
        {
            let before = self.status().to_owned();
            self.last_poll = match found {
                Some(endpoint) => LastPoll::Endpoint(endpoint.clone()),
                None => LastPoll::Absent,
            };
            self.acted_since_poll = false;
            let first = self.serving.map_or(now, |(first, _)| first);
            self.serving = self.serves().then_some((first, now));
            if self.status() != before {
                let elapsed = now.since(self.asked.started).as_secs_f64();
                let elapsed_seconds = (elapsed * 1000.0).round() / 1000.0;
                info!(status = self.status(), elapsed_seconds, "endpoint status");
            }
        }
        self.facts.learn(read, reply);
    }

    /// What a write that was answered says about what is there.
    fn remember(&mut self, write: &Write, reply: &Reply, now: Moment) {
        match write {
            Write::CreateModel { request } => {
                let name = request.get_model_name().clone().unwrap_or_default();
                self.facts.forget_model(&name);
                self.model = presence(reply, now, &self.model);
                self.made_anew(reply);
                log_made("model", &name, reply);
                self.warn_of_live_instance_type();
            }
            Write::CreateEndpointConfig { request } => {
                let name = request
                    .get_endpoint_config_name()
                    .clone()
                    .unwrap_or_default();
                self.facts.forget_endpoint_config(&name);
                if name == self.anchor_name() {
                    self.anchor = presence(reply, now, &self.anchor);
                } else {
                    self.endpoint_config = presence(reply, now, &self.endpoint_config);
                    self.made_anew(reply);
                    log_made("endpoint config", &name, reply);
                }
            }
            Write::AddTags { arn, .. } | Write::DeleteTags { arn, .. } => {
                self.facts.forget_tags(arn);
            }
            Write::DeleteModel { name } => {
                self.facts.model_is_gone(name);
                if self.is_new() && *name == self.anchor_name() {
                    // The checkpoint went with it. A model of that name is another process's from now on.
                    self.checkpoint = None;
                    self.model = Presence::Unknown;
                }
                info!(model = %name, "deleted the model");
            }
            Write::DeleteEndpointConfig { name } => {
                self.facts.forget_endpoint_config(name);
                if *name != self.anchor_name() {
                    info!(endpoint_config = %name, "deleted the endpoint config");
                }
            }
            Write::PutScaling {
                variant, change, ..
            } => {
                info!(%variant, "set the autoscaling of the variant");
                self.put.push((variant.clone(), change.clone()));
            }
            Write::Deregister { variant, .. } => {
                info!(%variant, "suspended the autoscaling of the variant");
                self.suspended.insert(variant.clone());
                self.put.retain(|(put, _)| put != variant);
            }
            Write::CreateEndpoint { .. }
            | Write::UpdateEndpoint { .. }
            | Write::DeleteEndpoint { .. }
            | Write::SetInstanceCount { .. } => {}
        }
    }

    /// A prerequisite that had to be made again was gone: the service gets its time to see the new one.
    fn made_anew(&mut self, reply: &Reply) {
        if matches!(reply, Reply::Made(Made::Created { .. })) {
            self.missing = None;
        }
    }

    fn task_done(&mut self, task: Task, call: &Call, found: bool, now: Moment) {
        match (task, call) {
            (Task::Checkpoint, Call::Write(Write::CreateEndpointConfig { .. })) if found => {
                // Another process of this deployment was faster, or the reply to an earlier create was lost: what the
                // checkpoint says counts.
                self.resumed = false;
                self.pause(self.asked.pace.shortest, now);
            }
            (Task::Checkpoint, _) => self.take_checkpoint(Stage::Planned, now),
            (Task::Model, Call::Write(_)) => {
                if found {
                    // Of a new endpoint it is the anchor, and what another process wrote there counts.
                    self.resumed &= !self.is_new();
                } else {
                    self.claim = Claim::Made(now);
                    self.done.insert(Task::Claim);
                    if self.is_new() {
                        self.take_checkpoint(Stage::Planned, now);
                    }
                }
                self.done.insert(task);
            }
            (Task::Accept, _) => {
                self.take_checkpoint(Stage::Accepted, now);
                self.done.insert(task);
                self.pause(self.asked.pace.pause(now.since(self.asked.started)), now);
            }
            (Task::SaveScaling, _) => {
                let kept = self.plan.as_ref().map(|plan| plan.autoscaling.kept.clone());
                self.saved = kept.unwrap_or_default();
                self.done.insert(task);
            }
            (Task::Claim, _) => {
                self.claim = Claim::Made(now);
                self.done.insert(task);
            }
            (Task::InstanceCount, _) => {
                self.done.insert(task);
                self.repoll();
                self.pause(self.asked.pace.shortest, now);
            }
            (Task::Previous, Call::Write(Write::DeleteEndpointConfig { .. })) => {
                self.done.insert(task);
            }
            (Task::Suspend | Task::Scaling | Task::Previous | Task::Tidy | Task::Withdraw, _) => {}
            (task, _) => {
                self.done.insert(task);
            }
        }
    }

    fn take_checkpoint(&mut self, stage: Stage, now: Moment) {
        let route = self.present_route();
        if let Some(target) = &self.target {
            self.checkpoint = Some(Checkpoint {
                route,
                stage,
                at: now,
                endpoint_config: target.endpoint_config.clone(),
                model: target.model.clone(),
                previous: target.previous.clone(),
                since: target.since,
            });
        }
    }

    pub(super) fn present_route(&self) -> Route {
        let endpoint = match &self.last_poll {
            LastPoll::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        };
        self.choose_route(endpoint)
    }

    fn part_done(&mut self, which: Part, now: Moment) {
        let Phase::Undo(undo) = &mut self.phase else {
            return;
        };
        match which {
            Part::Announce => self.announced = Some(now),
            Part::Retract => {
                self.announced = None;
                undo.done.insert(which);
            }
            Part::RestoreScaling => {}
            _ => {
                undo.done.insert(which);
            }
        }
        if which == Part::DeleteEndpoint {
            info!("deleted the failed endpoint");
            self.repoll();
            self.pause(self.asked.pace.shortest, now);
        }
    }

    fn closed(&mut self, which: close::Part) {
        if let Phase::Close(closing) = &mut self.phase {
            closing.done();
        }
        if which == close::Part::RemoveAnchor {
            self.checkpoint = None;
        }
    }

    fn refused(&mut self, call: &Call, errand: Errand, failure: ServiceFailure, now: Moment) {
        if let Errand::Launch { before } = &errand
            && !failure.may_have_acted()
        {
            // This attempt was refused. An earlier one whose reply was lost may still have been accepted.
            self.launch = *before;
            self.claim = Claim::Void;
        }
        if let Call::Write(write) = call
            && failure.may_have_acted()
        {
            self.perhaps(write);
        }
        let before = self.not_launched.as_ref().map(|before| before.kind);
        let is_news = before != Some(failure.kind);
        if let Errand::Launch { .. } = &errand {
            let is_busy = failure.kind == FailureKind::InProgress;
            self.not_launched = (!is_busy).then(|| failure.clone());
        }
        if errand == Errand::Do(Task::Withdraw) {
            // The claim runs out by itself.
            return;
        }
        if failure.is_transient() || self.may_settle(&failure, now) {
            return self.repeat(failure, now);
        }
        match (failure.kind, errand) {
            (FailureKind::InProgress, errand) => {
                failure.warn_of_repeat();
                if matches!(errand, Errand::Launch { .. }) {
                    self.missing = None;
                }
                self.wait(now);
            }
            (_, Errand::Undo(part)) => self.part_refused(part, &failure),
            (_, Errand::Close(part)) => self.part_of_closing_refused(part, &failure, now),
            (_, Errand::Learn) => self.unknown(call, failure, now),
            // The next poll shows it, unless it is stale. Nothing is left to a next delivery that need not be.
            (FailureKind::AlreadyExists | FailureKind::NotFound, Errand::Launch { .. })
                if is_news =>
            {
                self.repoll();
            }
            (FailureKind::AlreadyExists | FailureKind::NotFound, Errand::Launch { .. }) => {
                self.wait(now);
            }
            (FailureKind::PrerequisiteNotFound, Errand::Launch { .. }) => {
                // It cannot be seen yet, or somebody deleted it: making it once more answers both.
                self.done.remove(&Task::EndpointConfig);
                self.missing(failure, now);
            }
            (FailureKind::PrerequisiteNotFound, Errand::Do(Task::Checkpoint)) => {
                self.missing(failure, now);
            }
            (FailureKind::PrerequisiteNotFound, Errand::Do(Task::EndpointConfig)) => {
                self.done.remove(&Task::Model);
                if let Some(target) = &self.target {
                    self.facts.forget_model(&target.model);
                }
                self.missing(failure, now);
            }
            (FailureKind::NotFound, Errand::Do(Task::Model)) => {
                let package_arn = self.asked.request.package_arn.clone();
                self.fail(Error::ModelPackageNotFound { package_arn }, now);
            }
            (FailureKind::Refused, Errand::Do(Task::Scaling))
                if self.refusals_of(&failure) < MOST_REFUSALS =>
            {
                // Somebody may have started to change the endpoint since the poll.
                self.repeat(failure, now);
                self.repoll();
            }
            (_, Errand::Do(Task::Accept)) => {
                warn!(
                    reason = failure.reason(),
                    "the accepted launch could not be written down: if this process ends now, the next one may launch again"
                );
                self.done.insert(Task::Accept);
            }
            (_, Errand::Do(Task::Previous)) => {
                warn!(
                    reason = failure.reason(),
                    "kept the previous endpoint config"
                );
                self.done.insert(Task::Previous);
            }
            (
                _,
                Errand::Do(Task::Tags | Task::InstanceCount | Task::Scaling | Task::ForgetScaling),
            ) => {
                let error = self.unfinished(failure);
                self.fail(error, now);
            }
            (_, Errand::Do(_) | Errand::Launch { .. } | Errand::DeleteFailed) => {
                self.fail(Error::Service(failure), now);
            }
        }
    }

    /// A create that was not answered may have made something.
    fn perhaps(&mut self, write: &Write) {
        let maybe = |presence: &mut Presence| {
            if *presence == Presence::Unknown {
                *presence = Presence::Maybe;
            }
        };
        match write {
            Write::CreateModel { request } => {
                let name = request.get_model_name().clone().unwrap_or_default();
                self.facts.forget_model(&name);
                maybe(&mut self.model);
            }
            Write::CreateEndpointConfig { request } => {
                let name = request
                    .get_endpoint_config_name()
                    .clone()
                    .unwrap_or_default();
                self.facts.forget_endpoint_config(&name);
                if name == self.anchor_name() {
                    maybe(&mut self.anchor);
                    self.resumed = false;
                } else {
                    maybe(&mut self.endpoint_config);
                }
            }
            Write::DeleteEndpoint { .. } => {
                self.repoll();
                // What was seen says nothing any more.
                self.last_poll = LastPoll::None;
            }
            Write::CreateEndpoint { .. }
            | Write::UpdateEndpoint { .. }
            | Write::SetInstanceCount { .. } => self.repoll(),
            Write::AddTags { arn, .. } | Write::DeleteTags { arn, .. } => {
                self.facts.forget_tags(arn);
            }
            // If it is gone, somebody else may make it again before the call is repeated.
            Write::DeleteModel { name } => {
                self.facts.read_model_again(name);
                forget_tags_of(&self.model, &mut self.facts);
            }
            Write::DeleteEndpointConfig { name } => {
                self.facts.read_endpoint_config_again(name);
                forget_tags_of(&self.endpoint_config, &mut self.facts);
            }
            Write::PutScaling { .. } | Write::Deregister { .. } => {}
        }
    }

    /// The call, or another one in its place, is made again a little later.
    fn repeat(&mut self, failure: ServiceFailure, now: Moment) {
        failure.warn_of_repeat();
        let refusals = self.refusals_of(&failure);
        let failures = self.failures.max(refusals);
        let pause = self.asked.pace.backoff(&self.asked.process, failures);
        self.failures += 1;
        if !failure.is_transient() {
            let refused = self.refusals.entry(failure.operation).or_insert((0, now));
            refused.0 += 1;
        }
        self.trouble = Some(failure);
        // What the last poll showed may be over by then.
        self.acted_since_poll = true;
        // Nothing is deleted by a poll that is older than a pause.
        if matches!(self.phase, Phase::Undo(_)) || self.serves() {
            self.repoll();
        }
        self.pause(pause, now);
    }

    /// How often this operation has been refused so far, in a way that may pass soon or not at all.
    fn refusals_of(&self, failure: &ServiceFailure) -> usize {
        let refused = self.refusals.get(failure.operation);
        refused.map_or(0, |(times, _)| *times)
    }

    /// Whether a refusal passes soon: at the second repetition, or once what was changed last is known everywhere.
    fn may_settle(&self, failure: &ServiceFailure, now: Moment) -> bool {
        let settles = if failure.operation == "CreateModel" {
            ROLE_SETTLES
        } else {
            SETTLES
        };
        failure.may_pass_after(self.refusals_of(failure))
            || failure.kind == FailureKind::Unsettled && self.unsettled_for(failure, now) < settles
    }

    /// How long a call has been refused. A queue's delivery goes by what is written down: it does not know of the
    /// refusals of an earlier one.
    fn unsettled_for(&self, failure: &ServiceFailure, now: Moment) -> Duration {
        if self.asked.callback.is_none() {
            let refused = self.refusals.get(failure.operation);
            return refused.map_or(Duration::ZERO, |(_, first)| now.since(*first));
        }
        let modified = match &self.last_poll {
            LastPoll::Endpoint(endpoint) => endpoint.last_modified,
            LastPoll::None | LastPoll::Absent => None,
        };
        let written = self.checkpoint.as_ref().map(|checkpoint| checkpoint.at);
        let known = [
            Some(now.since(self.asked.started)),
            modified.map(|modified| now.since_time(modified)),
            written.map(|written| now.since(written)),
        ];
        known.into_iter().flatten().min().unwrap_or_default()
    }

    /// What the call needs is made once more, and the call repeated, unless it has been there for too long.
    fn missing(&mut self, failure: ServiceFailure, now: Moment) {
        failure.warn_of_repeat();
        let since = self.missing.as_ref().map_or(now, |missing| missing.since);
        let pause = self.asked.pace.backoff(&self.asked.process, self.failures);
        self.failures += 1;
        self.trouble = Some(failure.clone());
        self.missing = Some(Missing {
            failure,
            since,
            at: now,
            retry_at: now + pause,
        });
    }

    /// A fact could not be found out.
    fn unknown(&mut self, call: &Call, failure: ServiceFailure, now: Moment) {
        let is_poll = matches!(call, Call::Read(Read::Endpoint { name }) if name == self.name());
        match &self.phase {
            // A deployment that is under way is not failed by a poll that is. But without the permission to poll,
            // waiting is pointless.
            Phase::Forward
                if is_poll && self.has_started() && failure.kind != FailureKind::AccessDenied =>
            {
                self.repeat(failure, now);
            }
            Phase::Forward if self.done.contains(&Task::Rest) => {
                warn!(
                    reason = failure.reason(),
                    "kept the previous endpoint config"
                );
                self.done.insert(Task::Previous);
            }
            Phase::Forward if self.serves() => {
                let error = self.unfinished(failure);
                self.fail(error, now);
            }
            Phase::Forward => self.fail(Error::Service(failure), now),
            // Who may not read claims could not launch either: nobody with this role is about to.
            Phase::Undo(_) | Phase::Close(_) if let Call::Read(Read::Tags { arn }) = call => {
                warn!(reason = failure.reason(), "the tags could not be read");
                self.facts.tags_are_unreadable(arn, failure);
            }
            Phase::Undo(_) => {
                self.trouble = Some(failure);
                self.give_up_cleaning();
            }
            Phase::Close(_) => {
                warn!(
                    reason = failure.reason(),
                    "a part of the closing was refused"
                );
                self.give_up_cleaning();
            }
            Phase::Finished(_) => {}
        }
    }
}

fn forget_tags_of(presence: &Presence, facts: &mut Facts) {
    if let Presence::Certain { arn: Some(arn), .. } = presence {
        facts.forget_tags(arn);
    }
}

fn presence(reply: &Reply, now: Moment, before: &Presence) -> Presence {
    match (reply, before) {
        (Reply::Made(Made::Created { arn }), _) => Presence::Certain {
            made: Some(now),
            arn: Some(arn.clone()),
        },
        (_, Presence::Certain { .. }) => before.clone(),
        _ => Presence::Certain {
            made: None,
            arn: None,
        },
    }
}

fn log_made(what: &str, name: &str, reply: &Reply) {
    if let Reply::Made(Made::Created { .. }) = reply {
        info!(resource = name, "created the {what}");
    } else {
        info!(resource = name, "found the {what} of an earlier call");
    }
}
