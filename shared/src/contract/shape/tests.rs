use serde_json::json;

use super::*;
use crate::contract::{DeployRequest, DeploymentKind, Environment};
use crate::error::Error;

fn parse(
    kind: DeploymentKind,
    keys: &Value,
    environment: &[(&str, &str)],
) -> Result<Shape, Vec<BadKey>> {
    let mut event = json!({
        "role": "arn:aws:iam::123456789012:role/SageMakerRole",
        "endpoint_name": "churn",
        "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
    });
    for (key, value) in keys.as_object().expect("an object") {
        event[key] = value.clone();
    }
    let environment: Environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    match DeployRequest::parse(kind, &event.to_string(), &environment) {
        Ok(request) => Ok(request.shape),
        Err(Error::InvalidRequest { bad_keys, .. }) => Err(bad_keys),
        Err(other) => panic!("{keys} gave {other:?}"),
    }
}

fn bad(kind: DeploymentKind, keys: &Value, environment: &[(&str, &str)]) -> Vec<String> {
    let bad = parse(kind, keys, environment).err().unwrap_or_default();
    bad.into_iter().map(|bad| bad.key).collect()
}

#[test]
fn each_key_is_held_to_the_services_limits() {
    // A key, values that are within its limits, and values that are not.
    let cases = [
        (
            "volume_size_gb",
            vec![json!(1), json!(512), json!("30")],
            vec![json!(0), json!(513)],
        ),
        (
            "model_data_download_timeout_seconds",
            vec![json!(60), json!(3600)],
            vec![json!(59), json!(3601)],
        ),
        (
            "container_startup_health_check_timeout_seconds",
            vec![json!(60), json!(3600)],
            vec![json!(59), json!(3601)],
        ),
        (
            "data_capture_s3_uri",
            vec![json!("s3://bucket/x"), json!("s3://bucket")],
            vec![
                json!("bucket/x"),
                json!("s3://"),
                json!(format!("s3://{}", "x".repeat(510))),
            ],
        ),
        (
            "kms_key_id",
            vec![
                json!("alias/my-key"),
                json!("arn:aws:kms:eu-west-1:123456789012:key/1-2"),
            ],
            vec![json!("a key"), json!("x".repeat(2049))],
        ),
        (
            "enable_network_isolation",
            vec![json!(true), json!("False")],
            vec![json!("on")],
        ),
        (
            "tags",
            vec![
                json!("team=ml"),
                json!("team=ml, env = dev,empty=,eq=a=b"),
                json!("größe=ü 1"),
            ],
            vec![
                json!("team"),
                json!("=x"),
                json!("a=1,,b=2"),
                json!("a=1,a=2"),
                json!("AWS:x=1"),
                json!("a=<"),
                json!(format!("{}=1", "k".repeat(129))),
                json!(format!("k={}", "v".repeat(257))),
                json!(
                    (0..51)
                        .map(|n| format!("k{n}=v"))
                        .collect::<Vec<_>>()
                        .join(",")
                ),
            ],
        ),
    ];
    for (key, good, wrong) in cases {
        for value in good {
            assert_eq!(
                bad(DeploymentKind::New, &json!({key: value}), &[]),
                Vec::<String>::new(),
                "{key} = {value}"
            );
        }
        for value in wrong {
            assert_eq!(
                bad(DeploymentKind::New, &json!({key: value}), &[]),
                [key],
                "{key} = {value}"
            );
        }
    }
}

#[test]
fn each_key_of_a_serverless_endpoint_is_held_to_the_services_limits() {
    let serverless = |key: &str, value: Value| json!({"inference_option": "serverless", "serverless_max_concurrency": 200, key: value});
    for (key, good, wrong) in [
        (
            "serverless_memory_size_mb",
            vec![1024, 6144],
            vec![1023, 1025, 3000, 7168],
        ),
        ("serverless_max_concurrency", vec![1, 200], vec![0, 201]),
        (
            "serverless_provisioned_concurrency",
            vec![1, 200],
            vec![0, 201],
        ),
    ] {
        for value in good {
            assert_eq!(
                bad(DeploymentKind::New, &serverless(key, json!(value)), &[]),
                Vec::<String>::new(),
                "{key} = {value}"
            );
        }
        for value in wrong {
            assert_eq!(
                bad(DeploymentKind::New, &serverless(key, json!(value)), &[]),
                [key],
                "{key} = {value}"
            );
        }
    }
}

#[test]
fn each_key_of_an_async_endpoint_is_held_to_the_services_limits() {
    let asynchronous = |key: &str, value: Value| json!({"inference_option": "async", "async_s3_output_path": "s3://bucket/out", key: value});
    for (key, good, wrong) in [
        (
            "async_s3_failure_path",
            json!("s3://bucket/failed"),
            json!("bucket"),
        ),
        (
            "async_success_topic",
            json!("arn:aws:sns:eu-west-1:123456789012:done"),
            json!("done"),
        ),
        (
            "async_error_topic",
            json!("arn:aws-cn:sns:cn-north-1:123456789012:failed.fifo"),
            json!("arn:aws:sqs:eu-west-1:123456789012:x"),
        ),
        (
            "async_max_concurrent_invocations_per_instance",
            json!(1000),
            json!(1001),
        ),
    ] {
        assert_eq!(
            bad(DeploymentKind::New, &asynchronous(key, good), &[]),
            Vec::<String>::new(),
            "{key}"
        );
        assert_eq!(
            bad(DeploymentKind::New, &asynchronous(key, wrong), &[]),
            [key],
            "{key}"
        );
    }
}

#[test]
fn lists_split_at_commas_and_have_no_empty_items() {
    let shape = parse(
        DeploymentKind::New,
        &json!({"subnets": " subnet-1 ,subnet-2", "security_group_ids": "sg-1"}),
        &[],
    );
    let shape = shape.expect("they go together");
    assert_eq!(
        shape.subnets.get(),
        Some(vec!["subnet-1".to_owned(), "subnet-2".to_owned()])
    );
    for subnets in [
        "subnet-1,",
        ",subnet-1",
        "a,,b",
        "subnet_1",
        &"s,".repeat(16),
        &"s".repeat(33),
    ] {
        let keys = json!({"subnets": subnets, "security_group_ids": "sg-1"});
        assert!(
            bad(DeploymentKind::New, &keys, &[]).contains(&"subnets".to_owned()),
            "{subnets}"
        );
    }
}

#[test]
fn keys_that_do_not_go_together_are_all_named() {
    use DeploymentKind::{Existing, New};
    let none: [&str; 0] = [];
    let cases = [
        // Parts that come together.
        (
            New,
            json!({"subnets": "subnet-1"}),
            vec!["security_group_ids"],
        ),
        (
            Existing,
            json!({"security_group_ids": "sg-1"}),
            vec!["subnets"],
        ),
        (
            New,
            json!({"inference_option": "async"}),
            vec!["async_s3_output_path"],
        ),
        // On an update, the live config may have it.
        (
            Existing,
            json!({"inference_option": "async"}),
            none.to_vec(),
        ),
        (
            New,
            json!({"data_capture_sampling_percentage": 50}),
            vec!["data_capture_s3_uri"],
        ),
        (
            Existing,
            json!({"data_capture_sampling_percentage": 50}),
            none.to_vec(),
        ),
        (
            New,
            json!({"inference_option": "serverless", "serverless_provisioned_concurrency": 6}),
            vec!["serverless_provisioned_concurrency"],
        ),
        (
            Existing,
            json!({"inference_option": "serverless", "serverless_provisioned_concurrency": 6, "serverless_max_concurrency": 5}),
            vec!["serverless_provisioned_concurrency"],
        ),
        // What goes with one way of taking requests only.
        (
            New,
            json!({"serverless_memory_size_mb": 1024}),
            vec!["serverless_memory_size_mb"],
        ),
        (
            New,
            json!({"async_s3_output_path": "s3://b/x"}),
            vec!["async_s3_output_path"],
        ),
        (
            Existing,
            json!({"serverless_memory_size_mb": 1024}),
            none.to_vec(),
        ),
        (
            Existing,
            json!({"inference_option": "real-time", "serverless_max_concurrency": 7}),
            vec!["serverless_max_concurrency"],
        ),
        (
            New,
            json!({
                "inference_option": "serverless", "instance_type": "ml.m5.large", "initial_instance_count": 1,
                "volume_size_gb": 9, "kms_key_id": "alias/x", "data_capture_s3_uri": "s3://b/x",
                "subnets": "s-1", "security_group_ids": "g-1", "enable_network_isolation": true,
                "async_s3_output_path": "s3://b/x", "model_data_download_timeout_seconds": 60,
            }),
            vec![
                "instance_type",
                "initial_instance_count",
                "model_data_download_timeout_seconds",
                "volume_size_gb",
                "async_s3_output_path",
                "data_capture_s3_uri",
                "kms_key_id",
                "subnets",
                "security_group_ids",
                "enable_network_isolation",
            ],
        ),
        (
            New,
            json!({"inference_option": "serverless", "enable_network_isolation": false}),
            none.to_vec(),
        ),
    ];
    for (kind, keys, expected) in cases {
        assert_eq!(bad(kind, &keys, &[]), expected, "{kind:?} {keys}");
    }
}

#[test]
fn a_key_that_does_not_fit_is_told_what_it_goes_with() {
    let keys = json!({"inference_option": "serverless", "instance_type": "ml.m5.large"});
    let bad = parse(DeploymentKind::New, &keys, &[]).expect_err("no instances");
    let reason = "goes with inference_option real-time or async and not with serverless";
    assert_eq!(bad, [BadKey::new("instance_type", reason)]);
}

#[test]
fn a_stacks_sizes_give_way_to_serverless_and_its_guards_do_not() {
    let serverless = json!({"inference_option": "serverless"});
    let sizes = [("INSTANCE_TYPE", "ml.m5.large"), ("VOLUME_SIZE_GB", "9")];
    assert_eq!(
        bad(DeploymentKind::New, &serverless, &sizes),
        Vec::<String>::new()
    );
    let guards = [
        ("KMS_KEY_ID", "alias/x"),
        ("ENABLE_NETWORK_ISOLATION", "true"),
    ];
    assert_eq!(
        bad(DeploymentKind::New, &serverless, &guards),
        [
            "environment variable KMS_KEY_ID",
            "environment variable ENABLE_NETWORK_ISOLATION"
        ]
    );
    // On an update the live config decides, and a stack's defaults never get in its way.
    assert_eq!(
        bad(DeploymentKind::Existing, &serverless, &guards),
        Vec::<String>::new()
    );
}
