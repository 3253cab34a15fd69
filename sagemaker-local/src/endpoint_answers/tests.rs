use serde_json::json;

use crate::clock::timestamp;
use crate::outcomes::Outcome;
use crate::scene::{Scene, endpoint_arn, named, on, told};

#[test]
fn an_endpoint_is_created_and_comes_into_service() {
    let mut scene = Scene::with_configs();
    let created = scene.now;
    assert_eq!(
        scene.done("CreateEndpoint", on("Shop", "a")),
        json!({ "EndpointArn": endpoint_arn("Shop") })
    );
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("Creating", "a", Some("a"), None));
    assert_eq!(described.get("ProductionVariants"), None);

    scene.pass(3.0);
    let summary = json!({
        "VariantName": "AllTraffic",
        "DeployedImages": [{
            "SpecifiedImage": "image",
            "ResolvedImage": "image",
            "ResolutionTime": timestamp(created),
        }],
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 2,
        "DesiredInstanceCount": 2,
    });
    assert_eq!(
        scene.done("DescribeEndpoint", named("Shop")),
        json!({
            "EndpointName": "Shop",
            "EndpointArn": endpoint_arn("Shop"),
            "EndpointConfigName": "a",
            "EndpointStatus": "InService",
            "CreationTime": timestamp(created),
            "LastModifiedTime": timestamp(scene.now),
            "ProductionVariants": [summary],
        })
    );
}

#[test]
fn a_stale_read_sees_things_as_they_were_before_the_last_update() {
    let mut scene = Scene::in_service();
    let before = scene.done("DescribeEndpoint", named("Shop"));
    scene.pass(10.0);
    scene.done("UpdateEndpoint", on("Shop", "b"));
    scene.pass(1.0);
    assert_eq!(
        scene.stale("DescribeEndpoint", named("Shop")),
        Ok(before.clone())
    );
    let listed = scene.stale("ListEndpoints", json!({})).expect("a list");
    assert_eq!(listed["Endpoints"][0]["EndpointStatus"], "InService");
    assert_eq!(
        listed["Endpoints"][0]["LastModifiedTime"],
        before["LastModifiedTime"]
    );
}

#[test]
fn a_stale_read_does_not_see_what_was_only_created() {
    let mut scene = Scene::in_service();
    let refused = scene
        .stale("DescribeEndpoint", named("Shop"))
        .expect_err("not there before");
    assert_eq!(
        refused.message,
        format!("Could not find endpoint \"{}\".", endpoint_arn("Shop"))
    );
    assert_eq!(
        scene.stale("ListEndpoints", json!({})),
        Ok(json!({ "Endpoints": [] }))
    );
}

#[test]
fn endpoints_are_listed_with_their_present_status() {
    let mut scene = Scene::in_service();
    scene.done("CreateEndpoint", on("Till", "b"));
    let listed = scene.done("ListEndpoints", json!({ "StatusEquals": "Creating" }));
    assert_eq!(
        listed,
        json!({ "Endpoints": [{
            "EndpointName": "Till",
            "EndpointArn": endpoint_arn("Till"),
            "EndpointStatus": "Creating",
            "CreationTime": timestamp(scene.now),
            "LastModifiedTime": timestamp(scene.now),
        }] })
    );
    let listed = scene.done("ListEndpoints", json!({}));
    assert_eq!(listed["Endpoints"][1]["EndpointStatus"], "InService");

    let listed = scene.done(
        "ListEndpoints",
        json!({ "MaxResults": 1, "NameContains": "Sho" }),
    );
    assert_eq!(listed["Endpoints"], json!([]));
    assert!(listed["NextToken"].is_string(), "{listed}");
}

#[test]
fn the_description_tells_of_capture_inference_and_deployment() {
    let mut scene = Scene::with_configs();
    scene.config_of(
        "rich",
        "model",
        json!({
            "DataCaptureConfig": {
                "EnableCapture": true,
                "InitialSamplingPercentage": 50,
                "DestinationS3Uri": "s3://b/capture",
                "KmsKeyId": "key",
                "CaptureOptions": [{ "CaptureMode": "Input" }],
            },
            "AsyncInferenceConfig": { "OutputConfig": { "S3OutputPath": "s3://b/out" } },
            "ExplainerConfig": { "ClarifyExplainerConfig": {} },
        }),
    );
    let mut request = on("Shop", "rich");
    request["DeploymentConfig"] =
        json!({ "AutoRollbackConfiguration": { "Alarms": [{ "AlarmName": "errors" }] } });
    scene.done("CreateEndpoint", request.clone());
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(
        described["DataCaptureConfig"],
        json!({
            "EnableCapture": true,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 50,
            "DestinationS3Uri": "s3://b/capture",
            "KmsKeyId": "key",
        })
    );
    assert_eq!(
        described["AsyncInferenceConfig"],
        json!({ "OutputConfig": { "S3OutputPath": "s3://b/out" } })
    );
    assert_eq!(
        described["ExplainerConfig"],
        json!({ "ClarifyExplainerConfig": {} })
    );
    assert_eq!(
        described["LastDeploymentConfig"],
        request["DeploymentConfig"]
    );

    let mut again = on("Shop", "rich");
    again["RetainDeploymentConfig"] = true.into();
    scene.done("UpdateEndpoint", again);
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(
        described["LastDeploymentConfig"],
        request["DeploymentConfig"]
    );

    scene.done("UpdateEndpoint", on("Shop", "rich"));
    scene.pass(3.0);
    assert_eq!(
        scene
            .done("DescribeEndpoint", named("Shop"))
            .get("LastDeploymentConfig"),
        None
    );
}

#[test]
fn a_serverless_variant_and_a_packaged_model_are_summarised() {
    let mut scene = Scene::new();
    let container = json!({ "ModelPackageName": scene.package("shop") });
    scene.done(
        "CreateModel",
        json!({ "ModelName": "m", "PrimaryContainer": container }),
    );
    let serverless = json!({ "MemorySizeInMB": 2048, "MaxConcurrency": 5 });
    let variants =
        json!([{ "VariantName": "v", "ModelName": "m", "ServerlessConfig": serverless }]);
    scene.done(
        "CreateEndpointConfig",
        json!({ "EndpointConfigName": "a", "ProductionVariants": variants }),
    );
    scene.done("CreateEndpoint", on("Shop", "a"));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    let variant = &described["ProductionVariants"][0];
    assert_eq!(variant["CurrentServerlessConfig"], serverless);
    assert_eq!(variant["DesiredServerlessConfig"], serverless);
    assert_eq!(variant.get("CurrentInstanceCount"), None);
    assert_eq!(variant["DeployedImages"][0]["SpecifiedImage"], "packaged");
}

#[test]
fn a_deployment_that_is_over_is_no_longer_pending() {
    let mut scene = Scene::in_service();
    let outcome = Outcome::UpdateRollbackFails { reason: None };
    scene.account.outcomes.set("Shop", outcome);
    scene.done("UpdateEndpoint", on("Shop", "b"));
    scene.pass(4.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("UpdateRollbackFailed", "a", None, None));
    scene.done("DeleteEndpoint", named("Shop"));
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("Deleting", "a", None, None));
}
