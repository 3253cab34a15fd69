//! A breadth-first search: every state of a scene is met once, and the first way to a violation is a shortest one.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::contract::DeploymentKind::{Existing, New};

use crate::lab::{ENDPOINT, Lab};
use crate::properties::{self, Violation};
use crate::scenes::{PACE, Scene, next_one, run_on, settle};
use crate::world::{Budget, Event, World};

/// A violation and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) violation: Violation,
    pub(crate) events: Vec<Event>,
}

/// What a search has covered.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) ends: usize,
    pub(crate) engines: usize,
    pub(crate) depth: usize,
    pub(crate) took: Duration,
    /// Whether it ended because of its bound on states.
    pub(crate) is_cut: bool,
    pub(crate) found: Vec<Found>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} states, {} ends, {} engines, depth {}, {:.1} s{}",
            self.states,
            self.ends,
            self.engines,
            self.depth,
            self.took.as_secs_f64(),
            if self.is_cut { ", cut" } else { "" },
        )
    }
}

/// The step that led to a state, and the state before.
#[derive(Clone, Copy)]
struct Link {
    before: u32,
    event: Event,
}

/// Searches a scene, up to so many states.
pub(crate) fn search(scene: &Scene, budget: Budget, most_states: usize) -> Report {
    let started = Instant::now();
    let lab = scene.lab(true);
    let next = Next::new();
    let mut report = Report::default();
    let mut met = HashSet::new();
    let mut links: Vec<Link> = Vec::new();
    let mut told: HashSet<(&'static str, String)> = HashSet::new();
    let first = scene.world(budget);
    met.insert(first.fingerprint());
    let mut states = vec![(u32::MAX, first)];
    while !states.is_empty() {
        let mut coming = Vec::new();
        for (link, world) in states {
            if world.is_over() {
                report.ends += 1;
                for violation in at_the_end(&world, &lab, &next) {
                    if told.insert((violation.property, violation.what.clone())) {
                        let events = way(&links, link);
                        report.found.push(Found { violation, events });
                    }
                }
                continue;
            }
            for event in world.events(&lab) {
                let mut after = world.clone();
                after.happens(event, &lab);
                if !met.insert(after.fingerprint()) {
                    continue;
                }
                let number = u32::try_from(links.len()).expect("fewer states");
                links.push(Link {
                    before: link,
                    event,
                });
                let violations = std::mem::take(&mut after.violations);
                for violation in &violations {
                    if told.insert((violation.property, violation.what.clone())) {
                        let (violation, events) = (violation.clone(), way(&links, number));
                        report.found.push(Found { violation, events });
                    }
                }
                // What follows from a violation proves nothing.
                if violations.is_empty() {
                    coming.push((number, after));
                }
            }
            if links.len() >= most_states {
                report.is_cut = true;
                coming.clear();
                break;
            }
        }
        states = coming;
        report.depth += 1;
    }
    report.states = links.len() + 1;
    report.engines = lab.met();
    report.took = started.elapsed();
    report
}

fn way(links: &[Link], mut last: u32) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(link) = links.get(last as usize) {
        events.push(link.event);
        last = link.before;
    }
    events.reverse();
    events
}

/// What the next deployment does, by the region that it finds.
pub(crate) struct Next {
    labs: [Lab; 2],
    met: std::cell::RefCell<HashSet<u64>>,
}

impl Next {
    pub(crate) fn new() -> Self {
        let lab = |kind| Lab::new(vec![next_one(kind)], PACE, true);
        Self {
            labs: [lab(New), lab(Existing)],
            met: std::cell::RefCell::default(),
        }
    }
}

/// Everything that does not hold once everything is over.
pub(crate) fn at_the_end(world: &World, lab: &Lab, next: &Next) -> Vec<Violation> {
    let mut world = world.clone();
    settle(&mut world);
    let mut broken = properties::at_the_end(&world, lab);
    let key = crate::fingerprint::fingerprint((
        world.region.fingerprint(),
        &world.history.scaled,
        properties::is_anchor_named(&world),
    ));
    if !broken.is_empty() || !next.met.borrow_mut().insert(key) {
        return broken;
    }
    let endpoint = world.region.endpoints.get(ENDPOINT);
    let exists = endpoint.is_some();
    // Nobody can plan from settings that are gone.
    if endpoint.is_some_and(|endpoint| !world.region.stands(&endpoint.phase().live)) {
        return broken;
    }
    let lab = &next.labs[usize::from(exists)];
    let region = Arc::unwrap_or_clone(Arc::clone(&world.region));
    let mut after = World::new(region, 1, [], Budget::default());
    run_on(&mut after, lab);
    broken.extend(properties::of_the_next(&world, &after));
    broken
}

/// Searches many scenes side by side.
pub(crate) fn search_all(
    scenes: Vec<Scene>,
    budget: Budget,
    most_states: usize,
) -> Vec<(Scene, Report)> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let scenes = std::sync::Mutex::new(scenes.into_iter());
    let reports = std::sync::Mutex::new(Vec::new());
    let take = || scenes.lock().expect("nobody panics with it").next();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(scene) = take() {
                    let report = search(&scene, budget, most_states);
                    reports
                        .lock()
                        .expect("nobody panics with it")
                        .push((scene, report));
                }
            });
        }
    });
    reports.into_inner().expect("nobody panics with it")
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A bounded search by default. `ACTORS=2` plays two deployments at a time, `ALL` is how many things go wrong in a run, and
/// `STATES` the most states of a scene.
#[test]
fn every_promise_holds_in_every_state() {
    let all = u8::try_from(number("ALL", 1)).expect("small");
    let budget = Budget {
        all,
        faults: all,
        kills: all.min(2),
        bad_ends: 1,
        acts: 1,
        doubles: 1,
        pauses: 1,
        preemptions: u8::try_from(number("PREEMPTIONS", 2)).expect("small"),
    };
    let scenes = match number("ACTORS", 1) {
        1 => crate::scenes::single(),
        _ => crate::scenes::double(),
    };
    let started = Instant::now();
    let reports = search_all(scenes, budget, number("STATES", 300_000));
    let mut shortest: std::collections::BTreeMap<(String, String), (usize, String, usize)> =
        std::collections::BTreeMap::new();
    let mut total = 0;
    for (scene, report) in &reports {
        total += report.states;
        let asks: Vec<String> = scene
            .asks
            .iter()
            .map(|ask| format!("{:?} {:?} {} {}", ask.kind, ask.door, ask.version, ask.keys))
            .collect();
        eprintln!("{:?} {}: {report}", scene.start, asks.join(" + "));
        for found in &report.found {
            let key = (
                found.violation.property.to_owned(),
                found.violation.what.clone(),
            );
            let entry = shortest
                .entry(key)
                .or_insert((usize::MAX, String::new(), 0));
            entry.2 += 1;
            if found.events.len() < entry.0 {
                entry.0 = found.events.len();
                entry.1 = crate::script::told(scene, &found.events);
            }
        }
    }
    for ((property, what), (length, script, scenes)) in &shortest {
        eprintln!("=== {property}: {what} ({scenes} scenes, {length} events)\n{script}");
    }
    eprintln!("{total} states in {:.1} s", started.elapsed().as_secs_f64());
    assert!(
        shortest.is_empty(),
        "{} promises are broken; the shortest way to each is above",
        shortest.len()
    );
}
