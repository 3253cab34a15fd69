//! The keys that say how traffic moves to what an update brings: each from the event, else from the
//! environment, else the default.

use super::fields::{BadKey, Fields, Setting};
use super::values;

/// How traffic moves from the old variants to the new ones (`TrafficRoutingConfig` or `RollingUpdatePolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficRouting {
    /// All of it in one step.
    AllAtOnce,
    /// A small part first, 1 to 50 percent, then the rest.
    Canary,
    /// In equal steps of 10 to 50 percent.
    Linear,
    /// By replacing instances batch by batch, each of 5 to 50 percent.
    Rolling,
}

impl TrafficRouting {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all-at-once", Self::AllAtOnce),
        ("canary", Self::Canary),
        ("linear", Self::Linear),
        ("rolling", Self::Rolling),
    ];

    /// The smallest and the largest step that the service takes, and the default, in percent of capacity.
    fn steps(self) -> Option<(i32, i32, i32)> {
        match self {
            Self::AllAtOnce => None,
            Self::Canary => Some((1, 50, 10)),
            Self::Linear => Some((10, 50, 20)),
            Self::Rolling => Some((5, 50, 20)),
        }
    }
}

/// The wait after a step where nothing else is asked, in seconds.
const DEFAULT_WAIT_SECONDS: i32 = 300;

/// How an update moves the traffic, as asked for: within the service's limits, each alone and together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Whether any key of the event or the environment says how it moves, be it all at once.
    pub any_key: bool,
    /// How it moves; `None` where nothing is asked, and the service moves it all at once without waiting.
    pub strategy: Option<Strategy>,
    /// How long the old instances stay after the last step: 0 to 3600 seconds, and not with a rolling update.
    pub termination_wait_seconds: Option<i32>,
    /// When the service gives the update up and rolls it back: 600 to 28800 seconds, and more than the waits together.
    pub maximum_execution_timeout_seconds: Option<i32>,
    /// Names of the CloudWatch alarms that roll the update back: at most 10, each of at most 255 characters.
    pub auto_rollback_alarms: Vec<String>,
}

/// The way in which the traffic moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strategy {
    /// Which way.
    pub routing: TrafficRouting,
    /// Size of a step, in percent of capacity, within the bounds of its way; 100 where all goes at once.
    pub step_percent: i32,
    /// Wait (bake) after each step: 0 to 3600 seconds.
    pub wait_seconds: i32,
}

impl Strategy {
    /// How long the steps wait in all, in seconds.
    pub fn waits(&self) -> i32 {
        let steps = match self.routing {
            TrafficRouting::AllAtOnce => 1,
            TrafficRouting::Canary => 2,
            TrafficRouting::Linear | TrafficRouting::Rolling => {
                (100 + self.step_percent - 1) / self.step_percent
            }
        };
        steps * self.wait_seconds
    }
}

impl Traffic {
    /// Reads the keys, and rejects those that do not go together.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let routing = fields.optional("traffic_routing", values::choice(TrafficRouting::WORDS));
        let step_percent = fields.optional("traffic_step_percent", values::integer(1..=100));
        let wait_seconds = fields.optional("traffic_wait_seconds", values::integer(0..=3600));
        let termination_wait =
            fields.optional("termination_wait_seconds", values::integer(0..=3600));
        let timeout = fields.optional(
            "maximum_execution_timeout_seconds",
            values::integer(600..=28_800),
        );
        let alarms = fields.optional(
            "auto_rollback_alarms",
            values::list(
                10,
                values::item("(?s:.)+", 255, "alarm names of at most 255 characters"),
            ),
        );

        let chosen = routing.or(TrafficRouting::AllAtOnce);
        let step = step_of(chosen, &step_percent);
        let strategy = Strategy {
            routing: chosen,
            step_percent: *step.as_ref().unwrap_or(&100),
            wait_seconds: wait_seconds.or(DEFAULT_WAIT_SECONDS),
        };
        let any_key = routing.get().is_some()
            || step_percent.get().is_some()
            || wait_seconds.get().is_some()
            || termination_wait.get().is_some()
            || timeout.get().is_some()
            || alarms.get().is_some();
        let mut bad: Vec<_> = step.err().into_iter().collect();
        if chosen == TrafficRouting::Rolling && termination_wait.event.is_some() {
            let reason =
                "does not go with traffic_routing rolling, which replaces instances in place";
            bad.push(BadKey::new("termination_wait_seconds", reason));
        }
        let termination_wait_seconds = termination_wait
            .get()
            .filter(|_| chosen != TrafficRouting::Rolling);
        let asked_for_nothing = chosen == TrafficRouting::AllAtOnce
            && wait_seconds.get().is_none()
            && termination_wait_seconds.is_none()
            && timeout.get().is_none()
            && alarms.get().is_none();
        let waits = strategy.waits() + termination_wait_seconds.unwrap_or(0);
        if let Some(timeout) = timeout
            .get()
            .filter(|timeout| *timeout <= waits && bad.is_empty())
        {
            bad.push(BadKey::new(
                "maximum_execution_timeout_seconds",
                format!("must be more than the update's waits, which are {waits} s in all, not {timeout}"),
            ));
        }
        for bad in bad {
            fields.reject(&bad.key, bad.reason);
        }
        Self {
            any_key,
            strategy: (!asked_for_nothing).then_some(strategy),
            termination_wait_seconds,
            maximum_execution_timeout_seconds: timeout.get(),
            auto_rollback_alarms: alarms.get().unwrap_or_default(),
        }
    }
}

/// The size of a step, where the way of moving the traffic has steps.
fn step_of(routing: TrafficRouting, asked: &Setting<i32>) -> Result<i32, BadKey> {
    let bad = |reason: String| Err(BadKey::new("traffic_step_percent", reason));
    match (routing.steps(), asked.event, asked.environment) {
        (None, Some(_), _) => bad(
            "goes with traffic_routing canary, linear or rolling, and not with all-at-once"
                .to_owned(),
        ),
        (None, None, _) => Ok(100),
        (Some((least, most, default)), event, environment) => {
            let step = event.or(environment).unwrap_or(default);
            if (least..=most).contains(&step) {
                Ok(step)
            } else {
                bad(format!(
                    "must be from {least} to {most} for this traffic_routing, not {step}"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::contract::Environment;

    fn read(keys: &Value, environment: &[(&str, &str)]) -> (Traffic, Vec<String>) {
        let environment: Environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut fields = Fields::of(&keys.to_string(), &environment).expect("an object");
        let traffic = Traffic::read(&mut fields);
        let bad = fields.finish::<()>(None).expect_err("nothing was made");
        (traffic, bad.into_iter().map(|bad| bad.key).collect())
    }

    #[test]
    fn asked_for_nothing_the_service_does_as_it_does_by_itself() {
        for (keys, any_key) in [
            (json!({}), false),
            (json!({"traffic_routing": "all-at-once"}), true),
        ] {
            let nothing = Traffic {
                any_key,
                ..Traffic::default()
            };
            assert_eq!(read(&keys, &[]), (nothing, vec![]), "{keys}");
        }
        // A stack's word is one, too.
        let (traffic, _) = read(&json!({}), &[("TRAFFIC_ROUTING", "all-at-once")]);
        assert!(traffic.any_key);
    }

    #[test]
    fn each_way_has_its_default_step_and_wait() {
        for (routing, expected, waits) in [
            ("canary", 10, 600),
            ("linear", 20, 1500),
            ("rolling", 20, 1500),
        ] {
            let (traffic, bad) = read(&json!({ "traffic_routing": routing }), &[]);
            let strategy = traffic.strategy.expect("one is asked for");
            assert_eq!(
                (strategy.step_percent, strategy.wait_seconds),
                (expected, 300),
                "{routing}"
            );
            assert_eq!(strategy.waits(), waits, "{routing}");
            assert_eq!(bad, Vec::<String>::new());
        }
        // Alarms need a time to go off in.
        let (traffic, _) = read(&json!({"auto_rollback_alarms": "a, b"}), &[]);
        let strategy = traffic.strategy.expect("one is asked for");
        assert_eq!(
            (strategy.routing, strategy.wait_seconds),
            (TrafficRouting::AllAtOnce, 300)
        );
        assert_eq!(traffic.auto_rollback_alarms, ["a", "b"]);
    }

    #[test]
    fn the_services_limits_hold_alone_and_together() {
        let none: [&str; 0] = [];
        let cases = [
            (
                json!({"traffic_routing": "canary", "traffic_step_percent": 50}),
                none.to_vec(),
            ),
            (
                json!({"traffic_routing": "canary", "traffic_step_percent": 51}),
                vec!["traffic_step_percent"],
            ),
            (
                json!({"traffic_routing": "linear", "traffic_step_percent": 9}),
                vec!["traffic_step_percent"],
            ),
            (
                json!({"traffic_routing": "linear", "traffic_step_percent": "10"}),
                none.to_vec(),
            ),
            (
                json!({"traffic_routing": "rolling", "traffic_step_percent": 4}),
                vec!["traffic_step_percent"],
            ),
            (
                json!({"traffic_step_percent": 10}),
                vec!["traffic_step_percent"],
            ),
            (
                json!({"traffic_routing": "blue-green"}),
                vec!["traffic_routing"],
            ),
            (
                json!({"traffic_wait_seconds": 3601}),
                vec!["traffic_wait_seconds"],
            ),
            (
                json!({"termination_wait_seconds": -1}),
                vec!["termination_wait_seconds"],
            ),
            (
                json!({"traffic_routing": "rolling", "termination_wait_seconds": 5}),
                vec!["termination_wait_seconds"],
            ),
            (
                json!({"maximum_execution_timeout_seconds": 599}),
                vec!["maximum_execution_timeout_seconds"],
            ),
            (
                json!({"auto_rollback_alarms": "a,"}),
                vec!["auto_rollback_alarms"],
            ),
            (
                json!({"auto_rollback_alarms": "a,b,c,d,e,f,g,h,i,j,k"}),
                vec!["auto_rollback_alarms"],
            ),
            (
                json!({"auto_rollback_alarms": "x".repeat(256)}),
                vec!["auto_rollback_alarms"],
            ),
            // Two bakes of 300 s and the wait for the end are 700 s.
            (
                json!({"traffic_routing": "canary", "termination_wait_seconds": 100, "maximum_execution_timeout_seconds": 700}),
                vec!["maximum_execution_timeout_seconds"],
            ),
            (
                json!({"traffic_routing": "canary", "termination_wait_seconds": 100, "maximum_execution_timeout_seconds": 701}),
                none.to_vec(),
            ),
        ];
        for (keys, expected) in cases {
            assert_eq!(read(&keys, &[]).1, expected, "{keys}");
        }
    }

    #[test]
    fn a_stacks_defaults_give_way_to_the_event() {
        let stack = [
            ("TRAFFIC_ROUTING", "canary"),
            ("TRAFFIC_STEP_PERCENT", "25"),
            ("TERMINATION_WAIT_SECONDS", "60"),
        ];
        let (traffic, bad) = read(&json!({}), &stack);
        assert_eq!(traffic.strategy.expect("the stack's").step_percent, 25);
        assert_eq!(bad, Vec::<String>::new());
        let (traffic, bad) = read(&json!({"traffic_routing": "rolling"}), &stack);
        assert_eq!(traffic.termination_wait_seconds, None);
        assert_eq!(bad, Vec::<String>::new());
        let (traffic, bad) = read(&json!({"traffic_routing": "all-at-once"}), &stack[..2]);
        assert_eq!((traffic.strategy, bad), (None, vec![]));
    }
}
