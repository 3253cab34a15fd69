//! An endpoint config in service: what an endpoint keeps of it, even once the config itself is
//! deleted.

use serde_json::Value;

use crate::error::ServiceError;
use crate::requests::{Document, is_set, items, required, text};

/// An endpoint config as one deployment took it up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deployed {
    pub(crate) name: String,
    /// The request that made the config.
    pub(crate) document: Document,
    /// The production variants as `DescribeEndpoint` summarises them.
    pub(crate) variants: Vec<Value>,
    /// The shadow variants, likewise.
    pub(crate) shadow_variants: Vec<Value>,
    /// How it was deployed, where the request said.
    pub(crate) deployment_config: Option<Value>,
    /// The config's serial number.
    pub(crate) serial: u64,
    /// Names and serial numbers of its models.
    pub(crate) models: Vec<(String, u64)>,
}

/// The weight of a variant whose config tells none.
pub(crate) const DEFAULT_WEIGHT: f64 = 1.0;

/// The members of a config that list its variants.
pub(crate) const VARIANT_LISTS: [&str; 2] = ["ProductionVariants", "ShadowProductionVariants"];

/// The members of a summary that tell weights and counts.
const WEIGHTS: [&str; 2] = ["CurrentWeight", "DesiredWeight"];
const COUNTS: [&str; 2] = ["CurrentInstanceCount", "DesiredInstanceCount"];

impl Deployed {
    /// The same with the weights and instance counts that variants of the same names have in `old`,
    /// except what the service was told to exclude. A variant that is or was serverless has no count
    /// to retain.
    pub(crate) fn retaining(mut self, old: &Self, excluded: &[&str]) -> Self {
        retain(&mut self.variants, &old.variants, excluded);
        retain(&mut self.shadow_variants, &old.shadow_variants, excluded);
        self
    }

    /// The same with other weights and instance counts, as `UpdateEndpointWeightsAndCapacities`
    /// asks for.
    pub(crate) fn scaled(mut self, desired: &Document) -> Result<Self, ServiceError> {
        let name = required(desired, "VariantName");
        let known = self
            .variants
            .iter_mut()
            .find(|variant| variant["VariantName"] == name);
        let Some(variant) = known else {
            return Err(ServiceError::validation(format!(
                "Could not find variant \"{name}\"."
            )));
        };
        if is_serverless(variant) && is_set(desired, "DesiredInstanceCount") {
            return Err(ServiceError::validation(format!(
                "DesiredInstanceCount is not supported for serverless variant \"{name}\"."
            )));
        }
        for (asked, members) in [("DesiredWeight", WEIGHTS), ("DesiredInstanceCount", COUNTS)] {
            if let Some(value) = desired.get(asked).filter(|value| !value.is_null()) {
                for member in members {
                    variant[member] = value.clone();
                }
            }
        }
        Ok(self)
    }

    /// The variants' names, in order.
    pub(crate) fn variant_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .variants
            .iter()
            .filter_map(|variant| variant["VariantName"].as_str())
            .collect();
        names.sort_unstable();
        names
    }

    /// Whether a variant is serverless.
    pub(crate) fn is_serverless(&self) -> bool {
        variants(&self.document).any(|variant| is_set(variant, "ServerlessConfig"))
    }

    /// Whether it was deployed batch by batch.
    pub(crate) fn is_rolled(&self) -> bool {
        let config = self.deployment_config.as_ref();
        config.is_some_and(|config| !config["RollingUpdatePolicy"].is_null())
    }

    /// How many instances its production variants want in all.
    pub(crate) fn instances(&self) -> u64 {
        let variants = self.variants.iter();
        variants
            .filter_map(|variant| variant["DesiredInstanceCount"].as_u64())
            .fold(0, u64::saturating_add)
    }

    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            document: Document::new(),
            variants: Vec::new(),
            shadow_variants: Vec::new(),
            deployment_config: None,
            serial: 0,
            models: Vec::new(),
        }
    }
}

/// The production and shadow variants of a config.
pub(crate) fn variants(config: &Document) -> impl Iterator<Item = &Document> {
    let lists = VARIANT_LISTS.into_iter();
    lists
        .flat_map(|member| items(config, member))
        .filter_map(Value::as_object)
}

/// The models that a variant names: its own, and those of single instance pools.
pub(crate) fn model_names(variant: &Document) -> impl Iterator<Item = &str> {
    let pools = items(variant, "InstancePools").iter();
    let overrides = pools.filter_map(|pool| pool["ModelNameOverride"].as_str());
    text(variant, "ModelName").into_iter().chain(overrides)
}

fn retain(variants: &mut [Value], old: &[Value], excluded: &[&str]) {
    for variant in variants {
        let Some(before) = old
            .iter()
            .find(|before| before["VariantName"] == variant["VariantName"])
        else {
            continue;
        };
        if !excluded.contains(&"DesiredWeight") {
            copy(before, variant, &WEIGHTS);
        }
        let has_counts = !is_serverless(before) && !is_serverless(variant);
        if has_counts && !excluded.contains(&"DesiredInstanceCount") {
            copy(before, variant, &COUNTS);
        }
    }
}

/// Whether a summary is of a serverless variant.
fn is_serverless(summary: &Value) -> bool {
    summary.get("CurrentServerlessConfig").is_some()
}

fn copy(from: &Value, to: &mut Value, members: &[&str]) {
    for member in members {
        if let Some(value) = from.get(member) {
            to[*member] = value.clone();
        }
    }
}
