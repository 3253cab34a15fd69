//! The alarms that deployments are watched by, and when they were in alarm.

use std::collections::BTreeMap;

use crate::clock::Moment;

/// What became of the alarms over time. One that was never heard of is not in alarm.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alarms {
    /// When each alarm changed, and whether it was in alarm from then on, oldest first.
    changes: BTreeMap<String, Vec<(Moment, bool)>>,
}

impl Alarms {
    /// Puts an alarm into or out of alarm at `now`.
    pub(crate) fn set(&mut self, name: &str, tripped: bool, now: Moment) {
        let changes = self.changes.entry(name.to_owned()).or_default();
        changes.push((now, tripped));
    }

    /// The first moment from `from` on and before `until` at which any of these alarms is in alarm,
    /// and those that are then. An alarm that is in alarm already counts at `from`, even where the
    /// time in between is none.
    pub(crate) fn first<'name>(
        &self,
        names: &'name [String],
        from: Moment,
        until: Moment,
    ) -> Option<(Moment, Vec<&'name str>)> {
        let changes = names.iter().filter_map(|name| self.changes.get(name));
        let moments = changes.flatten().map(|(moment, _)| *moment);
        let mut moments: Vec<Moment> = moments
            .filter(|moment| (from..until).contains(moment))
            .chain([from])
            .collect();
        moments.sort_unstable();
        moments.into_iter().find_map(|moment| {
            let tripped = names.iter().map(String::as_str);
            let tripped: Vec<&str> = tripped
                .filter(|name| self.is_tripped(name, moment))
                .collect();
            (!tripped.is_empty()).then_some((moment, tripped))
        })
    }

    fn is_tripped(&self, name: &str, at: Moment) -> bool {
        let changes = self.changes.get(name).into_iter().flatten();
        let last = changes.take_while(|(moment, _)| *moment <= at).last();
        last.is_some_and(|(_, tripped)| *tripped)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The first alarm from second 10 on and before second 20, as `14: slow, wrong`.
    fn first(changes: &[(u64, &str, bool)]) -> Option<String> {
        let mut alarms = Alarms::default();
        for (second, name, tripped) in changes {
            alarms.set(name, *tripped, Duration::from_secs(*second));
        }
        let names = ["slow".to_owned(), "wrong".to_owned()];
        let (from, until) = (Duration::from_secs(10), Duration::from_secs(20));
        let (moment, names) = alarms.first(&names, from, until)?;
        Some(format!("{}: {}", moment.as_secs(), names.join(", ")))
    }

    #[test]
    fn the_first_of_the_named_alarms_counts() {
        let none = None;
        let at = |told: &str| Some(told.to_owned());
        for (changes, told) in [
            (&[][..], none.clone()),
            (&[(14, "other", true)], none.clone()),
            (&[(14, "slow", true)], at("14: slow")),
            (
                &[(14, "wrong", true), (14, "slow", true)],
                at("14: slow, wrong"),
            ),
            (&[(12, "wrong", true), (14, "slow", true)], at("12: wrong")),
            // Which is over by the time somebody looks.
            (&[(14, "slow", true), (15, "slow", false)], at("14: slow")),
            (&[(14, "slow", true), (14, "slow", false)], none.clone()),
            // Before, at and after the ends.
            (&[(9, "slow", true)], at("10: slow")),
            (&[(8, "slow", true), (9, "slow", false)], none.clone()),
            (&[(8, "slow", true), (12, "slow", false)], at("10: slow")),
            (&[(10, "slow", true)], at("10: slow")),
            (&[(19, "slow", true)], at("19: slow")),
            (&[(20, "slow", true)], none),
        ] {
            assert_eq!(first(changes), told, "{changes:?}");
        }
    }

    #[test]
    fn an_alarm_that_is_in_alarm_needs_no_time_to_be_seen() {
        let mut alarms = Alarms::default();
        let (now, names) = (Duration::from_secs(10), ["slow".to_owned()]);
        assert_eq!(alarms.first(&names, now, now), None);
        alarms.set("slow", true, now);
        assert_eq!(alarms.first(&names, now, now), Some((now, vec!["slow"])));
    }
}
