use super::*;
use crate::plan::tests::new;

/// A plan for the variant `AllTraffic` that changes no instance type.
fn plan() -> Plan {
    new(&json!({}))
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
        (long, "than can be saved in the endpoint's tags"),
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
