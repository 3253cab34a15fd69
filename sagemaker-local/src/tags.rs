//! Tags: `AddTags`, `ListTags`, `DeleteTags`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::Moment;
use crate::endpoints;
use crate::error::ServiceError;
use crate::names;
use crate::requests::{Answer, Document, items, required};

/// The most tags that a resource may bear.
const MOST_TAGS: usize = 50;

pub(crate) fn add(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let arn = tagged(account, request, now)?;
    let borne = account.tags.get(&arn);
    let asked = items(request, "Tags")
        .iter()
        .filter_map(|tag| tag["Key"].as_str());
    let keys: BTreeSet<&str> = borne
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .chain(asked)
        .collect();
    if keys.len() > MOST_TAGS {
        return Err(ServiceError::validation(format!(
            "\"{arn}\" may bear at most {MOST_TAGS} tags."
        )));
    }
    account.tag(&arn, request);
    Ok(all(account, &arn))
}

pub(crate) fn list(account: &Account, request: &Document, now: Moment) -> Answer {
    let arn = tagged(account, request, now)?;
    Ok(all(account, &arn))
}

pub(crate) fn delete(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let arn = tagged(account, request, now)?;
    if let Some(tags) = account.tags.get_mut(&arn) {
        let gone = items(request, "TagKeys");
        tags.retain(|key, _| !gone.iter().any(|name| name == key));
    }
    Ok(json!({}))
}

fn all(account: &Account, arn: &str) -> Value {
    let tags = account.tags.get(arn).into_iter().flatten();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    json!({ "Tags": tags })
}

/// The ARN of the resource that the request names, which must exist.
fn tagged(account: &Account, request: &Document, now: Moment) -> Result<String, ServiceError> {
    let arn = names::key(required(request, "ResourceArn"));
    let shelves = [
        &account.models,
        &account.endpoint_configs,
        &account.model_packages,
        &account.model_package_groups,
    ];
    let stands = shelves
        .iter()
        .any(|shelf| shelf.values().any(|resource| resource.arn == arn))
        || endpoints::present(account, names::name_in(&arn), now)
            .is_some_and(|(endpoint, _)| endpoint.arn == arn);
    if stands {
        Ok(arn)
    } else {
        Err(ServiceError::validation(format!(
            "Could not find resource \"{arn}\"."
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;

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
        scene.model("model");
        let config = scene.config_of("config", "model", json!({ "Tags": tags }));
        scene.done(
            "CreateEndpoint",
            json!({ "EndpointName": "Shop", "EndpointConfigName": "config", "Tags": tags }),
        );
        let endpoint = scene.account.arns.endpoint("Shop");
        for arn in [&config, &endpoint] {
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
}
