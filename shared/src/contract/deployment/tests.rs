use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::contract::fields::BadKey;

fn event() -> Value {
    json!({
        "role": "arn:aws:iam::123456789012:role/service-role/SageMakerRole",
        "endpoint_name": "churn",
        "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
    })
}

fn with(changes: &Value) -> String {
    let mut event = event();
    for (key, value) in changes.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event.to_string()
}

fn bad_keys(event: &str) -> Vec<BadKey> {
    match DeployRequest::parse(DeploymentKind::New, event, &Environment::new()) {
        Err(Error::InvalidRequest { bad_keys, .. }) => bad_keys,
        other => panic!("{event} gave {other:?}"),
    }
}

#[test]
fn the_required_keys_alone_give_the_contracts_defaults() {
    let request = DeployRequest::parse(
        DeploymentKind::New,
        &event().to_string(),
        &Environment::new(),
    )
    .expect("the event is complete");
    assert_eq!(request.max_wait, Duration::from_secs(540));
    assert_eq!(request.max_age, Duration::from_secs(8 * 3600));
    assert_eq!(request.on_timeout, OnTimeout::Fail);
    assert_eq!(request.on_failure, OnFailure::Delete);
    assert!(request.require_approved_package);
    assert_eq!(request.on_failed_endpoint, OnFailedEndpoint::Refuse);
    assert!(!request.dry_run);
    assert_eq!(request.shape, Shape::default());
    assert!(request.retain_all_variant_properties);
    assert_eq!(request.deployment_id, None);
}

#[test]
fn each_bad_key_is_named_and_all_of_them_at_once() {
    let cases = [
        ("role", json!("arn:aws:iam::12:role/x")),
        ("role", json!("SageMakerRole")),
        ("role", json!({"Ref": "Role"})),
        ("endpoint_name", json!("my_endpoint")),
        ("endpoint_name", json!("x".repeat(64))),
        ("endpoint_name", json!(7)),
        (
            "package_arn",
            json!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn"),
        ),
        (
            "package_arn",
            json!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn-/1"),
        ),
        (
            "package_arn",
            json!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/c/1234567890"),
        ),
        ("deployment_id", json!("x".repeat(257))),
        ("variant_name", json!("a b")),
        ("instance_type", json!("m5.xlarge")),
        ("instance_type", json!("ml.M5.xlarge")),
        ("initial_instance_count", json!(0)),
        ("initial_instance_count", json!("two")),
        ("require_approved_package", json!(0)),
        ("replace_failed_endpoint", json!([])),
        ("on_failure", json!("cry")),
        ("max_wait_seconds", json!(-1)),
        ("on_timeout", json!("explode")),
        ("dry_run", json!("maybe")),
    ];
    for (key, value) in &cases {
        let bad = bad_keys(&with(&json!({*key: value})));
        assert_eq!(bad.len(), 1, "{key} = {value}: {bad:?}");
        assert_eq!(bad[0].key, *key);
        assert!(bad[0].reason.starts_with("must be "), "{}", bad[0].reason);
    }
    let mut all = event();
    for (key, value) in &cases {
        all[*key] = value.clone();
    }
    let named: Vec<_> = bad_keys(&all.to_string())
        .into_iter()
        .map(|bad| bad.key)
        .collect();
    let mut expected: Vec<_> = cases.iter().map(|(key, _)| (*key).to_owned()).collect();
    expected.dedup();
    assert_eq!(named, expected);
}

#[test]
fn each_required_key_is_missed_however_it_is_left_out() {
    for key in ["role", "endpoint_name", "package_arn"] {
        for absent in [json!(null), json!(""), json!(" ")] {
            let bad = bad_keys(&with(&json!({key: absent})));
            assert_eq!(bad, [BadKey::new(key, "is missing")]);
        }
    }
    assert_eq!(bad_keys("{}").len(), 3);
}

#[test]
fn the_arns_must_fit_each_other_and_the_region() {
    let china = "arn:aws-cn:sagemaker:cn-north-1:123456789012:model-package/churn/1";
    let bad = bad_keys(&with(&json!({"package_arn": china})));
    assert_eq!(bad.len(), 1);
    assert!(bad[0].reason.contains("partition"), "{bad:?}");

    let elsewhere = Environment::from([("AWS_REGION".to_owned(), "us-east-1".to_owned())]);
    let error = DeployRequest::parse(DeploymentKind::New, &event().to_string(), &elsewhere)
        .expect_err("elsewhere");
    assert!(
        error
            .to_string()
            .contains("package_arn must be of the region us-east-1"),
        "{error}"
    );
}

#[test]
fn a_refusal_names_the_endpoint_where_the_event_has_a_usable_name() {
    let refusal = |event: &str| {
        DeployRequest::parse(DeploymentKind::New, event, &Environment::new())
            .expect_err("refused")
            .to_string()
    };
    for (event, expected) in [
        (
            with(&json!({"role": "x"})),
            "The request for the endpoint churn is not usable: role must be",
        ),
        (
            r#"{"endpoint_name": "churn"}"#.to_owned(),
            "The request for the endpoint churn is not usable: role is missing; package_arn is missing. Nothing",
        ),
        (
            with(&json!({"endpoint_name": "my_endpoint"})),
            "The request is not usable: endpoint_name must be",
        ),
        (
            with(&json!({"endpoint_name": null})),
            "The request is not usable: endpoint_name is missing",
        ),
        (
            "[]".to_owned(),
            "The request is not usable: event must be a JSON object",
        ),
    ] {
        let refusal = refusal(&event);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

/// Any JSON, with the contract's keys among the names of its members.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
        "[0-9]{1,3}".prop_map(Value::from),
        Just(json!("true")),
        Just(event()["role"].clone()),
        Just(event()["package_arn"].clone()),
    ];
    let key = prop_oneof![
        4 => proptest::sample::select(KEYS).prop_map(str::to_owned),
        1 => ".{0,10}",
    ];
    leaf.prop_recursive(3, 64, 16, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::btree_map(key.clone(), inner, 0..16)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const KEYS: &[&str] = &[
    "role",
    "endpoint_name",
    "package_arn",
    "deployment_id",
    "variant_name",
    "instance_type",
    "initial_instance_count",
    "require_approved_package",
    "replace_failed_endpoint",
    "on_failure",
    "max_wait_seconds",
    "on_timeout",
    "dry_run",
];

proptest! {
    #[test]
    fn no_json_makes_the_parser_panic_and_no_refusal_is_without_a_key(event in any_json()) {
        if let Err(error) = DeployRequest::parse(DeploymentKind::New, &event.to_string(), &Environment::new()) {
            let Error::InvalidRequest { bad_keys, .. } = &error else {
                panic!("{event} gave {error:?}");
            };
            prop_assert!(!bad_keys.is_empty());
            prop_assert!(error.to_string().chars().count() <= 1024);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(event in ".*") {
        let _ = DeployRequest::parse(DeploymentKind::New, &event, &Environment::new());
    }

    #[test]
    fn a_good_event_stays_good_whatever_else_is_in_it(noise in any_json()) {
        let mut event = event();
        event["something_else"] = noise;
        prop_assert!(DeployRequest::parse(DeploymentKind::New, &event.to_string(), &Environment::new()).is_ok());
    }
}

mod identity;
