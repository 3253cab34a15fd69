//! The engine: everything that a deployment does, as a state machine without I/O.
//!
//! It is asked what comes next and gives one [`Call`] of a service, a wait, or the outcome; it is told the reply and the
//! time. There is no client in it, no clock and nothing `async`. A process that resumes a deployment makes a new engine,
//! which finds the checkpoint and goes on.
//!
//! # Flow
//!
//! ```text
//!            ┌───────────── wait ─────────────┐
//!            ▼                                │
//! find the checkpoint ─▶ poll ─▶ plan ─▶ decide ─┬─▶ prepare ─▶ claim ─▶ launch ─▶ checkpoint: accepted ─┐
//!            ▲                                   │                                                      │
//!            └───────────────────────────────────┼──────────────────────────────────────────────────────┘
//!                                                ├─▶ complete ─▶ close ─▶ outcome
//!                                                └─▶ undo ─────▶ close ─▶ outcome
//! ```
//!
//! # Guarantees
//!
//! - A dry run emits no write: it ends where the first one would be.
//! - A rollback is reported only of a launch that the service accepted. If a reply was lost and nobody can know, the
//!   launch is sent again.
//! - What is deleted was made by this deployment, and no other deployment has claimed it.
//! - Suspended autoscaling is saved on the endpoint before it is suspended, where the next deployment of any request
//!   finds it.
//!
//! # Assumptions
//!
//! - Tags are read as they were last written.
//! - A poll is stale for `decide::SETTLING` at most.
//! - The clocks of two processes differ by less than a third of [`LEASE`].

mod call;
mod checks;
mod close;
mod complete;
mod decide;
mod deletions;
mod facts;
mod failed;
mod fingerprint;
mod forward;
mod left;
mod outcome;
mod plans;
mod prepare;
mod previous;
mod refusals;
mod replies;
mod suspend;
mod timing;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sagemaker::types::EndpointStatus;

use crate::contract::{
    DeployAnswer, DeployRequest, DeploymentKind, DeploymentStatus, OnFailedEndpoint,
};
use crate::error::{Error, Failure, LeftBehind};
use crate::failure::ServiceFailure;
use crate::moment::Moment;
use crate::plan::{Checkpoint, DeploymentId, LEASE, Plan, Route, Scaling};
use crate::sagemaker::{Endpoint, Waiting};
use crate::wait::Pace;
pub use call::{Call, Read, Reply, Write};
use close::Closing;
use decide::{Launch, Target};
use facts::Facts;
use undo::Undo;

/// The longest that a process acts on its own claim, or on its own announced undo.
const HOLD: Duration = Duration::from_secs(LEASE.as_secs() / 3);

/// A pipeline's step that waits for the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The token that the answer is given under.
    pub token: String,
    /// ARN of the pipeline execution, if the message has it.
    pub pipeline_execution_arn: Option<String>,
}

/// The points in time that a process keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// When the waiting ends.
    pub wait_until: Moment,
    /// When the undo of a failed deployment gives up.
    pub undo_until: Moment,
    /// When the answer leaves, whatever the service does.
    pub answer_by: Moment,
}

/// A deployment, as one process begins or resumes it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which function is asked.
    pub kind: DeploymentKind,
    /// What is asked.
    pub request: Arc<DeployRequest>,
    /// The event, which the answer gives back as its `body`.
    pub event: Arc<str>,
    /// Who waits, if the deployment comes through a queue. `None` for a call that waits itself.
    pub callback: Option<Callback>,
    /// The process, told apart from every other one of the same deployment.
    pub process: String,
    /// When the deployment was asked for: when the call started, or the message was sent.
    pub started: Moment,
    /// Until when the process may do what.
    pub deadlines: Deadlines,
    /// How long to pause between two polls.
    pub pace: Pace,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Carry out this call, and tell [`Engine::handle`] the reply.
    Call(Box<Call>),
    /// Only time helps.
    Wait(Duration),
    /// The deployment has ended.
    Finish(Outcome),
}

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It succeeded, or goes on and its caller asked not to wait, or it would have.
    Answered(Box<DeployAnswer>),
    /// It failed.
    Failed(Failure),
    /// It was not started, because nobody waits for it any more, and nothing of it is left but what is named.
    NotWaitedFor {
        /// What the pipeline's step waits for instead.
        waiting: Waiting,
        /// What had been made and could not be deleted.
        left_behind: Vec<LeftBehind>,
    },
}

/// What is done once, in this order. A task that has to be done again leaves the set without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Task {
    /// Look for the checkpoint once more.
    LookAgain,
    /// Write the checkpoint on the anchor.
    Checkpoint,
    /// `CreateModel`.
    Model,
    /// `CreateEndpointConfig`.
    EndpointConfig,
    /// Read once more what is saved, now that the autoscaling has been read.
    ReadSaved,
    /// Save the autoscaling that will be suspended.
    SaveScaling,
    /// Save it, and the endpoint's own tags, where they outlive an endpoint that is deleted.
    SaveOnAnchor,
    /// Remove what other deployments saved: it is in this one's own save now.
    TakeOver,
    /// Deregister the scalable targets.
    Suspend,
    /// Take the endpoint over from the deployment that created it.
    Own,
    /// Remove old claims of other processes.
    Tidy,
    /// Remove this process's claim: the launch was refused, and the process may end before it launches again.
    Withdraw,
    /// Claim the model for the launch.
    Claim,
    /// See that nobody undoes it.
    Verify,
    /// Write down that the service accepted the launch.
    Accept,
    /// Put the event's tags on the endpoint.
    Tags,
    /// Set the number of instances that the event asks for.
    InstanceCount,
    /// Let the variants scale as they should.
    Scaling,
    /// Remove the saved autoscaling.
    ForgetScaling,
    /// Everything but the previous endpoint config is done with.
    Rest,
    /// Delete the previous endpoint config and its models.
    Previous,
}

/// What a call is made for.
#[derive(Debug, Clone, PartialEq)]
enum Errand {
    /// A fact.
    Learn,
    /// A task.
    Do(Task),
    /// The launch, with how far it was before.
    Launch { before: Launch },
    /// The deletion of the failed endpoint, to create it again.
    DeleteFailed,
    /// A part of the undo.
    Undo(undo::Part),
    /// A part of the closing.
    Close(close::Part),
}

/// What the engine decides on: a call, a wait, or an end of its present phase.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Do(Box<Call>, Errand),
    Wait,
    /// The same step once more, a little later.
    Pause(Moment),
    Succeed(DeploymentStatus),
    Fail(Error),
    Abandon(Waiting),
    /// What was made for an earlier plan goes first.
    Discard(Target),
    Enter(Box<Phase>),
}

/// What the engine is about.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// On the way to what was asked for.
    Forward,
    /// What was made is deleted.
    Undo(Undo),
    /// The deployment has ended; what only serves its resumption is removed.
    Close(Closing),
    Finished(Outcome),
}

/// Whether something of this deployment's is there.
#[derive(Debug, Clone, PartialEq)]
enum Presence {
    /// Not that this process knows.
    Unknown,
    /// A create was not answered.
    Maybe,
    /// It is there.
    Certain {
        /// When this process made it; `None` if it was there before.
        made: Option<Moment>,
        /// Its ARN, if this process made it.
        arn: Option<String>,
    },
}

/// What becomes of what a deployment made, once it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The endpoint serves it.
    Serves,
    /// The service goes on with it, or it was to be kept.
    Stays,
    /// It was undone.
    Undone,
}

impl Presence {
    /// Whether this process made it.
    fn is_made_here(&self) -> bool {
        matches!(self, Self::Certain { made: Some(_), .. })
    }
}

/// This process's claim of the launch, on the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Claim {
    None,
    /// It was written.
    Made(Moment),
    /// The launch was refused.
    Void,
}

/// A prerequisite that the service does not find.
#[derive(Debug, Clone, PartialEq)]
struct Missing {
    failure: ServiceFailure,
    /// When the service first said so.
    since: Moment,
    /// When the service last said so.
    at: Moment,
    /// When the call that needs it may be made again.
    retry_at: Moment,
}

/// A deployment in one process.
#[derive(Debug, Clone)]
pub struct Engine {
    asked: Asked,
    id: DeploymentId,
    phase: Phase,
    facts: Facts,
    /// Whether the checkpoint was looked for.
    resumed: bool,
    /// The checkpoint as it is on the anchor.
    checkpoint: Option<Checkpoint>,
    /// When an earlier process wrote it.
    checkpoint_found: Option<Moment>,
    plan: Option<Plan>,
    target: Option<Target>,
    launch: Launch,
    done: BTreeSet<Task>,
    anchor: Presence,
    model: Presence,
    endpoint_config: Presence,
    /// Variants whose scalable targets were deregistered by this process.
    suspended: BTreeSet<String>,
    /// The autoscaling that this process has saved.
    saved: Vec<Scaling>,
    /// What this process has put of autoscaling. Each change is put once.
    put: Vec<(String, crate::plan::Change)>,
    claim: Claim,
    /// When this process announced on the model that it undoes.
    announced: Option<Moment>,
    missing: Option<Missing>,
    /// Why the launch was not accepted, as far as the last attempt says.
    not_launched: Option<ServiceFailure>,
    /// Whether the failed endpoint has been deleted, to be created again.
    recreating: bool,
    fate: Option<Fate>,
    /// Whether this process has written anything since the last poll.
    acted_since_poll: bool,
    /// The last poll, for the answer.
    last_poll: LastPoll,
    /// The first and the latest of the polls that have shown the endpoint serving what is asked for, if no other poll came
    /// between them.
    serving: Option<(Moment, Moment)>,
    /// The last failure that time may heal, while it lasts.
    trouble: Option<ServiceFailure>,
    failures: usize,
    /// How often each operation was refused, since it last passed, in a way that may pass soon or not at all; and when
    /// first.
    refusals: BTreeMap<&'static str, (usize, Moment)>,
    /// No call before this.
    pause_until: Option<Moment>,
    pending: Option<(Call, Errand)>,
    left_behind: Vec<LeftBehind>,
}

/// What the last poll said, for the answer and the log.
#[derive(Debug, Clone, PartialEq)]
enum LastPoll {
    None,
    Absent,
    Endpoint(Endpoint),
}

impl LastPoll {
    fn status(&self) -> &str {
        match self {
            Self::None => "Unknown",
            Self::Absent => "NotFound",
            Self::Endpoint(endpoint) => endpoint.status.as_str(),
        }
    }
}

impl Engine {
    /// A deployment that this process begins or resumes.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` with the keys that do not go together.
    pub fn new(asked: Asked) -> Result<Self, Error> {
        // What replaces a failed endpoint has to be found by the same event, whoever sends it: until the endpoint is
        // created again, there is nothing else to start from.
        let replaces = asked.request.on_failed_endpoint == OnFailedEndpoint::Replace;
        let id = match asked.callback.as_ref().filter(|_| !replaces) {
            Some(callback) => DeploymentId::of_token(&callback.token),
            None => DeploymentId::of_event(&asked.request.identity),
        };
        let plan = match asked.kind {
            DeploymentKind::New => {
                let planned = Plan::new_endpoint(&asked.request);
                Some(planned.map_err(|bad_keys| asked.request.refused(bad_keys))?)
            }
            DeploymentKind::Existing => None,
        };
        Ok(Self {
            asked,
            id,
            phase: Phase::Forward,
            facts: Facts::default(),
            resumed: false,
            checkpoint: None,
            checkpoint_found: None,
            plan,
            target: None,
            launch: Launch::NotSent,
            done: BTreeSet::new(),
            anchor: Presence::Unknown,
            model: Presence::Unknown,
            endpoint_config: Presence::Unknown,
            suspended: BTreeSet::new(),
            saved: Vec::new(),
            put: Vec::new(),
            claim: Claim::None,
            announced: None,
            missing: None,
            not_launched: None,
            recreating: false,
            fate: None,
            acted_since_poll: false,
            last_poll: LastPoll::None,
            serving: None,
            trouble: None,
            failures: 0,
            refusals: BTreeMap::new(),
            pause_until: None,
            pending: None,
            left_behind: Vec::new(),
        })
    }

    /// What comes next.
    ///
    /// Asked again before the reply is told, it gives the same.
    pub fn next(&mut self, now: Moment) -> Next {
        loop {
            if let Phase::Finished(outcome) = &self.phase {
                return Next::Finish(outcome.clone());
            }
            if now >= self.asked.deadlines.answer_by {
                self.run_out_of_time(now);
                continue;
            }
            if let Some((call, _)) = &self.pending {
                return Next::Call(Box::new(call.clone()));
            }
            if let Some(step) = self.withdraw() {
                self.pending = Some(step);
                continue;
            }
            if self.ends_waiting(now) {
                continue;
            }
            if let Some(until) = self.pause_until.filter(|until| now < *until) {
                return Next::Wait(until.since(now));
            }
            self.pause_until = None;
            let known = match &self.phase {
                Phase::Forward => self.forward(now),
                Phase::Undo(_) => self.undo(now),
                Phase::Close(_) => self.closing(now),
                Phase::Finished(_) => continue,
            };
            match known.unwrap_or_else(|read| Step::Do(Box::new(read), Errand::Learn)) {
                Step::Do(call, errand) => {
                    if self.asked.request.dry_run && matches!(*call, Call::Write(_)) {
                        self.finish(Ok(DeploymentStatus::DryRun), now);
                        continue;
                    }
                    self.pending = Some((*call, errand));
                }
                Step::Wait => self.wait(now),
                Step::Pause(until) => self.pause_until = Some(until),
                Step::Succeed(status) => self.conclude(Ok(status), now),
                Step::Fail(error) => self.fail(error, now),
                Step::Abandon(waiting) => self.abandon(waiting),
                Step::Discard(target) => self.discard(target),
                Step::Enter(phase) => self.phase = *phase,
            }
        }
    }

    /// Goes on after an outcome that has been told: removes what served the resumption only. Ends in the same outcome.
    ///
    /// For a call that waits there is nothing left to do here. What is not removed by `until` stays.
    pub fn close(&mut self, until: Moment) {
        self.asked.deadlines.undo_until = until;
        self.asked.deadlines.answer_by = until;
        if let Phase::Finished(outcome) = &self.phase
            && self.asked.callback.is_some()
            && !self.asked.request.dry_run
        {
            let closing = Closing::after(outcome.clone(), self);
            self.phase = Phase::Close(closing);
            self.pause_until = None;
        }
    }

    /// The endpoint's status at the last poll: `NotFound` if there was none, `Unknown` before the first poll. The service
    /// has accepted a launch that no poll has shown yet.
    pub fn status(&self) -> &str {
        match (self.launch, &self.last_poll) {
            (Launch::Accepted { .. }, LastPoll::Absent) => "Creating",
            (Launch::Accepted { .. }, LastPoll::Endpoint(endpoint))
                if endpoint.status == EndpointStatus::InService && !self.serves() =>
            {
                "Updating"
            }
            (_, last_poll) => last_poll.status(),
        }
    }

    /// Whether the present wait is for a call that is made again, and not for the service to go on.
    pub fn is_repeating(&self) -> bool {
        self.trouble.is_some()
    }

    /// Whether the present wait is for a second poll, which has to come from the same process.
    pub fn is_settling(&self) -> bool {
        self.done.contains(&Task::Rest) && !self.done.contains(&Task::Previous)
    }

    /// The endpoint's name, as the event spells it.
    fn name(&self) -> &str {
        &self.asked.request.endpoint_name
    }

    /// The endpoint's name, as SageMaker spells it in the last poll that showed an endpoint. SageMaker ignores the case of
    /// a name; Application Auto Scaling and CloudWatch Logs do not.
    fn own_name(&self) -> &str {
        match &self.last_poll {
            LastPoll::Endpoint(endpoint) => &endpoint.name,
            _ => self.name(),
        }
    }

    /// Whether the deployment has been started, by the service's own word or by what an earlier process wrote down.
    fn has_started(&self) -> bool {
        self.launch.is_confirmed() || self.recreating || self.done.contains(&Task::InstanceCount)
    }

    /// The names that are deployed, as far as they are known.
    fn names(&self) -> Option<Target> {
        let written = || self.checkpoint.as_ref().map(plans::target_of);
        self.target.clone().or_else(written).or_else(|| {
            let plan = self.plan.as_ref()?;
            Some(Target {
                endpoint_config: plan.endpoint_config_name.clone(),
                model: plan.model_name.clone(),
                previous: plan.live_endpoint_config.clone().unwrap_or_default(),
                since: None,
            })
        })
    }

    /// Whether the last poll showed the endpoint serving what is asked for.
    fn serves(&self) -> bool {
        let LastPoll::Endpoint(endpoint) = &self.last_poll else {
            return false;
        };
        let asked = self.names().map(|target| target.endpoint_config);
        endpoint.status == EndpointStatus::InService && Some(&endpoint.config) == asked.as_ref()
    }

    /// The route that this deployment takes, as far as it is decided.
    fn route(&self) -> Route {
        match (self.asked.kind, &self.checkpoint) {
            (DeploymentKind::New, _) => Route::Create,
            (_, Some(checkpoint)) => checkpoint.route,
            _ => Route::Update,
        }
    }
}
