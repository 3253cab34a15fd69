//! Model packages: `CreateModelPackage`, `UpdateModelPackage`, `DescribeModelPackage`,
//! `ListModelPackages`, `DeleteModelPackage`.

use serde_json::{Value, json};

use crate::account::{Account, Resource};
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::model_package_groups;
use crate::names;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, required, text, without};

/// Creates a package: the next version in its group where it names one, else an unversioned one.
pub(crate) fn create(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let group_name = text(request, "ModelPackageGroupName");
    let (name, version) = match (text(request, "ModelPackageName"), group_name) {
        (Some(_), Some(_)) => {
            return Err(ServiceError::validation(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one \
                 to use.",
            ));
        }
        (None, None) => return Err(ServiceError::validation("Missing ARN.")),
        (Some(name), None) => (name.to_owned(), None),
        (None, Some(group_name)) => {
            if request.get("Tags").is_some_and(|tags| !tags.is_null()) {
                return Err(ServiceError::validation(
                    "A model package in a group bears the tags of its group.",
                ));
            }
            let (name, version) = model_package_groups::next_version(account, group_name)?;
            (name, Some(version))
        }
    };
    let arn = match version {
        Some(version) => account.arns.model_package(&format!("{name}/{version}")),
        None => account.arns.model_package(&name),
    };
    if account.model_packages.contains_key(&names::key(&arn)) {
        return Err(ServiceError::validation(format!(
            "Model Package already exists: {arn}"
        )));
    }
    let mut package = account.make(&name, arn.clone(), request, "ModelPackageName", now);
    if let Some(version) = version {
        package
            .document
            .insert("ModelPackageGroupName".to_owned(), name.into());
        package
            .document
            .insert("ModelPackageVersion".to_owned(), version.into());
        package
            .document
            .entry(APPROVAL)
            .or_insert_with(|| "PendingManualApproval".into());
    }
    account.model_packages.insert(names::key(&arn), package);
    Ok(json!({ "ModelPackageArn": arn }))
}

/// Updates a package: what the request sets replaces what was there.
pub(crate) fn update(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let asked = required(request, "ModelPackageArn");
    let package = account
        .model_packages
        .get_mut(&names::key(asked))
        .ok_or_else(|| not_found(asked))?;
    let arn = package.arn.clone();
    package
        .document
        .extend(without(request, &["ModelPackageArn", "ClientToken"]));
    package
        .document
        .insert("LastModifiedTime".to_owned(), timestamp(now));
    Ok(json!({ "ModelPackageArn": arn }))
}

pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let package = find(account, required(request, "ModelPackageName"))?;
    let mut answer = Value::from(package.document.clone());
    for (member, value) in summary(package) {
        answer[member] = value;
    }
    answer["CreatedBy"] = json!({});
    answer["ModelPackageStatusDetails"] = json!({
        "ValidationStatuses": [],
        "ImageScanStatuses": [],
    });
    Ok(answer)
}

/// Lists the versions of a group where the request names one, else packages of a type: unversioned
/// ones by default.
pub(crate) fn list(account: &Account, request: &Document) -> Answer {
    let group = text(request, "ModelPackageGroupName").map(|name| names::key(names::name_in(name)));
    let kind = text(request, "ModelPackageType").unwrap_or("Unversioned");
    let approval = text(request, APPROVAL);
    let rows = account
        .model_packages
        .values()
        .filter(
            |package| match (&group, text(&package.document, "ModelPackageGroupName")) {
                (Some(wanted), its) => its.is_some_and(|its| names::key(its) == *wanted),
                (None, Some(_)) => kind != "Unversioned",
                (None, None) => kind != "Versioned",
            },
        )
        .filter(|package| {
            approval.is_none_or(|wanted| text(&package.document, APPROVAL) == Some(wanted))
        })
        .map(|package| Row {
            name: package.name.clone(),
            serial: package.serial,
            created: package.created,
            modified: None,
            status: None,
            summary: summary(package).into(),
        });
    paging::page(
        request,
        rows.collect(),
        "ModelPackageSummaryList",
        "Ascending",
    )
}

pub(crate) fn delete(account: &mut Account, request: &Document) -> Answer {
    let arn = find(account, required(request, "ModelPackageName"))?
        .arn
        .clone();
    account.model_packages.remove(&names::key(&arn));
    account.untag(&arn);
    Ok(json!({}))
}

/// Refuses a package that is not there or not approved.
pub(crate) fn check_deployable(account: &Account, name_or_arn: &str) -> Result<(), ServiceError> {
    let package = find(account, name_or_arn)?;
    match text(&package.document, APPROVAL) {
        Some(status) if status != "Approved" => Err(ServiceError::validation(format!(
            "ModelPackage {} cannot be deployed: its approval status is {status}.",
            package.arn
        ))),
        _ => Ok(()),
    }
}

/// A package by its name, `group/version` or ARN.
pub(crate) fn find<'account>(
    account: &'account Account,
    name_or_arn: &str,
) -> Result<&'account Resource, ServiceError> {
    let arn = account.arns.model_package(name_or_arn);
    account
        .model_packages
        .get(&names::key(&arn))
        .ok_or_else(|| not_found(&arn))
}

const APPROVAL: &str = "ModelApprovalStatus";

fn not_found(arn: &str) -> ServiceError {
    ServiceError::validation(format!("ModelPackage {arn} does not exist."))
}

fn summary(package: &Resource) -> Document {
    let mut summary = Document::new();
    for member in [
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageDescription",
        "ModelPackageRegistrationType",
        "ModelLifeCycle",
        APPROVAL,
    ] {
        if let Some(value) = package.document.get(member) {
            summary.insert(member.to_owned(), value.clone());
        }
    }
    if !summary.contains_key("ModelPackageVersion") {
        summary.insert("ModelPackageName".to_owned(), package.name.as_str().into());
    }
    summary.insert("ModelPackageArn".to_owned(), package.arn.as_str().into());
    summary.insert("CreationTime".to_owned(), timestamp(package.created));
    summary.insert("ModelPackageStatus".to_owned(), "Completed".into());
    summary
}

#[cfg(test)]
mod tests;
