//! Pipeline executions, as far as their callback steps go: `SendPipelineExecutionStepSuccess`,
//! `SendPipelineExecutionStepFailure`, `ListPipelineExecutionSteps`, `DescribePipelineExecution`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::account::Account;
use crate::callback_steps::{CallbackStep, FAIL, SUCCEED};
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, items, required, without};

/// Answers a step: `operation` tells how it went.
pub(crate) fn answer_step(
    account: &mut Account,
    operation: &str,
    request: &Document,
    now: Moment,
) -> Answer {
    check_outputs(request)?;
    let token = required(request, "CallbackToken");
    let Some(step) = account.callback_steps.get_mut(token) else {
        return Err(ServiceError::new(
            "ResourceNotFound",
            format!("Callback token {token} does not exist."),
        ));
    };
    let arn = step.execution_arn.clone();
    if step.take(operation, &without(request, &[]), now) {
        return Ok(json!({ "PipelineExecutionArn": arn }));
    }
    Err(ServiceError::validation(format!(
        "Callback token {token} is no longer valid: step {} of {arn} is {}.",
        step.name,
        step.status()
    )))
}

/// Remembers an attempt to answer a step, whatever became of it.
pub(crate) fn note(account: &mut Account, operation: &str, request: &Document, answer: &Answer) {
    if [SUCCEED, FAIL].contains(&operation) {
        let code = answer.as_ref().err().map(|error| error.code.as_str());
        account.callback_steps.note(operation, request, code);
    }
}

pub(crate) fn list_steps(account: &Account, request: &Document, now: Moment) -> Answer {
    let steps = steps_of(account, request)?.into_iter();
    let listed = steps.filter(|step| step.is_listed(now));
    let rows = listed.map(|step| Row {
        name: step.name.clone(),
        serial: step.serial,
        created: step.started,
        modified: None,
        status: None,
        summary: summary(step),
    });
    paging::page(
        request,
        rows.collect(),
        "PipelineExecutionSteps",
        "Descending",
    )
}

/// Describes an execution, which is what its callback steps make of it.
pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let steps = steps_of(account, request)?;
    let statuses: BTreeSet<&str> = steps.iter().map(|step| step.status()).collect();
    let first = ["Failed", "Stopped", "Executing"]
        .into_iter()
        .find(|status| statuses.contains(status));
    let moments = steps
        .iter()
        .map(|step| step.ended().unwrap_or(step.started));
    let arn = steps.first().map(|step| step.execution_arn.as_str());
    let pipeline = arn.and_then(|arn| arn.split("/execution/").next());
    Ok(json!({
        "PipelineArn": pipeline,
        "PipelineExecutionArn": arn,
        "PipelineExecutionStatus": first.unwrap_or("Succeeded"),
        "CreationTime": steps.iter().map(|step| step.started).min().map(timestamp),
        "LastModifiedTime": moments.max().map(timestamp),
    }))
}

/// The ARN of the execution whose step a request answers, as a denial names it.
pub(crate) fn arn_of_answered(account: &Account, request: &Document) -> String {
    let step = account
        .callback_steps
        .get(required(request, "CallbackToken"));
    step.map_or_else(
        || account.arns.all("pipeline"),
        |step| step.execution_arn.clone(),
    )
}

fn steps_of<'account>(
    account: &'account Account,
    request: &Document,
) -> Result<Vec<&'account CallbackStep>, ServiceError> {
    let arn = required(request, "PipelineExecutionArn");
    let steps = account.callback_steps.of(arn);
    if steps.is_empty() {
        return Err(ServiceError::new(
            "ResourceNotFound",
            format!("Pipeline execution {arn} does not exist."),
        ));
    }
    Ok(steps)
}

fn summary(step: &CallbackStep) -> Value {
    let mut callback = json!({ "CallbackToken": step.token, "SqsQueueUrl": step.queue_url });
    if let Some(outputs) = step.outputs() {
        callback["OutputParameters"] = outputs.into();
    }
    let mut summary = json!({
        "StepName": step.name,
        "StepStatus": step.status(),
        "StartTime": timestamp(step.started),
        "Metadata": { "Callback": callback },
    });
    if let Some(moment) = step.ended() {
        summary["EndTime"] = timestamp(moment);
    }
    if let Some(reason) = step.failure_reason() {
        summary["FailureReason"] = reason.into();
    }
    summary
}

fn check_outputs(request: &Document) -> Result<(), ServiceError> {
    let mut seen = BTreeSet::new();
    let names = items(request, "OutputParameters").iter();
    match names
        .filter_map(|output| output["Name"].as_str())
        .find(|name| !seen.insert(*name))
    {
        Some(twice) => Err(ServiceError::validation(format!(
            "Output parameter names must be unique, \"{twice}\" is not."
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
