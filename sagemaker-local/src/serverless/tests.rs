use serde_json::{Value, json};

use crate::scene::Scene;

/// A serverless config that is accepted, for the model `m`.
fn accepted() -> Value {
    json!({
        "EndpointConfigName": "config",
        "ProductionVariants": [{
            "VariantName": "v",
            "ModelName": "m",
            "ServerlessConfig": { "MemorySizeInMB": 2048, "MaxConcurrency": 5 },
        }],
    })
}

/// A scene with the model `m`.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.model("m");
    scene
}

/// The error of creating a config, which must name the member and the variant.
#[track_caller]
fn assert_refused(scene: &mut Scene, request: Value, member: &str) {
    let refused = scene.refused("CreateEndpointConfig", request);
    assert_eq!(refused.code, "ValidationException", "{refused}");
    for part in [member, "\"v\""] {
        assert!(refused.message.contains(part), "{part}: {refused}");
    }
}

#[test]
fn a_serverless_variant_has_nothing_that_is_for_instances() {
    for (member, value) in [
        ("InstanceType", json!("ml.m5.large")),
        ("InitialInstanceCount", json!(1)),
        ("VolumeSizeInGB", json!(10)),
        ("ModelDataDownloadTimeoutInSeconds", json!(60)),
        ("ContainerStartupHealthCheckTimeoutInSeconds", json!(60)),
        ("ManagedInstanceScaling", json!({ "Status": "DISABLED" })),
        (
            "InstancePools",
            json!([{ "InstanceType": "ml.m5.large", "Priority": 1 }]),
        ),
        ("RoutingConfig", json!({ "RoutingStrategy": "RANDOM" })),
    ] {
        let mut request = accepted();
        request["ProductionVariants"][0][member] = value;
        assert_refused(&mut scene(), request.clone(), member);

        request["ProductionVariants"][0][member] = Value::Null;
        scene().done("CreateEndpointConfig", request);
    }
}

#[test]
fn a_serverless_variant_may_have_a_weight() {
    for weight in [json!(1.0), json!(1), json!(0)] {
        let mut request = accepted();
        request["ProductionVariants"][0]["InitialVariantWeight"] = weight;
        scene().done("CreateEndpointConfig", request);
    }
}

#[test]
fn a_serverless_config_has_nothing_that_is_for_instances() {
    let capture = |enabled: Value| {
        json!({
            "EnableCapture": enabled,
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": "s3://b/capture",
            "CaptureOptions": [{ "CaptureMode": "Input" }],
        })
    };
    for (member, value) in [
        ("KmsKeyId", json!("key")),
        ("DataCaptureConfig", capture(true.into())),
        ("DataCaptureConfig", capture(Value::Null)),
        (
            "AsyncInferenceConfig",
            json!({ "OutputConfig": { "S3OutputPath": "s3://b/out" } }),
        ),
        ("ExplainerConfig", json!({ "ClarifyExplainerConfig": {} })),
    ] {
        let mut request = accepted();
        request[member] = value;
        assert_refused(&mut scene(), request, member);
    }

    let mut request = accepted();
    request["DataCaptureConfig"] = capture(false.into());
    scene().done("CreateEndpointConfig", request);
}

#[test]
fn a_serverless_variant_is_alone() {
    let serverless = accepted()["ProductionVariants"][0].clone();
    let mut second = serverless.clone();
    second["VariantName"] = "w".into();
    let instances = json!({
        "VariantName": "w",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    });
    for (production, shadow, member) in [
        (
            json!([serverless, second]),
            json!(null),
            "ProductionVariants",
        ),
        (
            json!([serverless, instances]),
            json!(null),
            "ProductionVariants",
        ),
        (
            json!([instances, serverless]),
            json!(null),
            "ProductionVariants",
        ),
        (
            json!([serverless]),
            json!([instances]),
            "ShadowProductionVariants",
        ),
        (
            json!([instances]),
            json!([serverless]),
            "ShadowProductionVariants",
        ),
    ] {
        let request = json!({
            "EndpointConfigName": "config",
            "ProductionVariants": production,
            "ShadowProductionVariants": shadow,
        });
        assert_refused(&mut scene(), request, member);
    }
}

#[test]
fn its_memory_and_concurrency_fit() {
    for (memory, most, provisioned, wrong) in [
        (1500, 5, 1, Some("MemorySizeInMB")),
        (2048, 5, 6, Some("ProvisionedConcurrency")),
        (2048, 5, 5, None),
        (6144, 200, 200, None),
    ] {
        let mut request = accepted();
        request["ProductionVariants"][0]["ServerlessConfig"] = json!({
            "MemorySizeInMB": memory,
            "MaxConcurrency": most,
            "ProvisionedConcurrency": provisioned,
        });
        match wrong {
            Some(member) => assert_refused(&mut scene(), request, member),
            None => {
                scene().done("CreateEndpointConfig", request);
            }
        }
    }
}

#[test]
fn its_model_has_no_network_of_its_own() {
    let vpc = json!({ "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"] });
    for (more, wrong) in [
        (json!({ "VpcConfig": vpc }), Some("VpcConfig")),
        (
            json!({ "EnableNetworkIsolation": true }),
            Some("EnableNetworkIsolation"),
        ),
        (json!({ "EnableNetworkIsolation": false }), None),
        (json!({ "VpcConfig": null }), None),
    ] {
        let mut scene = Scene::new();
        let mut model = json!({ "ModelName": "m", "PrimaryContainer": { "Image": "image" } });
        let Value::Object(more) = more else {
            panic!("an object")
        };
        model.as_object_mut().expect("an object").extend(more);
        scene.done("CreateModel", model);
        match wrong {
            Some(member) => assert_refused(&mut scene, accepted(), member),
            None => {
                scene.done("CreateEndpointConfig", accepted());
            }
        }
        // With instances it may have one.
        scene.config("instances", "m");
    }
}
