//! What may happen next, and what follows from it.

use std::sync::Arc;

use shared::deploy::{Call, Read, Write};
use shared::failure::{FailureKind, ServiceFailure};

use super::{Act, Budget, RunId, Stage, Standing, TICK, World, tick};
use crate::lab::{Input, Lab};
use crate::properties;
use crate::region::{Answer, Ending, Millis, Stale, Tags, failure, no_model, unseen_config};

/// How long a late call takes.
const LATE: Millis = 2 * TICK;

/// Longer than any notice of a process holds.
const PAUSE: Millis = 23 * TICK;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It is carried out and answered at once.
    Plain,
    /// The launch is accepted, and rolled back later.
    RollsBack,
    /// The launch is accepted, and ends `Failed`.
    Fails,
    Throttled,
    Denied,
    /// It does not arrive.
    LostBefore,
    /// It is carried out, and the reply is lost.
    LostAfter,
    /// It is carried out and answered some seconds later.
    Late,
    /// The poll shows the endpoint as it was before its last change.
    Stale,
    /// The service does not see yet what the call refers to.
    Unseen,
}

impl Fate {
    pub(crate) const ALL: [(&'static str, Self); 10] = [
        ("plain", Self::Plain),
        ("rolls-back", Self::RollsBack),
        ("fails", Self::Fails),
        ("throttled", Self::Throttled),
        ("denied", Self::Denied),
        ("lost-before", Self::LostBefore),
        ("lost-after", Self::LostAfter),
        ("late", Self::Late),
        ("stale", Self::Stale),
        ("unseen", Self::Unseen),
    ];

    fn is_ending(self) -> bool {
        matches!(self, Self::RollsBack | Self::Fails)
    }

    /// Whether the call itself goes as it should.
    fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::RollsBack | Self::Fails)
    }
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A deployment is asked for, for the first time or again; or its message is delivered.
    Start(usize),
    /// A process makes its next call.
    Call(RunId, Fate),
    /// A late call reaches the service.
    Land(RunId),
    /// A process is killed before its next call.
    Kill(RunId),
    Operator(Act),
    /// So many ticks pass.
    Time(u16),
    /// Nothing happens for so long that no notice of a process holds any more.
    Pause,
}

impl World {
    /// All that may happen next.
    pub(crate) fn events(&self, lab: &Lab) -> Vec<Event> {
        let mut events = Vec::new();
        let moves = |id: RunId| {
            let run = self.run(id);
            run.is_ready() || run.lands.is_some_and(|lands| lands <= self.now())
        };
        let turn = self.turn.filter(|turn| moves(*turn));
        for (id, run) in self.runs() {
            if !moves(id) || turn.is_some_and(|turn| turn != id && !self.may_preempt(turn, id)) {
                continue;
            }
            if run.lands.is_some() {
                events.push(Event::Land(id));
                continue;
            }
            let calls = self.fates(id).into_iter();
            events.extend(calls.map(|fate| Event::Call(id, fate)));
            if self.left.all > 0 && self.left.kills > 0 && turn.is_none_or(|turn| turn == id) {
                events.push(Event::Kill(id));
            }
        }
        for actor in 0..self.actors.len() {
            if self.may_start(actor) && (turn.is_none() || self.left.preemptions > 0) {
                events.push(Event::Start(actor));
            }
        }
        if self.left.all > 0 && self.left.acts > 0 {
            let acts = self.acts.iter().copied();
            let mut possible = acts.filter(|act| self.clone().operate(*act, lab));
            events.extend(possible.by_ref().map(Event::Operator));
        }
        if turn.is_none() && !self.runs().any(|(id, _)| moves(id)) {
            // A message may have become visible while its last delivery still worked.
            let next = self.next_moment().filter(|next| *next > self.now());
            if let Some(next) = next {
                let ticks = (next - self.now()).div_ceil(TICK);
                events.push(Event::Time(u16::try_from(ticks).expect("within a day")));
            } else if self.left.pauses > 0
                && self
                    .actors
                    .iter()
                    .any(|actor| actor.standing == Standing::ToRepeat)
            {
                events.push(Event::Pause);
            }
        }
        events
    }

    fn may_start(&self, actor: usize) -> bool {
        let actor = &self.actors[actor];
        match actor.standing {
            Standing::ToCome | Standing::ToRepeat => true,
            Standing::Queued(message) if actor.runs.is_empty() => message.visible <= self.now(),
            Standing::Queued(_) => {
                let may = self.left.doubles > 0 && self.left.all > 0;
                may && actor.runs.len() == 1 && self.history.went_well()
            }
            Standing::Called | Standing::Over => false,
        }
    }

    /// Whether another process may take the turn from one that could go on. Between two reads that makes no difference.
    fn may_preempt(&self, turn: RunId, other: RunId) -> bool {
        let writes = |id: RunId| {
            let run = self.run(id);
            !matches!(run.call(), Some(Call::Read(_)))
        };
        self.left.preemptions > 0 && (self.turn_wrote || writes(turn) || writes(other))
    }

    /// What may become of the next call of a process.
    fn fates(&self, id: RunId) -> Vec<Fate> {
        let mut fates = vec![Fate::Plain];
        let Budget {
            all,
            faults,
            bad_ends,
            ..
        } = self.left;
        let run = self.run(id);
        let call = run.call();
        let is_launch = matches!(
            call,
            Some(Call::Write(
                Write::CreateEndpoint { .. } | Write::UpdateEndpoint { .. }
            ))
        );
        if is_launch && all > 0 && bad_ends > 0 {
            fates.push(Fate::Fails);
            if matches!(call, Some(Call::Write(Write::UpdateEndpoint { .. }))) {
                fates.push(Fate::RollsBack);
            }
        }
        if all == 0 || faults == 0 {
            return fates;
        }
        fates.extend([Fate::Throttled, Fate::Denied]);
        match call {
            None => fates.push(Fate::LostAfter),
            Some(Call::Read(Read::Endpoint { name })) => {
                fates.push(Fate::Late);
                if !matches!(self.region.stale_view(name), Stale::Impossible) {
                    fates.push(Fate::Stale);
                }
            }
            Some(Call::Read(_)) => {}
            Some(Call::Write(write)) => {
                fates.extend([Fate::LostBefore, Fate::LostAfter, Fate::Late]);
                if is_launch || matches!(write, Write::CreateEndpointConfig { .. }) {
                    fates.push(Fate::Unseen);
                }
            }
        }
        fates
    }

    /// When something happens next, if nothing does before.
    fn next_moment(&self) -> Option<Millis> {
        let runs = self.runs().filter_map(|(_, run)| run.wakes.or(run.lands));
        let messages = self.actors.iter().filter_map(|actor| match actor.standing {
            Standing::Queued(message) if actor.runs.is_empty() => Some(message.visible),
            _ => None,
        });
        let next = runs.chain(messages).min()?;
        // Somebody else may act between a change of the endpoint and the poll that shows it.
        let waits = |standing| matches!(standing, Standing::ToCome | Standing::ToRepeat);
        let others = self.left.all > 0 && self.left.acts > 0
            || self.actors.iter().any(|actor| waits(actor.standing));
        let change = self.region.next_change().map(tick).filter(|_| others);
        Some(change.map_or(next, |change| change.min(next)))
    }

    /// Lets something happen.
    pub(crate) fn happens(&mut self, event: Event, lab: &Lab) {
        match event {
            Event::Start(actor) => {
                self.take_turn(None);
                self.start(actor, lab);
            }
            Event::Call(id, fate) => {
                self.take_turn(Some(id));
                self.call(id, fate, lab);
            }
            Event::Land(id) => {
                self.take_turn(Some(id));
                self.run_mut(id).lands = None;
                self.carry_out(id, Fate::Plain, lab);
            }
            Event::Kill(id) => {
                self.left.all -= 1;
                self.left.kills -= 1;
                self.kill(id);
            }
            Event::Operator(act) => {
                self.left.all -= 1;
                self.left.acts -= 1;
                self.acts.remove(&act);
                self.operate(act, lab);
            }
            Event::Time(ticks) => self.pass_to(self.now() + Millis::from(ticks) * TICK, lab),
            Event::Pause => {
                self.left.pauses -= 1;
                self.history.changed = self.now() + PAUSE;
                self.pass_to(self.now() + PAUSE, lab);
            }
        }
    }

    /// Gives a process the turn, or one that is about to start.
    fn take_turn(&mut self, next: Option<RunId>) {
        let loses = |turn: RunId| Some(turn) != next && self.run(turn).is_ready();
        if self.turn.is_some_and(loses) {
            self.left.preemptions -= 1;
        }
        self.turn = next;
        self.turn_wrote = false;
    }

    fn pass_to(&mut self, now: Millis, lab: &Lab) {
        let changes = self
            .region
            .next_change()
            .is_some_and(|change| change <= now);
        Arc::make_mut(&mut self.region).pass_to(now);
        if changes {
            self.history.changed = now;
        }
        self.violated(properties::nothing_waits_in_vain(self));
        self.observe();
        self.turn = None;
        self.turn_wrote = false;
        for actor in 0..self.actors.len() {
            let runs: Vec<usize> = self.actors[actor].runs.iter().map(|run| run.slot).collect();
            for run in runs {
                let id = RunId { actor, run };
                if self.run(id).wakes.is_some_and(|wakes| wakes <= now) {
                    self.run_mut(id).wakes = None;
                    self.goes_on(id, Input::Time, lab);
                }
            }
        }
    }

    fn call(&mut self, id: RunId, fate: Fate, lab: &Lab) {
        if fate.is_ending() {
            self.left.all -= 1;
            self.left.bad_ends -= 1;
        } else if !fate.is_plain() {
            self.left.all -= 1;
            self.left.faults -= 1;
            self.history.struck(fate);
        }
        if fate == Fate::Late {
            let lands = self.now() + LATE;
            self.run_mut(id).lands = Some(lands);
            return;
        }
        self.carry_out(id, fate, lab);
    }

    fn carry_out(&mut self, id: RunId, fate: Fate, lab: &Lab) {
        if matches!(self.run(id).stage, Stage::Tells(_)) {
            return self.tell(id, fate, lab);
        }
        let local = Arc::clone(&self.run(id).local);
        let shared::deploy::Next::Call(call) = &local.next else {
            return;
        };
        let forbidden = lab
            .forbidden
            .is_some_and(|operation| operation == call.operation());
        let fate = if forbidden && fate.is_plain() {
            Fate::Denied
        } else {
            fate
        };
        let answered = self.answer(id, call, fate, lab);
        let lost = fate == Fate::LostAfter;
        let no_reply = || {
            failure(
                call,
                FailureKind::NoReply,
                "the connection was closed".to_owned(),
            )
        };
        let answered = if lost { Err(no_reply()) } else { answered };
        if let (Call::Write(write), Err(_), Stage::Closes) =
            (&**call, &answered, &self.run(id).stage)
        {
            self.history.refused_after_the_answer(write);
        }
        if lab.traces {
            self.trace(id, call, &answered);
        }
        drop(local);
        self.goes_on(id, Input::Reply(answered.as_ref()), lab);
    }

    /// Prints a call and what it was answered.
    #[expect(clippy::print_stderr, reason = "somebody asked for it")]
    fn trace(&self, id: RunId, call: &Call, answered: &Result<Answer, ServiceFailure>) {
        let seconds = self.now().saturating_sub(super::START) / 1000;
        let process = &self.run(id).process;
        let answer = match answered {
            Ok(answer) => answer.to_string(),
            Err(failure) => failure.reason(),
        };
        let (operation, resource) = (call.operation(), call.resource());
        let said = match call {
            Call::Write(Write::AddTags { tags, .. }) => format!("{}", Answer::Tags(Tags::of(tags))),
            Call::Write(Write::DeleteTags { keys, .. }) => keys.join(" "),
            Call::Write(Write::UpdateEndpoint {
                endpoint_config, ..
            }) => endpoint_config.clone(),
            _ => String::new(),
        };
        eprintln!("{seconds:>4} s {process} {operation} {resource} {said} => {answer}");
    }

    /// What the service makes of a call, and answers to it.
    fn answer(
        &mut self,
        id: RunId,
        call: &Call,
        fate: Fate,
        lab: &Lab,
    ) -> Result<Answer, ServiceFailure> {
        let refused = |kind, message: &str| Err(failure(call, kind, message.to_owned()));
        let ending = match fate {
            Fate::RollsBack => Ending::RollsBack,
            Fate::Fails => Ending::Fails,
            _ => Ending::Succeeds,
        };
        match (fate, call) {
            (Fate::Throttled, _) => return refused(FailureKind::Throttled, "Rate exceeded"),
            (Fate::Denied, _) => return refused(FailureKind::AccessDenied, "not authorized"),
            (Fate::LostBefore, _) => {
                return refused(FailureKind::NoReply, "the connection was closed");
            }
            (Fate::Stale, Call::Read(Read::Endpoint { name })) => {
                let shown = match self.region.stale_view(name) {
                    Stale::Shows(arn, view) => Some((arn, view)),
                    Stale::Impossible | Stale::Absent => None,
                };
                self.misled(id, shown.as_ref().map(|(_, view)| view));
                return Ok(Answer::Endpoint(shown));
            }
            (Fate::Unseen, Call::Write(Write::CreateEndpointConfig { request })) => {
                let variants = request
                    .get_production_variants()
                    .as_deref()
                    .unwrap_or_default();
                let model = variants.first().and_then(|variant| variant.model_name());
                return Err(no_model(call, model.unwrap_or_default()));
            }
            (
                Fate::Unseen,
                Call::Write(
                    Write::CreateEndpoint {
                        endpoint_config, ..
                    }
                    | Write::UpdateEndpoint {
                        endpoint_config, ..
                    },
                ),
            ) => return Err(unseen_config(call, endpoint_config)),
            _ => {}
        }
        let Call::Write(write) = call else {
            return Arc::make_mut(&mut self.region).call(call, ending);
        };
        self.turn_wrote = true;
        let before = Arc::clone(&self.region);
        let answered = Arc::make_mut(&mut self.region).call(call, ending);
        let order = &lab.orders[id.actor];
        let broken = properties::of_write(&before, order, write, &answered, &self.history);
        self.violated(broken);
        if answered.is_ok() {
            let is_lost = fate == Fate::LostAfter;
            let process = Arc::clone(&self.run(id).process);
            let (region, history) = (&self.region, &mut self.history);
            let broken = history.wrote(order, &process, write, &answered, ending, is_lost, region);
            self.violated(broken);
            self.observe();
        }
        answered
    }
}
