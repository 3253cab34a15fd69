//! Tags of scalable targets: `ListTagsForResource`, `TagResource`, `UntagResource`. Where SageMaker
//! has a list of tags, Application Auto Scaling has a map.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::account::Account;
use crate::error::ServiceError;
use crate::requests::{Answer, Document, items, required};
use crate::tags::MOST_TAGS;

/// Checks that the tags which a request gives have room beside those that a target bears.
pub(crate) fn check(
    borne: Option<&BTreeMap<String, Value>>,
    request: &Document,
) -> Result<(), ServiceError> {
    let given = request.get("Tags").and_then(Value::as_object);
    let given = given.into_iter().flatten().map(|(key, _)| key);
    let borne = borne.into_iter().flatten().map(|(key, _)| key);
    let keys: BTreeSet<&String> = borne.chain(given).collect();
    if keys.len() > MOST_TAGS {
        return Err(ServiceError::new(
            "TooManyTagsException",
            format!("A scalable target may bear at most {MOST_TAGS} tags."),
        ));
    }
    Ok(())
}

pub(crate) fn list(account: &Account, request: &Document) -> Answer {
    let arn = tagged(account, request)?;
    let tags = account.tags(&arn).cloned().unwrap_or_default();
    Ok(json!({ "Tags": tags }))
}

pub(crate) fn tag(account: &mut Account, request: &Document) -> Answer {
    let arn = tagged(account, request)?;
    check(account.tags(&arn), request)?;
    account.tag(&arn, request);
    Ok(json!({}))
}

pub(crate) fn untag(account: &mut Account, request: &Document) -> Answer {
    let arn = tagged(account, request)?;
    if let Some(tags) = account.tags_mut(&arn) {
        let gone = items(request, "TagKeys");
        tags.retain(|key, _| !gone.iter().any(|name| name == key));
    }
    Ok(json!({}))
}

/// The ARN of the scalable target that the request names, which must exist.
fn tagged(account: &Account, request: &Document) -> Result<String, ServiceError> {
    let arn = required(request, "ResourceARN");
    let mut targets = account.scalable_targets.values();
    if targets.any(|target| target.arn == arn) {
        return Ok(arn.to_owned());
    }
    Err(ServiceError::new(
        "ResourceNotFoundException",
        format!("There is no scalable target {arn}."),
    ))
}

#[cfg(test)]
mod tests;
