//! Requests that are accepted, for the tests to break.

use serde_json::{Value, json};

/// The example of an operation.
pub(super) fn example(operation: &str) -> Value {
    match operation {
        "CreateModel" => model(),
        "CreateEndpointConfig" => config(),
        "UpdateEndpoint" => update(),
        _ => weights(),
    }
}

fn model() -> Value {
    json!({
        "ModelName": "m",
        "PrimaryContainer": { "Image": "image", "Environment": { "A": "b" } },
        "VpcConfig": { "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"] },
        "EnableNetworkIsolation": true,
        "Tags": [{ "Key": "k", "Value": "v" }],
    })
}

fn config() -> Value {
    json!({
        "EndpointConfigName": "c",
        "ProductionVariants": [{
            "VariantName": "v",
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1.0,
            "EnableSSMAccess": false,
            "ManagedInstanceScaling": { "Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2 },
            "RoutingConfig": { "RoutingStrategy": "RANDOM" },
        }],
        "DataCaptureConfig": {
            "EnableCapture": true,
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": "s3://bucket/capture",
            "CaptureOptions": [{ "CaptureMode": "Input" }],
            "CaptureContentTypeHeader": { "CsvContentTypes": ["text/csv"] },
        },
        "AsyncInferenceConfig": {
            "ClientConfig": { "MaxConcurrentInvocationsPerInstance": 4 },
            "OutputConfig": {
                "S3OutputPath": "s3://bucket/out",
                "S3FailurePath": "https://bucket/failed",
                "NotificationConfig": {
                    "SuccessTopic": "arn:aws:sns:eu-west-1:123456789012:done",
                    "ErrorTopic": "arn:aws:sns:eu-west-1:123456789012:failed",
                    "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"],
                },
            },
        },
        "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/a-b",
        "MetricsConfig": { "EnableEnhancedMetrics": true, "MetricPublishFrequencyInSeconds": 60 },
    })
}

fn update() -> Value {
    json!({
        "EndpointName": "e",
        "EndpointConfigName": "c",
        "RetainAllVariantProperties": true,
        "ExcludeRetainedVariantProperties": [
            { "VariantPropertyType": "DesiredInstanceCount" },
            { "VariantPropertyType": "DesiredWeight" },
            { "VariantPropertyType": "DataCaptureConfig" },
        ],
        "RetainDeploymentConfig": false,
    })
}

fn weights() -> Value {
    json!({
        "EndpointName": "e",
        "DesiredWeightsAndCapacities": [{ "VariantName": "v", "DesiredWeight": 0.5, "DesiredInstanceCount": 0 }],
    })
}
