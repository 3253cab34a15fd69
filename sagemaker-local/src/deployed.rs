//! An endpoint config in service: what an endpoint keeps of it, even once the config itself is
//! deleted.

use serde_json::Value;

use crate::error::ServiceError;
use crate::requests::{Document, items, required};

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

/// The members of a summary that tell weights and counts.
const WEIGHTS: [&str; 2] = ["CurrentWeight", "DesiredWeight"];
const COUNTS: [&str; 2] = ["CurrentInstanceCount", "DesiredInstanceCount"];

impl Deployed {
    /// The same with the weights and instance counts that variants of the same names have in `old`,
    /// except what the service was told to exclude.
    pub(crate) fn retaining(mut self, old: &Self, excluded: &[&str]) -> Self {
        for variant in &mut self.variants {
            let Some(before) = old
                .variants
                .iter()
                .find(|before| before["VariantName"] == variant["VariantName"])
            else {
                continue;
            };
            for (property, members) in
                [("DesiredWeight", WEIGHTS), ("DesiredInstanceCount", COUNTS)]
            {
                if !excluded.contains(&property) {
                    copy(before, variant, &members);
                }
            }
        }
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
        for (asked, members) in [("DesiredWeight", WEIGHTS), ("DesiredInstanceCount", COUNTS)] {
            if let Some(value) = desired.get(asked) {
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
        variants(&self.document).any(|variant| variant.contains_key("ServerlessConfig"))
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
    let production = items(config, "ProductionVariants").iter();
    production
        .chain(items(config, "ShadowProductionVariants"))
        .filter_map(Value::as_object)
}

fn copy(from: &Value, to: &mut Value, members: &[&str]) {
    for member in members {
        if let Some(value) = from.get(member) {
            to[*member] = value.clone();
        }
    }
}
