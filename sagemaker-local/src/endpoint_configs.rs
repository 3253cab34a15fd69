//! Endpoint configs: `CreateEndpointConfig`, `DescribeEndpointConfig`, `ListEndpointConfigs`,
//! `DeleteEndpointConfig`.

use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::{Moment, timestamp};
use crate::deployed::{DEFAULT_WEIGHT, VARIANT_LISTS, model_names, variants};
use crate::error::ServiceError;
use crate::models;
use crate::names;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, is_set, required, text};
use crate::serverless;

pub(crate) fn create(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "EndpointConfigName");
    let arn = account.arns.endpoint_config(name);
    if account.endpoint_config(name).is_some() {
        return Err(ServiceError::validation(format!(
            "Cannot create already existing endpoint configuration \"{arn}\"."
        )));
    }
    check_variants(account, request)?;
    serverless::check(account, request)?;
    check_async_inference(request)?;
    let config = account.make(name, arn.clone(), request, "EndpointConfigName", now);
    account.endpoint_configs.insert(names::key(name), config);
    Ok(json!({ "EndpointConfigArn": arn }))
}

/// Describes a config as it was asked for. A weight that was left out is told all the same: it is the
/// one default that the service fills in.
pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let name = required(request, "EndpointConfigName");
    let config = account
        .endpoint_config(name)
        .ok_or_else(|| not_found(account, name))?;
    let mut answer = Value::from(config.document.clone());
    for member in VARIANT_LISTS {
        let variants = answer.get_mut(member).and_then(Value::as_array_mut);
        for variant in variants.into_iter().flatten() {
            if variant.get("InitialVariantWeight").is_none() {
                variant["InitialVariantWeight"] = DEFAULT_WEIGHT.into();
            }
        }
    }
    answer["EndpointConfigName"] = config.name.as_str().into();
    answer["EndpointConfigArn"] = config.arn.as_str().into();
    answer["CreationTime"] = timestamp(config.created);
    Ok(answer)
}

pub(crate) fn list(account: &Account, request: &Document) -> Answer {
    let rows = account.endpoint_configs.values().map(|config| Row {
        name: config.name.clone(),
        serial: config.serial,
        created: config.created,
        modified: None,
        status: None,
        summary: json!({
            "EndpointConfigName": config.name,
            "EndpointConfigArn": config.arn,
            "CreationTime": timestamp(config.created),
        }),
    });
    paging::page(request, rows.collect(), "EndpointConfigs", "Descending")
}

/// Deletes a config, even one that an endpoint serves: the service does not look.
pub(crate) fn delete(account: &mut Account, request: &Document) -> Answer {
    let name = required(request, "EndpointConfigName");
    let Some(config) = account.endpoint_configs.remove(&names::key(name)) else {
        return Err(not_found(account, name));
    };
    account.untag(&config.arn);
    Ok(json!({}))
}

/// The error for a config that is not there, or not to be seen yet.
pub(crate) fn not_found(account: &Account, name: &str) -> ServiceError {
    let arn = account.arns.endpoint_config(name);
    ServiceError::validation(format!("Could not find endpoint configuration \"{arn}\"."))
}

fn check_variants(account: &Account, request: &Document) -> Result<(), ServiceError> {
    let mut seen = Vec::new();
    for variant in variants(request) {
        let name = required(variant, "VariantName");
        if seen.contains(&name) {
            return Err(ServiceError::validation(format!(
                "Variant names must be unique, \"{name}\" is not."
            )));
        }
        seen.push(name);
        if let Some(model) = model_names(variant).find(|model| account.model(model).is_none()) {
            return Err(models::not_found(account, model));
        }
        match text(variant, "ModelName") {
            // Without a model the variant serves inference components, which run under the config's
            // role.
            None if text(request, "ExecutionRoleArn").is_none() => {
                return Err(ServiceError::validation(format!(
                    "Variant \"{name}\" needs a ModelName."
                )));
            }
            _ => {}
        }
        check_capacity(name, variant)?;
    }
    Ok(())
}

/// A variant is either serverless or has instances.
fn check_capacity(name: &str, variant: &Document) -> Result<(), ServiceError> {
    let has = |member| is_set(variant, member);
    if has("ServerlessConfig")
        || has("InstancePools")
        || (has("InstanceType") && has("InitialInstanceCount"))
    {
        return Ok(());
    }
    Err(ServiceError::validation(format!(
        "Variant \"{name}\" needs a ServerlessConfig, or an InstanceType and an InitialInstanceCount."
    )))
}

fn check_async_inference(request: &Document) -> Result<(), ServiceError> {
    match request.get("AsyncInferenceConfig") {
        Some(config) if config.is_object() && config["OutputConfig"]["S3OutputPath"].is_null() => {
            Err(ServiceError::validation(
                "The AsyncInferenceConfig needs an S3OutputPath.",
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
