use aws_sdk_sagemaker::types::{DataCaptureConfig, InstancePool, ProductionVariant, VpcConfig};
use serde_json::json;

use super::*;

fn described() -> DescribeEndpointConfigOutput {
    let pool = InstancePool::builder().instance_type("ml.g5.xlarge".into());
    let variant = ProductionVariant::builder()
        .variant_name("blue")
        .model_name("model-1")
        .instance_pools(pool.build());
    DescribeEndpointConfigOutput::builder()
        .endpoint_config_name("live")
        .production_variants(variant.build())
        .data_capture_config(DataCaptureConfig::builder().enable_capture(true).build())
        .build()
}

fn raw() -> Value {
    json!({
        "EndpointConfigName": "live",
        "EndpointConfigArn": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/live",
        "CreationTime": 1.0,
        "LastModifiedTime": 2.0,
        "KmsKeyId": null,
        "CrossRegionTrafficConfig": {"Regions": ["eu-north-1"]},
        "DataCaptureConfig": {"EnableCapture": true, "Redaction": "Names"},
        "ProductionVariants": [{
            "VariantName": "blue", "ModelName": "model-1", "Warmth": 3,
            "InstancePools": [{"InstanceType": "ml.g5.xlarge", "Spot": true}],
        }],
    })
}

fn named(unknown: &[Unknown]) -> Vec<String> {
    unknown.iter().map(ToString::to_string).collect()
}

#[test]
fn members_that_the_sdk_does_not_know_are_found_at_any_depth() {
    let whole = Whole::endpoint_config(described(), &raw());
    assert_eq!(
        named(whole.unknown()),
        [
            "CrossRegionTrafficConfig",
            "DataCaptureConfig.Redaction",
            "ProductionVariants[blue].InstancePools[ml.g5.xlarge].Spot",
            "ProductionVariants[blue].Warmth",
        ]
    );
}

#[test]
fn what_the_sdk_knows_is_not_unknown_and_neither_is_what_only_replies_have() {
    let mut known = raw();
    for pointer in ["", "/DataCaptureConfig", "/ProductionVariants/0"] {
        let object = known.pointer_mut(pointer).expect("there");
        let object = object.as_object_mut().expect("an object");
        for member in ["CrossRegionTrafficConfig", "Redaction", "Warmth"] {
            object.remove(member);
        }
    }
    let pool = known.pointer_mut("/ProductionVariants/0/InstancePools/0");
    pool.expect("one")["Spot"] = Value::Null;
    let whole = Whole::endpoint_config(described(), &known);
    assert_eq!(whole.unknown(), []);
}

#[test]
fn members_are_put_where_they_were_found() {
    let whole = Whole::endpoint_config(described(), &raw());
    let mut request = json!({
        "DataCaptureConfig": {"EnableCapture": false},
        "ProductionVariants": [
            {"VariantName": "green"},
            {"VariantName": "blue", "InstancePools": [
                {"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.g5.xlarge"},
            ]},
        ],
    });
    assert_eq!(put(whole.unknown(), &mut request), Ok(()));
    assert_eq!(
        request,
        json!({
            "CrossRegionTrafficConfig": {"Regions": ["eu-north-1"]},
            "DataCaptureConfig": {"EnableCapture": false, "Redaction": "Names"},
            "ProductionVariants": [
                {"VariantName": "green"},
                {"VariantName": "blue", "Warmth": 3, "InstancePools": [
                    {"InstanceType": "ml.m5.xlarge"},
                    {"InstanceType": "ml.g5.xlarge", "Spot": true},
                ]},
            ],
        })
    );
}

#[test]
fn a_member_without_a_place_is_named() {
    let whole = Whole::endpoint_config(described(), &raw());
    let mut request = json!({"ProductionVariants": [{"VariantName": "blue"}]});
    assert_eq!(
        put(whole.unknown(), &mut request),
        Err(vec![
            "DataCaptureConfig.Redaction".to_owned(),
            "ProductionVariants[blue].InstancePools[ml.g5.xlarge].Spot".to_owned(),
        ])
    );
}

#[test]
fn an_unknown_member_of_a_model_goes_to_the_model_after_it() {
    let vpc = VpcConfig::builder().subnets("subnet-1").build();
    let live = DescribeModelOutput::builder()
        .containers(
            aws_sdk_sagemaker::types::ContainerDefinition::builder()
                .image("image")
                .build(),
        )
        .vpc_config(vpc);
    let raw = json!({
        "ModelName": "live", "ModelArn": "arn", "Firewall": "on",
        "VpcConfig": {"Subnets": ["subnet-1"], "Ipv6": true},
        "Containers": [{"Image": "image", "Cache": "warm"}],
    });
    let live = Whole::model(live.build(), &raw);
    let next = of_next_model(live.unknown());
    let places = ["Firewall", "PrimaryContainer.Cache", "VpcConfig.Ipv6"];
    let mut found = named(&next);
    found.sort();
    assert_eq!(found, places);
}
