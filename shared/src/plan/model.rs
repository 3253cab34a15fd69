//! The model of a deployment.

use aws_sdk_sagemaker::operation::create_model::CreateModelInput;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::types::{ContainerDefinition, VpcConfig};
use serde_json::Value;

use super::names::{derived, wire_form};
use super::unknown::{Whole, of_next_model, put};
use super::{made_for, owner, tags};
use crate::contract::DeployRequest;

/// The name and the request of a new endpoint's model.
pub(super) fn made(request: &DeployRequest) -> (String, Whole<CreateModelInputBuilder>) {
    let model = builder(request, None);
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
) -> Result<(String, Whole<CreateModelInputBuilder>), Vec<String>> {
    let model = builder(request, live.map(|live| &**live));
    let unknown = live.map(|live| of_next_model(live.unknown()));
    let unknown = unknown.unwrap_or_default();
    let mut content = content(&model);
    put(&unknown, &mut content)?;
    Ok(named(request, Whole::new(model, unknown), &content))
}

/// The package's containers, with the network settings of the event, else of the model that is live, else of the
/// environment.
fn builder(request: &DeployRequest, live: Option<&DescribeModelOutput>) -> CreateModelInputBuilder {
    let container = ContainerDefinition::builder()
        .model_package_name(&request.package_arn)
        .build();
    CreateModelInputBuilder::default()
        .execution_role_arn(&request.role)
        .primary_container(container)
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
