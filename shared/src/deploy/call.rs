//! What a deployment asks of the services: one operation a call, and the reply to it. Data only: the driver carries
//! the calls out.

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::Tag;

use crate::plan::{Change, Guard, Retained, Whole, Wire};
use crate::sagemaker::{Endpoint, Made, Waiting};

/// One operation of a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// It changes nothing.
    Read(Read),
    /// It changes something. A dry run ends before the first of these.
    Write(Write),
}

/// An operation that changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// `DescribeEndpoint`: one poll.
    Endpoint {
        /// The endpoint's name.
        name: String,
    },
    /// `DescribeEndpointConfig`.
    EndpointConfig {
        /// The endpoint config's name.
        name: String,
    },
    /// `DescribeModel`.
    Model {
        /// The model's name.
        name: String,
    },
    /// `DescribeModelPackage`.
    ModelPackage {
        /// The package's ARN.
        arn: String,
    },
    /// `ListTags`, all pages.
    Tags {
        /// ARN of the resource.
        arn: String,
    },
    /// `ListPipelineExecutionSteps`, until the page with the step.
    Waiting {
        /// ARN of the pipeline execution.
        pipeline_execution_arn: String,
        /// The token that the step waits under.
        token: String,
    },
    /// `DescribeScalableTargets`.
    ScalableTarget {
        /// The endpoint's name.
        endpoint_name: String,
        /// The variant's name.
        variant: String,
    },
    /// `DescribeScalingPolicies`, all pages.
    ScalingPolicies {
        /// The endpoint's name.
        endpoint_name: String,
        /// The variant's name.
        variant: String,
    },
    /// `DescribeScheduledActions`, all pages.
    ScheduledActions {
        /// The endpoint's name.
        endpoint_name: String,
        /// The variant's name.
        variant: String,
    },
    /// `ListEndpoints`, all pages: those that have changed since a time.
    EndpointsChangedSince {
        /// The time; `None` for all.
        since: Option<DateTime>,
    },
    /// `ListEndpointConfigs`, all pages: those that have been made since a time.
    EndpointConfigsMadeSince {
        /// The model that they may refer to.
        model: String,
        /// The time; `None` for all.
        since: Option<DateTime>,
    },
}

/// An operation that changes something. Every create stands next to its delete.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// `CreateModel`.
    CreateModel {
        /// The whole request.
        request: Box<Whole<CreateModelInputBuilder>>,
    },
    /// `DeleteModel`; a model that is not there is fine.
    DeleteModel {
        /// The model's name.
        name: String,
    },
    /// `CreateEndpointConfig`.
    CreateEndpointConfig {
        /// The whole request.
        request: Box<Whole<CreateEndpointConfigInputBuilder>>,
    },
    /// `DeleteEndpointConfig`; an endpoint config that is not there is fine.
    DeleteEndpointConfig {
        /// The endpoint config's name.
        name: String,
    },
    /// `CreateEndpoint`.
    CreateEndpoint {
        /// The endpoint's name.
        name: String,
        /// Name of the endpoint config.
        endpoint_config: String,
        /// The endpoint's tags.
        tags: Vec<Tag>,
    },
    /// `UpdateEndpoint`.
    UpdateEndpoint {
        /// The endpoint's name.
        name: String,
        /// Name of the endpoint config.
        endpoint_config: String,
        /// What stays of counts and weights.
        retained: Retained,
        /// How the traffic moves; `None` leaves it to the service.
        guard: Guard,
    },
    /// `DeleteEndpoint`; an endpoint that is not there is fine.
    DeleteEndpoint {
        /// The endpoint's name.
        name: String,
    },
    /// `UpdateEndpointWeightsAndCapacities`: the number of instances of one variant.
    SetInstanceCount {
        /// The endpoint's name.
        endpoint_name: String,
        /// The variant's name.
        variant: String,
        /// The number of instances.
        count: i32,
    },
    /// `AddTags`.
    AddTags {
        /// ARN of the resource.
        arn: String,
        /// The tags that are added or changed.
        tags: Vec<Tag>,
    },
    /// `DeleteTags`; tags that are not there are fine.
    DeleteTags {
        /// ARN of the resource.
        arn: String,
        /// The tags' keys.
        keys: Vec<String>,
    },
    /// `RegisterScalableTarget`, `PutScalingPolicy` or `PutScheduledAction`.
    PutScaling {
        /// The endpoint's name.
        endpoint_name: String,
        /// The variant's name.
        variant: String,
        /// What is put.
        change: Change,
    },
    /// `DeregisterScalableTarget`; a target that is not there is fine.
    Deregister {
        /// The endpoint's name.
        endpoint_name: String,
        /// The variant's name.
        variant: String,
    },
}

/// The reply to a call that did not fail.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To [`Read::Endpoint`]; `None` if there is no such endpoint.
    Endpoint(Option<Endpoint>),
    /// To [`Read::EndpointConfig`]; `None` if there is none.
    EndpointConfig(Option<Box<Whole<DescribeEndpointConfigOutput>>>),
    /// To [`Read::Model`]; `None` if there is none.
    Model(Option<Box<Whole<DescribeModelOutput>>>),
    /// To [`Read::ModelPackage`]; `None` if there is none.
    ModelPackage(Option<Box<DescribeModelPackageOutput>>),
    /// To [`Read::Tags`].
    Tags(Vec<Tag>),
    /// To [`Read::Waiting`].
    Waiting(Waiting),
    /// To [`Read::ScalableTarget`]; `None` if nothing is registered.
    ScalableTarget(Option<Wire>),
    /// To [`Read::ScalingPolicies`] and [`Read::ScheduledActions`].
    Scaling(Vec<Wire>),
    /// To [`Read::EndpointsChangedSince`] and [`Read::EndpointConfigsMadeSince`].
    Names(Vec<String>),
    /// To the create of a model or an endpoint config.
    Made(Made),
    /// To every other write.
    Done,
}

impl Call {
    /// The operation's name, as in IAM actions.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Read(read) => match read {
                Read::Endpoint { .. } => "DescribeEndpoint",
                Read::EndpointConfig { .. } => "DescribeEndpointConfig",
                Read::Model { .. } => "DescribeModel",
                Read::ModelPackage { .. } => "DescribeModelPackage",
                Read::Tags { .. } => "ListTags",
                Read::Waiting { .. } => "ListPipelineExecutionSteps",
                Read::ScalableTarget { .. } => "DescribeScalableTargets",
                Read::ScalingPolicies { .. } => "DescribeScalingPolicies",
                Read::ScheduledActions { .. } => "DescribeScheduledActions",
                Read::EndpointsChangedSince { .. } => "ListEndpoints",
                Read::EndpointConfigsMadeSince { .. } => "ListEndpointConfigs",
            },
            Self::Write(write) => match write {
                Write::CreateModel { .. } => "CreateModel",
                Write::DeleteModel { .. } => "DeleteModel",
                Write::CreateEndpointConfig { .. } => "CreateEndpointConfig",
                Write::DeleteEndpointConfig { .. } => "DeleteEndpointConfig",
                Write::CreateEndpoint { .. } => "CreateEndpoint",
                Write::UpdateEndpoint { .. } => "UpdateEndpoint",
                Write::DeleteEndpoint { .. } => "DeleteEndpoint",
                Write::SetInstanceCount { .. } => "UpdateEndpointWeightsAndCapacities",
                Write::AddTags { .. } => "AddTags",
                Write::DeleteTags { .. } => "DeleteTags",
                Write::PutScaling { change, .. } => change.operation(),
                Write::Deregister { .. } => "DeregisterScalableTarget",
            },
        }
    }
}

impl Call {
    /// The resource that the call is about, as in `endpoint churn`.
    pub fn resource(&self) -> String {
        match self {
            Self::Read(read) => match read {
                Read::Endpoint { name } => format!("endpoint {name}"),
                Read::EndpointConfig { name } => format!("endpoint config {name}"),
                Read::Model { name } => format!("model {name}"),
                Read::ModelPackage { arn } => format!("model package {arn}"),
                Read::Tags { arn } => arn.clone(),
                Read::Waiting {
                    pipeline_execution_arn,
                    ..
                } => format!("pipeline execution {pipeline_execution_arn}"),
                Read::ScalableTarget {
                    endpoint_name,
                    variant,
                }
                | Read::ScalingPolicies {
                    endpoint_name,
                    variant,
                }
                | Read::ScheduledActions {
                    endpoint_name,
                    variant,
                } => scalable_target(endpoint_name, variant),
                Read::EndpointsChangedSince { .. } => "the endpoints".to_owned(),
                Read::EndpointConfigsMadeSince { .. } => "the endpoint configs".to_owned(),
            },
            Self::Write(write) => match write {
                Write::CreateModel { request } => {
                    let name = request.get_model_name().as_deref();
                    format!("model {}", name.unwrap_or_default())
                }
                Write::CreateEndpointConfig { request } => {
                    let name = request.get_endpoint_config_name().as_deref();
                    format!("endpoint config {}", name.unwrap_or_default())
                }
                Write::DeleteModel { name } => format!("model {name}"),
                Write::DeleteEndpointConfig { name } => format!("endpoint config {name}"),
                Write::CreateEndpoint { name, .. }
                | Write::UpdateEndpoint { name, .. }
                | Write::DeleteEndpoint { name } => format!("endpoint {name}"),
                Write::SetInstanceCount { endpoint_name, .. } => {
                    format!("endpoint {endpoint_name}")
                }
                Write::AddTags { arn, .. } | Write::DeleteTags { arn, .. } => arn.clone(),
                Write::PutScaling {
                    endpoint_name,
                    variant,
                    ..
                }
                | Write::Deregister {
                    endpoint_name,
                    variant,
                } => scalable_target(endpoint_name, variant),
            },
        }
    }
}

fn scalable_target(endpoint_name: &str, variant: &str) -> String {
    format!("scalable target endpoint/{endpoint_name}/variant/{variant}")
}

impl From<Read> for Call {
    fn from(read: Read) -> Self {
        Self::Read(read)
    }
}

impl From<Write> for Call {
    fn from(write: Write) -> Self {
        Self::Write(write)
    }
}
