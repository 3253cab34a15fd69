use super::*;

#[test]
fn every_shape_stays_as_it_is_when_the_model_is_swapped() {
    for keys in [
        json!({"instance_type": "ml.g5.xlarge", "volume_size_gb": 64, "kms_key_id": "alias/disk"}),
        json!({"inference_option": "serverless", "serverless_provisioned_concurrency": 2}),
        json!({"inference_option": "async", "async_s3_output_path": "s3://b/out"}),
        json!({"data_capture_s3_uri": "s3://b/captured"}),
    ] {
        let first = new(&keys);
        let second = update(&version(2), &made(&first));
        assert_eq!(config(&second), config(&first), "{keys}");
        assert_ne!(second.model_name, first.model_name);
        // And the same inputs that made it change nothing, whether they are said again or not.
        assert_eq!(
            update(&keys, &made(&first)).endpoint_config_name,
            first.endpoint_config_name,
            "{keys}"
        );
        let unsaid = update(&json!({}), &made(&first));
        assert_eq!(
            unsaid.endpoint_config_name, first.endpoint_config_name,
            "{keys}"
        );
    }
}

#[test]
fn an_event_changes_only_the_member_that_it_names() {
    let first = new(&json!({
        "inference_option": "async", "async_s3_output_path": "s3://b/out", "async_s3_failure_path": "s3://b/failed",
        "data_capture_s3_uri": "s3://b/captured",
    }));
    let mut live = made(&first);
    let capture = live.data_capture_config.as_mut().expect("captured");
    capture.capture_options.as_mut().expect("two").truncate(1);
    capture.enable_capture = Some(false);
    let keys =
        json!({"async_s3_failure_path": "s3://b/elsewhere", "data_capture_sampling_percentage": 1});
    let second = config(&update(&with_version_2(keys), &live));
    let output = &second["AsyncInferenceConfig"]["OutputConfig"];
    assert_eq!(
        *output,
        json!({"S3OutputPath": "s3://b/out", "S3FailurePath": "s3://b/elsewhere"})
    );
    let capture = &second["DataCaptureConfig"];
    assert_eq!(capture["InitialSamplingPercentage"], 1);
    assert_eq!(
        capture["EnableCapture"], false,
        "a percentage does not switch it on"
    );
    assert_eq!(
        capture["CaptureOptions"],
        json!([{"CaptureMode": CaptureMode::Input.as_str()}])
    );
    let uri = json!({"data_capture_s3_uri": "s3://b/new"});
    let third = config(&update(&with_version_2(uri), &live));
    assert_eq!(
        third["DataCaptureConfig"]["EnableCapture"], true,
        "a place to capture to does"
    );
}

#[test]
fn keys_that_do_not_fit_what_is_live_are_named() {
    let real_time = made(&new(&json!({})));
    let serverless = made(&new(&json!({"inference_option": "serverless"})));
    let asynchronous = made(&new(
        &json!({"inference_option": "async", "async_s3_output_path": "s3://b/out"}),
    ));
    let cases = [
        (
            &real_time,
            json!({"serverless_memory_size_mb": 1024}),
            vec!["serverless_memory_size_mb"],
        ),
        (
            &real_time,
            json!({"async_s3_failure_path": "s3://b/x"}),
            vec!["async_s3_failure_path"],
        ),
        (
            &real_time,
            json!({"data_capture_sampling_percentage": 5}),
            vec!["data_capture_s3_uri"],
        ),
        (
            &real_time,
            json!({"inference_option": "async"}),
            vec!["async_s3_output_path"],
        ),
        (
            &serverless,
            json!({"instance_type": "ml.m5.large", "kms_key_id": "x"}),
            vec!["instance_type", "kms_key_id"],
        ),
        (
            &serverless,
            json!({"serverless_provisioned_concurrency": 6}),
            vec!["serverless_provisioned_concurrency"],
        ),
        (
            &asynchronous,
            json!({"inference_option": "real-time"}),
            vec!["inference_option"],
        ),
        (
            &asynchronous,
            json!({"inference_option": "serverless"}),
            vec!["inference_option"],
        ),
        (
            &asynchronous,
            json!({"async_max_concurrent_invocations_per_instance": 5}),
            vec![],
        ),
        (&asynchronous, json!({"inference_option": "async"}), vec![]),
        (
            &serverless,
            json!({"serverless_max_concurrency": 3}),
            vec![],
        ),
    ];
    for (live, keys, expected) in cases {
        assert_eq!(
            bad_keys(&with_version_2(keys.clone()), live),
            expected,
            "{keys}"
        );
    }
}

#[test]
fn a_change_between_instances_and_serverless_builds_the_variant_anew() {
    let real_time = made(&new(
        &json!({"variant_name": "blue", "volume_size_gb": 64, "initial_instance_count": 3}),
    ));
    let serverless = update(
        &with_version_2(json!({"inference_option": "serverless"})),
        &real_time,
    );
    assert_eq!(
        config(&serverless)["ProductionVariants"],
        json!([{
            "VariantName": "blue", "InitialVariantWeight": 1.0,
            "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
        }])
    );
    assert_eq!(
        serverless.retained.but,
        [VariantPropertyType::DesiredInstanceCount]
    );
    let back = update(
        &json!({"inference_option": "real-time", "instance_type": "ml.c5.large"}),
        &made(&serverless),
    );
    assert_eq!(
        config(&back)["ProductionVariants"],
        json!([{
            "VariantName": "blue", "InitialVariantWeight": 1.0, "InstanceType": "ml.c5.large",
            "InitialInstanceCount": 1,
        }])
    );
}

#[test]
fn a_variant_is_resized_that_gets_another_instance_type_or_loses_its_instances() {
    let one = made(&new(&json!({"variant_name": "blue"})));
    let mut two = one.clone();
    let mut green = two.production_variants.as_ref().expect("one")[0].clone();
    green.variant_name = Some("green".to_owned());
    two.production_variants.as_mut().expect("one").push(green);
    let serverless = made(&new(&json!({"inference_option": "serverless"})));
    let none: [&str; 0] = [];
    for (live, keys, expected) in [
        (&two, json!({"variant_name": "green"}), none.to_vec()),
        (
            &two,
            json!({"variant_name": "green", "instance_type": "ml.c5.large"}),
            vec!["green"],
        ),
        (
            &one,
            json!({"inference_option": "serverless"}),
            vec!["blue"],
        ),
        (
            &serverless,
            json!({"inference_option": "real-time"}),
            none.to_vec(),
        ),
    ] {
        let plan = update(&with_version_2(keys.clone()), live);
        assert_eq!(plan.resized, expected, "{keys}");
    }
}

#[test]
fn nothing_that_serverless_endpoints_cannot_have_is_lost_on_the_way_there() {
    let plain = made(&new(&json!({})));
    let to_serverless = with_version_2(json!({"inference_option": "serverless"}));
    assert_eq!(bad_keys(&to_serverless, &plain), Vec::<String>::new());
    let captured = made(&new(&json!({"data_capture_s3_uri": "s3://b/x"})));
    let encrypted = made(&new(&json!({"kms_key_id": "alias/x"})));
    let mut two = plain.clone();
    let mut green = two.production_variants.as_ref().expect("one")[0].clone();
    green.variant_name = Some("green".to_owned());
    two.production_variants.as_mut().expect("one").push(green);
    let mut named = to_serverless.clone();
    named["variant_name"] = json!("green");
    for (live, keys) in [
        (&captured, &to_serverless),
        (&encrypted, &to_serverless),
        (&two, &named),
    ] {
        assert_eq!(bad_keys(keys, live), ["inference_option"]);
    }
    let request = request_in(
        DeploymentKind::Existing,
        &to_serverless,
        &Environment::new(),
    );
    let isolated = DescribeModelOutput::builder()
        .enable_network_isolation(true)
        .build();
    let live = Live {
        config: plain.into(),
        model: Some(isolated.into()),
        environment: BTreeMap::new(),
    };
    match Plan::update(&request, &live).expect_err("it would be open") {
        Refused::Keys(bad) => assert!(bad[0].reason.contains("network isolation"), "{bad:?}"),
        Refused::Live(why) => panic!("{why:?}"),
    }
}

#[test]
fn counts_are_kept_unless_one_is_asked_for() {
    let live = made(&new(&json!({})));
    let kept = update(&version(2), &live).retained;
    assert_eq!(
        kept,
        Retained {
            all: true,
            but: vec![]
        }
    );
    let counted = update(&with_version_2(json!({"initial_instance_count": 4})), &live).retained;
    assert_eq!(
        counted,
        Retained {
            all: true,
            but: vec![VariantPropertyType::DesiredInstanceCount]
        }
    );
    let off = json!({"initial_instance_count": 4, "retain_all_variant_properties": "false"});
    let reset = update(&with_version_2(off), &live).retained;
    assert_eq!(
        reset,
        Retained {
            all: false,
            but: vec![]
        }
    );
}

#[test]
fn one_count_of_several_variants_is_not_set_at_the_cost_of_the_others() {
    let mut live = made(&new(&json!({})));
    let mut green = live.production_variants.as_ref().expect("one")[0].clone();
    green.variant_name = Some("green".to_owned());
    live.production_variants.as_mut().expect("one").push(green);
    let mut keys = with_version_2(json!({"variant_name": "green", "initial_instance_count": 4}));
    assert_eq!(bad_keys(&keys, &live), ["initial_instance_count"]);
    keys["retain_all_variant_properties"] = json!(false);
    assert_eq!(bad_keys(&keys, &live), Vec::<String>::new());
}

#[test]
fn the_network_settings_of_the_live_model_stay_unless_the_event_says_otherwise() {
    let config = made(&new(&json!({})));
    let vpc = VpcConfig::builder()
        .subnets("subnet-live")
        .security_group_ids("sg-live")
        .build();
    let live_model = DescribeModelOutput::builder()
        .vpc_config(vpc)
        .enable_network_isolation(true)
        .build();
    let stack = Environment::from([
        ("SUBNETS".to_owned(), "subnet-stack".to_owned()),
        ("SECURITY_GROUP_IDS".to_owned(), "sg-stack".to_owned()),
        ("ENABLE_NETWORK_ISOLATION".to_owned(), "true".to_owned()),
    ]);
    let plan = |keys: Value, live: &DescribeModelOutput| {
        let request = request_in(DeploymentKind::Existing, &with_version_2(keys), &stack);
        let live = Live {
            config: config.clone().into(),
            model: Some(live.clone().into()),
            environment: BTreeMap::new(),
        };
        model(&Plan::update(&request, &live).expect("it fits"))
    };
    let kept = plan(json!({}), &live_model);
    assert_eq!(kept["VpcConfig"]["Subnets"], json!(["subnet-live"]));
    assert_eq!(kept["EnableNetworkIsolation"], true);
    let said = json!({
        "subnets": "subnet-event", "security_group_ids": "sg-event", "enable_network_isolation": false,
    });
    let changed = plan(said, &live_model);
    assert_eq!(
        changed["VpcConfig"],
        json!({"Subnets": ["subnet-event"], "SecurityGroupIds": ["sg-event"]})
    );
    assert_eq!(changed.get("EnableNetworkIsolation"), None);
    // A live model that is open stays so; a VPC that it does not have is the stack's to give.
    let open = DescribeModelOutput::builder()
        .enable_network_isolation(false)
        .build();
    assert_eq!(plan(json!({}), &open).get("EnableNetworkIsolation"), None);
}
