//! A scene at one moment: the region, the processes of its deployments, and what may happen next.
//!
//! Processes take turns between two calls. Time passes only when every process waits for it, and a process wakes up on a
//! tick, a little later than it asked for at most: so states that differ in nothing but fractions of a second are one.

mod door;
mod events;
mod operator;

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use shared::deploy::{Call, Next, Outcome};

use crate::fingerprint::Fingerprint;
use crate::history::{History, seen};
use crate::lab::{ENDPOINT, Lab, Limits, Local};
use crate::properties::Violation;
use crate::region::{Millis, Name, Region, View};
pub(crate) use door::may_go_on;
pub(crate) use events::{Event, Fate};
pub(crate) use operator::{Act, THEIRS};

/// What time is divided into.
pub(crate) const TICK: Millis = 4_000;

/// When scenes begin.
pub(crate) const START: Millis = 1_800_000_000_000;

/// How often a deployment that goes on is asked for again.
const MOST_REPEATS: u8 = 2;

/// How much of what is out of the ordinary may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// Of everything below together, without the preemptions.
    pub(crate) all: u8,
    /// Calls that are struck.
    pub(crate) faults: u8,
    /// Processes that are killed.
    pub(crate) kills: u8,
    /// Launches that do not end well.
    pub(crate) bad_ends: u8,
    /// Acts of the operator.
    pub(crate) acts: u8,
    /// Messages that are delivered while they are being worked on.
    pub(crate) doubles: u8,
    /// Pauses between a killed process and the next one of its deployment.
    pub(crate) pauses: u8,
    /// Turns that a process loses to another one although it could go on.
    pub(crate) preemptions: u8,
}

/// What a process is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// The deployment.
    Drives,
    /// Answering the step, for the so many-th time.
    Tells(u8),
    /// Removing what served the resumption.
    Closes,
}

/// What a process has had the chance to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Witness {
    /// Endpoint configs that the endpoint was in service on.
    pub(crate) served: BTreeSet<Name>,
    /// The statuses of the endpoint, `NotFound` among them.
    pub(crate) statuses: BTreeSet<Name>,
}

/// A process of a function: one call, or one delivery of a message.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Which of the processes of its deployment at the time; it keeps the number.
    slot: usize,
    pub(crate) process: Name,
    pub(crate) local: Arc<Local>,
    pub(crate) limits: Limits,
    /// When a delivery ends, whatever it is about.
    cut: Option<Millis>,
    is_last: bool,
    pub(crate) stage: Stage,
    /// When it goes on, if it waits.
    pub(crate) wakes: Option<Millis>,
    /// When its call reaches the service, if that takes long.
    pub(crate) lands: Option<Millis>,
    pub(crate) witness: Arc<Witness>,
    /// How it ended, before that was told.
    outcome: Option<Arc<Outcome>>,
}

impl Run {
    /// Whether it can make its next call.
    pub(crate) fn is_ready(&self) -> bool {
        self.wakes.is_none() && self.lands.is_none()
    }

    /// Its next call to the service, unless it is about to answer its step.
    pub(crate) fn call(&self) -> Option<&Call> {
        match (&self.stage, &self.local.next) {
            (Stage::Tells(_), _) => None,
            (_, Next::Call(call)) => Some(call),
            _ => None,
        }
    }

    fn hash_into(&self, state: &mut impl Hasher) {
        (
            self.slot,
            self.local.fingerprint,
            self.limits,
            self.cut,
            self.is_last,
        )
            .hash(state);
        (&self.stage, self.wakes, self.lands, &self.witness).hash(state);
    }
}

/// A message in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) sent: Millis,
    /// When it is received next.
    pub(crate) visible: Millis,
    pub(crate) received: u8,
}

/// Where a deployment stands with whoever asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// It is asked for next.
    ToCome,
    /// It was asked for by a call, and its process works on it.
    Called,
    /// Its process was killed, or its wait was over: it is asked for again.
    ToRepeat,
    /// Its message is in the queue.
    Queued(Message),
    /// Whoever asked for it has an answer, or nobody waits for one.
    Over,
}

/// A deployment of the scene.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) standing: Standing,
    /// One at a time, or two if a message is delivered twice.
    pub(crate) runs: Vec<Run>,
    /// How many processes it has had, and the last of them.
    processes: u16,
    last: Name,
    repeats: u8,
    pub(crate) outcomes: Vec<Arc<Outcome>>,
}

impl Actor {
    fn new() -> Self {
        Self {
            standing: Standing::ToCome,
            runs: Vec::new(),
            processes: 0,
            last: "".into(),
            repeats: 0,
            outcomes: Vec::new(),
        }
    }

    /// The number of the next process.
    pub(crate) fn free_slot(&self) -> usize {
        let is_free = |slot: &usize| self.runs.iter().all(|run| run.slot != *slot);
        (0..=self.runs.len()).find(is_free).unwrap_or_default()
    }

    /// The process that was started last.
    pub(crate) fn last_process(&self) -> Name {
        self.last.clone()
    }

    fn hash_into(&self, state: &mut impl Hasher) {
        (
            self.standing,
            self.processes,
            self.repeats,
            self.outcomes.len(),
        )
            .hash(state);
        self.runs.len().hash(state);
        for run in &self.runs {
            run.hash_into(state);
        }
    }
}

/// A process of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RunId {
    pub(crate) actor: usize,
    pub(crate) run: usize,
}

/// A scene at one moment.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) region: Arc<Region>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) left: Budget,
    /// What the operator can still do.
    pub(crate) acts: BTreeSet<Act>,
    /// The process whose turn it is.
    turn: Option<RunId>,
    /// Whether its last call was a write.
    turn_wrote: bool,
    pub(crate) history: History,
    pub(crate) violations: Vec<Violation>,
}

impl World {
    pub(crate) fn new(
        region: Region,
        actors: usize,
        acts: impl IntoIterator<Item = Act>,
        left: Budget,
    ) -> Self {
        let mut world = Self {
            history: History::new(&region),
            region: Arc::new(region),
            actors: (0..actors).map(|_| Actor::new()).collect(),
            left,
            acts: acts.into_iter().collect(),
            turn: None,
            turn_wrote: false,
            violations: Vec::new(),
        };
        world.observe();
        world
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = Fingerprint::default();
        self.region.fingerprint().hash(&mut hasher);
        for actor in &self.actors {
            actor.hash_into(&mut hasher);
        }
        (
            self.left,
            &self.acts,
            self.turn,
            self.turn_wrote,
            &self.history,
        )
            .hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn now(&self) -> Millis {
        self.region.now()
    }

    pub(crate) fn run(&self, id: RunId) -> &Run {
        self.find(id).expect("the process is there")
    }

    /// A process, if it is still there.
    pub(crate) fn find(&self, id: RunId) -> Option<&Run> {
        self.actors[id.actor]
            .runs
            .iter()
            .find(|run| run.slot == id.run)
    }

    fn run_mut(&mut self, id: RunId) -> &mut Run {
        let mut runs = self.actors[id.actor].runs.iter_mut();
        runs.find(|run| run.slot == id.run)
            .expect("the process is there")
    }

    /// All the processes that there are.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (RunId, &Run)> {
        self.actors.iter().enumerate().flat_map(|(actor, of)| {
            let runs = of.runs.iter();
            runs.map(move |run| {
                (
                    RunId {
                        actor,
                        run: run.slot,
                    },
                    run,
                )
            })
        })
    }

    /// Whether a process works on a deployment of this id, other than this one.
    fn is_worked_on(&self, id: &Name, but: RunId, lab: &Lab) -> bool {
        let mut runs = self.runs();
        runs.any(|(run, _)| run != but && lab.orders[run.actor].id == *id)
    }

    /// Whether everything is over.
    pub(crate) fn is_over(&self) -> bool {
        self.actors
            .iter()
            .all(|actor| actor.standing == Standing::Over && actor.runs.is_empty())
    }

    /// Lets every process witness how the endpoint is.
    fn observe(&mut self) {
        let endpoint = self.region.endpoints.get(ENDPOINT);
        let (status, served) = seen(endpoint.map(|endpoint| endpoint.view()));
        for actor in &mut self.actors {
            for run in &mut actor.runs {
                let knows = run.witness.statuses.contains(&status)
                    && served
                        .as_ref()
                        .is_none_or(|served| run.witness.served.contains(served));
                if !knows {
                    let witness = Arc::make_mut(&mut run.witness);
                    witness.statuses.insert(Arc::clone(&status));
                    witness.served.extend(served.clone());
                }
            }
        }
    }

    /// Lets a process witness what a stale poll shows it.
    fn misled(&mut self, id: RunId, shown: Option<&View>) {
        let witness = Arc::make_mut(&mut self.run_mut(id).witness);
        let (status, served) = seen(shown);
        witness.statuses.insert(status);
        witness.served.extend(served);
    }

    pub(crate) fn violated(&mut self, violation: Option<Violation>) {
        self.violations.extend(violation);
    }
}

/// The first tick at or after a moment.
pub(crate) fn tick(at: Millis) -> Millis {
    at.div_ceil(TICK) * TICK
}
