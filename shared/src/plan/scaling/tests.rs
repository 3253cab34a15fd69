use super::*;
use crate::contract::Setting;

fn wire(value: &Value) -> Wire {
    value.as_object().cloned().expect("an object")
}

fn policy(name: &str, target: f64) -> Wire {
    wire(&json!({
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS},
            "ScaleInCooldown": 300,
        },
    }))
}

fn scaling() -> Scaling {
    Scaling {
        variant: "AllTraffic".to_owned(),
        target: wire(&json!({
            "MinCapacity": 2,
            "MaxCapacity": 6,
            "SuspendedState": {"ScheduledScalingSuspended": true},
        })),
        policies: vec![policy("theirs", 70.0)],
        scheduled_actions: vec![wire(&json!({"ScheduledActionName": "night"}))],
    }
}

fn event<T>(value: T) -> Setting<T> {
    Setting {
        event: Some(value),
        environment: None,
    }
}

fn environment<T>(value: T) -> Setting<T> {
    Setting {
        event: None,
        environment: Some(value),
    }
}

fn number(value: f64) -> serde_json::Number {
    serde_json::Number::from_f64(value).expect("finite")
}

fn want(asked: &Autoscaling, before: Option<&Scaling>) -> Result<Option<Scaling>, Vec<String>> {
    wanted(asked, "AllTraffic", before, InferenceOption::RealTime)
        .map_err(|bad| bad.into_iter().map(|bad| bad.key).collect())
}

#[test]
fn what_is_registered_stays_but_for_the_keys_of_the_event() {
    let asked = Autoscaling {
        max_capacity: event(8),
        target_invocations_per_instance: event(number(90.0)),
        min_capacity: environment(5),
        scale_out_cooldown_seconds: environment(1),
        ..Autoscaling::default()
    };
    let mut expected = scaling();
    expected.target.insert("MaxCapacity".to_owned(), json!(8));
    expected.policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] = json!(90.0);
    assert_eq!(want(&asked, Some(&scaling())), Ok(Some(expected)));
}

#[test]
fn a_policy_on_another_metric_stays_as_it_is() {
    let mut theirs = policy("cpu", 55.5);
    theirs[CONFIGURATION]["PredefinedMetricSpecification"] =
        json!({"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"});
    let asked = Autoscaling {
        target_invocations_per_instance: event(number(90.0)),
        ..Autoscaling::default()
    };
    let changed = |policies: Vec<Wire>| {
        let before = Scaling {
            policies,
            ..scaling()
        };
        let changed = want(&asked, Some(&before)).expect("it fits");
        changed.expect("registered").policies
    };
    assert_eq!(
        changed(vec![theirs.clone(), policy("ours", 70.0)]),
        [theirs.clone(), policy("ours", 90.0)]
    );
    let with_ours = changed(vec![theirs.clone()]);
    assert_eq!(with_ours.len(), 2);
    assert_eq!(with_ours[0], theirs);
    assert_eq!(with_ours[1]["PolicyName"], POLICY_NAME);
}

#[test]
fn a_stacks_defaults_serve_only_where_nothing_is_registered() {
    let asked = Autoscaling {
        max_capacity: environment(8),
        target_invocations_per_instance: environment(number(90.0)),
        scale_in_cooldown_seconds: environment(60),
        ..Autoscaling::default()
    };
    assert_eq!(want(&asked, Some(&scaling())), Ok(Some(scaling())));
    // Not even where no policy is registered that they could be about.
    let mut other_metric = scaling();
    other_metric.policies.clear();
    assert_eq!(want(&asked, Some(&other_metric)), Ok(Some(other_metric)));
    let fresh = want(&asked, None).expect("complete").expect("asked for");
    assert_eq!(
        Value::from(fresh.target),
        json!({"MinCapacity": 1, "MaxCapacity": 8})
    );
    assert_eq!(
        fresh.policies[0]["TargetTrackingScalingPolicyConfiguration"],
        json!({
            "TargetValue": 90.0,
            "ScaleInCooldown": 60,
            "PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS},
        })
    );
}

#[test]
fn nothing_is_scaled_where_nothing_asks_for_it() {
    assert_eq!(want(&Autoscaling::default(), None), Ok(None));
    let before = scaling();
    let kept = want(&Autoscaling::default(), Some(&before));
    assert_eq!(kept, Ok(Some(before)));
}

#[test]
fn a_stacks_minimum_of_none_is_refused_where_requests_are_answered_at_once() {
    let asked = Autoscaling {
        min_capacity: environment(0),
        max_capacity: environment(2),
        target_invocations_per_instance: environment(number(70.0)),
        ..Autoscaling::default()
    };
    assert_eq!(
        want(&asked, None),
        Err(vec![Autoscaling::KEYS[0].to_owned()])
    );
    let queued = wanted(&asked, "AllTraffic", None, InferenceOption::Async);
    let queued = queued.expect("it fits").expect("asked for");
    assert_eq!(queued.target["MinCapacity"], json!(0));
}

#[test]
fn what_does_not_fit_what_is_registered_is_refused() {
    let [_, max, target, _, _] = Autoscaling::KEYS;
    let fewer = Autoscaling {
        max_capacity: event(1),
        ..Autoscaling::default()
    };
    assert_eq!(want(&fewer, Some(&scaling())), Err(vec![max.to_owned()]));
    assert_eq!(want(&fewer, None), Err(vec![target.to_owned()]));
    let mut other_metric = scaling();
    other_metric.policies.clear();
    let cooldown = Autoscaling {
        scale_in_cooldown_seconds: event(60),
        ..Autoscaling::default()
    };
    assert_eq!(
        want(&cooldown, Some(&other_metric)),
        Err(vec![target.to_owned()])
    );
    // The capacities can be changed whatever the policies track.
    assert!(want(&fewer, Some(&other_metric)).is_err());
    let more = Autoscaling {
        max_capacity: event(9),
        ..Autoscaling::default()
    };
    let changed = want(&more, Some(&other_metric)).expect("it fits");
    assert!(changed.expect("registered").policies.is_empty());
}

#[test]
fn only_what_differs_is_put_right() {
    let now = scaling();
    assert_eq!(changes(Some(&now), &now), vec![]);
    // The service's defaults and its way of writing numbers make no difference.
    let mut described = now.clone();
    described.policies[0]["TargetTrackingScalingPolicyConfiguration"]["DisableScaleIn"] =
        json!(false);
    described.policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] = json!(70);
    assert_eq!(changes(Some(&described), &now), vec![]);

    let mut wanted = now.clone();
    wanted.target.insert("MaxCapacity".to_owned(), json!(9));
    wanted.policies.push(policy("ours", 1.0));
    assert_eq!(
        changes(Some(&now), &wanted),
        vec![
            Change::Target(wanted.target.clone()),
            Change::Policy(policy("ours", 1.0)),
        ]
    );
    let everything = changes(None, &now);
    assert_eq!(
        everything,
        vec![
            Change::Target(now.target.clone()),
            Change::Policy(now.policies[0].clone()),
            Change::ScheduledAction(now.scheduled_actions[0].clone()),
        ]
    );
}

#[test]
fn what_is_half_back_is_completed_with_what_was_taken_off() {
    let mut half = scaling();
    half.policies.clear();
    half.target.insert("MaxCapacity".to_owned(), json!(9));
    half.scheduled_actions[0]["ScheduledActionName"] = json!("morning");
    let known = KnownScaling {
        registered: vec![half],
        taken_off: vec![scaling()],
    };
    let before = known.before("AllTraffic").expect("known");
    assert_eq!(before.target["MaxCapacity"], json!(9));
    assert_eq!(before.policies, scaling().policies);
    assert_eq!(before.scheduled_actions.len(), 2);
    assert_eq!(known.before("Other"), None);
}

#[test]
fn a_policy_that_alarms_refer_to_cannot_be_put_back() {
    let mut scaling = scaling();
    assert_eq!(scaling.irreplaceable(), None);
    let steps = json!({"PolicyName": "steps", "PolicyType": "StepScaling"});
    scaling.policies.push(wire(&steps));
    assert_eq!(scaling.irreplaceable(), Some("steps"));
}

mod over;
mod planned;
