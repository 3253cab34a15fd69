//! Replies: what the engine makes of each reply. `refusals.rs` has the calls that failed.

use tracing::info;

use super::call::{Call, Read, Reply, Write};
use super::close;
use super::decide::Launch;
use super::prepare::checkpoint;
use super::undo::Part;
use super::{Claim, Engine, Errand, LastPoll, Phase, Presence, Task};
use crate::failure::ServiceFailure;
use crate::moment::Moment;
use crate::plan::{Checkpoint, Route, Stage};
use crate::sagemaker::Made;

impl Engine {
    /// Takes in the reply to the call that [`Engine::next`] gave last.
    ///
    /// A call that was cut off has failed with [`NoReply`](crate::failure::FailureKind::NoReply).
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
                stage,
                ..checkpoint(route, target, now)
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
