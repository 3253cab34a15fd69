//! The shapes of endpoints, new and live.

use aws_sdk_sagemaker::types::{CaptureMode, VpcConfig};

use super::*;

/// The wire form of an endpoint config, without its names.
fn config(plan: &Plan) -> Value {
    let mut config = content(&plan.endpoint_config);
    config
        .as_object_mut()
        .expect("an object")
        .remove("EndpointConfigName");
    for variant in config["ProductionVariants"]
        .as_array_mut()
        .expect("variants")
    {
        variant
            .as_object_mut()
            .expect("an object")
            .remove("ModelName");
    }
    config
}

fn model(plan: &Plan) -> Value {
    let input = (*plan.model).clone().build().expect("complete");
    wire_form(
        aws_sdk_sagemaker::operation::create_model::CreateModelInput::SCHEMA,
        &input,
    )
}

/// What a plan leads to, as the service describes it.
fn made(plan: &Plan) -> DescribeEndpointConfigOutput {
    let made = (*plan.endpoint_config).clone().build().expect("complete");
    DescribeEndpointConfigOutput::builder()
        .endpoint_config_name(&plan.endpoint_config_name)
        .set_production_variants(made.production_variants)
        .set_data_capture_config(made.data_capture_config)
        .set_async_inference_config(made.async_inference_config)
        .set_kms_key_id(made.kms_key_id)
        .build()
}

fn bad_keys(changes: &Value, live: &DescribeEndpointConfigOutput) -> Vec<String> {
    let bad = refused_keys(changes, live);
    bad.into_iter().map(|bad| bad.key).collect()
}

fn with_version_2(mut keys: Value) -> Value {
    keys["package_arn"] = version(2)["package_arn"].clone();
    keys
}

#[test]
fn instance_keys_shape_a_new_variant() {
    let plan = new(&json!({
        "instance_type": "ml.g5.xlarge", "initial_instance_count": "2", "volume_size_gb": 64,
        "model_data_download_timeout_seconds": 1200, "container_startup_health_check_timeout_seconds": 900,
        "kms_key_id": "alias/disk",
    }));
    let expected = json!({
        "ProductionVariants": [{
            "VariantName": "AllTraffic", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 2,
            "InitialVariantWeight": 1.0, "VolumeSizeInGB": 64, "ModelDataDownloadTimeoutInSeconds": 1200,
            "ContainerStartupHealthCheckTimeoutInSeconds": 900,
        }],
        "KmsKeyId": "alias/disk",
        "Tags": [{"Key": "sagemaker-deployments:endpoint", "Value": "churn"}],
    });
    assert_eq!(config(&plan), expected);
}

#[test]
fn a_serverless_endpoint_has_no_instances() {
    let defaults = new(&json!({"inference_option": "serverless"}));
    assert_eq!(
        config(&defaults)["ProductionVariants"][0],
        json!({
            "VariantName": "AllTraffic", "InitialVariantWeight": 1.0,
            "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
        })
    );
    assert_eq!(defaults.instance_type, None);
    let all = new(&json!({
        "inference_option": "serverless", "serverless_memory_size_mb": 4096,
        "serverless_max_concurrency": 20, "serverless_provisioned_concurrency": 3,
    }));
    assert_eq!(
        config(&all)["ProductionVariants"][0]["ServerlessConfig"],
        json!({"MemorySizeInMB": 4096, "MaxConcurrency": 20, "ProvisionedConcurrency": 3})
    );
}

#[test]
fn an_async_endpoint_answers_through_s3() {
    let least = new(&json!({"inference_option": "async", "async_s3_output_path": "s3://b/out"}));
    assert_eq!(
        config(&least)["AsyncInferenceConfig"],
        json!({"OutputConfig": {"S3OutputPath": "s3://b/out"}})
    );
    let all = new(&json!({
        "inference_option": "async", "async_s3_output_path": "s3://b/out", "async_s3_failure_path": "s3://b/failed",
        "async_success_topic": "arn:aws:sns:eu-west-1:123456789012:done",
        "async_error_topic": "arn:aws:sns:eu-west-1:123456789012:failed",
        "async_max_concurrent_invocations_per_instance": 4,
    }));
    assert_eq!(
        config(&all)["AsyncInferenceConfig"],
        json!({
            "OutputConfig": {
                "S3OutputPath": "s3://b/out", "S3FailurePath": "s3://b/failed",
                "NotificationConfig": {
                    "SuccessTopic": "arn:aws:sns:eu-west-1:123456789012:done",
                    "ErrorTopic": "arn:aws:sns:eu-west-1:123456789012:failed",
                },
            },
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        })
    );
}

#[test]
fn capture_takes_requests_and_responses() {
    let plan = new(
        &json!({"data_capture_s3_uri": "s3://b/captured", "data_capture_sampling_percentage": 25}),
    );
    assert_eq!(
        config(&plan)["DataCaptureConfig"],
        json!({
            "EnableCapture": true, "DestinationS3Uri": "s3://b/captured", "InitialSamplingPercentage": 25,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"],
            },
        })
    );
    let whole = new(&json!({"data_capture_s3_uri": "s3://b/captured"}));
    assert_eq!(
        config(&whole)["DataCaptureConfig"]["InitialSamplingPercentage"],
        100
    );
}

#[test]
fn network_settings_and_tags_go_where_the_service_has_them() {
    let plan = new(&json!({
        "subnets": "subnet-1,subnet-2", "security_group_ids": "sg-1", "enable_network_isolation": "true",
        "tags": "team=ml,stage=",
    }));
    let tags = json!([
        {"Key": "team", "Value": "ml"},
        {"Key": "stage", "Value": ""},
        {"Key": "sagemaker-deployments:endpoint", "Value": "churn"},
    ]);
    assert_eq!(
        model(&plan)["VpcConfig"],
        json!({"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]})
    );
    assert_eq!(model(&plan)["EnableNetworkIsolation"], true);
    assert_eq!(model(&plan)["Tags"], tags);
    assert_eq!(config(&plan)["Tags"], tags);
    assert_eq!(plan.tags.len(), 2);
    // A model that is not isolated is the same whether the event says so or says nothing.
    let open = new(&json!({"enable_network_isolation": false}));
    assert_eq!(open.model_name, new(&json!({})).model_name);
}

mod updates;
