//! The model of a deployment.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sagemaker::operation::create_model::CreateModelInput;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::types::{
    AdditionalInferenceSpecificationDefinition, ContainerDefinition, ContainerMode,
    InferenceSpecification, VpcConfig,
};
use serde_json::Value;

use super::names::{derived, wire_form};
use super::unknown::{Whole, of_next_model, put};
use super::{made_for, owner, tags};
use crate::contract::DeployRequest;

/// The name and the request of a new endpoint's model.
pub(super) fn made(request: &DeployRequest) -> (String, Whole<CreateModelInputBuilder>) {
    let model = builder(request, None, &BTreeMap::new());
    let content = content(&model);
    named(request, Whole::from(model), &content)
}

/// The name and the request of the model of an update, with the members of the live model that the SDK does not know.
///
/// # Errors
///
/// The members that the new model has no place for.
pub(super) fn updated(
    request: &DeployRequest,
    live: Option<&Whole<DescribeModelOutput>>,
    environment: &BTreeMap<String, String>,
) -> Result<(String, Whole<CreateModelInputBuilder>), Vec<String>> {
    let lost = live.map(|live| other_packages(live)).unwrap_or_default();
    if !lost.is_empty() {
        return Err(lost);
    }
    let model = builder(request, live.map(|live| &**live), environment);
    let unknown = live.map(|live| of_next_model(live.unknown()));
    let unknown = unknown.unwrap_or_default();
    let mut content = content(&model);
    put(&unknown, &mut content)?;
    Ok(named(request, Whole::new(model, unknown), &content))
}

/// The environment variables of a live model that are its own, and not its package's.
///
/// Whether SageMaker merges them with the package's or puts them in their place, what is beyond the package's is its own.
pub fn own_environment(
    model: &DescribeModelOutput,
    package: &DescribeModelPackageOutput,
) -> BTreeMap<String, String> {
    let more = package.additional_inference_specifications().iter();
    let first = package.inference_specification.iter();
    let of_package: Vec<_> = first
        .flat_map(InferenceSpecification::containers)
        .chain(more.flat_map(AdditionalInferenceSpecificationDefinition::containers))
        .filter_map(|container| container.environment.as_ref())
        .collect();
    let own = |(name, value): &(&String, &String)| {
        let is_same = |of: &&HashMap<String, String>| of.get(*name) == Some(*value);
        !of_package.iter().any(is_same)
    };
    let container = packaged(model).and_then(|container| container.environment.as_ref());
    let own = container.into_iter().flatten().filter(own);
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// ARN of the package whose environment a live model's has to be compared with; `None` if the model has no environment
/// variables, or is made of no package: an image's variables go with the image.
pub fn package_to_compare(model: &DescribeModelOutput) -> Option<&str> {
    let container = packaged(model)?;
    let environment = container.environment.as_ref();
    environment.filter(|environment| !environment.is_empty())?;
    container.model_package_name()
}

/// The one container of a live model, if it is a package.
fn packaged(model: &DescribeModelOutput) -> Option<&ContainerDefinition> {
    let mut containers = containers(model);
    let first = containers.next()?;
    let is_alone = containers.next().is_none();
    (is_alone && first.model_package_name.is_some()).then_some(first)
}

fn containers(model: &DescribeModelOutput) -> impl Iterator<Item = &ContainerDefinition> {
    let primary = model.primary_container.iter();
    primary.chain(model.containers())
}

/// The packages of a live model that a model of one package has no place for.
fn other_packages(model: &DescribeModelOutput) -> Vec<String> {
    let mut packages = containers(model).filter_map(ContainerDefinition::model_package_name);
    packages.next();
    packages
        .map(|package| format!("the package {package} of its model"))
        .collect()
}

/// The container of a package, with the settings that the live model's has besides what a package brings.
fn container(
    request: &DeployRequest,
    live: Option<&DescribeModelOutput>,
    environment: &BTreeMap<String, String>,
) -> ContainerDefinition {
    let mut container = ContainerDefinition::builder();
    if let Some(live) = live.and_then(packaged) {
        container = container
            .set_container_hostname(live.container_hostname.clone())
            .set_image_config(live.image_config.clone())
            // The service describes a container as one of a single model that was made without.
            .set_mode(
                live.mode
                    .clone()
                    .filter(|mode| *mode != ContainerMode::SingleModel),
            )
            .set_multi_model_config(live.multi_model_config.clone())
            .set_inference_specification_name(live.inference_specification_name.clone())
            .set_container_metrics_config(live.container_metrics_config.clone());
    }
    let environment: HashMap<_, _> = environment.clone().into_iter().collect();
    container
        .model_package_name(&request.package_arn)
        .set_environment((!environment.is_empty()).then_some(environment))
        .build()
}

/// The package's containers, with the network settings of the event, else of the model that is live, else of the
/// environment.
fn builder(
    request: &DeployRequest,
    live: Option<&DescribeModelOutput>,
    environment: &BTreeMap<String, String>,
) -> CreateModelInputBuilder {
    let execution = live.and_then(|live| live.inference_execution_config.clone());
    CreateModelInputBuilder::default()
        .execution_role_arn(&request.role)
        .primary_container(container(request, live, environment))
        .set_inference_execution_config(execution)
        .set_vpc_config(vpc_config(request, live))
        .set_enable_network_isolation(network_isolation(request, live))
        .set_tags(tags(request))
}

/// What a model says, in the wire's form.
fn content(model: &CreateModelInputBuilder) -> Value {
    let wire = model.clone().build().expect("no member is required here");
    wire_form(CreateModelInput::SCHEMA, &wire)
}

fn named(
    request: &DeployRequest,
    model: Whole<CreateModelInputBuilder>,
    content: &Value,
) -> (String, Whole<CreateModelInputBuilder>) {
    let name = derived("model", owner(request), content);
    let model = model.map(|model| {
        let model = model.tags(made_for(&request.endpoint_name));
        model.model_name(&name)
    });
    (name, model)
}

/// Subnets and security groups, which come from one source together.
fn vpc_config(request: &DeployRequest, live: Option<&DescribeModelOutput>) -> Option<VpcConfig> {
    let (subnets, groups) = (&request.shape.subnets, &request.shape.security_group_ids);
    let config = |subnets: Option<&Vec<String>>, groups: Option<&Vec<String>>| {
        let config = VpcConfig::builder()
            .set_subnets(Some(subnets?.clone()))
            .set_security_group_ids(Some(groups?.clone()));
        Some(config.build())
    };
    config(subnets.event.as_ref(), groups.event.as_ref())
        .or_else(|| live?.vpc_config.clone())
        .or_else(|| config(subnets.environment.as_ref(), groups.environment.as_ref()))
}

/// `None` for a model that is not isolated: the service describes one as `false` that was made without.
fn network_isolation(request: &DeployRequest, live: Option<&DescribeModelOutput>) -> Option<bool> {
    let live = live.map(|model| model.enable_network_isolation.unwrap_or(false));
    request
        .shape
        .enable_network_isolation
        .over(live)
        .filter(|on| *on)
}
