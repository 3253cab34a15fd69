//! Takes endpoint configs into service.

use serde_json::{Value, json};

use crate::account::{Account, Resource};
use crate::clock::{Moment, timestamp};
use crate::deployed::{DEFAULT_WEIGHT, Deployed, model_names, variants};
use crate::error::ServiceError;
use crate::model_packages;
use crate::models;
use crate::requests::{Document, items, text};

/// Takes up a config at `now`. Its models must be there.
pub(crate) fn take_up(
    account: &Account,
    config: &Resource,
    now: Moment,
) -> Result<Deployed, ServiceError> {
    let mut models = Vec::new();
    for variant in variants(&config.document) {
        for name in model_names(variant) {
            let model = account
                .model(name)
                .ok_or_else(|| models::not_found(account, name))?;
            models.push((model.name.clone(), model.serial));
        }
    }
    let summaries = |member| {
        let variants = items(&config.document, member)
            .iter()
            .filter_map(Value::as_object);
        variants
            .map(|variant| summary(account, variant, now))
            .collect()
    };
    Ok(Deployed {
        name: config.name.clone(),
        variants: summaries("ProductionVariants"),
        shadow_variants: summaries("ShadowProductionVariants"),
        document: config.document.clone(),
        deployment_config: None,
        serial: config.serial,
        models,
    })
}

/// Whether the config and its models are all still there, and not others of the same names.
pub(crate) fn stands(account: &Account, deployed: &Deployed) -> bool {
    let serial_of = |resource: Option<&Resource>| resource.map(|resource| resource.serial);
    let model_stands =
        |(name, serial): &(String, u64)| serial_of(account.model(name)) == Some(*serial);
    serial_of(account.endpoint_config(&deployed.name)) == Some(deployed.serial)
        && deployed.models.iter().all(model_stands)
}

fn summary(account: &Account, variant: &Document, now: Moment) -> Value {
    let weight = variant
        .get("InitialVariantWeight")
        .cloned()
        .unwrap_or_else(|| DEFAULT_WEIGHT.into());
    let images: Vec<Value> = images(account, variant)
        .into_iter()
        .map(|image| json!({ "SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": timestamp(now) }))
        .collect();
    let mut summary = json!({
        "VariantName": variant.get("VariantName"),
        "DeployedImages": images,
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    });
    if let Some(serverless) = variant.get("ServerlessConfig") {
        summary["CurrentServerlessConfig"] = serverless.clone();
        summary["DesiredServerlessConfig"] = serverless.clone();
    }
    if let Some(count) = variant.get("InitialInstanceCount") {
        summary["CurrentInstanceCount"] = count.clone();
        summary["DesiredInstanceCount"] = count.clone();
    }
    for member in ["ManagedInstanceScaling", "RoutingConfig"] {
        if let Some(value) = variant.get(member) {
            summary[member] = value.clone();
        }
    }
    summary
}

/// The images that a variant's model runs, those of its model packages included.
fn images(account: &Account, variant: &Document) -> Vec<Value> {
    let model = text(variant, "ModelName").and_then(|name| account.model(name));
    let containers = model
        .into_iter()
        .flat_map(|model| models::containers(&model.document));
    containers
        .flat_map(|container| match text(container, "ModelPackageName") {
            Some(package) => packaged_images(account, package),
            None => container.get("Image").cloned().into_iter().collect(),
        })
        .collect()
}

fn packaged_images(account: &Account, package: &str) -> Vec<Value> {
    let Ok(package) = model_packages::find(account, package) else {
        return Vec::new();
    };
    let specification = package
        .document
        .get("InferenceSpecification")
        .and_then(Value::as_object);
    let containers =
        specification.map_or(&[][..], |specification| items(specification, "Containers"));
    containers
        .iter()
        .filter_map(|container| container.get("Image").cloned())
        .collect()
}
