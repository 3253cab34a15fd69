//! What a deployment will make: the names and the full requests, decided purely.
//!
//! A new endpoint is planned from the request alone. An update is planned from the live endpoint config:
//! it swaps the model and keeps everything else, but for the keys that the event sets.

mod names;

use aws_sdk_sagemaker::operation::create_endpoint_config::CreateEndpointConfigInput;
use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::CreateModelInput;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::types::{
    ContainerDefinition, ProductionVariant, ProductionVariantInstanceType,
};
use serde_json::Value;

use crate::contract::{BadKey, DeployRequest};
use names::{Owner, derived, wire_form};

const DEFAULT_VARIANT_NAME: &str = "AllTraffic";
const DEFAULT_INSTANCE_TYPE: &str = "ml.m5.xlarge";
const DEFAULT_INITIAL_INSTANCE_COUNT: i32 = 1;

/// The weight of a variant that has all the traffic. The service's own default, said aloud because it is
/// given back with the live config, from which a later update is planned.
const WHOLE_WEIGHT: f32 = 1.0;

/// The names and requests of one deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the model.
    pub model_name: String,
    /// Name of the endpoint config.
    pub endpoint_config_name: String,
    /// The request that makes the model.
    pub model: CreateModelInputBuilder,
    /// The request that makes the endpoint config.
    pub endpoint_config: CreateEndpointConfigInputBuilder,
    /// The instance type that the variant will run on, where it runs on instances.
    pub instance_type: Option<String>,
    /// Update only: name of the live endpoint config that this one was planned from.
    pub live_endpoint_config: Option<String>,
}

impl Plan {
    /// Plans a new endpoint.
    pub fn new_endpoint(request: &DeployRequest) -> Self {
        let instance_type = request.instance_type.or(DEFAULT_INSTANCE_TYPE.to_owned());
        let variant = ProductionVariant::builder()
            .variant_name(request.variant_name.or(DEFAULT_VARIANT_NAME.to_owned()))
            .instance_type(ProductionVariantInstanceType::from(instance_type.as_str()))
            .initial_instance_count(
                request
                    .initial_instance_count
                    .or(DEFAULT_INITIAL_INSTANCE_COUNT),
            )
            .initial_variant_weight(WHOLE_WEIGHT);
        let (model_name, model) = model(request);
        let variant = variant.model_name(&model_name).build();
        let endpoint_config =
            CreateEndpointConfigInputBuilder::default().production_variants(variant);
        let endpoint_config_name = endpoint_config_name(request, &endpoint_config);
        Self {
            endpoint_config: endpoint_config.endpoint_config_name(&endpoint_config_name),
            model_name,
            endpoint_config_name,
            model,
            instance_type: Some(instance_type),
            live_endpoint_config: None,
        }
    }

    /// Plans an update of an endpoint that serves this live endpoint config.
    ///
    /// Where the live config is what the request asks for already, the plan is that config under its own
    /// name.
    ///
    /// # Errors
    ///
    /// The keys that do not fit the live config.
    pub fn update(
        request: &DeployRequest,
        live: &DescribeEndpointConfigOutput,
    ) -> Result<Self, Vec<BadKey>> {
        let live_name = live.endpoint_config_name.clone().unwrap_or_default();
        let mut variants = live.production_variants.clone().unwrap_or_default();
        let chosen = chosen_variant(request, &variants)?;
        let (model_name, model) = model(request);
        let variant = &mut variants[chosen];
        variant.model_name = Some(model_name.clone());
        if let Some(instance_type) = &request.instance_type.event {
            let instance_type = ProductionVariantInstanceType::from(instance_type.as_str());
            variant.instance_type = Some(instance_type);
        }
        if let Some(count) = request.initial_instance_count.event {
            variant.initial_instance_count = Some(count);
        }
        let instance_type = variant
            .instance_type
            .as_ref()
            .map(|instance_type| instance_type.as_str().to_owned());

        let as_live = carried_over(live);
        let endpoint_config = as_live.clone().set_production_variants(Some(variants));
        let endpoint_config_name = if content(&endpoint_config) == content(&as_live) {
            live_name.clone()
        } else {
            endpoint_config_name(request, &endpoint_config)
        };
        Ok(Self {
            endpoint_config: endpoint_config.endpoint_config_name(&endpoint_config_name),
            model_name,
            endpoint_config_name,
            model,
            instance_type,
            live_endpoint_config: Some(live_name),
        })
    }
}

/// Whether an endpoint config uses a model, in whatever variant.
pub fn uses_model(config: &DescribeEndpointConfigOutput, model_name: &str) -> bool {
    let shadows = config.shadow_production_variants.iter().flatten();
    config
        .production_variants
        .iter()
        .flatten()
        .chain(shadows)
        .any(|variant| variant.model_name.as_deref() == Some(model_name))
}

fn model(request: &DeployRequest) -> (String, CreateModelInputBuilder) {
    let container = ContainerDefinition::builder()
        .model_package_name(&request.package_arn)
        .build();
    let model = CreateModelInputBuilder::default()
        .execution_role_arn(&request.role)
        .primary_container(container);
    let wire = model.clone().build().expect("no member is required here");
    let name = derived(
        "model",
        owner(request),
        &wire_form(CreateModelInput::SCHEMA, &wire),
    );
    (name.clone(), model.model_name(name))
}

fn endpoint_config_name(
    request: &DeployRequest,
    config: &CreateEndpointConfigInputBuilder,
) -> String {
    derived("endpoint-config", owner(request), &content(config))
}

fn owner(request: &DeployRequest) -> Owner<'_> {
    Owner {
        endpoint_name: &request.endpoint_name,
        deployment_id: request.deployment_id.as_deref(),
    }
}

/// What an endpoint config says, in the wire's form.
fn content(config: &CreateEndpointConfigInputBuilder) -> Value {
    let wire = config.clone().build().expect("no member is required here");
    wire_form(CreateEndpointConfigInput::SCHEMA, &wire)
}

/// The request that would make the live config once more: all that `DescribeEndpointConfig` gives and
/// `CreateEndpointConfig` takes, but the name.
fn carried_over(live: &DescribeEndpointConfigOutput) -> CreateEndpointConfigInputBuilder {
    CreateEndpointConfigInputBuilder::default()
        .set_production_variants(live.production_variants.clone())
        .set_data_capture_config(live.data_capture_config.clone())
        .set_kms_key_id(live.kms_key_id.clone())
        .set_async_inference_config(live.async_inference_config.clone())
        .set_explainer_config(live.explainer_config.clone())
        .set_shadow_production_variants(live.shadow_production_variants.clone())
        .set_execution_role_arn(live.execution_role_arn.clone())
        .set_vpc_config(live.vpc_config.clone())
        .set_enable_network_isolation(live.enable_network_isolation)
        .set_metrics_config(live.metrics_config.clone())
}

/// The index of the variant whose model is swapped.
fn chosen_variant(
    request: &DeployRequest,
    variants: &[ProductionVariant],
) -> Result<usize, Vec<BadKey>> {
    let names: Vec<_> = variants
        .iter()
        .map(|variant| variant.variant_name.as_deref().unwrap_or_default())
        .collect();
    let index_of = |wanted: &String| names.iter().position(|name| name == wanted);
    let listed = names.join(", ");
    let refused = |reason: String| Err(vec![BadKey::new("variant_name", reason)]);
    match (&request.variant_name.event, names.len()) {
        (Some(wanted), _) => index_of(wanted).map_or_else(
            || {
                refused(format!(
                    "must be one of the endpoint's production variants: {listed}"
                ))
            },
            Ok,
        ),
        (None, 1) => Ok(0),
        // The live config does not say which one, so here the environment may.
        (None, _) => match request.variant_name.environment.as_ref().and_then(index_of) {
            Some(index) => Ok(index),
            None => refused(format!(
                "is missing, and the endpoint has several production variants: {listed}"
            )),
        },
    }
}

#[cfg(test)]
mod tests;
