use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::endpoints::traffic;
use crate::scene::{Scene, named, on, told};

/// The endpoint `Shop` with four instances on `old`, about to go over to eight on `new`.
fn scene() -> Scene {
    let mut scene = Scene::with_configs();
    for (name, count) in [("old", 4), ("new", 8)] {
        let variant = json!({
            "VariantName": "v",
            "ModelName": "model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
        });
        scene.config_of(name, "model", json!({ "ProductionVariants": [variant] }));
    }
    scene.done("CreateEndpoint", on("Shop", "old"));
    scene.pass(3.0);
    scene
}

fn canary() -> Value {
    json!({
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": { "Type": "CAPACITY_PERCENT", "Value": 10 },
                "WaitIntervalInSeconds": 60,
            },
            "TerminationWaitInSeconds": 30,
        },
        "AutoRollbackConfiguration": { "Alarms": [{ "AlarmName": "slow" }] },
    })
}

fn rolling() -> Value {
    json!({ "RollingUpdatePolicy": {
        "MaximumBatchSize": { "Type": "CAPACITY_PERCENT", "Value": 40 },
        "WaitIntervalInSeconds": 60,
    } })
}

fn update(scene: &mut Scene, more: &Value) {
    let mut request = on("Shop", "new");
    let more = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(more);
    scene.done("UpdateEndpoint", request);
}

/// The first variant of a list in one line, such as `1 of 4, weight 1.0, Baking`, and since when it
/// has its status.
fn variant(list: &Value) -> (String, Value) {
    let variant = &list["ProductionVariants"][0];
    let status = &variant["VariantStatus"][0];
    let told = format!(
        "{} of {}, weight {}, {}",
        variant["CurrentInstanceCount"],
        variant["DesiredInstanceCount"],
        variant["CurrentWeight"],
        status["Status"].as_str().unwrap_or("no status"),
    );
    (told, status["StartTime"].clone())
}

/// Both fleets at the present moment: the live one, the pending one, and the traffic on that.
fn fleets(scene: &mut Scene) -> (String, String, f64) {
    let described = scene.done("DescribeEndpoint", named("Shop"));
    let (live, _) = variant(&described);
    let (pending, _) = variant(&described["PendingDeploymentSummary"]);
    let percent = traffic(&scene.account, "shop", scene.now).expect("an endpoint");
    (live, pending, percent)
}

#[test]
fn a_canary_shows_how_many_instances_of_the_new_fleet_take_part() {
    let mut scene = scene();
    update(&mut scene, &json!({ "DeploymentConfig": canary() }));
    for (seconds, live, pending, percent) in [
        (0.0, "no status", "0 of 8, weight 1.0, Creating", 0.0),
        (3.0, "no status", "1 of 8, weight 1.0, Baking", 10.0),
        (60.0, "no status", "8 of 8, weight 1.0, Baking", 100.0),
        (60.0, "Deleting", "8 of 8, weight 1.0, no status", 100.0),
    ] {
        scene.pass(seconds);
        let live = format!("4 of 4, weight 1.0, {live}");
        assert_eq!(fleets(&mut scene), (live, pending.to_owned(), percent));
        let described = scene.done("DescribeEndpoint", named("Shop"));
        assert_eq!(told(&described), ("Updating", "old", Some("new"), None));
        let since = match percent {
            _ if pending.ends_with("no status") => variant(&described).1,
            _ => variant(&described["PendingDeploymentSummary"]).1,
        };
        assert_eq!(since, timestamp(scene.now));
    }
    scene.pass(30.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "new", None, None));
    assert_eq!(variant(&described).0, "8 of 8, weight 1.0, no status");
    assert_eq!(described["LastDeploymentConfig"], canary());
    assert_eq!(traffic(&scene.account, "shop", scene.now), Some(100.0));
}

#[test]
fn a_rolling_update_takes_instances_from_the_old_fleet() {
    let mut scene = scene();
    update(&mut scene, &json!({ "DeploymentConfig": rolling() }));
    for (seconds, live, pending, percent) in [
        (0.0, 4, "0 of 8, weight 1.0, Creating", 0.0),
        (3.0, 2, "4 of 8, weight 1.0, Baking", 40.0),
        (60.0, 0, "7 of 8, weight 1.0, Baking", 80.0),
        (60.0, 0, "8 of 8, weight 1.0, Baking", 100.0),
    ] {
        scene.pass(seconds);
        let live = format!("{live} of 4, weight 1.0, no status");
        assert_eq!(fleets(&mut scene), (live, pending.to_owned(), percent));
    }
}

#[test]
fn a_rollback_gives_the_traffic_back_and_the_next_update_clears_its_reason() {
    let mut scene = scene();
    update(&mut scene, &json!({ "DeploymentConfig": canary() }));
    scene.pass(10.0);
    scene.account.alarms.set("slow", true, scene.now);
    assert_eq!(
        fleets(&mut scene),
        (
            "4 of 4, weight 1.0, no status".to_owned(),
            "0 of 8, weight 1.0, Deleting".to_owned(),
            0.0
        )
    );
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("RollingBack", "old", Some("new"), None));
    let refused = scene.refused("UpdateEndpoint", on("Shop", "new"));
    assert!(refused.message.contains("in-progress"), "{refused}");

    scene.pass(1.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    let (status, config, pending, reason) = told(&described);
    assert_eq!((status, config, pending), ("InService", "old", None));
    let reason = reason.expect("a reason");
    assert!(reason.contains("[slow]"), "{reason}");
    assert_eq!(described.get("LastDeploymentConfig"), None);
    assert_eq!(traffic(&scene.account, "shop", scene.now), Some(0.0));

    update(&mut scene, &json!({}));
    scene.pass(3.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "new", None, None));
    assert_eq!(traffic(&scene.account, "shop", scene.now), Some(100.0));
}

#[test]
fn a_retained_deployment_config_is_played_and_checked_again() {
    let mut scene = scene();
    let batches = json!({ "DeploymentConfig": rolling() });
    update(&mut scene, &batches);
    scene.pass(1_000.0);
    let retaining = json!({ "RetainDeploymentConfig": true });
    update(&mut scene, &retaining);
    scene.pass(3.0);
    assert_eq!(traffic(&scene.account, "shop", scene.now), Some(40.0));
    scene.pass(1_000.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(described["LastDeploymentConfig"], rolling());

    // Whose only variant is named otherwise.
    let mut request = on("Shop", "a");
    request["RetainDeploymentConfig"] = true.into();
    let refused = scene.refused("UpdateEndpoint", request);
    assert!(refused.message.contains("variant names"), "{refused}");
}

#[test]
fn an_update_without_a_deployment_config_shows_both_fleets_in_full() {
    let mut scene = scene();
    update(&mut scene, &json!({}));
    scene.account.alarms.set("slow", true, scene.now);
    scene.pass(2.0);
    assert_eq!(
        fleets(&mut scene),
        (
            "4 of 4, weight 1.0, no status".to_owned(),
            "8 of 8, weight 1.0, Creating".to_owned(),
            0.0
        )
    );
    scene.pass(1.0);
    let described = scene.done("DescribeEndpoint", named("Shop"));
    assert_eq!(told(&described), ("InService", "new", None, None));
}

#[test]
fn the_traffic_follows_what_becomes_of_the_endpoint() {
    let mut scene = Scene::with_configs();
    let percent = |scene: &Scene| traffic(&scene.account, "SHOP", scene.now);
    assert_eq!(percent(&scene), None);
    scene.done("CreateEndpoint", on("Shop", "a"));
    assert_eq!(percent(&scene), Some(0.0));
    scene.pass(3.0);
    assert_eq!(percent(&scene), Some(100.0));
    let desired = json!([{ "VariantName": "AllTraffic", "DesiredInstanceCount": 3 }]);
    scene.done(
        "UpdateEndpointWeightsAndCapacities",
        json!({ "EndpointName": "Shop", "DesiredWeightsAndCapacities": desired }),
    );
    assert_eq!(percent(&scene), Some(100.0));
    scene.pass(3.0);
    scene.done("DeleteEndpoint", named("Shop"));
    assert_eq!(percent(&scene), Some(100.0));
    scene.pass(1.0);
    assert_eq!(percent(&scene), None);
}
