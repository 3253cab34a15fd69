//! Model package groups: `CreateModelPackageGroup`, `DescribeModelPackageGroup`,
//! `DeleteModelPackageGroup`.

use serde_json::{Value, json};

use crate::account::{Account, Resource};
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::names;
use crate::requests::{Answer, Document, required, text};

pub(crate) fn create(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "ModelPackageGroupName");
    let arn = account.arns.model_package_group(name);
    if account.model_package_groups.contains_key(&names::key(name)) {
        return Err(ServiceError::validation(format!(
            "Model Package Group already exists: {arn}"
        )));
    }
    let group = account.make(name, arn.clone(), request, "ModelPackageGroupName", now);
    account.model_package_groups.insert(names::key(name), group);
    Ok(json!({ "ModelPackageGroupArn": arn }))
}

pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let group = find(account, required(request, "ModelPackageGroupName"))?;
    let mut answer = Value::from(group.document.clone());
    answer["ModelPackageGroupName"] = group.name.as_str().into();
    answer["ModelPackageGroupArn"] = group.arn.as_str().into();
    answer["CreationTime"] = timestamp(group.created);
    answer["CreatedBy"] = json!({});
    answer["ModelPackageGroupStatus"] = "Completed".into();
    Ok(answer)
}

pub(crate) fn delete(account: &mut Account, request: &Document) -> Answer {
    let group = find(account, required(request, "ModelPackageGroupName"))?;
    let (key, arn) = (names::key(&group.name), group.arn.clone());
    if has_packages(account, &key) {
        return Err(ServiceError::conflict(format!(
            "Model Package Group {arn} still has model packages."
        )));
    }
    account.model_package_groups.remove(&key);
    account.last_versions.remove(&key);
    account.untag(&arn);
    Ok(json!({}))
}

/// The group's name and the version that follows its last. A version that was deleted does not come
/// back.
pub(crate) fn next_version(
    account: &mut Account,
    name_or_arn: &str,
) -> Result<(String, u64), ServiceError> {
    let name = find(account, name_or_arn)?.name.clone();
    let last = account.last_versions.entry(names::key(&name)).or_default();
    *last += 1;
    Ok((name, *last))
}

fn find<'account>(
    account: &'account Account,
    name_or_arn: &str,
) -> Result<&'account Resource, ServiceError> {
    let name = names::name_in(name_or_arn);
    account
        .model_package_groups
        .get(&names::key(name))
        .ok_or_else(|| {
            let arn = account.arns.model_package_group(name);
            ServiceError::validation(format!("ModelPackageGroup {arn} does not exist."))
        })
}

fn has_packages(account: &Account, key: &str) -> bool {
    let mut groups = account
        .model_packages
        .values()
        .filter_map(|package| text(&package.document, "ModelPackageGroupName"));
    groups.any(|group| names::key(group) == key)
}
