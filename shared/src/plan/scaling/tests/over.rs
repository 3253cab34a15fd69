//! Scheduled actions whose time is over.

use super::*;

/// 2027-01-15T08:00:00Z.
const NOW: u64 = 1_800_000_000;

fn now() -> Moment {
    Moment::since_epoch(Duration::from_secs(NOW))
}

fn action(members: &Value) -> Change {
    let mut action = wire(&json!({"ScheduledActionName": "night"}));
    action.extend(wire(members));
    Change::ScheduledAction(action)
}

fn ends_ago(hours: f64) -> Change {
    let end = std::time::Duration::from_secs(NOW).as_secs_f64() - hours * 3600.0;
    action(&json!({"Schedule": "cron(0 22 * * ? *)", "EndTime": end}))
}

#[test]
fn an_action_at_one_time_is_over_a_day_after_it() {
    for (schedule, over) in [
        ("at(2027-01-14T07:59:59)", true),
        ("at(2026-12-31T00:00:00)", true),
        // A time zone, which is not in the schedule, moves the time by less than a day.
        ("at(2027-01-14T08:00:00)", false),
        ("at(2027-01-15T07:00:00)", false),
        ("at(2027-01-16T00:00:00)", false),
    ] {
        let action = action(&json!({"Schedule": schedule}));
        assert_eq!(is_over(&action, now()), over, "{schedule}");
    }
}

#[test]
fn a_repeated_action_is_over_a_day_after_its_end() {
    for (hours, over) in [(25.0, true), (24.5, true), (23.5, false), (-1.0, false)] {
        assert_eq!(is_over(&ends_ago(hours), now()), over, "{hours} h ago");
    }
}

#[test]
fn an_action_without_an_end_is_never_over() {
    for members in [
        json!({}),
        json!({"Schedule": "cron(0 22 * * ? *)"}),
        json!({"Schedule": "rate(1 hour)"}),
        json!({"Schedule": "at(some day)"}),
        json!({"Schedule": "at(2026-12-31T00:00:00"}),
        json!({"Schedule": 7}),
        json!({"StartTime": 1.0}),
        json!({"EndTime": "long ago"}),
    ] {
        assert!(!is_over(&action(&members), now()), "{members}");
    }
}

#[test]
fn targets_and_policies_are_never_over() {
    let members = wire(&json!({"EndTime": 1.0, "Schedule": "at(2020-01-01T00:00:00)"}));
    assert!(!is_over(&Change::Target(members.clone()), now()));
    assert!(!is_over(&Change::Policy(members), now()));
}
