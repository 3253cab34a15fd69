use std::time::Duration;

use serde_json::json;

use super::{force_status, serving_deleted};
use crate::clock::timestamp;
use crate::outcomes::Outcome;
use crate::scene::{Scene, endpoint_arn, named, on, told};

#[test]
fn a_name_is_taken_whatever_its_case() {
    let mut scene = Scene::in_service();
    for name in ["Shop", "SHOP"] {
        let refused = scene.refused("CreateEndpoint", on(name, "a"));
        assert_eq!(refused.code, "ValidationException");
        assert_eq!(
            refused.message,
            format!(
                "Cannot create already existing endpoint \"{}\".",
                endpoint_arn(name)
            )
        );
        let described = scene.done("DescribeEndpoint", named(name));
        assert_eq!(described["EndpointName"], "Shop");
    }
}

#[test]
fn what_is_missing_is_not_found() {
    let mut scene = Scene::in_service();
    let missing = format!("Could not find endpoint \"{}\".", endpoint_arn("None"));
    for (operation, request) in [
        ("DescribeEndpoint", named("None")),
        ("DeleteEndpoint", named("None")),
        ("UpdateEndpoint", on("None", "a")),
    ] {
        let refused = scene.refused(operation, request);
        assert_eq!(
            (refused.code.as_str(), refused.message),
            ("ValidationException", missing.clone())
        );
    }
    let config = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/None";
    for (operation, name) in [("CreateEndpoint", "New"), ("UpdateEndpoint", "Shop")] {
        let refused = scene.refused(operation, on(name, "None"));
        assert_eq!(
            refused.message,
            format!("Could not find endpoint configuration \"{config}\".")
        );
    }
    scene.done("DeleteModel", json!({ "ModelName": "model" }));
    for (operation, name) in [("CreateEndpoint", "New"), ("UpdateEndpoint", "Shop")] {
        let refused = scene.refused(operation, on(name, "b"));
        assert_eq!(
            refused.message,
            "Could not find model \"arn:aws:sagemaker:eu-west-1:123456789012:model/model\"."
        );
    }
}

#[test]
fn an_update_ends_on_the_new_config_and_moves_the_time() {
    let mut scene = Scene::in_service();
    scene.pass(10.0);
    let accepted = scene.now;
    assert_eq!(
        scene.done("UpdateEndpoint", on("shop", "b")),
        json!({ "EndpointArn": endpoint_arn("Shop") })
    );
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("Updating", "a", Some("b"), None));
    assert_eq!(described["LastModifiedTime"], timestamp(accepted));
    let pending = &described["PendingDeploymentSummary"];
    assert_eq!(pending["StartTime"], timestamp(accepted));
    assert_eq!(
        pending["ProductionVariants"][0]["InstanceType"],
        "ml.m5.large"
    );
    assert_eq!(
        pending["ProductionVariants"][0]["VariantStatus"][0]["Status"],
        "Creating"
    );

    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "b", None, None));
    assert_eq!(described["LastModifiedTime"], timestamp(scene.now));
}

#[test]
fn a_rolled_back_update_leaves_a_reason_that_the_next_update_clears() {
    let mut scene = Scene::in_service();
    let outcome = Outcome::UpdateRollsBack {
        reason: Some("unhealthy".to_owned()),
    };
    scene.account.outcomes.set("shop", outcome);
    scene.done("UpdateEndpoint", on("Shop", "b"));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("RollingBack", "a", Some("b"), None));
    scene.pass(1.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(
        told(&described),
        ("InService", "a", None, Some("unhealthy"))
    );
    assert_eq!(described["LastModifiedTime"], timestamp(scene.now));

    scene.done("UpdateEndpoint", on("Shop", "b"));
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("Updating", "a", Some("b"), None));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "b", None, None));
}

#[test]
fn the_last_modified_time_moves_with_every_accepted_change() {
    let mut scene = Scene::with_configs();
    scene.account.settings.create = Duration::ZERO;
    scene.account.settings.update = Duration::ZERO;
    scene.done("CreateEndpoint", on("Shop", "a"));
    let mut times = Vec::new();
    for config in ["b", "a", "b"] {
        // All within one millisecond, which is all that the time can show.
        times.push(scene.done("DescribeEndpoint", named("Shop"))["LastModifiedTime"].as_f64());
        scene.done("UpdateEndpoint", on("Shop", config));
        scene.pass(0.001);
    }
    assert!(times.is_sorted_by(|left, right| left < right), "{times:?}");
}

#[test]
fn an_endpoint_in_progress_is_left_alone() {
    let mut scene = Scene::in_service();
    let in_progress = format!(
        "Cannot update in-progress endpoint \"{}\".",
        endpoint_arn("Shop")
    );
    for status in [
        "Creating",
        "Updating",
        "SystemUpdating",
        "RollingBack",
        "Deleting",
    ] {
        force_status(&mut scene.account, "Shop", status, None, scene.now);
        for (operation, request) in [
            ("UpdateEndpoint", on("Shop", "b")),
            ("DeleteEndpoint", named("Shop")),
            (
                "UpdateEndpointWeightsAndCapacities",
                json!({
                    "EndpointName": "Shop",
                    "DesiredWeightsAndCapacities": [{ "VariantName": "AllTraffic", "DesiredInstanceCount": 5 }],
                }),
            ),
        ] {
            let refused = scene.refused(operation, request);
            assert_eq!(refused.code, "ValidationException");
            assert_eq!(refused.message, in_progress, "{status} {operation}");
        }
    }
}

#[test]
fn an_endpoint_that_is_out_of_service_or_half_rolled_back_may_be_changed() {
    for status in ["InService", "OutOfService", "UpdateRollbackFailed"] {
        for (operation, request) in [
            ("UpdateEndpoint", on("Shop", "b")),
            ("DeleteEndpoint", named("Shop")),
        ] {
            let mut scene = Scene::in_service();
            force_status(&mut scene.account, "Shop", status, None, scene.now);
            scene.done(operation, request);
        }
    }
}

#[test]
fn a_failed_endpoint_may_only_be_deleted() {
    let mut scene = Scene::with_configs();
    let outcome = Outcome::CreateFails {
        reason: Some("no capacity".to_owned()),
    };
    scene.account.outcomes.set("SHOP", outcome);
    scene.done("CreateEndpoint", on("Shop", "a"));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("Failed", "a", None, Some("no capacity")));

    let refused = scene.refused("UpdateEndpoint", on("Shop", "b"));
    assert_eq!(refused.code, "ValidationException");
    assert!(refused.message.contains(&endpoint_arn("Shop")), "{refused}");

    scene.done("DeleteEndpoint", named("Shop"));
    assert_eq!(
        scene.done("DescribeEndpoint", named("Shop"))["EndpointStatus"],
        "Deleting"
    );
    scene.pass(1.0);
    scene.refused("DescribeEndpoint", named("Shop"));
    assert_eq!(
        scene.done("ListEndpoints", json!({})),
        json!({ "Endpoints": [] })
    );
    scene.done("CreateEndpoint", on("Shop", "b"));
}

#[test]
fn a_refused_change_leaves_the_outcome_waiting() {
    let mut scene = Scene::in_service();
    scene
        .account
        .outcomes
        .set("shop", Outcome::UpdateFails { reason: None });
    scene.refused("UpdateEndpoint", on("Shop", "none"));
    scene.done("UpdateEndpoint", on("Shop", "b"));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("Failed", "a", None, None));
}

#[test]
fn a_forced_status_passes_or_stays() {
    let mut scene = Scene::in_service();
    let for_2_s = Some(Duration::from_secs(2));
    assert!(force_status(
        &mut scene.account,
        "SHOP",
        "SystemUpdating",
        for_2_s,
        scene.now
    ));
    assert_eq!(
        scene.done("DescribeEndpoint", named("Shop"))["EndpointStatus"],
        "SystemUpdating"
    );
    scene.pass(2.5);
    assert_eq!(
        scene.done("DescribeEndpoint", named("Shop"))["EndpointStatus"],
        "InService"
    );
    assert!(!force_status(
        &mut scene.account,
        "None",
        "Failed",
        None,
        scene.now
    ));
}

#[test]
fn deleting_what_an_endpoint_serves_works_and_shows_as_harm() {
    let harm = |scene: &Scene| serving_deleted(&scene.account, scene.now);
    let gone_config = |name: &str| {
        (
            "DeleteEndpointConfig",
            json!({ "EndpointConfigName": name }),
        )
    };

    let mut scene = Scene::in_service();
    assert!(harm(&scene).is_empty());
    let (operation, request) = gone_config("b");
    scene.done(operation, request);
    assert!(harm(&scene).is_empty(), "nothing serves it");

    let (operation, request) = gone_config("a");
    scene.done(operation, request);
    assert_eq!(harm(&scene), ["Shop"]);
    scene.config("a", "model");
    assert_eq!(harm(&scene), ["Shop"], "another config of the same name");

    let mut scene = Scene::in_service();
    scene.done("DeleteModel", json!({ "ModelName": "model" }));
    assert_eq!(harm(&scene), ["Shop"], "a model");

    let mut scene = Scene::in_service();
    scene.done("UpdateEndpoint", on("Shop", "b"));
    let (operation, request) = gone_config("b");
    scene.done(operation, request);
    assert_eq!(harm(&scene), ["Shop"], "a pending config");

    let mut scene = Scene::in_service();
    scene.done("DeleteEndpoint", named("Shop"));
    let (operation, request) = gone_config("a");
    scene.done(operation, request);
    assert!(harm(&scene).is_empty(), "an endpoint that is being deleted");
}
