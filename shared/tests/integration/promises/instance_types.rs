//! The instance types that a model package lists.

use serde_json::{Value, json};
use shared::contract::DeploymentKind::{Existing, New};

use super::assert_serves;
use crate::scene::{Door, Scene, event, with};

/// A version of the package that lists other types than the live one.
fn listing(scene: &Scene, types: &[&str]) -> Value {
    let described = json!({"ModelPackageName": scene.package()});
    let package = scene.server.call("DescribeModelPackage", described);
    let package = package.expect("it is there");
    let mut specification = package["InferenceSpecification"].clone();
    specification["SupportedRealtimeInferenceInstanceTypes"] = json!(types);
    let request = json!({
        "ModelPackageGroupName": package["ModelPackageGroupName"],
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": specification,
    });
    let made = scene.server.call("CreateModelPackage", request);
    let arn = made.expect("a group")["ModelPackageArn"].clone();
    event(arn.as_str().expect("an ARN"))
}

#[tokio::test(start_paused = true)]
async fn the_packages_list_refuses_a_type_that_is_asked_for_and_not_one_that_is_live() {
    let types = ["ml.g5.xlarge"];
    let asks = json!({"instance_type": "ml.c7i.large"});
    for door in Door::BOTH {
        for (kind, keys) in [
            (New, json!({})),
            (New, asks.clone()),
            (Existing, asks.clone()),
        ] {
            let scene = Scene::before(kind).await;
            let inventory = scene.inventory();
            let event = with(listing(&scene, &types), &keys);
            let ended = scene.through(door, kind, &event).await;
            let what = format!("{door:?} {kind:?} {keys}: {ended:?}");
            assert_eq!(ended.word(), "InvalidRequest", "{what}");
            assert!(ended.message().contains("instance_type"), "{what}");
            assert_eq!(scene.inventory(), inventory, "{what}");
        }
        // The endpoint serves on ml.m5.xlarge, and nobody asks for another type.
        let scene = Scene::before(Existing).await;
        let event = listing(&scene, &types);
        let ended = scene.through(door, Existing, &event).await;
        assert_serves(&scene, door, ended, "a live type");
    }
}
