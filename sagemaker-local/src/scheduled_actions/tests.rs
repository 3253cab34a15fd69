use serde_json::{Value, json};

use crate::clock::timestamp;
use crate::scene::{SHOP, Scene, scaling};

fn at_night(more: Value) -> Value {
    let mut request = scaling(SHOP, json!({ "ScheduledActionName": "night" }));
    let Value::Object(more) = more else {
        panic!("an object")
    };
    request.as_object_mut().expect("an object").extend(more);
    request
}

fn nightly() -> Value {
    at_night(json!({
        "Schedule": "cron(0 22 * * ? *)",
        "Timezone": "Europe/Berlin",
        "StartTime": 1_800_000_000,
        "EndTime": 1_900_000_000,
        "ScalableTargetAction": { "MinCapacity": 1, "MaxCapacity": 2 },
    }))
}

fn described(scene: &mut Scene, more: Value) -> Vec<Value> {
    let mut request = json!({ "ServiceNamespace": "sagemaker" });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    request.as_object_mut().expect("an object").extend(more);
    let answer = scene.done("DescribeScheduledActions", request);
    answer["ScheduledActions"]
        .as_array()
        .expect("a list")
        .clone()
}

#[test]
fn an_action_is_put_described_and_changed() {
    let mut scene = Scene::scaled();
    assert_eq!(scene.done("PutScheduledAction", nightly()), json!({}));
    let created = timestamp(scene.now);
    let action = described(&mut scene, json!({})).remove(0);
    let arn = action["ScheduledActionARN"].as_str().expect("an ARN");
    let prefix = "arn:aws:autoscaling:eu-west-1:123456789012:scheduledAction:";
    let suffix = format!(":resource/sagemaker/{SHOP}:scheduledActionName/night");
    assert!(arn.starts_with(prefix) && arn.ends_with(&suffix), "{arn}");
    let mut wanted = nightly();
    wanted["ScheduledActionARN"] = arn.into();
    wanted["CreationTime"] = created;
    assert_eq!(action, wanted);

    // The times go unless they are given again; the rest stays.
    scene.pass(9.0);
    let change = json!({ "ScalableTargetAction": { "MaxCapacity": 9 } });
    scene.done("PutScheduledAction", at_night(change.clone()));
    wanted["ScalableTargetAction"] = change["ScalableTargetAction"].clone();
    let kept = wanted.as_object_mut().expect("an object");
    kept.remove("StartTime");
    kept.remove("EndTime");
    assert_eq!(described(&mut scene, json!({})), [wanted]);
}

#[test]
fn an_action_has_a_schedule_and_a_capacity() {
    let good = nightly();
    for (pointer, value, words) in [
        ("/Schedule", Value::Null, "needs a Schedule"),
        (
            "/Schedule",
            json!("at night"),
            "is no at, rate or cron expression",
        ),
        (
            "/ScalableTargetAction",
            Value::Null,
            "At least one of minimum capacity and maximum capacity should be provided",
        ),
        (
            "/ScalableTargetAction",
            json!({ "MinCapacity": null }),
            "At least one of minimum capacity and maximum capacity should be provided",
        ),
        (
            "/ScalableTargetAction/MinCapacity",
            json!(3),
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            "/EndTime",
            json!(1_700_000_000),
            "must be after its StartTime",
        ),
        (
            "/ScheduledActionName",
            json!("a:b"),
            "regular expression pattern",
        ),
    ] {
        let mut scene = Scene::scaled();
        let mut request = good.clone();
        *request.pointer_mut(pointer).expect("a member") = value;
        let error = scene.refused("PutScheduledAction", request);
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(words), "{error}");
        assert_eq!(described(&mut scene, json!({})), [Value::Null; 0]);
    }
}

#[test]
fn an_action_needs_a_registered_target() {
    let missing = Scene::in_service().refused("PutScheduledAction", nightly());
    assert_eq!(missing.code, "ObjectNotFoundException");
    let words = "No scalable target registered for service namespace: sagemaker";
    assert!(missing.message.starts_with(words), "{missing}");
}

#[test]
fn actions_are_listed_by_name_resource_and_page_and_deleted_once() {
    let mut scene = Scene::scaled();
    for name in ["night", "day"] {
        let mut request = nightly();
        request["ScheduledActionName"] = name.into();
        scene.done("PutScheduledAction", request);
    }
    for (more, wanted) in [
        (json!({}), vec!["night", "day"]),
        (json!({ "ScheduledActionNames": ["day"] }), vec!["day"]),
        (json!({ "ResourceId": "endpoint/None/variant/v" }), vec![]),
        (json!({ "MaxResults": 1 }), vec!["night"]),
    ] {
        let actions = described(&mut scene, more.clone());
        let names = actions
            .iter()
            .map(|action| action["ScheduledActionName"].clone());
        assert_eq!(names.collect::<Vec<_>>(), wanted, "{more}");
    }

    scene.done("DeleteScheduledAction", at_night(json!({})));
    assert_eq!(described(&mut scene, json!({})).len(), 1);
    let missing = scene.refused("DeleteScheduledAction", at_night(json!({})));
    assert_eq!(missing.code, "ObjectNotFoundException");
    let words = "No scheduled action found for service namespace: sagemaker";
    assert!(missing.message.starts_with(words), "{missing}");
    assert!(
        missing.message.ends_with(", scheduled action name: night"),
        "{missing}"
    );
}
