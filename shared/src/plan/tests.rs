use std::collections::BTreeSet;

use aws_sdk_sagemaker::types::DataCaptureConfig;
use serde_json::json;

use super::*;
use crate::contract::Environment;

fn request(changes: &Value) -> DeployRequest {
    let mut event = json!({
        "role": "arn:aws:iam::123456789012:role/SageMakerRole",
        "endpoint_name": "churn",
        "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
    });
    for (key, value) in changes.as_object().expect("an object") {
        event[key] = value.clone();
    }
    DeployRequest::parse(&event.to_string(), &Environment::new()).expect("a good request")
}

fn version(number: u32) -> Value {
    let arn = format!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/{number}");
    json!({ "package_arn": arn })
}

/// The live config that a plan leads to, as the service describes it.
fn live(plan: &Plan) -> DescribeEndpointConfigOutput {
    let made = plan.endpoint_config.clone().build().expect("complete");
    DescribeEndpointConfigOutput::builder()
        .endpoint_config_name(&plan.endpoint_config_name)
        .endpoint_config_arn("arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/x")
        .set_production_variants(made.production_variants)
        .set_data_capture_config(made.data_capture_config)
        .build()
}

fn variants(plan: &Plan) -> Vec<ProductionVariant> {
    plan.endpoint_config
        .get_production_variants()
        .clone()
        .unwrap_or_default()
}

fn update(changes: &Value, live: &DescribeEndpointConfigOutput) -> Plan {
    Plan::update(&request(changes), live).expect("the request fits the live config")
}

#[test]
fn a_new_endpoint_has_the_contracts_defaults() {
    let plan = Plan::new_endpoint(&request(&json!({})));
    let variants = variants(&plan);
    assert_eq!(variants.len(), 1);
    assert_eq!(variants[0].variant_name.as_deref(), Some("AllTraffic"));
    assert_eq!(variants[0].initial_instance_count, Some(1));
    assert_eq!(plan.instance_type.as_deref(), Some("ml.m5.xlarge"));
    assert_eq!(variants[0].model_name.as_ref(), Some(&plan.model_name));
}

#[test]
fn the_same_inputs_give_the_same_names_and_any_other_input_gives_others() {
    let plan = |changes: &Value| Plan::new_endpoint(&request(changes));
    let base = plan(&json!({}));
    assert_eq!(plan(&json!({})), base);
    // Neither how the event is written nor how it is waited for is part of what is deployed.
    let same =
        json!({"endpoint_name": "CHURN", "max_wait_seconds": "5", "instance_type": "ml.m5.xlarge"});
    assert_eq!(plan(&same).endpoint_config_name, base.endpoint_config_name);
    // Each of these is another model on another config …
    for changes in [
        version(2),
        json!({"role": "arn:aws:iam::123456789012:role/Other"}),
        json!({"endpoint_name": "churn-2"}),
        json!({"deployment_id": "again"}),
    ] {
        assert_ne!(plan(&changes).model_name, base.model_name, "{changes}");
        assert_ne!(
            plan(&changes).endpoint_config_name,
            base.endpoint_config_name,
            "{changes}"
        );
    }
    // … and these are the same model on another config.
    for changes in [
        json!({"variant_name": "blue"}),
        json!({"instance_type": "ml.g5.xlarge"}),
        json!({"initial_instance_count": 2}),
    ] {
        assert_eq!(plan(&changes).model_name, base.model_name, "{changes}");
        assert_ne!(
            plan(&changes).endpoint_config_name,
            base.endpoint_config_name,
            "{changes}"
        );
    }
}

#[test]
fn an_update_swaps_the_model_and_keeps_what_is_live() {
    let capture = DataCaptureConfig::builder()
        .initial_sampling_percentage(7)
        .destination_s3_uri("s3://bucket/capture")
        .build();
    let mut live = live(&Plan::new_endpoint(&request(&json!({
        "instance_type": "ml.g5.xlarge", "initial_instance_count": 3, "variant_name": "blue",
    }))));
    live.data_capture_config = Some(capture.clone());

    let plan = update(&version(2), &live);

    let variants = variants(&plan);
    assert_eq!(variants[0].model_name.as_ref(), Some(&plan.model_name));
    assert_eq!(variants[0].variant_name.as_deref(), Some("blue"));
    assert_eq!(variants[0].initial_instance_count, Some(3));
    assert_eq!(plan.instance_type.as_deref(), Some("ml.g5.xlarge"));
    assert_eq!(
        plan.endpoint_config.get_data_capture_config(),
        &Some(capture)
    );
    assert_eq!(plan.live_endpoint_config, live.endpoint_config_name);
}

#[test]
fn an_update_changes_what_the_event_sets_and_not_what_the_environment_sets() {
    let live = live(&Plan::new_endpoint(&request(
        &json!({"instance_type": "ml.g5.xlarge"}),
    )));
    let stack = Environment::from([
        ("INSTANCE_TYPE".to_owned(), "ml.m5.large".to_owned()),
        ("INITIAL_INSTANCE_COUNT".to_owned(), "9".to_owned()),
    ]);
    let event = json!({
        "role": "arn:aws:iam::123456789012:role/SageMakerRole",
        "endpoint_name": "churn",
        "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/2",
        "initial_instance_count": 4,
    });
    let request = DeployRequest::parse(&event.to_string(), &stack).expect("a good request");
    let plan = Plan::update(&request, &live).expect("it fits");
    assert_eq!(variants(&plan)[0].initial_instance_count, Some(4));
    assert_eq!(plan.instance_type.as_deref(), Some("ml.g5.xlarge"));
}

#[test]
fn what_is_live_already_is_planned_under_its_own_name() {
    // Made by this product …
    let first = Plan::new_endpoint(&request(&json!({})));
    let again = update(&json!({}), &live(&first));
    assert_eq!(again.endpoint_config_name, first.endpoint_config_name);
    // … and with what the service adds of its own, which gives the config another content than was asked.
    let mut normalised = live(&first);
    normalised.enable_network_isolation = Some(false);
    assert_eq!(
        update(&json!({}), &normalised).endpoint_config_name,
        first.endpoint_config_name
    );
}

#[test]
fn going_back_to_an_earlier_package_finds_its_names_again() {
    let first = update(
        &version(1),
        &live(&Plan::new_endpoint(&request(&version(9)))),
    );
    let second = update(&version(2), &live(&first));
    let back = update(&version(1), &live(&second));
    assert_eq!(back.model_name, first.model_name);
    assert_eq!(back.endpoint_config_name, first.endpoint_config_name);
}

#[test]
fn of_several_variants_one_must_be_named() {
    let mut live = live(&Plan::new_endpoint(&request(
        &json!({"variant_name": "blue"}),
    )));
    let mut green = live.production_variants.clone().unwrap_or_default()[0].clone();
    green.variant_name = Some("green".to_owned());
    live.production_variants.as_mut().expect("one").push(green);

    let bad = Plan::update(&request(&version(2)), &live).expect_err("which one?");
    assert_eq!(bad[0].key, "variant_name");
    assert!(bad[0].reason.contains("blue, green"), "{}", bad[0].reason);

    let mut changes = version(2);
    changes["variant_name"] = json!("red");
    let bad = Plan::update(&request(&changes), &live).expect_err("no such variant");
    assert!(bad[0].reason.contains("blue, green"), "{}", bad[0].reason);

    changes["variant_name"] = json!("green");
    let variants = variants(&update(&changes, &live));
    assert_eq!(
        variants[0],
        live.production_variants.as_ref().expect("two")[0]
    );
    assert_ne!(variants[1].model_name, variants[0].model_name);
}

#[test]
fn a_model_in_any_variant_is_in_use() {
    let mut config = live(&Plan::new_endpoint(&request(&json!({}))));
    let served = config.production_variants.as_ref().expect("one")[0]
        .model_name
        .clone()
        .expect("named");
    assert!(uses_model(&config, &served));
    config.shadow_production_variants = config.production_variants.take();
    assert!(uses_model(&config, &served));
    assert!(!uses_model(&config, "model-other"));
}

/// A member that a newer SDK adds to both shapes makes this fail, until `carried_over` has it.
#[test]
fn every_member_that_is_described_and_can_be_created_is_carried_over() {
    let members = |schema: &aws_smithy_schema::Schema<'_>| -> BTreeSet<String> {
        let members = schema.members().iter();
        members
            .filter_map(|member| member.member_name().map(str::to_owned))
            .collect()
    };
    let described = members(DescribeEndpointConfigOutput::SCHEMA);
    let created = members(CreateEndpointConfigInput::SCHEMA);
    let both: BTreeSet<_> = described
        .intersection(&created)
        .map(String::as_str)
        .collect();
    let carried = BTreeSet::from([
        "ProductionVariants",
        "DataCaptureConfig",
        "KmsKeyId",
        "AsyncInferenceConfig",
        "ExplainerConfig",
        "ShadowProductionVariants",
        "ExecutionRoleArn",
        "VpcConfig",
        "EnableNetworkIsolation",
        "MetricsConfig",
        // Derived anew.
        "EndpointConfigName",
    ]);
    assert_eq!(both, carried);
}
