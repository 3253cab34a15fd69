//! Scaling policies: `PutScalingPolicy`, `DescribeScalingPolicies`, `DeleteScalingPolicy`.

use serde_json::{Value, json};

use crate::account::{Account, Resource, ScalableTarget};
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::names;
use crate::paging::Row;
use crate::requests::{Answer, Document, is_set, items, required, text, without};
use crate::scalable_targets::{self, NAMESPACE};

mod step_scaling;
mod target_tracking;

/// The kinds of policies that scale variants, and the member that configures each.
const CONFIGURATIONS: [(&str, &str); 2] = [
    (
        target_tracking::KIND,
        "TargetTrackingScalingPolicyConfiguration",
    ),
    (step_scaling::KIND, "StepScalingPolicyConfiguration"),
];
/// How many policies a page has at most where the request does not say.
const PAGE_SIZE: u64 = 10;

/// Creates a policy, or changes what a request gives of one that is there.
pub(crate) fn put(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "PolicyName");
    let target = scalable_targets::find(account, request)?;
    let known = target.policies.get(name).cloned();
    let document = configured(request, known.as_ref())?;
    check(target, name, &document)?;

    let mut policy = match known {
        Some(policy) => policy,
        None => new_policy(account, name, request, now),
    };
    let alarms = match alarms_of(&policy, &document) {
        Some(alarms) => alarms,
        None => new_alarms(account, request, &document),
    };
    policy.document = document;
    policy.document.insert("Alarms".to_owned(), alarms.clone());
    let answer = json!({ "PolicyARN": policy.arn, "Alarms": alarms });
    let shelf = scalable_targets::shelf_of(account, request, |target| &mut target.policies);
    shelf.map(|policies| policies.insert(name.to_owned(), policy));
    Ok(answer)
}

pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let names = items(request, "PolicyNames");
    let rows = scalable_targets::wanted(account, request)?
        .flat_map(|target| target.policies.values().map(move |policy| (target, policy)))
        .filter(|(_, policy)| {
            !is_set(request, "PolicyNames") || names.iter().any(|name| *name == policy.name)
        })
        .map(|(target, policy)| Row {
            name: policy.name.clone(),
            serial: policy.serial,
            created: policy.created,
            modified: None,
            status: None,
            summary: description(target, policy),
        });
    scalable_targets::page(PAGE_SIZE, request, rows.collect(), "ScalingPolicies")
}

pub(crate) fn delete(account: &mut Account, request: &Document) -> Answer {
    let name = required(request, "PolicyName");
    let shelf = scalable_targets::shelf_of(account, request, |target| &mut target.policies);
    if shelf.and_then(|policies| policies.remove(name)).is_none() {
        let missing = scalable_targets::not_found("No scaling policy found", request);
        let message = format!("{}, policy name: {name}", missing.message);
        return Err(ServiceError { message, ..missing });
    }
    Ok(json!({}))
}

/// The policies of a target as they are described, by name.
pub(crate) fn of(target: &ScalableTarget) -> Vec<Value> {
    let policies = target.policies.values();
    policies.map(|policy| description(target, policy)).collect()
}

fn description(target: &ScalableTarget, policy: &Resource) -> Value {
    let mut answer = Value::from(policy.document.clone());
    answer["PolicyARN"] = policy.arn.as_str().into();
    answer["PolicyName"] = policy.name.as_str().into();
    answer["ServiceNamespace"] = NAMESPACE.into();
    answer["ResourceId"] = target.resource_id.as_str().into();
    answer["ScalableDimension"] = target.dimension.as_str().into();
    answer["CreationTime"] = timestamp(policy.created);
    answer
}

/// The kind of the policy that a request wants and its configuration, which stay what they are where
/// the request leaves them out.
fn configured(request: &Document, known: Option<&Resource>) -> Result<Document, ServiceError> {
    let known = known.map(|policy| &policy.document);
    let known_kind = known.and_then(|known| text(known, "PolicyType"));
    let Some(kind) = text(request, "PolicyType").or(known_kind) else {
        return refuse("A new scaling policy needs a PolicyType.");
    };
    let Some((_, member)) = CONFIGURATIONS.into_iter().find(|(known, _)| *known == kind) else {
        return refuse(format!("{kind} is not supported for {NAMESPACE}."));
    };
    if let Some((_, other)) = CONFIGURATIONS
        .into_iter()
        .find(|(_, other)| *other != member && is_set(request, other))
    {
        return refuse(format!("{other} does not go with the policy type {kind}."));
    }
    let given = request.get(member).filter(|config| !config.is_null());
    let Some(config) = given.or_else(|| known.and_then(|known| known.get(member))) else {
        return refuse(format!("A new policy of type {kind} needs a {member}."));
    };
    let mut document = Document::new();
    document.insert("PolicyType".to_owned(), kind.into());
    document.insert(member.to_owned(), config.clone());
    Ok(without(&document, &[]))
}

fn check(target: &ScalableTarget, name: &str, document: &Document) -> Result<(), ServiceError> {
    for (kind, member) in CONFIGURATIONS {
        let Some(config) = document.get(member).and_then(Value::as_object) else {
            continue;
        };
        if kind == step_scaling::KIND {
            return step_scaling::check(config);
        }
        target_tracking::check(&target.dimension, config)?;
        let others = target
            .policies
            .values()
            .filter(|policy| policy.name != name);
        for other in others.filter_map(|policy| policy.document.get(member)) {
            target_tracking::check_apart(config, other)?;
        }
    }
    Ok(())
}

fn new_policy(account: &mut Account, name: &str, request: &Document, now: Moment) -> Resource {
    let serial = account.next_serial();
    let resource_id = required(request, "ResourceId");
    let id = names::uuid(serial);
    let path = format!("scalingPolicy:{id}:resource/{NAMESPACE}/{resource_id}:policyName/{name}");
    Resource {
        name: name.to_owned(),
        arn: account.arns.of("autoscaling", &path),
        created: now,
        serial,
        document: Document::new(),
    }
}

/// The alarms that a policy keeps: those that it has, as long as its kind stays.
fn alarms_of(policy: &Resource, document: &Document) -> Option<Value> {
    let stays = policy.document.get("PolicyType") == document.get("PolicyType");
    policy.document.get("Alarms").filter(|_| stays).cloned()
}

/// The alarms that the service makes for a policy: where it tracks a target, one above that and one
/// below. Whoever makes a step scaling policy makes its alarms too.
fn new_alarms(account: &mut Account, request: &Document, document: &Document) -> Value {
    if text(document, "PolicyType") != Some(target_tracking::KIND) {
        return json!([]);
    }
    let resource_id = required(request, "ResourceId");
    let alarms = ["AlarmHigh", "AlarmLow"].map(|which| {
        let id = names::uuid(account.next_serial());
        let name = format!("TargetTracking-{resource_id}-{which}-{id}");
        let arn = account.arns.of("cloudwatch", &format!("alarm:{name}"));
        json!({ "AlarmName": name, "AlarmARN": arn })
    });
    Value::from(alarms.to_vec())
}

fn refuse<Wanted>(message: impl Into<String>) -> Result<Wanted, ServiceError> {
    Err(ServiceError::validation(message))
}

#[cfg(test)]
mod tests;
