//! What the service demands of an endpoint config with a serverless variant.

use serde_json::Value;

use crate::account::Account;
use crate::deployed::variants;
use crate::error::ServiceError;
use crate::requests::{Document, is_set, items, required, text};

/// The members of a variant that only instances have.
const OF_INSTANCES: [&str; 8] = [
    "InstanceType",
    "InitialInstanceCount",
    "VolumeSizeInGB",
    "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds",
    "ManagedInstanceScaling",
    "InstancePools",
    "RoutingConfig",
];

/// The members of a config that its serverless variant cannot obey. `DataCaptureConfig` is another,
/// unless it is off.
const OF_CONFIGS_WITH_INSTANCES: [&str; 3] =
    ["KmsKeyId", "AsyncInferenceConfig", "ExplainerConfig"];

/// Checks a config's request whose variants are sound otherwise. Where one is serverless:
///
/// 1. it is the config's only variant, and no shadow;
/// 2. its memory and its concurrency fit;
/// 3. neither it nor the config says what only instances can do;
/// 4. its model has no network of its own.
pub(crate) fn check(account: &Account, request: &Document) -> Result<(), ServiceError> {
    let is_serverless = |variant: &&Document| is_set(variant, "ServerlessConfig");
    let Some(variant) = variants(request).find(is_serverless) else {
        return Ok(());
    };
    let name = required(variant, "VariantName");
    check_alone(name, request)?;
    check_size(name, &variant["ServerlessConfig"])?;
    if let Some(member) = OF_INSTANCES
        .into_iter()
        .find(|member| is_set(variant, member))
    {
        return refuse(format!(
            "{member} is not supported for serverless variant \"{name}\"."
        ));
    }
    check_config(name, request)?;
    let model = text(variant, "ModelName").and_then(|model| account.model(model));
    model.map_or(Ok(()), |model| {
        check_network(name, &model.name, &model.document)
    })
}

fn check_alone(name: &str, request: &Document) -> Result<(), ServiceError> {
    if is_set(request, "ShadowProductionVariants") {
        return refuse(format!(
            "ShadowProductionVariants is not supported with a ServerlessConfig, which variant \"{name}\" has."
        ));
    }
    if items(request, "ProductionVariants").len() != 1 {
        return refuse(format!(
            "ProductionVariants may hold only variant \"{name}\", as that has a ServerlessConfig."
        ));
    }
    Ok(())
}

fn check_size(name: &str, serverless: &Value) -> Result<(), ServiceError> {
    let number = |member: &str| serverless[member].as_i64().unwrap_or_default();
    if number("MemorySizeInMB") % 1024 != 0 {
        return refuse(format!(
            "The MemorySizeInMB of variant \"{name}\" must be one of 1024, 2048, 3072, 4096, 5120, 6144."
        ));
    }
    if number("ProvisionedConcurrency") > number("MaxConcurrency") {
        return refuse(format!(
            "The ProvisionedConcurrency of variant \"{name}\" must not be greater than its MaxConcurrency."
        ));
    }
    Ok(())
}

fn check_config(name: &str, request: &Document) -> Result<(), ServiceError> {
    let captures = request
        .get("DataCaptureConfig")
        .is_some_and(|capture| !capture.is_null() && capture["EnableCapture"] != false);
    let refused = OF_CONFIGS_WITH_INSTANCES
        .into_iter()
        .find(|member| is_set(request, member))
        .or(captures.then_some("DataCaptureConfig"));
    match refused {
        Some(member) => refuse(format!(
            "{member} is not supported in a configuration with serverless variant \"{name}\"."
        )),
        None => Ok(()),
    }
}

fn check_network(name: &str, model_name: &str, model: &Document) -> Result<(), ServiceError> {
    let member = if is_set(model, "VpcConfig") {
        "VpcConfig"
    } else if model.get("EnableNetworkIsolation") == Some(&Value::Bool(true)) {
        "EnableNetworkIsolation"
    } else {
        return Ok(());
    };
    refuse(format!(
        "{member} of model \"{model_name}\" is not supported for serverless variant \"{name}\"."
    ))
}

fn refuse(message: String) -> Result<(), ServiceError> {
    Err(ServiceError::validation(message))
}

#[cfg(test)]
mod tests;
