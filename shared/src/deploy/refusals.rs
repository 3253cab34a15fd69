//! Refusals: what the engine makes of each call that failed.

use std::time::Duration;

use tracing::warn;

use super::call::{Call, Read, Write};
use super::facts::Facts;
use super::{Claim, Engine, Errand, LastPoll, Missing, Phase, Presence, Task};
use crate::error::Error;
use crate::failure::{FailureKind, ServiceFailure};
use crate::moment::Moment;

/// How long a change of the service takes to be known everywhere: a role, a registration.
const SETTLES: Duration = Duration::from_secs(60);

/// How long a model is asked for whose role cannot be assumed, or cannot read the artifact: both may be seconds old.
const ROLE_SETTLES: Duration = Duration::from_secs(120);

/// How often the service may refuse to set autoscaling before that is an error.
const MOST_REFUSALS: usize = 3;

impl Engine {
    /// Takes in that a call failed.
    pub(super) fn refused(
        &mut self,
        call: &Call,
        errand: Errand,
        failure: ServiceFailure,
        now: Moment,
    ) {
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
