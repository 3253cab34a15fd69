use serde_json::{Value, json};

use super::VariantId;
use crate::scene::{SHOP, Scene, named, on, scaling};

#[test]
fn a_resource_id_names_an_endpoint_and_a_variant() {
    let read = VariantId::read(SHOP);
    let wanted = VariantId {
        endpoint: "Shop",
        variant: "AllTraffic",
    };
    assert_eq!(read, Some(wanted));
    for bad in [
        "",
        "endpoint/Shop",
        "endpoint/Shop/variant/",
        "endpoint/Shop/variant/a/variant/b",
        "endpoint/S_hop/variant/a",
        "table/endpoint/Shop/variant/a",
    ] {
        assert_eq!(VariantId::read(bad), None, "{bad}");
    }
}

fn variant(name: &str, instance_type: &str) -> Value {
    json!({
        "VariantName": name,
        "ModelName": "model",
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
    })
}

/// Whether an update of the scaled endpoint to these variants is accepted; the refusal's words
/// otherwise.
fn updated(scene: &mut Scene, variants: &Value) -> Result<(), String> {
    scene.config_of("new", "model", json!({ "ProductionVariants": variants }));
    let before = scene.done("DescribeEndpoint", named("Shop"));
    let answer = scene.call("UpdateEndpoint", on("Shop", "new"));
    answer.map(|_| ()).map_err(|error| {
        assert_eq!(error.code, "ValidationException");
        assert_eq!(scene.done("DescribeEndpoint", named("Shop")), before);
        error.message
    })
}

const HELD: &str = "The variant(s) \"[AllTraffic]\" must be deregistered as scalable targets with AWS Auto Scaling \
                    before they can be removed or have their instance type updated.";

#[test]
fn a_registered_variant_stays_on_its_instances() {
    let serverless = json!({
        "VariantName": "AllTraffic",
        "ModelName": "model",
        "ServerlessConfig": { "MemorySizeInMB": 1024, "MaxConcurrency": 1 },
    });
    let pools = json!({
        "VariantName": "AllTraffic",
        "ModelName": "model",
        "InstancePools": [{ "InstanceType": "ml.m5.large", "Priority": 1 }, { "InstanceType": "ml.c5.large", "Priority": 2 }],
    });
    for variants in [
        json!([variant("AllTraffic", "ml.c5.large")]),
        json!([variant("Other", "ml.m5.large")]),
        json!([variant("alltraffic", "ml.m5.large")]),
        json!([serverless]),
        json!([pools]),
    ] {
        let mut scene = Scene::scaled();
        assert_eq!(updated(&mut scene, &variants), Err(HELD.to_owned()));
        scene.done("DeregisterScalableTarget", scaling(SHOP, json!({})));
        scene.done("UpdateEndpoint", on("Shop", "new"));
    }
}

#[test]
fn a_registered_variant_may_get_another_model_and_neighbours() {
    for variants in [
        json!([variant("AllTraffic", "ml.m5.large")]),
        json!([
            variant("Canary", "ml.c5.large"),
            variant("AllTraffic", "ml.m5.large"),
        ]),
    ] {
        let mut scene = Scene::scaled();
        assert_eq!(updated(&mut scene, &variants), Ok(()));
    }
    let mut scene = Scene::scaled();
    scene.model("other");
    scene.config("new", "other");
    scene.done("UpdateEndpoint", on("Shop", "new"));
}

#[test]
fn every_variant_that_is_held_is_named_and_only_of_this_endpoint() {
    let mut scene = Scene::with_configs();
    let variants = ["b", "a", "c"].map(|name| variant(name, "ml.m5.large"));
    scene.config_of("three", "model", json!({ "ProductionVariants": variants }));
    for name in ["Shop", "Till"] {
        scene.done("CreateEndpoint", on(name, "three"));
    }
    scene.pass(3.0);
    for id in [
        "endpoint/Shop/variant/b",
        "endpoint/SHOP/variant/a",
        "endpoint/shop/variant/a",
        "endpoint/Till/variant/c",
    ] {
        let bounds = json!({ "MinCapacity": 1, "MaxCapacity": 2 });
        scene.done("RegisterScalableTarget", scaling(id, bounds));
    }
    let refused = scene.refused("UpdateEndpoint", on("Shop", "a"));
    assert!(refused.message.contains("\"[a, b]\""), "{refused}");
    let refused = scene.refused("UpdateEndpoint", on("Till", "a"));
    assert!(refused.message.contains("\"[c]\""), "{refused}");
}

#[test]
fn the_next_endpoint_of_a_name_is_not_held_by_the_targets_of_the_last() {
    let mut scene = Scene::scaled();
    scene.done("DeleteEndpoint", named("Shop"));
    scene.pass(1.0);
    scene.done("CreateEndpoint", on("Shop", "a"));
    scene.pass(3.0);
    assert_eq!(
        updated(&mut scene, &json!([variant("Other", "ml.c5.large")])),
        Ok(())
    );
}

#[test]
fn instances_of_a_registered_variant_may_be_set_by_hand() {
    let mut scene = Scene::scaled();
    scene.done(
        "UpdateEndpointWeightsAndCapacities",
        json!({
            "EndpointName": "Shop",
            "DesiredWeightsAndCapacities": [{ "VariantName": "AllTraffic", "DesiredInstanceCount": 3 }],
        }),
    );
}
