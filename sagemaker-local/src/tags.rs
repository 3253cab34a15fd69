//! Tags: `AddTags`, `ListTags`, `DeleteTags`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::Moment;
use crate::endpoints;
use crate::error::ServiceError;
use crate::names;
use crate::requests::{Answer, Document, is_set, items, required};

/// The most tags that a resource may bear.
pub(crate) const MOST_TAGS: usize = 50;
/// What the keys of AWS's own tags begin with, in any case.
const RESERVED: &str = "aws:";

/// Checks the tags that a request gives to whatever resource, or the keys that it takes away.
pub(crate) fn check(request: &Document) -> Result<(), ServiceError> {
    let listed = items(request, "Tags").iter().map(|tag| &tag["Key"]);
    let mapped = request.get("Tags").and_then(Value::as_object);
    let mapped = mapped.into_iter().flatten().map(|(key, _)| key.as_str());
    let keys = listed
        .chain(items(request, "TagKeys"))
        .filter_map(Value::as_str)
        .chain(mapped);
    let mut seen = BTreeSet::new();
    for key in keys {
        let start = key.get(..RESERVED.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(RESERVED)) {
            return Err(ServiceError::validation(format!(
                "System prefix 'aws:' reserved for AWS usage in tag key: {key}"
            )));
        }
        // To take a tag away twice does no harm.
        if !seen.insert(key) && is_set(request, "Tags") {
            return Err(ServiceError::validation(format!(
                "Duplicate tag key in the request: {key}"
            )));
        }
    }
    Ok(())
}

pub(crate) fn add(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let arn = tagged(account, request, now)?;
    let borne = account.tags(&arn);
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
    if let Some(tags) = account.tags_mut(&arn) {
        let gone = items(request, "TagKeys");
        tags.retain(|key, _| !gone.iter().any(|name| name == key));
    }
    Ok(json!({}))
}

fn all(account: &Account, arn: &str) -> Value {
    let tags = account.tags(arn).into_iter().flatten();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    json!({ "Tags": tags })
}

/// The ARN of the resource that the request names, which must exist.
fn tagged(account: &Account, request: &Document, now: Moment) -> Result<String, ServiceError> {
    let arn = required(request, "ResourceArn");
    let is_named = |its: &str| names::key(its) == names::key(arn);
    let shelves = [
        &account.models,
        &account.endpoint_configs,
        &account.model_packages,
        &account.model_package_groups,
    ];
    let stands = shelves
        .iter()
        .any(|shelf| shelf.values().any(|resource| is_named(&resource.arn)))
        || endpoints::present(account, names::name_in(arn), now)
            .is_some_and(|(endpoint, _)| is_named(&endpoint.arn));
    if stands {
        Ok(arn.to_owned())
    } else {
        Err(ServiceError::validation(format!(
            "Could not find resource \"{arn}\"."
        )))
    }
}

#[cfg(test)]
mod tests;
