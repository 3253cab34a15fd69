use super::*;
use crate::scene::Scene;

fn arn(name: &str) -> String {
    format!("arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/{name}")
}

/// A request with these variants, of which each serves a model that exists.
fn with_variants(variants: &Value) -> Value {
    json!({ "EndpointConfigName": "config", "ProductionVariants": variants })
}

#[test]
fn a_config_is_described_as_it_was_created() {
    let mut scene = Scene::new();
    scene.model("model");
    let variant = json!({
        "VariantName": "AllTraffic",
        "ModelName": "model",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "RoutingConfig": { "RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS" },
        "FromTheFuture": true,
    });
    let mut shadow = variant.clone();
    shadow["VariantName"] = "Shadow".into();
    let request = json!({
        "EndpointConfigName": "Config",
        "ProductionVariants": [variant],
        "ShadowProductionVariants": [shadow],
        "DataCaptureConfig": {
            "EnableCapture": true,
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": "s3://b/capture",
            "CaptureOptions": [{ "CaptureMode": "Input" }],
        },
        "AsyncInferenceConfig": { "OutputConfig": { "S3OutputPath": "s3://b/out" } },
        "ExplainerConfig": { "ClarifyExplainerConfig": {} },
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/Run",
        "VpcConfig": { "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"] },
        "EnableNetworkIsolation": true,
        "KmsKeyId": "key",
    });
    assert_eq!(
        scene.done("CreateEndpointConfig", request.clone()),
        json!({ "EndpointConfigArn": arn("Config") })
    );
    let mut expected = request;
    for list in ["ProductionVariants", "ShadowProductionVariants"] {
        expected[list][0]["InitialVariantWeight"] = json!(1.0);
    }
    expected["EndpointConfigArn"] = arn("Config").into();
    expected["CreationTime"] = timestamp(scene.now);
    let described = scene.done(
        "DescribeEndpointConfig",
        json!({ "EndpointConfigName": "Config" }),
    );
    assert_eq!(described, expected);
}

#[test]
fn a_described_weight_is_the_one_asked_for_or_one() {
    for (asked, described) in [
        (json!(0.25), json!(0.25)),
        (json!(0), json!(0)),
        (json!(null), json!(1.0)),
    ] {
        let mut scene = Scene::new();
        scene.model("m");
        let variant = json!({
            "VariantName": "v",
            "ModelName": "m",
            "ServerlessConfig": { "MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": null },
            "InitialVariantWeight": asked,
        });
        scene.done("CreateEndpointConfig", with_variants(&json!([variant])));
        let answer = scene.done(
            "DescribeEndpointConfig",
            json!({ "EndpointConfigName": "config" }),
        );
        let variant = json!({
            "VariantName": "v",
            "ModelName": "m",
            "ServerlessConfig": { "MemorySizeInMB": 1024, "MaxConcurrency": 1 },
            "InitialVariantWeight": described,
        });
        let mut expected = with_variants(&json!([variant]));
        expected["EndpointConfigArn"] = arn("config").into();
        expected["CreationTime"] = timestamp(scene.now);
        assert_eq!(answer, expected);
    }
}

#[test]
fn a_config_is_created_once() {
    let mut scene = Scene::new();
    scene.model("model");
    scene.config("config", "model");
    let again = with_variants(&json!([{ "VariantName": "v", "ModelName": "model" }]));
    let refused = scene.refused("CreateEndpointConfig", again);
    assert_eq!(refused.code, "ValidationException");
    assert_eq!(
        refused.message,
        format!(
            "Cannot create already existing endpoint configuration \"{}\".",
            arn("config")
        )
    );
}

#[test]
fn its_models_must_be_there() {
    let mut scene = Scene::new();
    let variants = json!([
        { "VariantName": "v", "ModelName": "None", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 },
    ]);
    let refused = scene.refused("CreateEndpointConfig", with_variants(&variants));
    assert_eq!(refused.code, "ValidationException");
    assert_eq!(
        refused.message,
        "Could not find model \"arn:aws:sagemaker:eu-west-1:123456789012:model/None\"."
    );
}

#[test]
fn a_variant_has_one_name_a_model_and_one_kind_of_capacity() {
    for (good, variants) in [
        (false, json!([{ "VariantName": "v", "ModelName": "m" }])),
        (
            false,
            json!([{ "VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large" }]),
        ),
        (
            false,
            json!([{ "VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1 }]),
        ),
        (
            false,
            json!([{ "VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 }]),
        ),
        (
            false,
            json!([
                { "VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 },
                { "VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 },
            ]),
        ),
        (
            true,
            json!([{ "VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 }]),
        ),
        (
            true,
            json!([{
                "VariantName": "v",
                "ModelName": "m",
                "InstancePools": [{ "InstanceType": "ml.m5.large", "Priority": 1 }],
            }]),
        ),
        (
            true,
            json!([{
                "VariantName": "v",
                "ModelName": "m",
                "ServerlessConfig": { "MemorySizeInMB": 1024, "MaxConcurrency": 1 },
            }]),
        ),
    ] {
        let mut scene = Scene::new();
        scene.model("m");
        let answer = scene.call("CreateEndpointConfig", with_variants(&variants));
        assert_eq!(answer.is_ok(), good, "{variants} {answer:?}");
    }
}

#[test]
fn asynchronous_inference_needs_a_place_for_its_output() {
    let mut scene = Scene::new();
    scene.model("m");
    let mut request = with_variants(&json!([
        { "VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 },
    ]));
    request["AsyncInferenceConfig"] = json!({ "OutputConfig": {} });
    assert_eq!(
        scene.refused("CreateEndpointConfig", request).code,
        "ValidationException"
    );
}

#[test]
fn a_config_that_is_not_there_is_not_found() {
    let mut scene = Scene::new();
    scene.model("model");
    scene.config("Gone", "model");
    scene.done(
        "DeleteEndpointConfig",
        json!({ "EndpointConfigName": "Gone" }),
    );
    for operation in ["DescribeEndpointConfig", "DeleteEndpointConfig"] {
        let refused = scene.refused(operation, json!({ "EndpointConfigName": "Gone" }));
        assert_eq!(
            refused.message,
            format!("Could not find endpoint configuration \"{}\".", arn("Gone"))
        );
    }
}

#[test]
fn configs_are_listed() {
    let mut scene = Scene::new();
    scene.model("model");
    scene.config("a", "model");
    scene.config("b", "model");
    let listed = scene.done(
        "ListEndpointConfigs",
        json!({ "SortBy": "Name", "MaxResults": 1 }),
    );
    assert_eq!(
        listed["EndpointConfigs"],
        json!([{
            "EndpointConfigName": "b",
            "EndpointConfigArn": arn("b"),
            "CreationTime": timestamp(scene.now),
        }])
    );
    let listed = scene.done(
        "ListEndpointConfigs",
        json!({ "SortBy": "Name", "NextToken": listed["NextToken"] }),
    );
    assert_eq!(listed["EndpointConfigs"][0]["EndpointConfigName"], "a");
}
