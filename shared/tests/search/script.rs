//! Scenes as text: what a search prints for a violation, a test can replay.
//!
//! ```text
//! given scaled
//! A asks existing by queue for 2 {"instance_type":"ml.c5.xlarge"}
//! B asks existing by call for 3
//! then
//! A starts
//! A runs to UpdateEndpoint
//! A UpdateEndpoint lost-after
//! A is killed
//! time 4
//! operator revert
//! B starts
//! B runs
//! ```
//!
//! `A` is the first deployment, `A'` the second process of it. `runs to DescribeEndpoint 2` ends before the second of these
//! calls, `runs` when the process waits or has ended. `# …` is a comment. When the text is over, everything goes on until
//! it is over too, and nothing goes wrong any more.

use std::fmt::Write;

use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use crate::lab::{Door, Lab};
use crate::properties::{Violation, word};
use crate::scenes::{Ask, Scene, Start, run_on};
use crate::search::{Next, at_the_end};
use crate::world::{Act, Budget, Event, Fate, RunId, Stage, World};

/// More than any script needs.
pub(crate) const PLENTY: Budget = Budget {
    all: 250,
    faults: 250,
    kills: 250,
    bad_ends: 250,
    acts: 250,
    doubles: 250,
    pauses: 250,
    preemptions: 250,
};

/// What the next call of a process is.
fn operation(world: &World, id: RunId) -> &'static str {
    let run = world.run(id);
    match run.call() {
        Some(call) => call.operation(),
        None if matches!(run.stage, Stage::Tells(_)) => "SendPipelineExecutionStep",
        None => "nothing",
    }
}

fn name_of(id: RunId) -> String {
    let letter = if id.actor == 0 { "A" } else { "B" };
    format!("{letter}{}", "'".repeat(id.run))
}

fn name_in<T: Copy + PartialEq>(table: &[(&'static str, T)], wanted: T) -> &'static str {
    let found = table.iter().find(|(_, value)| *value == wanted);
    found.map_or("?", |(name, _)| name)
}

fn value_in<T: Copy>(table: &[(&'static str, T)], name: &str) -> T {
    let found = table.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("the script says {name}")).1
}

/// A scene and what happens in it, as a script.
pub(crate) fn told(scene: &Scene, events: &[Event]) -> String {
    let mut script = format!("given {}\n", name_in(&Start::ALL, scene.start));
    for (number, ask) in scene.asks.iter().enumerate() {
        let letter = if number == 0 { "A" } else { "B" };
        let kind = if ask.kind == New { "new" } else { "existing" };
        let door = if ask.door == Door::Call {
            "call"
        } else {
            "queue"
        };
        let _ = write!(script, "{letter} asks {kind} by {door} for {}", ask.version);
        if ask.keys != json!({}) {
            let _ = write!(script, " {}", ask.keys);
        }
        script.push('\n');
    }
    if let Some(operation) = scene.forbidden {
        let _ = writeln!(script, "nobody may {operation}");
    }
    script.push_str("then\n");
    let lab = scene.lab(true);
    let mut world = scene.world(PLENTY);
    let mut events = events.iter().copied().peekable();
    while let Some(event) = events.next() {
        let Event::Call(id, Fate::Plain) = event else {
            let line = line(&world, event);
            world.happens(event, &lab);
            let _ = writeln!(script, "{line}");
            continue;
        };
        let mut made = vec![operation(&world, id)];
        world.happens(event, &lab);
        while events.peek() == Some(&event) {
            made.push(operation(&world, id));
            world.happens(event, &lab);
            events.next();
        }
        let _ = writeln!(script, "# {} {}", name_of(id), made.join(", "));
        let is_ready = world
            .runs()
            .any(|(other, run)| other == id && run.is_ready());
        if is_ready {
            let next = operation(&world, id);
            let times = made.iter().filter(|call| **call == next).count();
            let count = if times > 0 {
                format!(" {}", times + 1)
            } else {
                String::new()
            };
            let _ = writeln!(script, "{} runs to {next}{count}", name_of(id));
        } else {
            let _ = writeln!(script, "{} runs", name_of(id));
        }
    }
    script
}

fn line(world: &World, event: Event) -> String {
    match event {
        Event::Start(actor) => {
            let run = world.actors[actor].free_slot();
            format!("{} starts", name_of(RunId { actor, run }))
        }
        Event::Call(id, fate) => {
            format!(
                "{} {} {}",
                name_of(id),
                operation(world, id),
                name_in(&Fate::ALL, fate)
            )
        }
        Event::Land(id) => format!("{} lands", name_of(id)),
        Event::Kill(id) => format!("{} is killed", name_of(id)),
        Event::Operator(act) => format!("operator {}", name_in(&Act::ALL, act)),
        Event::Time(ticks) => format!("time {ticks}"),
        Event::Pause => "pause".to_owned(),
    }
}

/// Replays a script; what does not hold in it, and how its deployments ended.
pub(crate) fn replay(script: &str) -> (Vec<Violation>, Vec<&'static str>) {
    let lines = script.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let scene = scene(&mut lines);
    let mut lab = scene.lab(true);
    lab.traces = std::env::var("TRACE").is_ok();
    let mut world = scene.world(PLENTY);
    for line in lines {
        play(&mut world, &lab, line);
    }
    run_on(&mut world, &lab);
    let outcomes = world.actors.iter().flat_map(|actor| &actor.outcomes);
    if std::env::var("TRACE").is_ok() {
        for actor in &world.actors {
            for outcome in &actor.outcomes {
                eprintln!("outcome: {outcome:?}");
            }
        }
    }
    let outcomes = outcomes.map(|outcome| word(outcome)).collect();
    let mut broken = world.violations.clone();
    broken.extend(at_the_end(&world, &lab, &Next::new()));
    (broken, outcomes)
}

fn scene<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Scene {
    let mut scene = Scene::new(Start::Empty, Vec::new());
    for line in lines {
        let words: Vec<&str> = line.splitn(8, ' ').collect();
        match words.as_slice() {
            ["given", start] => scene.start = value_in(&Start::ALL, start),
            [_, "asks", kind, "by", door, "for", version, keys @ ..] => {
                let kind = if *kind == "new" { New } else { Existing };
                let door = if *door == "call" {
                    Door::Call
                } else {
                    Door::Queue
                };
                let version = version.parse().expect("a version");
                let keys: Value = keys.first().map_or(json!({}), |keys| {
                    serde_json::from_str(keys).expect("keys of an event")
                });
                scene.asks.push(Ask::new(door, kind, version, keys));
            }
            ["nobody", "may", operation] => {
                scene.forbidden = Some(operation.to_string().leak());
            }
            ["then"] => return scene,
            _ => panic!("the script says: {line}"),
        }
    }
    scene
}

fn play(world: &mut World, lab: &Lab, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let id = |name: &str| RunId {
        actor: usize::from(!name.starts_with('A')),
        run: name.matches('\'').count(),
    };
    match words.as_slice() {
        ["time", ticks] => {
            let ticks = ticks.parse().expect("a number of ticks");
            world.happens(Event::Time(ticks), lab);
        }
        ["pause"] => world.happens(Event::Pause, lab),
        ["operator", act] => world.happens(Event::Operator(value_in(&Act::ALL, act)), lab),
        [name, "starts"] => world.happens(Event::Start(id(name).actor), lab),
        [name, "lands"] => world.happens(Event::Land(id(name)), lab),
        [name, "is", "killed"] => world.happens(Event::Kill(id(name)), lab),
        [name, "runs"] => runs(world, lab, id(name), None),
        [name, "runs", "to", wanted] => runs(world, lab, id(name), Some((wanted, 1))),
        [name, "runs", "to", wanted, times] => {
            let times = times.parse().expect("how many times");
            runs(world, lab, id(name), Some((wanted, times)));
        }
        [name, wanted, fate] => {
            let id = id(name);
            assert_eq!(
                operation(world, id),
                *wanted,
                "the scene fits no more: {line}"
            );
            world.happens(Event::Call(id, value_in(&Fate::ALL, fate)), lab);
        }
        _ => panic!("the script says: {line}"),
    }
}

/// Lets a process make its calls, up to the so many-th of an operation or as long as it can.
fn runs(world: &mut World, lab: &Lab, id: RunId, to: Option<(&str, usize)>) {
    let mut left = to.map_or(0, |(_, times)| times);
    loop {
        let mut runs = world.runs();
        let process = runs.find(|(other, run)| *other == id && run.is_ready());
        let Some(process) = process.map(|(_, run)| run.process.clone()) else {
            assert_eq!(
                left,
                0,
                "the scene fits no more: {} never calls {to:?}",
                name_of(id)
            );
            return;
        };
        drop(runs);
        if to.is_some_and(|(wanted, _)| operation(world, id) == wanted) {
            left -= 1;
            if left == 0 {
                return;
            }
        }
        world.happens(Event::Call(id, Fate::Plain), lab);
        // Where the process has ended, another one may have its place.
        if !world
            .runs()
            .any(|(other, run)| other == id && run.process == process)
        {
            return;
        }
    }
}

#[test]
fn replay_a_script() {
    let Ok(path) = std::env::var("SCRIPT") else {
        return;
    };
    let script = std::fs::read_to_string(path).expect("a script");
    let (broken, outcomes) = replay(&script);
    eprintln!("{outcomes:?} {broken:#?}");
}
