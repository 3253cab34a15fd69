//! Scheduled actions: `PutScheduledAction`, `DescribeScheduledActions`, `DeleteScheduledAction`.

use serde_json::{Value, json};

use crate::account::{Account, Resource, ScalableTarget};
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::names;
use crate::paging::Row;
use crate::requests::{Answer, Document, is_set, items, required, text, without};
use crate::scalable_targets::{self, NAMESPACE};

/// What an action keeps where a request leaves it out.
const KEPT: [&str; 3] = ["Schedule", "Timezone", "ScalableTargetAction"];
/// What it loses.
const DROPPED: [&str; 2] = ["StartTime", "EndTime"];
/// How many actions a page has at most where the request does not say.
const PAGE_SIZE: u64 = 50;

/// Creates an action, or changes one that is there.
pub(crate) fn put(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "ScheduledActionName");
    let target = scalable_targets::find(account, request)?;
    let known = target.scheduled_actions.get(name).cloned();
    let document = changed(request, known.as_ref());
    check(&document)?;

    let action = match known {
        Some(known) => Resource { document, ..known },
        None => new_action(account, name, request, document, now),
    };
    let shelf =
        scalable_targets::shelf_of(account, request, |target| &mut target.scheduled_actions);
    shelf.map(|actions| actions.insert(name.to_owned(), action));
    Ok(json!({}))
}

pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let names = items(request, "ScheduledActionNames");
    let rows = scalable_targets::wanted(account, request)?
        .flat_map(|target| {
            let actions = target.scheduled_actions.values();
            actions.map(move |action| (target, action))
        })
        .filter(|(_, action)| {
            !is_set(request, "ScheduledActionNames")
                || names.iter().any(|name| *name == action.name)
        })
        .map(|(target, action)| Row {
            name: action.name.clone(),
            serial: action.serial,
            created: action.created,
            modified: None,
            status: None,
            summary: description(target, action),
        });
    scalable_targets::page(PAGE_SIZE, request, rows.collect(), "ScheduledActions")
}

pub(crate) fn delete(account: &mut Account, request: &Document) -> Answer {
    let name = required(request, "ScheduledActionName");
    let shelf =
        scalable_targets::shelf_of(account, request, |target| &mut target.scheduled_actions);
    if shelf.and_then(|actions| actions.remove(name)).is_none() {
        let missing = scalable_targets::not_found("No scheduled action found", request);
        let message = format!("{}, scheduled action name: {name}", missing.message);
        return Err(ServiceError { message, ..missing });
    }
    Ok(json!({}))
}

/// The scheduled actions of a target as they are described, by name.
pub(crate) fn of(target: &ScalableTarget) -> Vec<Value> {
    let actions = target.scheduled_actions.values();
    actions.map(|action| description(target, action)).collect()
}

fn description(target: &ScalableTarget, action: &Resource) -> Value {
    let mut answer = Value::from(action.document.clone());
    answer["ScheduledActionName"] = action.name.as_str().into();
    answer["ScheduledActionARN"] = action.arn.as_str().into();
    answer["ServiceNamespace"] = NAMESPACE.into();
    answer["ResourceId"] = target.resource_id.as_str().into();
    answer["ScalableDimension"] = target.dimension.as_str().into();
    answer["CreationTime"] = timestamp(action.created);
    answer
}

/// What an action comes to with what a request gives.
fn changed(request: &Document, known: Option<&Resource>) -> Document {
    let mut document = known.map_or_else(Document::new, |known| without(&known.document, &DROPPED));
    for member in KEPT.into_iter().chain(DROPPED) {
        if let Some(value) = request.get(member).filter(|value| !value.is_null()) {
            document.insert(member.to_owned(), value.clone());
        }
    }
    without(&document, &[])
}

fn check(action: &Document) -> Result<(), ServiceError> {
    let Some(schedule) = text(action, "Schedule") else {
        return refuse("A new scheduled action needs a Schedule.");
    };
    if !names::follows(names::SCHEDULE, schedule) {
        return refuse(format!(
            "The Schedule \"{schedule}\" is no at, rate or cron expression."
        ));
    }
    let capacities = action.get("ScalableTargetAction").unwrap_or(&Value::Null);
    let [min, max] = ["MinCapacity", "MaxCapacity"].map(|member| capacities[member].as_i64());
    match (min, max) {
        (None, None) => {
            return refuse(
                "At least one of minimum capacity and maximum capacity should be provided",
            );
        }
        (Some(min), Some(max)) if max < min => {
            return refuse("Maximum capacity cannot be less than minimum capacity");
        }
        _ => {}
    }
    let [start, end] = DROPPED.map(|member| action.get(member).and_then(Value::as_f64));
    match (start, end) {
        (Some(start), Some(end)) if end <= start => {
            refuse("The EndTime of a scheduled action must be after its StartTime.")
        }
        _ => Ok(()),
    }
}

fn new_action(
    account: &mut Account,
    name: &str,
    request: &Document,
    document: Document,
    now: Moment,
) -> Resource {
    let serial = account.next_serial();
    let resource_id = required(request, "ResourceId");
    let path = format!(
        "scheduledAction:{}:resource/{NAMESPACE}/{resource_id}:scheduledActionName/{name}",
        names::uuid(serial)
    );
    Resource {
        name: name.to_owned(),
        arn: account.arns.of("autoscaling", &path),
        created: now,
        serial,
        document,
    }
}

fn refuse<Wanted>(message: impl Into<String>) -> Result<Wanted, ServiceError> {
    Err(ServiceError::validation(message))
}

#[cfg(test)]
mod tests;
