//! What a deployment will make: the names and the full requests, decided purely.
//!
//! A new endpoint is planned from the request alone. An update is planned from what is live: it swaps the
//! model and keeps everything else, but for the keys that the event sets.

mod checkpoint;
mod guard;
mod model;
mod names;
mod scaling;
mod settings;
mod traffic;
mod unknown;
mod update;
mod variant;

use std::collections::BTreeSet;

use aws_sdk_sagemaker::operation::create_endpoint_config::CreateEndpointConfigInput;
use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::types::{
    DeploymentConfig, InstancePool, ProductionVariant, Tag, VariantPropertyType,
};
use serde_json::Value;

use crate::contract::{BadKey, DeployRequest, InferenceOption};
pub use checkpoint::{
    Board, Checkpoint, DeploymentId, LEASE, MOST_TAGS, Notice, Route, Stage, checkpoint_keys,
    failure_tags, is_made_for, made_by, made_by_key, made_for, notice_keys, replaces,
    suspended_tags,
};
pub use guard::{Footing, Guard};
pub use model::{own_environment, package_to_compare};
use names::{Owner, derived, wire_form};
pub use scaling::{
    Change, KnownScaling, Scaling, ScalingPlan, Wire, changes, concerned, is_over, planned,
};
pub use unknown::{Unknown, Whole, put};
pub use update::{Live, Refused, served_model};

/// The variant's name where nothing is asked, as AWS's own SDK for Python has it.
const DEFAULT_VARIANT_NAME: &str = "AllTraffic";

/// The names and requests of one deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the model, derived from its request.
    pub model_name: String,
    /// Name of the endpoint config, derived likewise; the live one's own where an update would change nothing.
    pub endpoint_config_name: String,
    /// The request that makes the model (`CreateModel`).
    pub model: Whole<CreateModelInputBuilder>,
    /// The request that makes the endpoint config (`CreateEndpointConfig`).
    pub endpoint_config: Whole<CreateEndpointConfigInputBuilder>,
    /// The instance type that the variant will run on, where it runs on instances.
    pub instance_type: Option<String>,
    /// The event's tags, for everything that the deployment makes and for the endpoint that it updates.
    pub tags: Vec<Tag>,
    /// Update only: name of the live endpoint config that this one was planned from.
    pub live_endpoint_config: Option<String>,
    /// Update only: how the traffic moves by the keys (`DeploymentConfig`); `None` if they ask for nothing.
    pub deployment_config: Option<DeploymentConfig>,
    /// Update only: what the endpoint keeps of its variants' present counts and weights.
    pub retained: Retained,
    /// Name of the variant that the model is deployed to.
    pub variant: String,
    /// How the endpoint will take requests.
    pub option: InferenceOption,
    /// Update only: what the endpoint runs on.
    pub footing: Footing,
    /// Update only: names of the variants whose instance type changes, or that lose their instances. The service
    /// refuses that of a variant that is scaled.
    pub resized: Vec<String>,
    /// What is done about the variants' autoscaling.
    pub autoscaling: ScalingPlan,
    /// Update only: what the live endpoint config says, for the endpoint config that holds the checkpoint. `None` if it
    /// cannot be made again, because its model does not exist any more.
    pub anchor: Option<Whole<CreateEndpointConfigInputBuilder>>,
}

/// What `UpdateEndpoint` keeps of the counts and weights that autoscaling or an operator gave the variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// Whether anything is kept (`RetainAllVariantProperties`).
    pub all: bool,
    /// What is not kept all the same (`ExcludeRetainedVariantProperties`).
    pub but: Vec<VariantPropertyType>,
}

impl Plan {
    /// Plans a new endpoint.
    ///
    /// # Errors
    ///
    /// The keys that do not go together.
    pub fn new_endpoint(request: &DeployRequest) -> Result<Self, Vec<BadKey>> {
        let shape = &request.shape;
        let option = shape.inference_option.or(InferenceOption::RealTime);
        let (model_name, model) = model::made(request);
        let variant_name = shape.variant_name.or(DEFAULT_VARIANT_NAME.to_owned());
        let variant = variant::made(shape, &variant_name, None, &model_name, option);
        let instance_type = instance_type(&variant);
        let config = CreateEndpointConfigInputBuilder::default().production_variants(variant);
        let config = settings::applied(config, shape, option, None)?;
        let asked = &request.autoscaling;
        let autoscaling = if option == InferenceOption::Serverless {
            ScalingPlan::default()
        } else {
            ScalingPlan {
                wanted: scaling::wanted(asked, &variant_name, None, option)?
                    .into_iter()
                    .collect(),
                kept: Vec::new(),
            }
        };
        let tags = tags(request);
        let config = config.set_tags(tags.clone());
        let endpoint_config_name = endpoint_config_name(request, &content(&config));
        let config = config
            .endpoint_config_name(&endpoint_config_name)
            .tags(made_for(&request.endpoint_name));
        Ok(Self {
            endpoint_config: config.into(),
            model_name,
            endpoint_config_name,
            model,
            instance_type,
            tags: tags.unwrap_or_default(),
            live_endpoint_config: None,
            deployment_config: None,
            retained: Retained {
                all: false,
                but: Vec::new(),
            },
            variant: variant_name,
            option,
            footing: Footing::default(),
            resized: Vec::new(),
            autoscaling,
            anchor: None,
        })
    }

    /// The same plan, with this done about autoscaling.
    #[must_use]
    pub fn with(self, autoscaling: ScalingPlan) -> Self {
        Self {
            autoscaling,
            ..self
        }
    }

    /// Plans an update of an endpoint that serves this.
    ///
    /// Where the live config is what the request asks for already, the plan is that config under its own
    /// name.
    ///
    /// # Errors
    ///
    /// The keys that do not fit what is live, or why what is live cannot be kept.
    pub fn update(request: &DeployRequest, live: &Live) -> Result<Self, Refused> {
        update::plan(request, live)
    }
}

/// Whether an endpoint config uses a model, in whatever variant.
pub fn uses_model(config: &DescribeEndpointConfigOutput, model_name: &str) -> bool {
    models(config).contains(model_name)
}

/// The models that an endpoint config uses: those of its variants, and those of single instance pools.
pub fn models(config: &DescribeEndpointConfigOutput) -> BTreeSet<&str> {
    let shadows = config.shadow_production_variants().iter();
    let variants = config.production_variants().iter().chain(shadows);
    variants.flat_map(models_of).collect()
}

fn models_of(variant: &ProductionVariant) -> impl Iterator<Item = &str> {
    let pools = variant.instance_pools().iter();
    let overrides = pools.filter_map(InstancePool::model_name_override);
    overrides.chain(variant.model_name())
}

fn instance_type(variant: &ProductionVariant) -> Option<String> {
    let instance_type = variant.instance_type.as_ref()?;
    Some(instance_type.as_str().to_owned())
}

/// The event's tags; `None` if it has none.
pub fn tags(request: &DeployRequest) -> Option<Vec<Tag>> {
    let tags = request.shape.tags.get()?;
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    Some(tags.into_iter().map(tag).collect())
}

fn endpoint_config_name(request: &DeployRequest, content: &Value) -> String {
    derived("endpoint-config", owner(request), content)
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

#[cfg(test)]
pub(crate) mod tests;
