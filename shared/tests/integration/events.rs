//! Each file in `events/` is fed to the contract: the good ones parse, the invalid ones name their keys.

use std::fs;
use std::path::PathBuf;

use shared::contract::{
    BadKey, CheckRequest, DeployRequest, DeploymentKind, Environment, unknown_keys,
};
use shared::error::Error;

pub(crate) fn events(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    let mut events: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(path).expect("a text"))
        })
        .collect();
    events.sort();
    events
}

fn parse(name: &str, event: &str) -> Result<(), Error> {
    // As in the region of the events' packages.
    let environment = Environment::from([("AWS_REGION".to_owned(), "eu-west-1".to_owned())]);
    if name.starts_with("check") {
        CheckRequest::parse(event).map(drop)
    } else {
        let kind = if name.starts_with("deploy-existing") {
            DeploymentKind::Existing
        } else {
            DeploymentKind::New
        };
        DeployRequest::parse(kind, event, &environment).map(drop)
    }
}

fn bad_keys(name: &str, event: &str) -> Vec<BadKey> {
    match parse(name, event) {
        Err(Error::InvalidRequest { bad_keys, .. }) => bad_keys,
        other => panic!("{name} gave {other:?}"),
    }
}

#[test]
fn every_good_event_parses_and_has_no_key_in_vain() {
    let events = events("events");
    assert!(events.len() >= 3, "{} events", events.len());
    for (name, event) in events {
        assert_eq!(parse(&name, &event), Ok(()), "{name}");
        assert_eq!(unknown_keys(&event), None, "{name}");
    }
}

#[test]
fn every_invalid_event_names_its_bad_keys() {
    let expected = [
        ("async-without-an-output-path", vec!["async_s3_output_path"]),
        (
            "autoscaling-without-a-target",
            vec![
                "autoscaling_target_invocations_per_instance",
                "autoscaling_max_capacity",
            ],
        ),
        (
            "canary-without-time",
            vec!["maximum_execution_timeout_seconds"],
        ),
        ("check-without-a-name", vec!["endpoint_name"]),
        (
            "every-key-bad",
            vec![
                "role",
                "endpoint_name",
                "package_arn",
                "deployment_id",
                "variant_name",
                "instance_type",
                "initial_instance_count",
                "model_data_download_timeout_seconds",
                "container_startup_health_check_timeout_seconds",
                "volume_size_gb",
                "inference_option",
                "serverless_memory_size_mb",
                "serverless_max_concurrency",
                "serverless_provisioned_concurrency",
                "async_s3_output_path",
                "async_s3_failure_path",
                "async_success_topic",
                "async_error_topic",
                "async_max_concurrent_invocations_per_instance",
                "data_capture_s3_uri",
                "data_capture_sampling_percentage",
                "kms_key_id",
                "subnets",
                "security_group_ids",
                "enable_network_isolation",
                "tags",
                "autoscaling_min_capacity",
                "autoscaling_max_capacity",
                "autoscaling_target_invocations_per_instance",
                "autoscaling_scale_in_cooldown_seconds",
                "autoscaling_scale_out_cooldown_seconds",
                "traffic_routing",
                "traffic_step_percent",
                "traffic_wait_seconds",
                "termination_wait_seconds",
                "maximum_execution_timeout_seconds",
                "auto_rollback_alarms",
                "retain_all_variant_properties",
                "require_approved_package",
                "replace_failed_endpoint",
                "delete_superseded",
                "on_failure",
                "max_wait_seconds",
                "on_timeout",
                "dry_run",
            ],
        ),
        ("half-a-vpc", vec!["security_group_ids"]),
        ("not-an-object", vec!["event"]),
        ("nothing-set", vec!["role", "endpoint_name", "package_arn"]),
        (
            "serverless-with-instances",
            vec![
                "instance_type",
                "initial_instance_count",
                "volume_size_gb",
                "kms_key_id",
            ],
        ),
        ("two-partitions", vec!["role"]),
        ("unversioned-package", vec!["package_arn"]),
    ];
    let events = events("events/invalid");
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        expected.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    for ((name, event), (_, keys)) in events.iter().zip(&expected) {
        let refused: Vec<_> = bad_keys(name, event)
            .into_iter()
            .map(|bad| bad.key)
            .collect();
        assert_eq!(refused, *keys, "{name}");
    }
}
