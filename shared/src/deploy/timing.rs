//! Time: pauses, and what a spent budget means.

use std::time::Duration;

use super::undo::Part;
use super::{Engine, LastPoll, Phase, Task};
use crate::contract::{DeploymentStatus, OnTimeout};
use crate::error::{Error, Stays};
use crate::moment::Moment;

impl Engine {
    /// Lets time pass before the next poll.
    pub(super) fn wait(&mut self, now: Moment) {
        self.trouble = None;
        self.failures = 0;
        self.repoll();
        self.pause(self.asked.pace.pause(now.since(self.asked.started)), now);
    }

    /// The next step starts from a poll.
    pub(super) fn repoll(&mut self) {
        let name = self.name().to_owned();
        self.facts.poll_again(&name);
        self.facts.ask_again_who_waits();
        self.facts.forget_scaling();
        self.done.remove(&Task::ReadSaved);
        if let Phase::Undo(undo) = &mut self.phase {
            undo.done.remove(&Part::PollAgain);
        }
        if let LastPoll::Endpoint(endpoint) = &self.last_poll {
            let arn = endpoint.arn.clone();
            self.facts.forget_tags(&arn);
        }
    }

    pub(super) fn pause(&mut self, pause: Duration, now: Moment) {
        self.pause_until = Some(now + pause);
    }

    /// Whether the budget has ended a wait, so that something else comes next.
    pub(super) fn ends_waiting(&mut self, now: Moment) -> bool {
        let (wait_until, undo_until) = (
            self.asked.deadlines.wait_until,
            self.asked.deadlines.undo_until,
        );
        let Some(until) = self.pause_until else {
            return false;
        };
        match &self.phase {
            Phase::Forward if now >= wait_until => {
                self.time_is_up(now);
                true
            }
            Phase::Forward if until > wait_until => {
                self.pause_until = Some(wait_until);
                false
            }
            Phase::Undo(_) | Phase::Close(_) if until >= undo_until => {
                self.pause_until = None;
                self.give_up_cleaning();
                true
            }
            _ => false,
        }
    }

    /// The waiting budget is spent.
    pub(super) fn time_is_up(&mut self, now: Moment) {
        self.pause_until = None;
        if self.serves()
            && let Some(trouble) = self.trouble.take()
        {
            let error = self.unfinished(trouble);
            return self.fail(error, now);
        }
        if self.has_started() {
            return self.out_of_time(now);
        }
        let error = match self.trouble.take().or(self.not_launched.take()) {
            Some(trouble) => Error::Service(trouble),
            None => self.timed_out(now),
        };
        self.fail(error, now);
    }

    /// The answer to a deployment that goes on.
    pub(super) fn out_of_time(&mut self, now: Moment) {
        self.leave_for_the_next();
        let ended = match self.asked.request.on_timeout {
            OnTimeout::Return => Ok(DeploymentStatus::InProgress),
            OnTimeout::Fail => Err(self.timed_out(now)),
        };
        self.finish(ended, now);
    }

    pub(super) fn timed_out(&self, now: Moment) -> Error {
        Error::DeploymentTimedOut {
            endpoint_name: self.own_name().to_owned(),
            status: self.status().to_owned(),
            waited_seconds: now.since(self.asked.started).as_secs(),
            started: self.has_started(),
        }
    }

    /// The answer is due, whatever the process is about.
    pub(super) fn run_out_of_time(&mut self, now: Moment) {
        self.pending = None;
        match &self.phase {
            Phase::Undo(_) | Phase::Close(_) => self.give_up_cleaning(),
            _ if self.has_started() => self.out_of_time(now),
            _ => {
                let error = self.timed_out(now);
                self.leave_made(&Stays::NoTime);
                self.finish(Err(error), now);
            }
        }
    }
}
