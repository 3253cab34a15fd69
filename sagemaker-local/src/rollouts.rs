//! What a deployment config asks for: in which steps the traffic moves to the new fleet, and with
//! which waits.

use std::time::Duration;

use serde_json::Value;

use crate::deployed::Deployed;

/// A part of a fleet, and of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    part: u32,
    whole: u32,
}

impl Share {
    pub(crate) const NONE: Self = Self { part: 0, whole: 1 };
    pub(crate) const ALL: Self = Self { part: 1, whole: 1 };

    pub(crate) fn percent(self) -> f64 {
        100.0 * f64::from(self.part) / f64::from(self.whole)
    }

    /// How many of `count` instances it takes to have the share.
    pub(crate) fn of(self, count: u64) -> u64 {
        let parts = count.saturating_mul(self.part.into());
        parts.div_ceil(self.whole.into())
    }

    /// The size that a policy gives to its steps.
    fn sized(size: &Value, new: &Deployed) -> Self {
        let value = size["Value"].as_u64().unwrap_or_default();
        let whole = if size["Type"] == "CAPACITY_PERCENT" {
            100
        } else {
            new.instances()
        };
        match (u32::try_from(value.min(whole)), u32::try_from(whole)) {
            // At least a percent, so that there are never more than a hundred steps.
            (Ok(part), Ok(whole)) if whole > 0 => Self {
                part: part.max(whole.div_ceil(100)),
                whole,
            },
            // A fleet whose instances nobody counts cannot be divided by them.
            _ => Self::ALL,
        }
    }
}

/// An update's way from the old fleet to the new one. Waits are as the deployment config has them.
#[derive(Debug, PartialEq)]
pub(crate) struct Rollout {
    /// What the new fleet has of the traffic after each shift.
    pub(crate) shifts: Vec<Share>,
    /// What passes after each shift.
    pub(crate) wait: Duration,
    /// What passes after all of that, while the old fleet still stands.
    pub(crate) termination_wait: Duration,
    /// How long all of it may take.
    pub(crate) timeout: Option<Duration>,
    /// The alarms that break it off.
    pub(crate) alarms: Vec<String>,
}

impl Rollout {
    /// What `config` asks for where `new` is to be deployed.
    pub(crate) fn of(config: &Value, new: &Deployed) -> Self {
        let blue_green = &config["BlueGreenUpdatePolicy"];
        let routing = &blue_green["TrafficRoutingConfiguration"];
        let rolling = &config["RollingUpdatePolicy"];
        let (policy, waits) = if rolling.is_null() {
            (blue_green, routing)
        } else {
            (rolling, rolling)
        };
        let shifts = match routing["Type"].as_str() {
            Some("CANARY") => shifts(Share::sized(&routing["CanarySize"], new), true),
            Some("LINEAR") => shifts(Share::sized(&routing["LinearStepSize"], new), false),
            _ if rolling.is_null() => vec![Share::ALL],
            _ => shifts(Share::sized(&rolling["MaximumBatchSize"], new), false),
        };
        let alarms = config["AutoRollbackConfiguration"]["Alarms"].as_array();
        let alarms = alarms.into_iter().flatten();
        Self {
            shifts,
            wait: seconds(&waits["WaitIntervalInSeconds"]).unwrap_or_default(),
            termination_wait: seconds(&policy["TerminationWaitInSeconds"]).unwrap_or_default(),
            timeout: seconds(&policy["MaximumExecutionTimeoutInSeconds"]),
            alarms: alarms
                .filter_map(|alarm| alarm["AlarmName"].as_str().map(str::to_owned))
                .collect(),
        }
    }
}

/// Shifts of one size until the traffic is all there; after a canary comes all the rest.
fn shifts(size: Share, canary: bool) -> Vec<Share> {
    let Share { part: step, whole } = size;
    let mut shifts = Vec::new();
    let mut part = step;
    while part < whole {
        shifts.push(Share { part, whole });
        part = if canary { whole } else { part + step };
    }
    shifts.push(Share::ALL);
    shifts
}

fn seconds(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A config of variants with so many instances; 0 for a serverless one.
    fn fleet(counts: &[u64]) -> Deployed {
        let summary = |count: &u64| match count {
            0 => json!({ "CurrentServerlessConfig": {} }),
            _ => json!({ "DesiredInstanceCount": count }),
        };
        Deployed {
            variants: counts.iter().map(summary).collect(),
            ..Deployed::named("new")
        }
    }

    fn routing(kind: &str, size: Option<(&str, &str, u64)>) -> Value {
        let mut routing = json!({ "Type": kind, "WaitIntervalInSeconds": 60 });
        if let Some((member, kind, value)) = size {
            routing[member] = json!({ "Type": kind, "Value": value });
        }
        json!({ "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": routing } })
    }

    fn rolling(kind: &str, value: u64) -> Value {
        json!({ "RollingUpdatePolicy": {
            "MaximumBatchSize": { "Type": kind, "Value": value },
            "WaitIntervalInSeconds": 60,
        } })
    }

    #[test]
    fn the_traffic_moves_in_the_steps_that_are_asked_for() {
        let (percent, count) = ("CAPACITY_PERCENT", "INSTANCE_COUNT");
        let canary = |kind, value| routing("CANARY", Some(("CanarySize", kind, value)));
        let linear = |kind, value| routing("LINEAR", Some(("LinearStepSize", kind, value)));
        for (config, counts, percents) in [
            (json!({}), &[4][..], &[100.0][..]),
            (routing("ALL_AT_ONCE", None), &[4], &[100.0]),
            (canary(percent, 10), &[4], &[10.0, 100.0]),
            (canary(percent, 10), &[0], &[10.0, 100.0]),
            (canary(count, 1), &[4], &[25.0, 100.0]),
            (canary(count, 1), &[3, 1], &[25.0, 100.0]),
            (canary(count, 9), &[4], &[100.0]),
            (canary(count, 1), &[0], &[100.0]),
            (linear(percent, 50), &[4], &[50.0, 100.0]),
            (linear(percent, 30), &[4], &[30.0, 60.0, 90.0, 100.0]),
            (linear(count, 3), &[8], &[37.5, 75.0, 100.0]),
            (rolling(percent, 40), &[4], &[40.0, 80.0, 100.0]),
            (rolling(count, 2), &[4], &[50.0, 100.0]),
        ] {
            let shifts = Rollout::of(&config, &fleet(counts)).shifts;
            let shifts: Vec<f64> = shifts.into_iter().map(Share::percent).collect();
            assert_eq!(shifts, percents, "{config} {counts:?}");
        }
    }

    #[test]
    fn a_huge_fleet_moves_in_a_hundred_steps_at_most() {
        let shifts = Rollout::of(&rolling("INSTANCE_COUNT", 1), &fleet(&[1_000_000])).shifts;
        assert_eq!(shifts.len(), 100);
    }

    #[test]
    fn the_waits_the_timeout_and_the_alarms_are_read_from_either_policy() {
        let mut blue_green = routing("ALL_AT_ONCE", None);
        let policy = &mut blue_green["BlueGreenUpdatePolicy"];
        policy["TerminationWaitInSeconds"] = 30.into();
        policy["MaximumExecutionTimeoutInSeconds"] = 600.into();
        blue_green["AutoRollbackConfiguration"] =
            json!({ "Alarms": [{ "AlarmName": "slow" }, { "AlarmName": "wrong" }] });
        let mut batches = rolling("CAPACITY_PERCENT", 50);
        batches["RollingUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 700.into();

        let fleet = fleet(&[2]);
        let read = Rollout::of(&blue_green, &fleet);
        assert_eq!(read.wait, Duration::from_secs(60));
        assert_eq!(read.termination_wait, Duration::from_secs(30));
        assert_eq!(read.timeout, Some(Duration::from_secs(600)));
        assert_eq!(read.alarms, ["slow", "wrong"]);

        let read = Rollout::of(&batches, &fleet);
        assert_eq!(read.wait, Duration::from_secs(60));
        assert_eq!(read.termination_wait, Duration::ZERO);
        assert_eq!(read.timeout, Some(Duration::from_secs(700)));
        assert_eq!(read.alarms, Vec::<String>::new());
    }

    #[test]
    fn a_share_takes_the_instance_that_it_has_begun() {
        let tenth = Share {
            part: 10,
            whole: 100,
        };
        for (count, taken) in [(0, 0), (1, 1), (10, 1), (11, 2), (20, 2)] {
            assert_eq!(tenth.of(count), taken, "{count}");
        }
        assert_eq!(Share::NONE.of(3), 0);
        assert_eq!(Share::ALL.of(3), 3);
    }
}
