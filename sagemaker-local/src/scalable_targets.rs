//! Scalable targets: `RegisterScalableTarget`, `DescribeScalableTargets`,
//! `DeregisterScalableTarget`.

use serde_json::{Value, json};

use crate::account::{Account, ScalableTarget, Shelf, TargetKey};
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, is_set, items, required, text};
use crate::scaling_tags;

mod registration;

/// The namespace of what is scaled here.
pub(crate) const NAMESPACE: &str = "sagemaker";
/// What is scaled of a variant on instances.
pub(crate) const INSTANCES: &str = "sagemaker:variant:DesiredInstanceCount";
/// What is scaled of a serverless variant.
pub(crate) const CONCURRENCY: &str = "sagemaker:variant:DesiredProvisionedConcurrency";

/// The role under which the service scales variants, whatever role a request gives.
const ROLE: &str = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
                    AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint";
/// What can be suspended, and is not unless told.
const SUSPENSIONS: [&str; 3] = [
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
];
/// How many targets a page has at most where the request does not say.
const PAGE_SIZE: u64 = 50;

/// Registers a variant, or changes what a request gives of one that is registered.
pub(crate) fn register(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let least = registration::least_capacity(account, request, now)?;
    let key = key_of(request);
    let known = account.scalable_targets.get(&key).cloned();
    if known.is_some() && is_set(request, "Tags") {
        return Err(ServiceError::validation(
            "The scalable target that you tried to tag already exists. To update tags on an existing scalable target, \
             use the TagResource API.",
        ));
    }
    let (min, max) = registration::capacities(request, known.as_ref())?;
    registration::check_capacities(min, max, least)?;
    scaling_tags::check(None, request)?;

    let mut target = match known {
        Some(target) => target,
        None => new_target(account, &key, now),
    };
    target.min_capacity = min;
    target.max_capacity = max;
    let suspended = request.get("SuspendedState").and_then(Value::as_object);
    for (member, value) in suspended.into_iter().flatten() {
        if !value.is_null() {
            target.suspended.insert(member.clone(), value.clone());
        }
    }
    let arn = target.arn.clone();
    account.tag(&arn, request);
    account.scalable_targets.insert(key, target);
    Ok(json!({ "ScalableTargetARN": arn }))
}

pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    check_dimension(request, "ResourceIds")?;
    let wanted = items(request, "ResourceIds");
    let rows = of_namespace(account, request)
        .filter(|target| is_set_to(request, "ScalableDimension", &target.dimension))
        .filter(|target| {
            !is_set(request, "ResourceIds") || wanted.iter().any(|id| *id == target.resource_id)
        })
        .map(|target| Row {
            name: target.resource_id.clone(),
            serial: target.serial,
            created: target.created,
            modified: None,
            status: None,
            summary: description(account, target),
        });
    page(PAGE_SIZE, request, rows.collect(), "ScalableTargets")
}

pub(crate) fn deregister(account: &mut Account, request: &Document) -> Answer {
    let Some(target) = target(account, request) else {
        return Err(not_found("No scalable target found", request));
    };
    let arn = target.arn.clone();
    account.scalable_targets.remove(&key_of(request));
    account.untag(&arn);
    Ok(json!({}))
}

/// The target that a request is about, which must be registered.
pub(crate) fn find<'account>(
    account: &'account Account,
    request: &Document,
) -> Result<&'account ScalableTarget, ServiceError> {
    target(account, request).ok_or_else(|| not_found("No scalable target registered", request))
}

/// The policies or scheduled actions of the target that a request is about, to be changed.
pub(crate) fn shelf_of<'account>(
    account: &'account mut Account,
    request: &Document,
    shelf: fn(&mut ScalableTarget) -> &mut Shelf,
) -> Option<&'account mut Shelf> {
    target(account, request)?;
    account
        .scalable_targets
        .get_mut(&key_of(request))
        .map(shelf)
}

/// The targets whose policies or scheduled actions a request wants described.
pub(crate) fn wanted<'account>(
    account: &'account Account,
    request: &'account Document,
) -> Result<impl Iterator<Item = &'account ScalableTarget>, ServiceError> {
    check_dimension(request, "ResourceId")?;
    Ok(of_namespace(account, request)
        .filter(|target| is_set_to(request, "ResourceId", &target.resource_id))
        .filter(|target| is_set_to(request, "ScalableDimension", &target.dimension)))
}

/// The page of a list that the request asks for, oldest first.
pub(crate) fn page(size: u64, request: &Document, rows: Vec<Row>, member: &str) -> Answer {
    // A bad token is all that can be wrong with a page.
    paging::page_of(size, request, rows, member, "Ascending").map_err(|error| ServiceError {
        code: "InvalidNextTokenException".to_owned(),
        ..error
    })
}

/// The error for something that is not there: `what`, and of which target it would be.
pub(crate) fn not_found(what: &str, request: &Document) -> ServiceError {
    let message = format!(
        "{what} for service namespace: {}, resource ID: {}, scalable dimension: {}",
        required(request, "ServiceNamespace"),
        required(request, "ResourceId"),
        required(request, "ScalableDimension"),
    );
    ServiceError::new("ObjectNotFoundException", message)
}

/// A target as it is described.
pub(crate) fn description(account: &Account, target: &ScalableTarget) -> Value {
    json!({
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.dimension,
        "MinCapacity": target.min_capacity,
        "MaxCapacity": target.max_capacity,
        "RoleARN": account.arns.role(ROLE),
        "CreationTime": timestamp(target.created),
        "SuspendedState": target.suspended,
        "ScalableTargetARN": target.arn,
    })
}

/// The ARN of the target that a request is about, as a denial names it: any target's where that one
/// is not there.
pub(crate) fn arn(account: &Account, request: &Document) -> String {
    target(account, request).map_or_else(|| arn_of(account, "*"), |target| target.arn.clone())
}

fn arn_of(account: &Account, id: &str) -> String {
    let resource = format!("scalable-target/{id}");
    account.arns.of("application-autoscaling", &resource)
}

fn target<'account>(
    account: &'account Account,
    request: &Document,
) -> Option<&'account ScalableTarget> {
    let target = account.scalable_targets.get(&key_of(request));
    target.filter(|_| required(request, "ServiceNamespace") == NAMESPACE)
}

fn key_of(request: &Document) -> TargetKey {
    let member = |member| required(request, member).to_owned();
    (member("ResourceId"), member("ScalableDimension"))
}

fn new_target(account: &mut Account, key: &TargetKey, now: Moment) -> ScalableTarget {
    let serial = account.next_serial();
    let (resource_id, dimension) = key.clone();
    ScalableTarget {
        resource_id,
        dimension,
        arn: arn_of(account, &format!("{serial:036x}")),
        created: now,
        serial,
        min_capacity: 0,
        max_capacity: 0,
        suspended: SUSPENSIONS
            .map(|member| (member.to_owned(), false.into()))
            .into_iter()
            .collect(),
        policies: Shelf::new(),
        scheduled_actions: Shelf::new(),
    }
}

/// A dimension alone finds nothing: it goes with the resource that it is of.
fn check_dimension(request: &Document, resource_member: &str) -> Result<(), ServiceError> {
    if is_set(request, "ScalableDimension") && !is_set(request, resource_member) {
        return refuse(format!(
            "A ScalableDimension needs {resource_member} beside it."
        ));
    }
    Ok(())
}

fn of_namespace<'account>(
    account: &'account Account,
    request: &Document,
) -> impl Iterator<Item = &'account ScalableTarget> {
    let is_ours = required(request, "ServiceNamespace") == NAMESPACE;
    account.scalable_targets.values().filter(move |_| is_ours)
}

/// Whether a member has this value, where it is set at all.
fn is_set_to(request: &Document, member: &str, value: &str) -> bool {
    text(request, member).is_none_or(|wanted| wanted == value)
}

fn refuse<Wanted>(message: impl Into<String>) -> Result<Wanted, ServiceError> {
    Err(ServiceError::validation(message))
}

#[cfg(test)]
mod tests;
