use serde_json::{Value, json};

use crate::scene::{SHOP, Scene, scaling};

/// Registers the variant with these tags; the target's ARN.
fn tagged(scene: &mut Scene, tags: &Value) -> String {
    let request = json!({ "MinCapacity": 1, "MaxCapacity": 2, "Tags": tags });
    let answer = scene.done("RegisterScalableTarget", scaling(SHOP, request));
    answer["ScalableTargetARN"]
        .as_str()
        .expect("an ARN")
        .to_owned()
}

fn listed(scene: &mut Scene, arn: &str) -> Value {
    scene.done("ListTagsForResource", json!({ "ResourceARN": arn }))["Tags"].clone()
}

/// So many tags.
fn many(count: usize) -> Value {
    let tags = (0..count).map(|index| (format!("k{index}"), json!("")));
    Value::Object(tags.collect())
}

#[test]
fn tags_come_with_the_registration_and_are_added_and_taken_away() {
    let mut scene = Scene::in_service();
    let arn = tagged(&mut scene, &json!({ "team": "shop" }));
    assert_eq!(listed(&mut scene, &arn), json!({ "team": "shop" }));
    let more = json!({ "ResourceARN": arn, "Tags": { "team": "till", "tier": "1" } });
    assert_eq!(scene.done("TagResource", more), json!({}));
    assert_eq!(
        listed(&mut scene, &arn),
        json!({ "team": "till", "tier": "1" })
    );
    let gone = json!({ "ResourceARN": arn, "TagKeys": ["team", "none"] });
    assert_eq!(scene.done("UntagResource", gone), json!({}));
    assert_eq!(listed(&mut scene, &arn), json!({ "tier": "1" }));
}

#[test]
fn a_registered_target_is_tagged_on_its_own() {
    let mut scene = Scene::scaled();
    let request = scaling(SHOP, json!({ "Tags": { "team": "shop" } }));
    let refused = scene.refused("RegisterScalableTarget", request);
    assert_eq!(refused.code, "ValidationException");
    assert_eq!(
        refused.message,
        "The scalable target that you tried to tag already exists. To update tags on an existing scalable target, use \
         the TagResource API."
    );
}

#[test]
fn what_is_not_registered_bears_no_tags() {
    let mut scene = Scene::in_service();
    let arn = tagged(&mut scene, &json!({}));
    scene.done("DeregisterScalableTarget", scaling(SHOP, json!({})));
    for (operation, request) in [
        ("ListTagsForResource", json!({ "ResourceARN": arn })),
        (
            "TagResource",
            json!({ "ResourceARN": arn, "Tags": { "k": "v" } }),
        ),
        (
            "UntagResource",
            json!({ "ResourceARN": arn, "TagKeys": ["k"] }),
        ),
    ] {
        let refused = scene.refused(operation, request);
        assert_eq!(refused.code, "ResourceNotFoundException", "{operation}");
    }
    assert_eq!(scene.account.tags(&arn), None);
}

#[test]
fn there_may_be_fifty_tags_and_no_more() {
    let mut scene = Scene::in_service();
    let request = json!({ "MinCapacity": 1, "MaxCapacity": 2, "Tags": many(51) });
    let refused = scene.refused("RegisterScalableTarget", scaling(SHOP, request));
    assert_eq!(refused.code, "TooManyTagsException");
    let arn = tagged(&mut scene, &many(50));
    let again = json!({ "ResourceARN": arn, "Tags": many(50) });
    scene.done("TagResource", again);
    let one_more = json!({ "ResourceARN": arn, "Tags": { "other": "" } });
    let refused = scene.refused("TagResource", one_more);
    assert_eq!(refused.code, "TooManyTagsException");
}

#[test]
fn keys_and_values_are_texts_of_a_length_and_not_reserved() {
    let mut scene = Scene::in_service();
    let arn = tagged(&mut scene, &json!({}));
    for (tags, code, words) in [
        (
            json!({ "aws:team": "shop" }),
            "ValidationException",
            "System prefix 'aws:' reserved",
        ),
        (
            json!({ "": "shop" }),
            "ValidationException",
            "at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            json!({ "team": "x".repeat(257) }),
            "ValidationException",
            "at 'tags.team' failed to satisfy constraint: Member must have length less than or equal to 256",
        ),
        (
            json!({ "team": 1 }),
            "SerializationException",
            "'tags.team' is not a string",
        ),
        (
            json!([{ "Key": "team", "Value": "shop" }]),
            "SerializationException",
            "'tags' is not a structure",
        ),
    ] {
        let request = json!({ "ResourceARN": arn, "Tags": tags });
        let refused = scene.refused("TagResource", request);
        assert_eq!(refused.code, code, "{refused}");
        assert!(refused.message.contains(words), "{refused}");
    }
    assert_eq!(listed(&mut scene, &arn), json!({}));
}
