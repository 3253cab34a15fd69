//! The two doors, as the driver and the queue keep them: what a process does when its engine waits or has finished.

use std::sync::Arc;
use std::time::Duration;

use shared::callback::VISIBILITY;
use shared::contract::DeploymentStatus;
use shared::deploy::{Next, Outcome};
use shared::error::{Error, Failure};
use shared::sagemaker::Waiting;

use super::{Fate, MOST_REPEATS, Message, Run, RunId, Stage, Standing, TICK, Witness, World, tick};
use crate::lab::{Door, Input, Lab, Limits};
use crate::properties;
use crate::region::{Millis, Name, Step};

/// The driver's numbers.
const LONGEST_DELIVERY: Millis = 13_000;
const UNDO_IN_DELIVERY: Millis = 10_000;
const KEPT_FREE: Millis = 7_000;
const KEPT_TO_DELETE: Millis = 2_000;
const LONGEST_CLOSING: Millis = 5_000;
const UNDO_RESERVE: Millis = 30_000;
/// How long an invocation may take, less what is kept for the answer.
const INVOCATION: Millis = 898_000;
/// How often an answer is sent before the message is left to come back.
const ATTEMPTS: u8 = 3;

fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

impl World {
    /// Asks for a deployment, for the first time or again; or delivers its message.
    pub(super) fn start(&mut self, actor: usize, lab: &Lab) {
        let now = self.now();
        let order = &lab.orders[actor];
        let id = RunId {
            actor,
            run: self.actors[actor].free_slot(),
        };
        if !self.is_worked_on(&order.id, id, lab) && self.actors[actor].standing == Standing::ToCome
        {
            self.history.asked(&order.id);
        }
        if matches!(
            self.actors[actor].standing,
            Standing::ToCome | Standing::ToRepeat
        ) {
            self.history.changed = now;
        }
        let (limits, cut, is_last) = match order.door {
            Door::Call => {
                self.actors[actor].standing = Standing::Called;
                (called(now, millis(order.request.max_wait)), None, false)
            }
            Door::Queue => {
                if !self.actors[actor].runs.is_empty() {
                    // Nothing else goes wrong.
                    self.left.all = 0;
                    self.left.doubles -= 1;
                    self.history.was_doubled = true;
                }
                let sent = if let Standing::Queued(message) = self.actors[actor].standing {
                    message
                } else {
                    let region = Arc::make_mut(&mut self.region);
                    region.start_step(&order.token);
                    Message {
                        sent: now,
                        visible: now,
                        received: 0,
                    }
                };
                let age = now - sent.sent;
                let back = millis(VISIBILITY.pause(Duration::from_millis(age)));
                self.actors[actor].standing = Standing::Queued(Message {
                    visible: tick(now + back),
                    received: sent.received.saturating_add(1),
                    ..sent
                });
                let max_age = millis(order.request.max_age);
                let is_last = age >= max_age;
                let limits = delivered(now, sent.sent, max_age.saturating_sub(age));
                (limits, Some(now + LONGEST_DELIVERY), is_last)
            }
        };
        let actor = &mut self.actors[id.actor];
        actor.processes += 1;
        let letter = char::from(b'a' + u8::try_from(id.actor).unwrap_or_default());
        let process: Name = format!("{letter}{}", actor.processes).into();
        actor.last = Arc::clone(&process);
        let local = lab.start(id.actor, &process, limits, now);
        actor.runs.push(Run {
            slot: id.run,
            process,
            local,
            limits,
            cut,
            is_last,
            stage: Stage::Drives,
            wakes: None,
            lands: None,
            witness: Arc::new(Witness::default()),
            outcome: None,
        });
        self.turn = Some(id);
        self.observe();
        self.look(id, lab);
    }

    /// Goes on with what has happened to an engine.
    pub(super) fn goes_on(&mut self, id: RunId, input: Input<'_>, lab: &Lab) {
        let now = self.now();
        let run = self.run_mut(id);
        let is_reply = matches!(input, Input::Reply(_));
        // So that it has one owner, unless it is remembered.
        let local = std::mem::replace(&mut run.local, lab.idle());
        run.local = lab.advance(local, input, now);
        let is_cut = run.cut.is_some_and(|cut| now >= cut);
        match run.stage {
            Stage::Drives if is_reply && is_cut && !run.is_last => self.comes_back(id),
            Stage::Closes if is_cut => self.comes_back(id),
            _ => self.look(id, lab),
        }
    }

    /// What a process does next.
    fn look(&mut self, id: RunId, lab: &Lab) {
        let now = self.now();
        let run = self.run_mut(id);
        match (&run.stage, &run.local.next) {
            (_, Next::Call(_)) | (Stage::Tells(_), _) => {}
            (Stage::Drives, Next::Wait(pause))
                if !run.is_last && !goes_on_within(run, now + millis(*pause)) =>
            {
                self.comes_back(id);
            }
            (_, Next::Wait(pause)) => run.wakes = Some(tick(now + millis(*pause)).max(now + TICK)),
            (Stage::Drives, Next::Finish(outcome)) => {
                let outcome = Arc::new(outcome.clone());
                run.outcome = Some(Arc::clone(&outcome));
                match (lab.orders[id.actor].door, &*outcome) {
                    (Door::Call, _) => self.told(id, &outcome, lab),
                    (Door::Queue, Outcome::NotWaitedFor { waiting, .. })
                        if *waiting != Waiting::ToStop =>
                    {
                        self.ended(id, &outcome, lab);
                        self.close(id, lab);
                    }
                    (Door::Queue, _) => run.stage = Stage::Tells(0),
                }
            }
            (Stage::Closes, Next::Finish(_)) => self.is_done_with(id),
        }
    }

    /// A delivery has ended, and its message comes back.
    fn comes_back(&mut self, id: RunId) {
        if !self.history.faults.is_empty() {
            // Its calls were refused until it ended, that which writes down an acceptance among them.
            let process = Arc::clone(&self.run(id).process);
            self.history.died(&process);
        }
        self.remove(id);
    }

    /// A delivery has ended, and its message with it.
    fn is_done_with(&mut self, id: RunId) {
        self.actors[id.actor].standing = Standing::Over;
        self.remove(id);
    }

    /// A process is killed before its next call.
    pub(super) fn kill(&mut self, id: RunId) {
        let process = Arc::clone(&self.run(id).process);
        self.history.died(&process);
        self.history.was_killed = true;
        if self.actors[id.actor].standing == Standing::Called {
            self.actors[id.actor].standing = Standing::ToRepeat;
        }
        self.remove(id);
    }

    fn remove(&mut self, id: RunId) {
        self.actors[id.actor].runs.retain(|run| run.slot != id.run);
        self.turn = None;
    }

    /// Answers the step of a deployment that has ended.
    pub(super) fn tell(&mut self, id: RunId, fate: Fate, lab: &Lab) {
        let (now, order) = (self.now(), &lab.orders[id.actor]);
        let Some(outcome) = self.run(id).outcome.clone() else {
            return;
        };
        let is_success = matches!(&*outcome, Outcome::Answered(_));
        let reaches = !matches!(fate, Fate::Throttled | Fate::Denied | Fate::LostBefore);
        let before = self.region.step(&order.token);
        let answered = reaches.then(|| {
            let region = Arc::make_mut(&mut self.region);
            region.answer_step(&order.token, is_success)
        });
        self.turn_wrote = true;
        let waits = matches!(before, Some(Step::Executing | Step::Stopping));
        if matches!(answered, Some(Ok(()))) && waits {
            self.ended(id, &outcome, lab);
        } else if !waits {
            // Only the log has it.
            self.history.named_anchor |= properties::names_an_anchor(&self.history, &outcome);
        }
        let attempt = match self.run(id).stage {
            Stage::Tells(attempt) => attempt + 1,
            _ => 1,
        };
        match (fate, answered) {
            // Nobody knows, so it is sent again.
            (Fate::LostAfter | Fate::Throttled | Fate::LostBefore, _) if attempt < ATTEMPTS => {
                let run = self.run_mut(id);
                run.stage = Stage::Tells(attempt);
                run.wakes = Some(now + TICK);
            }
            // It was answered before, or nobody waits for the answer any more.
            (Fate::Denied, _) if !waits => self.close(id, lab),
            (_, Some(_)) if fate != Fate::LostAfter => self.close(id, lab),
            _ => self.comes_back(id),
        }
    }

    fn close(&mut self, id: RunId, lab: &Lab) {
        let now = self.now();
        let run = self.run_mut(id);
        run.stage = Stage::Closes;
        run.cut = Some(now + LONGEST_CLOSING);
        self.goes_on(id, Input::Told, lab);
    }

    /// The outcome has reached whoever asked, who waits no longer; or nobody waits for it.
    fn told(&mut self, id: RunId, outcome: &Arc<Outcome>, lab: &Lab) {
        self.ended(id, outcome, lab);
        let order = &lab.orders[id.actor];
        let goes_on = order.door == Door::Call && self.history.goes_on(&order.id, outcome);
        let actor = &mut self.actors[id.actor];
        actor.standing = if goes_on && actor.repeats < MOST_REPEATS {
            actor.repeats += 1;
            Standing::ToRepeat
        } else {
            Standing::Over
        };
        self.remove(id);
    }

    /// Holds an outcome against what has happened, and keeps it.
    fn ended(&mut self, id: RunId, outcome: &Arc<Outcome>, lab: &Lab) {
        let order = &lab.orders[id.actor];
        let broken = properties::of_outcome(self, id, order, outcome);
        self.violated(broken);
        self.actors[id.actor].outcomes.push(Arc::clone(outcome));
        if matches!(**outcome, Outcome::Failed(_)) || !self.history.faults.is_empty() {
            let process = Arc::clone(&self.run(id).process);
            self.history.died(&process);
        }
        let is_alone = !self.is_worked_on(&order.id, id, lab);
        self.history.ended(&order.id, outcome, is_alone);
    }
}

/// Whether a delivery, or a call, lasts longer than a pause.
fn goes_on_within(run: &Run, end: Millis) -> bool {
    let lasts = |kept| run.cut.is_none_or(|cut| end + kept < cut);
    let local = &run.local;
    local.repeats && lasts(KEPT_FREE) || local.settles && lasts(KEPT_TO_DELETE) || run.cut.is_none()
}

/// The limits of a call that may wait so long.
fn called(now: Millis, max_wait: Millis) -> Limits {
    let wait = max_wait.min(INVOCATION - UNDO_RESERVE);
    Limits {
        started: now,
        wait_until: now + wait,
        undo_until: now + (wait + UNDO_RESERVE).min(INVOCATION),
        answer_by: now + INVOCATION,
    }
}

/// The limits of a delivery of a message that was sent at a moment, and has so much time left.
fn delivered(now: Millis, sent: Millis, left: Millis) -> Limits {
    let wait_until = now + left;
    Limits {
        started: sent,
        wait_until,
        undo_until: wait_until + UNDO_IN_DELIVERY,
        answer_by: wait_until + LONGEST_DELIVERY,
    }
}

/// Whether a deployment goes on although its caller has an answer.
pub(crate) fn may_go_on(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(answer) => answer.deployment_status == DeploymentStatus::InProgress,
        Outcome::Failed(Failure { error, .. }) => matches!(
            error,
            Error::DeploymentTimedOut { started: true, .. } | Error::Service(_)
        ),
        Outcome::NotWaitedFor { .. } => false,
    }
}
