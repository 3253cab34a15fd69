use super::*;
use crate::contract::{DeployRequest, DeploymentKind, Environment, Setting};

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

/// A plan for the variant `AllTraffic` that changes no instance type.
fn plan() -> Plan {
    let event = json!({
        "role": "arn:aws:iam::123456789012:role/SageMakerRole",
        "endpoint_name": "churn",
        "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
    });
    let request =
        DeployRequest::parse(DeploymentKind::New, &event.to_string(), &Environment::new());
    Plan::new_endpoint(&request.expect("a good request")).expect("the keys go together")
}

fn resizing(variants: &[&str]) -> Plan {
    Plan {
        resized: names(variants),
        ..plan()
    }
}

fn becoming_serverless() -> Plan {
    Plan {
        option: InferenceOption::Serverless,
        ..resizing(&["AllTraffic"])
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn scaling_of(variant: &str) -> Scaling {
    Scaling {
        variant: variant.to_owned(),
        ..scaling()
    }
}

fn registered(variants: &[&str]) -> KnownScaling {
    KnownScaling {
        registered: variants.iter().map(|variant| scaling_of(variant)).collect(),
        taken_off: Vec::new(),
    }
}

/// Keys that change what is registered.
fn more() -> Autoscaling {
    Autoscaling {
        max_capacity: event(9),
        ..Autoscaling::default()
    }
}

#[test]
fn what_scales_a_variant_has_to_be_known_where_it_is_changed_replaced_or_asked_about() {
    let (nothing, more) = (Autoscaling::default(), more());
    let none: [&str; 0] = [];
    for (plan, asked, replaced, expected) in [
        (plan(), &nothing, none.to_vec(), none.to_vec()),
        (plan(), &more, none.to_vec(), vec!["AllTraffic"]),
        (plan(), &nothing, vec!["blue"], vec!["blue"]),
        (
            resizing(&["green", "blue"]),
            &more,
            vec!["green"],
            vec!["AllTraffic", "blue", "green"],
        ),
        // A serverless variant is asked about in vain.
        (
            Plan {
                resized: Vec::new(),
                ..becoming_serverless()
            },
            &more,
            none.to_vec(),
            none.to_vec(),
        ),
    ] {
        assert_eq!(concerned(&plan, asked, &names(&replaced)), expected);
    }
}

#[test]
fn what_goes_is_kept_and_wanted_back_as_it_was() {
    let nothing = Autoscaling::default();
    let both = registered(&["AllTraffic", "blue"]);
    // What stays as it is, is left alone.
    let untouched = planned(&plan(), &nothing, &[], &both);
    assert_eq!(untouched, Ok(ScalingPlan::default()));
    let taken_off = KnownScaling {
        taken_off: vec![scaling_of("blue")],
        ..registered(&["AllTraffic"])
    };
    for (plan, replaced, known) in [
        (resizing(&["blue"]), vec![], &both),
        (plan(), vec!["blue"], &both),
        (plan(), vec![], &taken_off),
    ] {
        let scaling = planned(&plan, &nothing, &names(&replaced), known).expect("it fits");
        assert_eq!(scaling.kept, [scaling_of("blue")], "{replaced:?}");
        assert_eq!(scaling.wanted, [scaling_of("blue")], "{replaced:?}");
    }
}

#[test]
fn keys_are_about_the_variant_that_the_model_is_deployed_to() {
    let mut changed = scaling_of("AllTraffic");
    changed.target.insert("MaxCapacity".to_owned(), json!(9));
    let expected = ScalingPlan {
        wanted: vec![changed, scaling_of("blue")],
        kept: vec![scaling_of("blue")],
    };
    let known = registered(&["AllTraffic", "blue"]);
    assert_eq!(
        planned(&resizing(&["blue"]), &more(), &[], &known).as_ref(),
        Ok(&expected)
    );
    let taken_off = KnownScaling {
        taken_off: vec![scaling_of("blue")],
        ..registered(&["AllTraffic"])
    };
    assert_eq!(planned(&plan(), &more(), &[], &taken_off), Ok(expected));
}

#[test]
fn a_variant_that_becomes_serverless_is_not_scaled_any_more() {
    let known = registered(&["AllTraffic"]);
    let plan = becoming_serverless();
    assert_eq!(
        planned(&plan, &Autoscaling::default(), &[], &known),
        Ok(ScalingPlan {
            wanted: Vec::new(),
            kept: vec![scaling()],
        })
    );
    let bad = planned(&plan, &more(), &[], &known).expect_err("it has no instances");
    assert_eq!(bad[0].key, "autoscaling_max_capacity");
}

#[test]
fn what_could_not_be_put_back_is_refused_under_the_key_that_would_take_it_off() {
    let mut steps = scaling();
    let policy = json!({"PolicyName": "steps", "PolicyType": "StepScaling"});
    steps.policies.push(wire(&policy));
    let mut long = scaling();
    long.policies[0].insert("PolicyName".to_owned(), json!("x".repeat(5000)));
    for (scaling, words) in [
        (steps, "the scaling policy steps"),
        (long, "than can be noted"),
    ] {
        let known = KnownScaling {
            registered: vec![scaling],
            taken_off: Vec::new(),
        };
        for (plan, replaced, key) in [
            (resizing(&["AllTraffic"]), vec![], "instance_type"),
            (plan(), vec!["AllTraffic"], "replace_failed_endpoint"),
        ] {
            let bad = planned(&plan, &Autoscaling::default(), &names(&replaced), &known);
            let bad = bad.expect_err("it would be lost");
            assert_eq!(bad.len(), 1);
            assert_eq!(bad[0].key, key);
            assert!(bad[0].reason.contains(words), "{}", bad[0].reason);
        }
    }
}
