//! What a process knows of the service, and how it comes to know more: whoever needs a fact that is not known yet gets
//! the call that finds it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::primitives::DateTime;

use super::call::{Call, Read, Reply};
use crate::failure::ServiceFailure;
use crate::plan::{Board, Scaling, Whole, Wire};
use crate::sagemaker::{Endpoint, Waiting};

/// A fact, or the call that finds it out.
pub(super) type Known<T> = Result<T, Call>;

/// What is known of the service.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts {
    /// Endpoints by name. One that is not in it has not been polled since that last mattered.
    endpoints: BTreeMap<String, Option<Endpoint>>,
    endpoint_configs: BTreeMap<String, Option<Arc<Whole<DescribeEndpointConfigOutput>>>>,
    models: BTreeMap<String, Option<Arc<Whole<DescribeModelOutput>>>>,
    tags: BTreeMap<String, Board>,
    /// By ARN: why tags could not be read.
    unreadable: BTreeMap<String, ServiceFailure>,
    packages: BTreeMap<String, Option<Arc<DescribeModelPackageOutput>>>,
    waiting: Option<Waiting>,
    targets: BTreeMap<String, Option<Wire>>,
    policies: BTreeMap<String, Vec<Wire>>,
    scheduled_actions: BTreeMap<String, Vec<Wire>>,
    endpoints_since: Option<Vec<String>>,
    endpoint_configs_since: BTreeMap<String, Vec<String>>,
}

impl Facts {
    /// The endpoint, as the last poll found it.
    pub(super) fn endpoint(&self, name: &str) -> Known<Option<&Endpoint>> {
        let found = self.endpoints.get(name);
        found
            .map(Option::as_ref)
            .ok_or_else(|| Read::Endpoint { name: name.into() }.into())
    }

    /// The names of the endpoints that have changed since a time.
    pub(super) fn endpoints_changed_since(&self, since: Option<DateTime>) -> Known<&[String]> {
        let found = self.endpoints_since.as_deref();
        found.ok_or_else(|| Read::EndpointsChangedSince { since }.into())
    }

    /// The names of the endpoint configs that have been made since a model was.
    pub(super) fn endpoint_configs_made_since(
        &self,
        model: &str,
        since: Option<DateTime>,
    ) -> Known<&[String]> {
        let found = self.endpoint_configs_since.get(model).map(Vec::as_slice);
        let model = model.to_owned();
        found.ok_or_else(|| Read::EndpointConfigsMadeSince { model, since }.into())
    }

    /// An endpoint config.
    pub(super) fn endpoint_config(
        &self,
        name: &str,
    ) -> Known<Option<&Arc<Whole<DescribeEndpointConfigOutput>>>> {
        let found = self.endpoint_configs.get(name);
        found
            .map(Option::as_ref)
            .ok_or_else(|| Read::EndpointConfig { name: name.into() }.into())
    }

    /// A model.
    pub(super) fn model(&self, name: &str) -> Known<Option<&Arc<Whole<DescribeModelOutput>>>> {
        let found = self.models.get(name);
        found
            .map(Option::as_ref)
            .ok_or_else(|| Read::Model { name: name.into() }.into())
    }

    /// The tags of a resource.
    pub(super) fn tags(&self, arn: &str) -> Known<&Board> {
        let found = self.tags.get(arn);
        found.ok_or_else(|| Read::Tags { arn: arn.into() }.into())
    }

    /// The model package.
    pub(super) fn package(&self, arn: &str) -> Known<Option<&DescribeModelPackageOutput>> {
        let found = self.packages.get(arn);
        found
            .map(Option::as_deref)
            .ok_or_else(|| Read::ModelPackage { arn: arn.into() }.into())
    }

    /// Who waits for the deployment, by its pipeline.
    pub(super) fn waiting(&self, pipeline_execution_arn: &str, token: &str) -> Known<Waiting> {
        self.waiting.ok_or_else(|| {
            let pipeline_execution_arn = pipeline_execution_arn.into();
            let token = token.into();
            Call::from(Read::Waiting {
                pipeline_execution_arn,
                token,
            })
        })
    }

    /// The autoscaling of a variant; `None` if nothing is registered.
    pub(super) fn scaling(&self, endpoint_name: &str, variant: &str) -> Known<Option<Scaling>> {
        let names = || (endpoint_name.to_owned(), variant.to_owned());
        let Some(target) = self.targets.get(variant) else {
            let (endpoint_name, variant) = names();
            let read = Read::ScalableTarget {
                endpoint_name,
                variant,
            };
            return Err(read.into());
        };
        let Some(target) = target else {
            return Ok(None);
        };
        let Some(policies) = self.policies.get(variant) else {
            let (endpoint_name, variant) = names();
            let read = Read::ScalingPolicies {
                endpoint_name,
                variant,
            };
            return Err(read.into());
        };
        let Some(scheduled_actions) = self.scheduled_actions.get(variant) else {
            let (endpoint_name, variant) = names();
            let read = Read::ScheduledActions {
                endpoint_name,
                variant,
            };
            return Err(read.into());
        };
        Ok(Some(Scaling {
            variant: variant.to_owned(),
            target: target.clone(),
            policies: policies.clone(),
            scheduled_actions: scheduled_actions.clone(),
        }))
    }

    /// Keeps what a read found out.
    pub(super) fn learn(&mut self, read: &Read, reply: Reply) {
        match (read, reply) {
            (Read::Endpoint { name }, Reply::Endpoint(found)) => {
                self.endpoints.insert(name.clone(), found);
            }
            (Read::EndpointsChangedSince { .. }, Reply::Names(names)) => {
                self.endpoints_since = Some(names);
            }
            (Read::EndpointConfigsMadeSince { model, .. }, Reply::Names(names)) => {
                self.endpoint_configs_since.insert(model.clone(), names);
            }
            (Read::EndpointConfig { name }, Reply::EndpointConfig(found)) => {
                let found = found.map(|config| Arc::new(*config));
                self.endpoint_configs.insert(name.clone(), found);
            }
            (Read::Model { name }, Reply::Model(found)) => {
                let found = found.map(|model| Arc::new(*model));
                self.models.insert(name.clone(), found);
            }
            (Read::Tags { arn }, Reply::Tags(tags)) => {
                self.tags.insert(arn.clone(), Board::of(tags));
            }
            (Read::ModelPackage { arn }, Reply::ModelPackage(found)) => {
                let found = found.map(|package| Arc::new(*package));
                self.packages.insert(arn.clone(), found);
            }
            (Read::Waiting { .. }, Reply::Waiting(waiting)) => self.waiting = Some(waiting),
            (Read::ScalableTarget { variant, .. }, Reply::ScalableTarget(target)) => {
                self.targets.insert(variant.clone(), target);
            }
            (Read::ScalingPolicies { variant, .. }, Reply::Scaling(policies)) => {
                self.policies.insert(variant.clone(), policies);
            }
            (Read::ScheduledActions { variant, .. }, Reply::Scaling(actions)) => {
                self.scheduled_actions.insert(variant.clone(), actions);
            }
            _ => {}
        }
    }

    /// The endpoint has to be polled before anything else is decided.
    pub(super) fn poll_again(&mut self, name: &str) {
        self.endpoints.remove(name);
    }

    /// Whether anybody still waits has to be asked again.
    pub(super) fn ask_again_who_waits(&mut self) {
        self.waiting = None;
    }

    pub(super) fn forget_endpoint_config(&mut self, name: &str) {
        self.endpoint_configs.remove(name);
    }

    pub(super) fn forget_model(&mut self, name: &str) {
        self.models.remove(name);
    }

    /// Forgets that a model and an endpoint config are not there.
    pub(super) fn forget_absent(&mut self, model: &str, endpoint_config: &str) {
        if self.models.get(model).is_some_and(Option::is_none) {
            self.models.remove(model);
        }
        let config = self.endpoint_configs.get(endpoint_config);
        if config.is_some_and(Option::is_none) {
            self.endpoint_configs.remove(endpoint_config);
        }
    }

    /// Nothing that was known of the model counts any more.
    pub(super) fn read_model_again(&mut self, name: &str) {
        if let Some(Some(model)) = self.models.remove(name) {
            self.tags.remove(model.model_arn().unwrap_or_default());
        }
    }

    /// Nothing that was known of the endpoint config counts any more.
    pub(super) fn read_endpoint_config_again(&mut self, name: &str) {
        if let Some(Some(config)) = self.endpoint_configs.remove(name) {
            self.tags
                .remove(config.endpoint_config_arn().unwrap_or_default());
        }
    }

    /// The model was deleted by this process.
    pub(super) fn model_is_gone(&mut self, name: &str) {
        self.models.insert(name.to_owned(), None);
    }

    /// Why the tags of a resource could not be read, if they could not.
    pub(super) fn unreadable_tags(&self, arn: &str) -> Option<&ServiceFailure> {
        self.unreadable.get(arn)
    }

    /// The tags of a resource cannot be read: the rest is decided without them.
    pub(super) fn tags_are_unreadable(&mut self, arn: &str, failure: ServiceFailure) {
        self.unreadable.insert(arn.to_owned(), failure);
        self.tags.insert(arn.to_owned(), Board::of(Vec::new()));
    }

    pub(super) fn forget_tags(&mut self, arn: &str) {
        self.tags.remove(arn);
    }

    /// Autoscaling changes while a deployment waits.
    pub(super) fn forget_scaling(&mut self) {
        self.targets.clear();
        self.policies.clear();
        self.scheduled_actions.clear();
    }
}
