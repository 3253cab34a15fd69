//! Which events ask for the same deployment.

use super::*;

fn identity_of(kind: DeploymentKind, event: &str) -> String {
    let request = DeployRequest::parse(kind, event, &Environment::new());
    request.expect("a good event").identity
}

fn identity(changes: &Value) -> String {
    identity_of(DeploymentKind::New, &with(changes))
}

#[test]
fn keys_about_the_waiting_and_the_order_of_keys_do_not_make_another_deployment() {
    let same = identity(&json!({}));
    for changes in [
        json!({"max_wait_seconds": 5}),
        json!({"on_timeout": "return"}),
        json!({"on_failure": "keep"}),
        json!({"dry_run": true}),
        json!({"dry_run": "true", "max_wait_seconds": "0", "on_timeout": "fail"}),
    ] {
        assert_eq!(identity(&changes), same, "{changes}");
    }
    let members = event();
    let members = members.as_object().expect("an object");
    let mut backwards = members.iter().rev();
    let backwards: Vec<_> = backwards
        .by_ref()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    let backwards = format!("{{\n{}\n}}", backwards.join(",\n"));
    assert_eq!(identity_of(DeploymentKind::New, &backwards), same);
}

#[test]
fn any_other_key_makes_another_deployment() {
    let mut identities = vec![identity(&json!({}))];
    for changes in [
        json!({"role": "arn:aws:iam::123456789012:role/Other"}),
        json!({"endpoint_name": "shop"}),
        json!({"package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/2"}),
        json!({"deployment_id": "again"}),
        json!({"variant_name": "blue"}),
        json!({"initial_instance_count": 2}),
        json!({"instance_type": "ml.g5.xlarge"}),
        json!({"require_approved_package": false}),
        json!({"tags": "team=ml"}),
        json!({"autoscaling_max_capacity": 4, "autoscaling_target_invocations_per_instance": 70}),
        json!({"something_else": 1}),
        json!({"something_else": 2}),
    ] {
        let identity = identity(&changes);
        assert!(!identities.contains(&identity), "{changes}");
        identities.push(identity);
    }
    let existing = identity_of(DeploymentKind::Existing, &event().to_string());
    assert!(!identities.contains(&existing), "the other function");
}

#[test]
fn the_environment_does_not_make_another_deployment() {
    let environment = Environment::from([("INSTANCE_TYPE".to_owned(), "ml.m5.large".to_owned())]);
    let event = event().to_string();
    let request = DeployRequest::parse(DeploymentKind::New, &event, &environment);
    let request = request.expect("a good event");
    assert_eq!(request.identity, identity(&json!({})));
}

proptest! {
    #[test]
    fn events_are_the_same_deployment_when_what_they_ask_for_is_the_same(
        one in ("[a-c]{0,2}", 1..4_i32, any::<bool>()), other in ("[a-c]{0,2}", 1..4_i32, any::<bool>()),
        waits in (0..100_i32, 0..100_i32),
    ) {
        let of = |(id, count, flag): &(String, i32, bool), wait: i32| identity(&json!({
            "deployment_id": id, "initial_instance_count": count, "delete_superseded": flag,
            "max_wait_seconds": wait,
        }));
        prop_assert_eq!(of(&one, waits.0) == of(&other, waits.1), one == other);
    }
}
