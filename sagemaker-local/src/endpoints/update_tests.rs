use serde_json::json;

use super::serving_deleted;
use crate::scene::{Scene, named, on, told};

#[test]
fn scaled_variants_are_reset_by_an_update_unless_they_are_retained() {
    let scaled =
        json!([{ "VariantName": "AllTraffic", "DesiredInstanceCount": 7, "DesiredWeight": 0.5 }]);
    let excluded = json!([{ "VariantPropertyType": "DesiredWeight" }]);
    for (more, count, weight) in [
        (json!({}), 2, 1.0),
        (json!({ "RetainAllVariantProperties": false }), 2, 1.0),
        (json!({ "RetainAllVariantProperties": true }), 7, 0.5),
        (
            json!({ "RetainAllVariantProperties": true, "ExcludeRetainedVariantProperties": excluded }),
            7,
            1.0,
        ),
    ] {
        let mut scene = Scene::in_service();
        scene.done(
            "UpdateEndpointWeightsAndCapacities",
            json!({ "EndpointName": "Shop", "DesiredWeightsAndCapacities": scaled }),
        );
        let described = scene.done("DescribeEndpoint", named("Shop"));
        assert_eq!(told(&described), ("Updating", "a", None, None));
        scene.pass(3.0);
        let variant = scene.done("DescribeEndpoint", named("Shop"))["ProductionVariants"][0].take();
        assert_eq!(
            (&variant["CurrentInstanceCount"], &variant["CurrentWeight"]),
            (&json!(7), &json!(0.5))
        );

        let mut request = on("Shop", "b");
        request
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        scene.done("UpdateEndpoint", request);
        scene.pass(3.0);
        let variant = scene.done("DescribeEndpoint", named("Shop"))["ProductionVariants"][0].take();
        for member in ["CurrentInstanceCount", "DesiredInstanceCount"] {
            assert_eq!(variant[member], json!(count), "{more}");
        }
        for member in ["CurrentWeight", "DesiredWeight"] {
            assert_eq!(variant[member], json!(weight), "{more}");
        }
    }
    let mut scene = Scene::in_service();
    let unknown = json!([{ "VariantName": "Other", "DesiredInstanceCount": 1 }]);
    scene.refused(
        "UpdateEndpointWeightsAndCapacities",
        json!({ "EndpointName": "Shop", "DesiredWeightsAndCapacities": unknown }),
    );
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
