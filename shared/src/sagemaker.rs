//! SageMaker, as the functions use it: the only module that makes calls to it. In this file is what a deployment
//! makes, describes and deletes; below it are lists, tags and pipelines' steps.
//!
//! Every create stands beside its delete. A `find_…` answers `None` for what does not exist; a create
//! answers [`Made::Found`] for what exists already, because the names are derived from the content. No
//! method repeats a call: the reconciler's next turn does.

mod callbacks;
mod lists;
mod tags;

use std::collections::BTreeMap;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::{
    DeploymentConfig, DesiredWeightAndCapacity, EndpointStatus, Tag, VariantProperty,
};

use crate::failure::{FailureKind, ServiceFailure};
use crate::plan::{Guard, Retained, Unknown, Whole};
use crate::raw::{Carry, Reply};
pub use callbacks::Waiting;

/// Items asked for per page: the most that the service gives.
const PAGE_SIZE: i32 = 100;

/// A look at an endpoint: what `DescribeEndpoint` says, as far as a deployment goes by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// The endpoint's name, in its own spelling.
    pub name: String,
    /// The endpoint's ARN.
    pub arn: String,
    /// The endpoint's status.
    pub status: EndpointStatus,
    /// Name of the live endpoint config.
    pub config: String,
    /// Name of the endpoint config that is being deployed, while one is (`PendingDeploymentSummary`).
    pub pending_config: Option<String>,
    /// The service's reason for a failure or a rollback, where it gives one.
    pub failure_reason: Option<String>,
    /// When the service last changed the endpoint (`LastModifiedTime`).
    pub last_modified: Option<DateTime>,
    /// The number of instances that each variant is to have (`DesiredInstanceCount`), by the variant's name.
    pub instance_counts: BTreeMap<String, i32>,
    /// How the last update that said so moved its traffic (`LastDeploymentConfig`).
    pub last_deployment_config: Option<Box<DeploymentConfig>>,
}

impl Endpoint {
    /// Whether the endpoint serves this endpoint config, or is being put onto it.
    pub fn uses(&self, endpoint_config: &str) -> bool {
        self.config == endpoint_config || self.pending_config.as_deref() == Some(endpoint_config)
    }
}

/// How a create ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// This call made it.
    Created {
        /// Its ARN.
        arn: String,
    },
    /// It was there already.
    Found,
}

/// The calls to SageMaker that the functions make.
#[derive(Debug, Clone)]
pub struct SageMaker {
    client: Client,
}

impl SageMaker {
    /// Makes its calls with this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// A client that puts these members into what it sends.
    fn carrying(&self, unknown: Vec<Unknown>) -> Client {
        if unknown.is_empty() {
            return self.client.clone();
        }
        let configuration = self.client.config().to_builder();
        Client::from_conf(configuration.interceptor(Carry::new(unknown)).build())
    }

    /// The endpoint of this name (`DescribeEndpoint`).
    ///
    /// # Errors
    ///
    /// Whatever the service says but that there is none.
    pub async fn find_endpoint(&self, name: &str) -> Result<Option<Endpoint>, ServiceFailure> {
        let reply = self
            .client
            .describe_endpoint()
            .endpoint_name(name)
            .send()
            .await;
        let found = reply.map_err(|error| {
            ServiceFailure::of("DescribeEndpoint", format!("endpoint {name}"), &error)
        });
        Ok(unless_absent(found)?.map(|output| Endpoint {
            name: output.endpoint_name.unwrap_or_else(|| name.to_owned()),
            arn: output.endpoint_arn.unwrap_or_default(),
            status: output
                .endpoint_status
                .unwrap_or_else(|| EndpointStatus::from("")),
            config: output.endpoint_config_name.unwrap_or_default(),
            pending_config: output
                .pending_deployment_summary
                .and_then(|pending| pending.endpoint_config_name),
            failure_reason: output.failure_reason.filter(|reason| !reason.is_empty()),
            last_modified: output.last_modified_time,
            last_deployment_config: output.last_deployment_config.map(Box::new),
            instance_counts: output
                .production_variants
                .into_iter()
                .flatten()
                .filter_map(|variant| {
                    Some((variant.variant_name?, variant.desired_instance_count?))
                })
                .collect(),
        }))
    }

    /// Begins to create the endpoint on an endpoint config (`CreateEndpoint`): it is there at once, and serves later.
    ///
    /// # Errors
    ///
    /// Whatever the service says; [`FailureKind::AlreadyExists`] is one of it, because the endpoint's
    /// name does not prove whose it is, and [`FailureKind::PrerequisiteNotFound`] where the service does
    /// not see the endpoint config (yet).
    pub async fn create_endpoint(
        &self,
        name: &str,
        config: &str,
        tags: &[Tag],
    ) -> Result<(), ServiceFailure> {
        let request = self.client.create_endpoint();
        let reply = request
            .endpoint_name(name)
            .endpoint_config_name(config)
            .set_tags((!tags.is_empty()).then(|| tags.to_vec()))
            .send()
            .await;
        reply.map(drop).map_err(|error| {
            ServiceFailure::of("CreateEndpoint", format!("endpoint {name}"), &error)
        })
    }

    /// Begins to put the endpoint onto another endpoint config (`UpdateEndpoint`).
    ///
    /// `guard` says how the traffic moves. A deployment config is never sent with the word to retain the last one: nobody
    /// documents which of the two would count.
    ///
    /// # Errors
    ///
    /// Whatever the service says, among it [`FailureKind::InProgress`], and
    /// [`FailureKind::PrerequisiteNotFound`] where the service does not see the endpoint config (yet).
    pub async fn update_endpoint(
        &self,
        name: &str,
        config: &str,
        retained: &Retained,
        guard: &Guard,
    ) -> Result<(), ServiceFailure> {
        let excluded = retained.but.iter().map(|property| {
            let property = property.clone();
            VariantProperty::builder()
                .variant_property_type(property)
                .build()
        });
        let request = self.client.update_endpoint();
        let request = match guard {
            Guard::None => request,
            Guard::Asked(config) => request.deployment_config((**config).clone()),
            Guard::Retained(_) => request.retain_deployment_config(true),
        };
        let reply = request
            .endpoint_name(name)
            .endpoint_config_name(config)
            .retain_all_variant_properties(retained.all)
            .set_exclude_retained_variant_properties(
                (!retained.but.is_empty()).then(|| excluded.collect()),
            )
            .send()
            .await;
        reply.map(drop).map_err(|error| {
            ServiceFailure::of("UpdateEndpoint", format!("endpoint {name}"), &error)
        })
    }

    /// Sets the number of instances of one variant (`UpdateEndpointWeightsAndCapacities`). The endpoint is `Updating`
    /// for it.
    ///
    /// # Errors
    ///
    /// Whatever the service says, among it [`FailureKind::InProgress`].
    pub async fn set_instance_count(
        &self,
        name: &str,
        variant: &str,
        count: i32,
    ) -> Result<(), ServiceFailure> {
        let desired = DesiredWeightAndCapacity::builder()
            .variant_name(variant)
            .desired_instance_count(count)
            .build();
        let request = self.client.update_endpoint_weights_and_capacities();
        let reply = request
            .endpoint_name(name)
            .desired_weights_and_capacities(desired)
            .send()
            .await;
        reply.map(drop).map_err(|error| {
            let resource = format!("endpoint {name}");
            ServiceFailure::of("UpdateEndpointWeightsAndCapacities", resource, &error)
        })
    }

    /// Deletes the endpoint (`DeleteEndpoint`); one that is not there is fine.
    ///
    /// # Errors
    ///
    /// Whatever else the service says, among it [`FailureKind::InProgress`].
    pub async fn delete_endpoint(&self, name: &str) -> Result<(), ServiceFailure> {
        let reply = self
            .client
            .delete_endpoint()
            .endpoint_name(name)
            .send()
            .await;
        unless_absent(reply.map_err(|error| {
            ServiceFailure::of("DeleteEndpoint", format!("endpoint {name}"), &error)
        }))
        .map(drop)
    }

    /// The endpoint config of this name (`DescribeEndpointConfig`).
    ///
    /// # Errors
    ///
    /// Whatever the service says but that there is none.
    pub async fn find_endpoint_config(
        &self,
        name: &str,
    ) -> Result<Option<Whole<DescribeEndpointConfigOutput>>, ServiceFailure> {
        let raw = Reply::default();
        let request = self.client.describe_endpoint_config();
        let request = request.endpoint_config_name(name).customize();
        let reply = request.interceptor(raw.clone()).send().await;
        let found = unless_absent(reply.map_err(|error| {
            let resource = format!("endpoint config {name}");
            ServiceFailure::of("DescribeEndpointConfig", resource, &error)
        }));
        Ok(found?.map(|config| Whole::endpoint_config(config, &raw.value())))
    }

    /// Creates an endpoint config (`CreateEndpointConfig`).
    ///
    /// # Errors
    ///
    /// Whatever the service says but that it exists; [`FailureKind::PrerequisiteNotFound`] where the
    /// service does not see the model (yet).
    pub async fn create_endpoint_config(
        &self,
        request: Whole<CreateEndpointConfigInputBuilder>,
    ) -> Result<Made, ServiceFailure> {
        let name = request
            .get_endpoint_config_name()
            .clone()
            .unwrap_or_default();
        let (request, unknown) = request.into_parts();
        let reply = request.send_with(&self.carrying(unknown)).await;
        let arn = reply.map(|reply| reply.endpoint_config_arn);
        made(arn.map_err(|error| {
            let resource = format!("endpoint config {name}");
            ServiceFailure::of("CreateEndpointConfig", resource, &error)
        }))
    }

    /// Deletes an endpoint config (`DeleteEndpointConfig`); one that is not there is fine.
    ///
    /// # Errors
    ///
    /// Whatever else the service says.
    pub async fn delete_endpoint_config(&self, name: &str) -> Result<(), ServiceFailure> {
        let request = self.client.delete_endpoint_config();
        let reply = request.endpoint_config_name(name).send().await;
        unless_absent(reply.map_err(|error| {
            let resource = format!("endpoint config {name}");
            ServiceFailure::of("DeleteEndpointConfig", resource, &error)
        }))
        .map(drop)
    }

    /// The model of this name (`DescribeModel`).
    ///
    /// # Errors
    ///
    /// Whatever the service says but that there is none.
    pub async fn find_model(
        &self,
        name: &str,
    ) -> Result<Option<Whole<DescribeModelOutput>>, ServiceFailure> {
        let raw = Reply::default();
        let request = self.client.describe_model().model_name(name).customize();
        let reply = request.interceptor(raw.clone()).send().await;
        let found =
            unless_absent(reply.map_err(|error| {
                ServiceFailure::of("DescribeModel", format!("model {name}"), &error)
            }));
        Ok(found?.map(|model| Whole::model(model, &raw.value())))
    }

    /// Creates a model (`CreateModel`).
    ///
    /// # Errors
    ///
    /// Whatever the service says but that it exists; [`FailureKind::NotFound`] if there is no such model package.
    pub async fn create_model(
        &self,
        request: Whole<CreateModelInputBuilder>,
    ) -> Result<Made, ServiceFailure> {
        let name = request.get_model_name().clone().unwrap_or_default();
        let (request, unknown) = request.into_parts();
        let reply = request.send_with(&self.carrying(unknown)).await;
        let arn = reply.map(|reply| reply.model_arn);
        made(
            arn.map_err(|error| ServiceFailure::of("CreateModel", format!("model {name}"), &error)),
        )
    }

    /// Deletes a model (`DeleteModel`); one that is not there is fine. Its artifacts stay where they are.
    ///
    /// # Errors
    ///
    /// Whatever else the service says.
    pub async fn delete_model(&self, name: &str) -> Result<(), ServiceFailure> {
        let reply = self.client.delete_model().model_name(name).send().await;
        unless_absent(
            reply.map_err(|error| {
                ServiceFailure::of("DeleteModel", format!("model {name}"), &error)
            }),
        )
        .map(drop)
    }

    /// The model package of this ARN (`DescribeModelPackage`).
    ///
    /// # Errors
    ///
    /// Whatever the service says but that there is none.
    pub async fn find_model_package(
        &self,
        arn: &str,
    ) -> Result<Option<DescribeModelPackageOutput>, ServiceFailure> {
        let request = self.client.describe_model_package();
        let reply = request.model_package_name(arn).send().await;
        unless_absent(reply.map_err(|error| {
            ServiceFailure::of(
                "DescribeModelPackage",
                format!("model package {arn}"),
                &error,
            )
        }))
    }
}

fn unless_absent<T>(reply: Result<T, ServiceFailure>) -> Result<Option<T>, ServiceFailure> {
    match reply {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn made(arn: Result<Option<String>, ServiceFailure>) -> Result<Made, ServiceFailure> {
    match arn {
        Ok(arn) => Ok(Made::Created {
            arn: arn.unwrap_or_default(),
        }),
        Err(failure) if failure.kind == FailureKind::AlreadyExists => Ok(Made::Found),
        Err(failure) => Err(failure),
    }
}
