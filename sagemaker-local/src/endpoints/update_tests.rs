use serde_json::{Value, json};

use super::serving_deleted;
use crate::scene::{Scene, named, on, told};

/// Takes the endpoint `Shop` to a config and lets the update end.
fn update(scene: &mut Scene, config: &str, more: &Value) {
    let mut request = on("Shop", config);
    let more = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(more);
    scene.done("UpdateEndpoint", request);
    scene.pass(3.0);
}

/// The production variants of the endpoint `Shop`, without the images, which are beside the point.
fn variants(scene: &mut Scene) -> Value {
    let mut variants = scene.done("DescribeEndpoint", named("Shop"))["ProductionVariants"].take();
    for variant in variants.as_array_mut().expect("variants") {
        variant
            .as_object_mut()
            .expect("a variant")
            .remove("DeployedImages");
    }
    variants
}

/// A variant with instances as an endpoint config has it.
fn with_instances(name: &str, count: u32, weight: f64) -> Value {
    json!({
        "VariantName": name,
        "ModelName": "model",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
        "InitialVariantWeight": weight,
    })
}

/// The same as `DescribeEndpoint` summarises it.
fn summary(name: &str, count: u32, weight: f64) -> Value {
    json!({
        "VariantName": name,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    })
}

/// A serverless variant as an endpoint config has it.
fn serverless(name: &str, weight: f64) -> Value {
    json!({
        "VariantName": name,
        "ModelName": "model",
        "ServerlessConfig": { "MemorySizeInMB": 2048, "MaxConcurrency": 5 },
        "InitialVariantWeight": weight,
    })
}

/// The same as `DescribeEndpoint` summarises it.
fn serverless_summary(name: &str, weight: f64) -> Value {
    json!({
        "VariantName": name,
        "CurrentServerlessConfig": { "MemorySizeInMB": 2048, "MaxConcurrency": 5 },
        "DesiredServerlessConfig": { "MemorySizeInMB": 2048, "MaxConcurrency": 5 },
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    })
}

/// What asks for retention, of all but these properties.
fn retaining(excluded: &[&str]) -> Value {
    let excluded: Vec<Value> = excluded
        .iter()
        .map(|property| json!({ "VariantPropertyType": property }))
        .collect();
    json!({ "RetainAllVariantProperties": true, "ExcludeRetainedVariantProperties": excluded })
}

#[test]
fn scaled_variants_are_reset_by_an_update_unless_they_are_retained() {
    let (count, weight) = ("DesiredInstanceCount", "DesiredWeight");
    for (more, [one_count, two_count], [one_weight, two_weight]) in [
        (json!({}), [2, 3], [1.0, 2.0]),
        (
            json!({ "RetainAllVariantProperties": false }),
            [2, 3],
            [1.0, 2.0],
        ),
        // Without retention there is nothing to exclude from it.
        (
            json!({ "ExcludeRetainedVariantProperties": [{ "VariantPropertyType": weight }] }),
            [2, 3],
            [1.0, 2.0],
        ),
        (
            json!({ "RetainAllVariantProperties": true }),
            [7, 8],
            [0.5, 0.25],
        ),
        (retaining(&[]), [7, 8], [0.5, 0.25]),
        (retaining(&["DataCaptureConfig"]), [7, 8], [0.5, 0.25]),
        (retaining(&[weight]), [7, 8], [1.0, 2.0]),
        (retaining(&[count]), [2, 3], [0.5, 0.25]),
        (retaining(&[count, weight]), [2, 3], [1.0, 2.0]),
    ] {
        let mut scene = Scene::with_configs();
        let before = [with_instances("one", 1, 4.0), with_instances("two", 1, 4.0)];
        // In another order, and with one more: names tell the variants apart.
        let after = [
            with_instances("two", 3, 2.0),
            with_instances("new", 5, 3.0),
            with_instances("one", 2, 1.0),
        ];
        scene.config_of("before", "model", json!({ "ProductionVariants": before }));
        scene.config_of("after", "model", json!({ "ProductionVariants": after }));
        scene.done("CreateEndpoint", on("Shop", "before"));
        scene.pass(3.0);
        let scaled = json!([
            { "VariantName": "one", "DesiredInstanceCount": 7, "DesiredWeight": 0.5 },
            { "VariantName": "two", "DesiredInstanceCount": 8, "DesiredWeight": 0.25 },
        ]);
        scene.done(
            "UpdateEndpointWeightsAndCapacities",
            json!({ "EndpointName": "Shop", "DesiredWeightsAndCapacities": scaled }),
        );
        let described = scene.done("DescribeEndpoint", named("Shop"));
        assert_eq!(told(&described), ("Updating", "before", None, None));
        scene.pass(3.0);
        assert_eq!(
            variants(&mut scene),
            json!([summary("one", 7, 0.5), summary("two", 8, 0.25)])
        );

        update(&mut scene, "after", &more);
        assert_eq!(
            variants(&mut scene),
            json!([
                summary("two", two_count, two_weight),
                summary("new", 5, 3.0),
                summary("one", one_count, one_weight),
            ]),
            "{more}"
        );
    }
}

#[test]
fn a_shadow_variant_is_retained_from_the_shadow_of_its_name() {
    for (more, count, weight) in [(json!({}), 1, 1.0), (retaining(&[]), 4, 0.5)] {
        let mut scene = Scene::with_configs();
        let before = json!({ "ShadowProductionVariants": [with_instances("shadow", 4, 0.5)] });
        let after = json!({ "ShadowProductionVariants": [with_instances("shadow", 1, 1.0)] });
        scene.config_of("before", "model", before);
        scene.config_of("after", "model", after);
        scene.done("CreateEndpoint", on("Shop", "before"));
        scene.pass(3.0);
        update(&mut scene, "after", &more);
        let described = scene.done("DescribeEndpoint", named("Shop"));
        let shadow = &described["ShadowProductionVariants"][0];
        assert_eq!(shadow["DesiredInstanceCount"], json!(count), "{more}");
        assert_eq!(shadow["DesiredWeight"], json!(weight), "{more}");
    }
}

#[test]
fn a_serverless_variant_neither_keeps_nor_leaves_a_count() {
    let excluded = || retaining(&["DesiredInstanceCount"]);
    let (instances, serverless) = (with_instances("v", 2, 1.0), serverless("v", 3.0));
    for (before, after, more, described) in [
        (
            &instances,
            &serverless,
            json!({}),
            serverless_summary("v", 3.0),
        ),
        (
            &instances,
            &serverless,
            retaining(&[]),
            serverless_summary("v", 1.0),
        ),
        (
            &instances,
            &serverless,
            excluded(),
            serverless_summary("v", 1.0),
        ),
        (&serverless, &instances, json!({}), summary("v", 2, 1.0)),
        (
            &serverless,
            &instances,
            retaining(&[]),
            summary("v", 2, 3.0),
        ),
        (&serverless, &instances, excluded(), summary("v", 2, 3.0)),
        (
            &serverless,
            &serverless,
            retaining(&[]),
            serverless_summary("v", 3.0),
        ),
    ] {
        let mut scene = Scene::with_configs();
        scene.config_of("before", "model", json!({ "ProductionVariants": [before] }));
        scene.config_of("after", "model", json!({ "ProductionVariants": [after] }));
        scene.done("CreateEndpoint", on("Shop", "before"));
        scene.pass(3.0);
        update(&mut scene, "after", &more);
        assert_eq!(variants(&mut scene), json!([described]), "{more}");
    }
}

#[test]
fn scaling_names_variants_that_are_there_and_instances_that_they_can_have() {
    let mut scene = Scene::in_service();
    let serverless = json!({ "ProductionVariants": [serverless("v", 1.0)] });
    scene.config_of("serverless", "model", serverless);
    scene.done("CreateEndpoint", on("Till", "serverless"));
    scene.pass(3.0);
    for (endpoint, variant) in [("Shop", "Other"), ("Till", "v")] {
        let desired = json!([{ "VariantName": variant, "DesiredInstanceCount": 1 }]);
        let refused = scene.refused(
            "UpdateEndpointWeightsAndCapacities",
            json!({ "EndpointName": endpoint, "DesiredWeightsAndCapacities": desired }),
        );
        assert_eq!(refused.code, "ValidationException");
        assert!(refused.message.contains(variant), "{refused}");
    }
    let desired = json!([{ "VariantName": "v", "DesiredWeight": 2.0 }]);
    scene.done(
        "UpdateEndpointWeightsAndCapacities",
        json!({ "EndpointName": "Till", "DesiredWeightsAndCapacities": desired }),
    );
}

#[test]
fn an_update_to_serverless_is_refused_where_the_settings_say_so() {
    for (refuse, from, to, good) in [
        (false, "a", "serverless", true),
        (false, "serverless", "a", true),
        (true, "a", "serverless", false),
        (true, "serverless", "a", true),
        (true, "a", "b", true),
    ] {
        let mut scene = Scene::with_configs();
        scene.account.settings.refuse_to_serverless = refuse;
        let serverless = json!({ "ProductionVariants": [serverless("AllTraffic", 1.0)] });
        scene.config_of("serverless", "model", serverless);
        scene.done("CreateEndpoint", on("Shop", from));
        scene.pass(3.0);
        let answer = scene.call("UpdateEndpoint", on("Shop", to));
        let described = scene.done("DescribeEndpoint", named("Shop"));
        if good {
            assert!(answer.is_ok(), "{from} {to} {answer:?}");
            assert_eq!(told(&described), ("Updating", from, Some(to), None));
        } else {
            let refused = answer.expect_err("a refusal");
            assert_eq!(refused.code, "ValidationException", "{refused}");
            assert_eq!(told(&described), ("InService", from, None, None));
        }
    }
}

#[test]
fn an_update_may_add_asynchronous_inference_but_not_take_it_away() {
    let mut scene = Scene::in_service();
    let output = json!({ "OutputConfig": { "S3OutputPath": "s3://b/out" } });
    let asynchronous = json!({ "AsyncInferenceConfig": output });
    scene.config_of("async", "model", asynchronous);
    let serverless = json!({ "ProductionVariants": [serverless("AllTraffic", 1.0)] });
    scene.config_of("serverless", "model", serverless);

    update(&mut scene, "async", &json!({}));
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "async", None, None));
    assert_eq!(described["AsyncInferenceConfig"], output);
    for config in ["b", "serverless"] {
        let refused = scene.refused("UpdateEndpoint", on("Shop", config));
        assert_eq!(refused.code, "ValidationException", "{refused}");
        let described = scene.done("DescribeEndpoint", named("Shop"));
        assert_eq!(told(&described), ("InService", "async", None, None));
    }
    update(&mut scene, "async", &json!({}));
}

#[test]
fn an_update_obeys_the_guardrails() {
    let mut scene = Scene::in_service();
    let mut request = on("Shop", "b");
    request["DeploymentConfig"] = json!({ "RollingUpdatePolicy": {
        "MaximumBatchSize": { "Type": "CAPACITY_PERCENT", "Value": 80 },
        "WaitIntervalInSeconds": 0,
    } });
    assert_eq!(
        scene.refused("UpdateEndpoint", request).code,
        "ValidationException"
    );
    assert_eq!(
        scene.done("DescribeEndpoint", named("Shop"))["EndpointStatus"],
        "InService"
    );
}

#[test]
fn an_update_needs_only_the_new_config() {
    let mut scene = Scene::in_service();
    scene.done("UpdateEndpoint", on("Shop", "a"));
    scene.pass(3.0);
    scene.done("DeleteEndpointConfig", json!({ "EndpointConfigName": "a" }));
    scene.done("UpdateEndpoint", on("Shop", "b"));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "b", None, None));
    assert!(serving_deleted(&scene.account, scene.now).is_empty());
}
