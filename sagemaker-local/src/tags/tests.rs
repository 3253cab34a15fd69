use super::*;
use crate::scene::{Scene, endpoint_arn, on};
use crate::settings::ArnCase;

#[test]
fn tags_are_given_added_and_taken_away() {
    let mut scene = Scene::new();
    let arn = scene.model("shop");
    assert_eq!(
        scene.call("ListTags", json!({ "ResourceArn": arn })),
        Ok(json!({ "Tags": [] }))
    );

    scene.done(
        "AddTags",
        json!({ "ResourceArn": arn, "Tags": [{ "Key": "b", "Value": "1" }, { "Key": "a", "Value": "2" }] }),
    );
    let added = scene.done(
        "AddTags",
        json!({ "ResourceArn": arn, "Tags": [{ "Key": "b", "Value": "3" }] }),
    );
    assert_eq!(
        added,
        json!({ "Tags": [{ "Key": "a", "Value": "2" }, { "Key": "b", "Value": "3" }] })
    );

    scene.done(
        "DeleteTags",
        json!({ "ResourceArn": arn, "TagKeys": ["a", "none"] }),
    );
    assert_eq!(
        scene.done("ListTags", json!({ "ResourceArn": arn })),
        json!({ "Tags": [{ "Key": "b", "Value": "3" }] })
    );
}

#[test]
fn tags_come_with_a_creation_and_go_with_a_deletion() {
    let mut scene = Scene::new();
    let tags = json!([{ "Key": "team", "Value": "shop" }]);
    let model = scene.done(
        "CreateModel",
        json!({ "ModelName": "Model", "PrimaryContainer": { "Image": "image" }, "Tags": tags }),
    );
    let model = model["ModelArn"].as_str().expect("an ARN");
    let config = scene.config_of("Config", "model", json!({ "Tags": tags }));
    scene.done(
        "CreateEndpoint",
        json!({ "EndpointName": "Shop", "EndpointConfigName": "config", "Tags": tags }),
    );
    let endpoint = scene.account.arns.endpoint("Shop");
    for arn in [model, &config, &endpoint] {
        assert_eq!(
            scene.done("ListTags", json!({ "ResourceArn": arn }))["Tags"],
            tags,
            "{arn}"
        );
    }

    scene.done(
        "DeleteEndpointConfig",
        json!({ "EndpointConfigName": "config" }),
    );
    scene.refused("ListTags", json!({ "ResourceArn": config }));
    scene.pass(3.0);
    scene.done("DeleteEndpoint", json!({ "EndpointName": "Shop" }));
    scene.pass(1.0);
    scene.refused("ListTags", json!({ "ResourceArn": endpoint }));

    scene.config("config", "model");
    scene.done(
        "CreateEndpoint",
        json!({ "EndpointName": "Shop", "EndpointConfigName": "config" }),
    );
    assert_eq!(
        scene.done("ListTags", json!({ "ResourceArn": endpoint })),
        json!({ "Tags": [] })
    );
    assert_eq!(
        scene.done("ListTags", json!({ "ResourceArn": config })),
        json!({ "Tags": [] })
    );
}

#[test]
fn there_may_be_fifty_tags_and_no_more() {
    let mut scene = Scene::new();
    let arn = scene.model("shop");
    let tags: Vec<Value> = (0..50)
        .map(|key| json!({ "Key": format!("k{key}"), "Value": "" }))
        .collect();
    scene.done("AddTags", json!({ "ResourceArn": arn, "Tags": tags }));
    let refused = scene.refused(
        "AddTags",
        json!({ "ResourceArn": arn, "Tags": [{ "Key": "one", "Value": "" }] }),
    );
    assert_eq!(refused.code, "ValidationException");
}

#[test]
fn what_is_not_there_bears_no_tags() {
    let mut scene = Scene::new();
    let arn = scene.account.arns.endpoint("none");
    for (operation, request) in [
        ("ListTags", json!({ "ResourceArn": arn })),
        (
            "AddTags",
            json!({ "ResourceArn": arn, "Tags": [{ "Key": "k", "Value": "v" }] }),
        ),
        (
            "DeleteTags",
            json!({ "ResourceArn": arn, "TagKeys": ["k"] }),
        ),
    ] {
        assert_eq!(
            scene.refused(operation, request).code,
            "ValidationException"
        );
    }
}

#[test]
fn tags_are_added_to_models_configs_and_endpoints() {
    let mut scene = Scene::in_service();
    for kind in ["model/model", "endpoint-config/a", "endpoint/shop"] {
        let arn = format!("arn:aws:sagemaker:eu-west-1:123456789012:{kind}");
        let tags = json!([{ "Key": "team", "Value": kind }]);
        scene.done("AddTags", json!({ "ResourceArn": arn, "Tags": tags }));
        assert_eq!(
            scene.done("ListTags", json!({ "ResourceArn": arn })),
            json!({ "Tags": tags })
        );
    }
}

#[test]
fn keys_are_neither_reserved_nor_given_twice() {
    let reserved = "System prefix 'aws:' reserved for AWS usage in tag key:";
    let twice = "Duplicate tag key in the request:";
    for (keys, wrong) in [
        (vec!["aws:team"], Some(reserved)),
        (vec!["team", "AWS:team"], Some(reserved)),
        (vec!["Aws:"], Some(reserved)),
        (vec!["team", "team"], Some(twice)),
        // Keys regard case, and only their beginning is reserved.
        (
            vec!["team", "Team", "aws", "awsteam", "my:aws:team", "äws:"],
            None,
        ),
    ] {
        let tags: Vec<Value> = keys
            .iter()
            .enumerate()
            .map(|(index, key)| json!({ "Key": key, "Value": index.to_string() }))
            .collect();
        let arn = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/shop";
        let variant = json!({
            "VariantName": "v",
            "ModelName": "model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        });
        for (operation, request) in [
            ("AddTags", json!({ "ResourceArn": arn, "Tags": tags })),
            (
                "CreateModel",
                json!({ "ModelName": "m", "PrimaryContainer": { "Image": "i" }, "Tags": tags }),
            ),
            (
                "CreateEndpointConfig",
                json!({ "EndpointConfigName": "c", "ProductionVariants": [variant], "Tags": tags }),
            ),
            (
                "CreateEndpoint",
                json!({ "EndpointName": "e", "EndpointConfigName": "a", "Tags": tags }),
            ),
        ] {
            let answer = Scene::in_service().call(operation, request);
            match (wrong, answer) {
                (None, answer) => assert!(answer.is_ok(), "{operation} {keys:?} {answer:?}"),
                (Some(words), answer) => {
                    let refused = answer.expect_err(operation);
                    assert_eq!(refused.code, "ValidationException");
                    assert!(refused.message.starts_with(words), "{refused}");
                }
            }
        }
    }
}

#[test]
fn a_reserved_tag_is_not_taken_away_and_another_may_be_named_twice() {
    let mut scene = Scene::new();
    let arn = scene.model("shop");
    let refused = scene.refused(
        "DeleteTags",
        json!({ "ResourceArn": arn, "TagKeys": ["aws:cloudformation:stack-name"] }),
    );
    assert_eq!(
        refused.message,
        "System prefix 'aws:' reserved for AWS usage in tag key: aws:cloudformation:stack-name"
    );
    scene.done(
        "DeleteTags",
        json!({ "ResourceArn": arn, "TagKeys": ["k", "k"] }),
    );
}

#[test]
fn an_arn_names_its_resource_in_either_spelling() {
    for (case, spelled) in [(ArnCase::Kept, "Shop"), (ArnCase::Lower, "shop")] {
        let mut scene = Scene::spelling(case);
        scene.model("model");
        scene.config("a", "model");
        let created = scene.done("CreateEndpoint", on("Shop", "a"));
        assert_eq!(created["EndpointArn"], endpoint_arn(spelled));
        scene.pass(3.0);
        let tags = json!([{ "Key": "team", "Value": "growth" }]);
        let add = json!({ "ResourceArn": endpoint_arn("Shop"), "Tags": tags });
        scene.done("AddTags", add);
        for name in ["Shop", "shop"] {
            let tagged = scene.done("ListTags", json!({ "ResourceArn": endpoint_arn(name) }));
            assert_eq!(tagged["Tags"], tags, "{case:?} {name}");
        }
        // Another spelling in a request does not change the endpoint's own.
        let updated = scene.done("UpdateEndpoint", on("SHOP", "a"));
        assert_eq!(updated["EndpointArn"], endpoint_arn(spelled), "{case:?}");
    }
}
