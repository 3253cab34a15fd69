use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::endpoints;
use crate::scene::{SHOP, Scene, named, on, scaling};

/// The one target that there is, as it is described.
#[track_caller]
fn described(scene: &mut Scene) -> Value {
    let answer = scene.done(
        "DescribeScalableTargets",
        json!({ "ServiceNamespace": "sagemaker" }),
    );
    let targets = answer["ScalableTargets"].as_array().expect("a list");
    assert_eq!(targets.len(), 1, "{answer}");
    targets[0].clone()
}

fn bounds(min: i64, max: i64) -> Value {
    json!({ "MinCapacity": min, "MaxCapacity": max })
}

/// The words with which the registration of a resource is refused.
#[track_caller]
fn refused(scene: &mut Scene, resource_id: &str, more: Value) -> String {
    let error = scene.refused("RegisterScalableTarget", scaling(resource_id, more));
    assert_eq!(error.code, "ValidationException");
    error.message
}

/// A scene whose endpoint `Shop` serves a config with these members.
fn serving(more: Value) -> Scene {
    let mut scene = Scene::new();
    scene.model("model");
    scene.config_of("a", "model", more);
    scene.done("CreateEndpoint", on("Shop", "a"));
    scene.pass(3.0);
    scene
}

fn asynchronous() -> Scene {
    let output = json!({ "S3OutputPath": "s3://bucket/out" });
    serving(json!({ "AsyncInferenceConfig": { "OutputConfig": output } }))
}

fn serverless(config: &Value) -> Scene {
    let variant =
        json!({ "VariantName": "AllTraffic", "ModelName": "model", "ServerlessConfig": config });
    serving(json!({ "ProductionVariants": [variant] }))
}

#[test]
fn a_variant_is_registered_and_described() {
    let mut scene = Scene::in_service();
    let answer = scene.done("RegisterScalableTarget", scaling(SHOP, bounds(1, 4)));
    let arn = answer["ScalableTargetARN"].as_str().expect("an ARN");
    let prefix = "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/";
    assert!(arn.starts_with(prefix), "{arn}");
    assert_eq!(
        described(&mut scene),
        json!({
            "ServiceNamespace": "sagemaker",
            "ResourceId": SHOP,
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": 1,
            "MaxCapacity": 4,
            "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
                        AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            "CreationTime": timestamp(scene.now),
            "SuspendedState": {
                "DynamicScalingInSuspended": false,
                "DynamicScalingOutSuspended": false,
                "ScheduledScalingSuspended": false,
            },
            "ScalableTargetARN": arn,
        })
    );
}

#[test]
fn a_change_keeps_what_it_leaves_out() {
    let mut scene = Scene::scaled();
    let before = described(&mut scene);
    scene.pass(5.0);
    for (change, member, wanted) in [
        (
            json!({ "MaxCapacity": 6 }),
            "/MaxCapacity",
            json!({ "MinCapacity": 1, "MaxCapacity": 6, "In": false, "Out": false }),
        ),
        (
            json!({ "MinCapacity": 2, "MaxCapacity": null }),
            "/MinCapacity",
            json!({ "MinCapacity": 2, "MaxCapacity": 6, "In": false, "Out": false }),
        ),
        (
            json!({ "SuspendedState": { "DynamicScalingInSuspended": true } }),
            "/SuspendedState",
            json!({ "MinCapacity": 2, "MaxCapacity": 6, "In": true, "Out": false }),
        ),
        (
            json!({ "SuspendedState": { "DynamicScalingOutSuspended": true, "DynamicScalingInSuspended": null } }),
            "/SuspendedState",
            json!({ "MinCapacity": 2, "MaxCapacity": 6, "In": true, "Out": true }),
        ),
        (
            json!({}),
            "nothing",
            json!({ "MinCapacity": 2, "MaxCapacity": 6, "In": true, "Out": true }),
        ),
    ] {
        let answer = scene.done("RegisterScalableTarget", scaling(SHOP, change));
        assert_eq!(answer["ScalableTargetARN"], before["ScalableTargetARN"]);
        let after = described(&mut scene);
        let told = json!({
            "MinCapacity": after["MinCapacity"],
            "MaxCapacity": after["MaxCapacity"],
            "In": after["SuspendedState"]["DynamicScalingInSuspended"],
            "Out": after["SuspendedState"]["DynamicScalingOutSuspended"],
        });
        assert_eq!(told, wanted, "{member}");
        assert_eq!(after["CreationTime"], before["CreationTime"]);
    }
}

#[test]
fn what_is_scaled_must_be_there_and_in_service() {
    let mut scene = Scene::in_service();
    assert_eq!(
        refused(&mut scene, "endpoint/None/variant/AllTraffic", bounds(1, 2)),
        "SageMaker endpoint doesn't exist: endpoint/None/variant/AllTraffic"
    );
    assert_eq!(
        refused(&mut scene, "endpoint/Shop/variant/Other", bounds(1, 2)),
        "SageMaker endpoint variant doesn't exist: endpoint/Shop/variant/Other"
    );
    scene.done("UpdateEndpoint", on("Shop", "b"));
    assert_eq!(
        refused(&mut scene, SHOP, bounds(1, 2)),
        format!("SageMaker endpoint is Updating, not InService: {SHOP}")
    );
    scene.pass(3.0);
    scene.done("RegisterScalableTarget", scaling(SHOP, bounds(1, 2)));
    let now = scene.now;
    endpoints::force_status(&mut scene.account, "Shop", "SystemUpdating", None, now);
    assert_eq!(
        refused(&mut scene, SHOP, bounds(1, 3)),
        format!("SageMaker endpoint is SystemUpdating, not InService: {SHOP}")
    );
}

#[test]
fn an_endpoint_is_found_in_any_case_and_a_target_to_the_letter() {
    let mut scene = Scene::in_service();
    let other = "endpoint/SHOP/variant/AllTraffic";
    scene.done("RegisterScalableTarget", scaling(other, bounds(1, 2)));
    assert_eq!(described(&mut scene)["ResourceId"], other);
    assert_eq!(
        scene
            .refused("DeregisterScalableTarget", scaling(SHOP, json!({})))
            .code,
        "ObjectNotFoundException"
    );
    assert_eq!(
        refused(&mut scene, "endpoint/Shop/variant/alltraffic", bounds(1, 2)),
        "SageMaker endpoint variant doesn't exist: endpoint/Shop/variant/alltraffic"
    );
}

#[test]
fn only_variants_are_scaled() {
    let mut scene = Scene::in_service();
    let unsupported = "Unsupported service namespace, resource type or scalable dimension";
    for (member, value) in [
        ("ResourceId", "Shop"),
        ("ResourceId", "endpoint/Shop"),
        ("ResourceId", "endpoint//variant/AllTraffic"),
        ("ResourceId", "endpoint/Shop/variant/AllTraffic/more"),
        ("ResourceId", "inference-component/Shop"),
        (
            "ScalableDimension",
            "sagemaker:inference-component:DesiredCopyCount",
        ),
        ("ServiceNamespace", "ecs"),
    ] {
        let mut request = scaling(SHOP, bounds(1, 2));
        request[member] = value.into();
        let error = scene.refused("RegisterScalableTarget", request);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("ValidationException", unsupported),
            "{value}"
        );
    }
}

#[test]
fn bounds_are_in_order_and_zero_is_for_queues() {
    let mut scene = Scene::in_service();
    for (more, words) in [
        (
            json!({ "MinCapacity": 1 }),
            "needs a MinCapacity and a MaxCapacity",
        ),
        (
            json!({ "MaxCapacity": 1 }),
            "needs a MinCapacity and a MaxCapacity",
        ),
        (
            bounds(3, 2),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (bounds(0, 2), "Minimum capacity cannot be less than 1"),
        (bounds(-1, 2), "greater than or equal to 0"),
    ] {
        let message = refused(&mut scene, SHOP, more);
        assert!(message.contains(words), "{message}");
    }
    assert!(scene.account.scalable_targets.is_empty());

    let mut scene = asynchronous();
    scene.done("RegisterScalableTarget", scaling(SHOP, bounds(0, 2)));
    assert_eq!(described(&mut scene)["MinCapacity"], 0);
    assert_eq!(
        refused(&mut scene, SHOP, json!({ "MaxCapacity": 0 })),
        "Maximum capacity cannot be less than 1"
    );
    // A change is held against what is kept.
    refused(&mut scene, SHOP, json!({ "MinCapacity": 3 }));
    assert_eq!(described(&mut scene)["MinCapacity"], 0);
}

#[test]
fn each_kind_of_variant_is_scaled_in_its_dimension() {
    let provisioned =
        json!({ "MemorySizeInMB": 1024, "MaxConcurrency": 4, "ProvisionedConcurrency": 1 });
    let on_demand = json!({ "MemorySizeInMB": 1024, "MaxConcurrency": 4 });
    let burstable = json!({ "ProductionVariants": [{
        "VariantName": "AllTraffic", "ModelName": "model", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1,
    }] });
    let trainium = json!({ "ProductionVariants": [{
        "VariantName": "AllTraffic", "ModelName": "model", "InstanceType": "ml.trn1.2xlarge", "InitialInstanceCount": 1,
    }] });
    for (mut scene, instances, concurrency) in [
        (Scene::in_service(), true, false),
        (serverless(&provisioned), false, true),
        (serverless(&on_demand), false, false),
        (serving(burstable), false, false),
        (serving(trainium), true, false),
    ] {
        for (dimension, wanted) in [
            ("DesiredInstanceCount", instances),
            ("DesiredProvisionedConcurrency", concurrency),
        ] {
            let dimension = format!("sagemaker:variant:{dimension}");
            let mut request = scaling(SHOP, bounds(1, 2));
            request["ScalableDimension"] = dimension.as_str().into();
            let answer = scene.call("RegisterScalableTarget", request);
            let message = answer.map_err(|error| error.message);
            assert_eq!(message.is_ok(), wanted, "{message:?}");
            if !wanted {
                let words = format!("{dimension} cannot be scaled for this variant: {SHOP}");
                assert_eq!(message, Err(words));
            }
        }
    }
}

#[test]
fn targets_are_listed_by_resource_dimension_and_page() {
    let mut scene = Scene::in_service();
    for name in ["B", "C"] {
        scene.done("CreateEndpoint", on(name, "a"));
    }
    scene.pass(3.0);
    let ids = ["Shop", "B", "C"].map(|name| format!("endpoint/{name}/variant/AllTraffic"));
    for id in &ids {
        scene.done("RegisterScalableTarget", scaling(id, bounds(1, 2)));
    }
    let mut listed = |more: Value| {
        let mut request = json!({ "ServiceNamespace": "sagemaker" });
        let more = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(more);
        let answer = scene.done("DescribeScalableTargets", request);
        let targets = answer["ScalableTargets"].as_array().expect("a list");
        let found = targets.iter().map(|target| target["ResourceId"].clone());
        (found.collect::<Vec<_>>(), answer["NextToken"].clone())
    };
    assert_eq!(listed(json!({})).0, ids);
    assert_eq!(
        listed(json!({ "ResourceIds": [ids[2], ids[0], "none"] })).0,
        [ids[0].as_str(), &ids[2]]
    );
    assert_eq!(listed(json!({ "ServiceNamespace": "ecs" })).0, [""; 0]);
    let dimension = |name: &str| json!({ "ResourceIds": ids, "ScalableDimension": format!("sagemaker:variant:{name}") });
    assert_eq!(listed(dimension("DesiredInstanceCount")).0.len(), 3);
    assert_eq!(
        listed(dimension("DesiredProvisionedConcurrency")).0.len(),
        0
    );

    let (first, token) = listed(json!({ "MaxResults": 2 }));
    assert_eq!(first, ids[..2]);
    let (second, end) = listed(json!({ "MaxResults": 2, "NextToken": token }));
    assert_eq!((second, end), (vec![json!(ids[2])], Value::Null));
}

#[test]
fn a_list_that_cannot_be_made_is_refused() {
    let mut scene = Scene::scaled();
    for (more, code) in [
        (
            json!({ "NextToken": "tomorrow" }),
            "InvalidNextTokenException",
        ),
        (json!({ "MaxResults": 51 }), "ValidationException"),
        (
            json!({ "ScalableDimension": "sagemaker:variant:DesiredInstanceCount" }),
            "ValidationException",
        ),
    ] {
        let mut request = json!({ "ServiceNamespace": "sagemaker" });
        let more = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(more);
        let error = scene.refused("DescribeScalableTargets", request);
        assert_eq!(error.code, code, "{error}");
    }
}

#[test]
fn a_target_is_deregistered_once_with_all_that_hangs_on_it() {
    let mut scene = Scene::scaled();
    let action = json!({
        "ScheduledActionName": "night",
        "Schedule": "rate(1 day)",
        "ScalableTargetAction": { "MinCapacity": 1 },
    });
    scene.done("PutScheduledAction", scaling(SHOP, action));
    scene.done("DeregisterScalableTarget", scaling(SHOP, json!({})));
    let missing = scene.refused("DeregisterScalableTarget", scaling(SHOP, json!({})));
    assert_eq!(missing.code, "ObjectNotFoundException");
    assert_eq!(
        missing.message,
        format!(
            "No scalable target found for service namespace: sagemaker, resource ID: {SHOP}, scalable dimension: \
             sagemaker:variant:DesiredInstanceCount"
        )
    );

    scene.done("RegisterScalableTarget", scaling(SHOP, bounds(1, 4)));
    let actions = json!({ "ServiceNamespace": "sagemaker" });
    assert_eq!(
        scene.done("DescribeScheduledActions", actions),
        json!({ "ScheduledActions": [] })
    );
}

#[test]
fn a_target_of_another_namespace_is_not_there() {
    let mut scene = Scene::scaled();
    let mut request = scaling(SHOP, json!({}));
    request["ServiceNamespace"] = "ecs".into();
    let missing = scene.refused("DeregisterScalableTarget", request);
    assert_eq!(missing.code, "ObjectNotFoundException");
    assert_eq!(described(&mut scene)["ResourceId"], SHOP);
}

#[test]
fn a_deleted_endpoint_takes_its_targets_along() {
    let mut scene = Scene::scaled();
    scene.done("CreateEndpoint", on("Shop-2", "a"));
    scene.pass(3.0);
    let other = "endpoint/Shop-2/variant/AllTraffic";
    scene.done("RegisterScalableTarget", scaling(other, bounds(1, 2)));
    let arn = "arn:aws:application-autoscaling:";
    let tagged = |scene: &Scene| {
        let arns = scene.account.tags.keys();
        arns.filter(|key| key.starts_with(arn)).count()
    };
    assert_eq!(tagged(&scene), 2);
    scene.done("DeleteEndpoint", named("SHOP"));
    assert_eq!(described(&mut scene)["ResourceId"], other);
    assert_eq!(tagged(&scene), 1);
}
