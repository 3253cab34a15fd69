//! A region in memory: as much of SageMaker, of Application Auto Scaling and of pipelines' steps as deployments meet, in
//! virtual time.
//!
//! It is a value: to clone it is cheap, and two regions that are alike have the same fingerprint. What it does is held
//! against the local SageMaker in `against_local`.

mod endpoint;
mod replies;
mod scaling;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::{ProductionVariant, Tag};
use shared::deploy::{Call, Read, Write};
use shared::failure::{FailureKind, ServiceFailure};
use shared::sagemaker::Waiting;

use crate::fingerprint::Fingerprint;
pub(crate) use crate::fingerprint::Kept;
pub(crate) use endpoint::{Ending, Endpoint, Stale, Timing, View, unseen_config};
pub(crate) use replies::Answer;
pub(crate) use replies::{failure, of_failure};
pub(crate) use scaling::Target;

/// A name that many own.
pub(crate) type Name = Arc<str>;

/// A point in time: milliseconds since the Unix epoch.
pub(crate) type Millis = u64;

/// The most tags that a resource may have.
const MOST_TAGS: usize = 50;

/// The tags of a resource.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub(crate) struct Tags(BTreeMap<String, String>);

impl Tags {
    pub(crate) fn of(tags: &[Tag]) -> Self {
        let mut all = Self::default();
        all.add(tags);
        all
    }

    fn add(&mut self, tags: &[Tag]) {
        for tag in tags {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            self.0.insert(text(tag.key()), text(tag.value()));
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn to_list(&self) -> Vec<Tag> {
        let tag = |(key, value)| Tag::builder().key(key).value(value).build();
        self.0.iter().map(tag).collect()
    }
}

/// A model.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) arn: Name,
    pub(crate) made: Millis,
    pub(crate) serial: u64,
    pub(crate) tags: Tags,
    pub(crate) described: Arc<DescribeModelOutput>,
}

impl Hash for Model {
    // What it is like follows from its name.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.arn, self.made, &self.tags).hash(state);
    }
}

/// An endpoint config.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) arn: Name,
    pub(crate) made: Millis,
    pub(crate) serial: u64,
    pub(crate) tags: Tags,
    pub(crate) described: Arc<DescribeEndpointConfigOutput>,
}

impl Hash for Config {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.arn, self.made, &self.tags).hash(state);
    }
}

impl Config {
    /// Names of its models.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        let variants = self.described.production_variants().iter();
        variants.filter_map(ProductionVariant::model_name)
    }
}

/// A step of a pipeline that waits under a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Executing,
    Stopping,
    Succeeded,
    Failed,
    Expired,
}

/// A region.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    now: Millis,
    timing: Timing,
    pub(crate) models: BTreeMap<Name, Kept<Model>>,
    pub(crate) configs: BTreeMap<Name, Kept<Config>>,
    pub(crate) endpoints: BTreeMap<Name, Kept<Endpoint>>,
    /// By the endpoint's name and the variant's.
    pub(crate) targets: BTreeMap<(Name, Name), Kept<Target>>,
    /// By ARN: whether it is approved.
    packages: BTreeMap<Name, bool>,
    steps: BTreeMap<Name, Step>,
    serial: u64,
}

impl Region {
    /// A region with nothing in it.
    pub(crate) fn new(now: Millis, timing: Timing) -> Self {
        Self {
            now,
            timing,
            models: BTreeMap::new(),
            configs: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            targets: BTreeMap::new(),
            packages: BTreeMap::new(),
            steps: BTreeMap::new(),
            serial: 0,
        }
    }

    /// Two regions with the same fingerprint answer every call alike.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = Fingerprint::default();
        self.now.hash(&mut hasher);
        for model in self.models.values() {
            model.fingerprint().hash(&mut hasher);
        }
        0.hash(&mut hasher);
        for config in self.configs.values() {
            config.fingerprint().hash(&mut hasher);
        }
        0.hash(&mut hasher);
        for endpoint in self.endpoints.values() {
            endpoint.fingerprint().hash(&mut hasher);
        }
        0.hash(&mut hasher);
        for ((_, variant), target) in &self.targets {
            (variant, target.fingerprint()).hash(&mut hasher);
        }
        for approved in self.packages.values() {
            approved.hash(&mut hasher);
        }
        for step in self.steps.values() {
            step.hash(&mut hasher);
        }
        hasher.finish()
    }

    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    /// Lets time pass, and what happens by itself in it.
    pub(crate) fn pass_to(&mut self, now: Millis) {
        self.now = now;
        let passing: Vec<Name> = self
            .endpoints
            .iter()
            .filter(|(_, endpoint)| endpoint.changes_by(now))
            .map(|(name, _)| Arc::clone(name))
            .collect();
        for name in passing {
            let passed = self.endpoints[&name].passed_to(now);
            match passed {
                Some(endpoint) => self.endpoints.insert(name, Kept::new(endpoint)),
                None => self.endpoints.remove(&name),
            };
        }
    }

    /// When the next thing happens by itself that a poll can show.
    pub(crate) fn next_change(&self) -> Option<Millis> {
        let endpoints = self.endpoints.values();
        endpoints
            .filter_map(|endpoint| endpoint.next_change())
            .min()
    }

    pub(crate) fn register_package(&mut self, arn: &str) {
        self.packages.insert(arn.into(), true);
    }

    pub(crate) fn approve(&mut self, arn: &str, approved: bool) {
        self.packages.insert(arn.into(), approved);
    }

    pub(crate) fn is_approved(&self, arn: &str) -> bool {
        self.packages.get(arn).copied().unwrap_or_default()
    }

    pub(crate) fn start_step(&mut self, token: &str) {
        self.steps.insert(token.into(), Step::Executing);
    }

    pub(crate) fn step(&self, token: &str) -> Option<Step> {
        self.steps.get(token).copied()
    }

    pub(crate) fn set_step(&mut self, token: &str, step: Step) {
        self.steps.insert(token.into(), step);
    }

    /// Answers a step. The same answer may be given again.
    pub(crate) fn answer_step(&mut self, token: &str, success: bool) -> Result<(), ServiceFailure> {
        let (operation, answer) = if success {
            ("SendPipelineExecutionStepSuccess", Step::Succeeded)
        } else {
            ("SendPipelineExecutionStepFailure", Step::Failed)
        };
        match self.step(token) {
            Some(Step::Executing | Step::Stopping) => {
                self.set_step(token, answer);
                Ok(())
            }
            Some(step) if step == answer => Ok(()),
            _ => Err(ServiceFailure {
                kind: FailureKind::Refused,
                code: "ValidationException".to_owned(),
                message: format!("Callback token {token} is no longer valid."),
                ..ServiceFailure::no_reply(operation, format!("callback token {token}"))
            }),
        }
    }

    /// Carries out a call. `ending` is how a launch ends that this accepts.
    pub(crate) fn call(&mut self, call: &Call, ending: Ending) -> Result<Answer, ServiceFailure> {
        match call {
            Call::Read(read) => self.read(call, read),
            Call::Write(write) => self.write(call, write, ending),
        }
    }

    fn read(&self, call: &Call, read: &Read) -> Result<Answer, ServiceFailure> {
        Ok(match read {
            Read::Endpoint { name } => Answer::Endpoint(self.view(name)),
            Read::EndpointConfig { name } => {
                Answer::EndpointConfig(self.configs.get(name.as_str()).cloned())
            }
            Read::Model { name } => Answer::Model(self.models.get(name.as_str()).cloned()),
            Read::ModelPackage { arn } => {
                Answer::ModelPackage(self.packages.get(arn.as_str()).copied())
            }
            Read::Tags { arn } => match self.tags_of(arn) {
                Some(tags) => Answer::Tags(tags.clone()),
                None => return Err(no_resource(call, arn)),
            },
            Read::Waiting { token, .. } => Answer::Waiting(match self.step(token) {
                Some(Step::Executing) => Waiting::ForTheDeployment,
                Some(Step::Stopping) => Waiting::ToStop,
                Some(_) => Waiting::NoMore,
                None => Waiting::NotListed,
            }),
            Read::ScalableTarget {
                endpoint_name,
                variant,
            } => Answer::Target(self.target(endpoint_name, variant).cloned()),
            Read::ScalingPolicies {
                endpoint_name,
                variant,
            } => Answer::Policies(self.target(endpoint_name, variant).cloned()),
            Read::ScheduledActions {
                endpoint_name,
                variant,
            } => Answer::Actions(self.target(endpoint_name, variant).cloned()),
            Read::EndpointsChangedSince { since } => {
                let since = since.map(earlier);
                let changed = self.endpoints.iter().filter(|(_, endpoint)| {
                    since.is_none_or(|since| endpoint.view().modified > since)
                });
                Answer::Names(changed.map(|(name, _)| Arc::clone(name)).collect())
            }
            Read::EndpointConfigsMadeSince { since, .. } => {
                let since = since.map(earlier);
                let made = self.configs.iter();
                let made = made.filter(|(_, config)| since.is_none_or(|since| config.made > since));
                Answer::Names(made.map(|(name, _)| Arc::clone(name)).collect())
            }
        })
    }

    fn write(
        &mut self,
        call: &Call,
        write: &Write,
        ending: Ending,
    ) -> Result<Answer, ServiceFailure> {
        match write {
            Write::CreateModel { request } => return self.create_model(call, request),
            Write::CreateEndpointConfig { request } => return self.create_config(call, request),
            Write::DeleteModel { name } => {
                self.models.remove(name.as_str());
            }
            Write::DeleteEndpointConfig { name } => {
                self.configs.remove(name.as_str());
            }
            Write::CreateEndpoint {
                name,
                endpoint_config,
                tags,
            } => self.create_endpoint(call, name, endpoint_config, tags, ending)?,
            Write::UpdateEndpoint {
                name,
                endpoint_config,
                retained,
                ..
            } => self.update_endpoint(call, name, endpoint_config, retained, ending)?,
            Write::DeleteEndpoint { name } => self.delete_endpoint(call, name)?,
            Write::SetInstanceCount {
                endpoint_name,
                variant,
                count,
            } => self.set_instance_count(call, endpoint_name, variant, *count)?,
            Write::AddTags { arn, tags } => {
                self.change_tags(call, arn, |all| all.add(tags))?;
            }
            Write::DeleteTags { arn, keys } => {
                self.change_tags(call, arn, |all| all.0.retain(|key, _| !keys.contains(key)))?;
            }
            Write::PutScaling {
                endpoint_name,
                variant,
                change,
            } => self.put_scaling(call, endpoint_name, variant, change)?,
            Write::Deregister {
                endpoint_name,
                variant,
            } => self.deregister(endpoint_name, variant),
        }
        Ok(Answer::Done)
    }

    fn create_model(
        &mut self,
        call: &Call,
        request: &CreateModelInputBuilder,
    ) -> Result<Answer, ServiceFailure> {
        let name: Name = request.get_model_name().clone().unwrap_or_default().into();
        if self.models.contains_key(&name) {
            return Ok(Answer::Found);
        }
        let container = request.get_primary_container().as_ref();
        if let Some(package) = container.and_then(|container| container.model_package_name()) {
            match self.packages.get(package) {
                None => {
                    let message = format!("ModelPackage {package} does not exist.");
                    return Err(failure(call, FailureKind::NotFound, message));
                }
                Some(false) => {
                    let message = format!("ModelPackage {package} cannot be deployed.");
                    return Err(failure(call, FailureKind::Refused, message));
                }
                Some(true) => {}
            }
        }
        let (arn, made) = (arn("model", &name), self.now);
        let described = DescribeModelOutput::builder()
            .model_name(&*name)
            .model_arn(&*arn)
            .set_primary_container(request.get_primary_container().clone())
            .set_containers(request.get_containers().clone())
            .set_execution_role_arn(request.get_execution_role_arn().clone())
            .set_vpc_config(request.get_vpc_config().clone())
            .creation_time(time(made))
            .enable_network_isolation(request.get_enable_network_isolation().unwrap_or(false));
        let model = Model {
            arn: Arc::clone(&arn),
            made,
            serial: self.next_serial(),
            tags: Tags::of(request.get_tags().as_deref().unwrap_or_default()),
            described: Arc::new(described.build()),
        };
        self.models.insert(name, Kept::new(model));
        Ok(Answer::Created(arn))
    }

    fn create_config(
        &mut self,
        call: &Call,
        request: &CreateEndpointConfigInputBuilder,
    ) -> Result<Answer, ServiceFailure> {
        let name = request.get_endpoint_config_name().clone();
        let name: Name = name.unwrap_or_default().into();
        if self.configs.contains_key(&name) {
            return Ok(Answer::Found);
        }
        let variants = request
            .get_production_variants()
            .clone()
            .unwrap_or_default();
        for model in variants.iter().filter_map(ProductionVariant::model_name) {
            if !self.models.contains_key(model) {
                return Err(no_model(call, model));
            }
        }
        let weighted = variants.into_iter().map(|mut variant| {
            variant.initial_variant_weight.get_or_insert(1.0);
            variant
        });
        let (arn, made) = (arn("endpoint-config", &name), self.now);
        let described = DescribeEndpointConfigOutput::builder()
            .endpoint_config_name(&*name)
            .endpoint_config_arn(&*arn)
            .set_production_variants(Some(weighted.collect()))
            .set_data_capture_config(request.get_data_capture_config().clone())
            .set_kms_key_id(request.get_kms_key_id().clone())
            .creation_time(time(made))
            .set_async_inference_config(request.get_async_inference_config().clone());
        let config = Config {
            arn: Arc::clone(&arn),
            made,
            serial: self.next_serial(),
            tags: Tags::of(request.get_tags().as_deref().unwrap_or_default()),
            described: Arc::new(described.build()),
        };
        self.configs.insert(name, Kept::new(config));
        Ok(Answer::Created(arn))
    }

    /// The tags of the resource with this ARN, if there is one.
    pub(crate) fn tags_of(&self, wanted: &str) -> Option<&Tags> {
        let models = self.models.values().map(|model| (&model.arn, &model.tags));
        let configs = self.configs.values();
        let configs = configs.map(|config| (&config.arn, &config.tags));
        let endpoints = self.endpoints.values();
        let endpoints = endpoints.map(|endpoint| (&endpoint.arn, &endpoint.tags));
        let mut all = models.chain(configs).chain(endpoints);
        all.find(|(arn, _)| &***arn == wanted).map(|(_, tags)| tags)
    }

    fn change_tags(
        &mut self,
        call: &Call,
        wanted: &str,
        change: impl Fn(&mut Tags),
    ) -> Result<(), ServiceFailure> {
        let Some(tags) = self.tags_of(wanted) else {
            return Err(no_resource(call, wanted));
        };
        let mut tags = tags.clone();
        change(&mut tags);
        if tags.0.len() > MOST_TAGS {
            let message = format!("\"{wanted}\" may bear at most {MOST_TAGS} tags.");
            return Err(failure(call, FailureKind::Refused, message));
        }
        for model in self
            .models
            .values_mut()
            .filter(|model| &*model.arn == wanted)
        {
            model.change(|model| model.tags = tags.clone());
        }
        for config in self
            .configs
            .values_mut()
            .filter(|config| &*config.arn == wanted)
        {
            config.change(|config| config.tags = tags.clone());
        }
        for endpoint in self
            .endpoints
            .values_mut()
            .filter(|endpoint| &*endpoint.arn == wanted)
        {
            endpoint.change(|endpoint| endpoint.tags = tags.clone());
        }
        Ok(())
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

fn arn(kind: &str, name: &str) -> Name {
    format!("arn:aws:sagemaker:eu-west-1:123456789012:{kind}/{name}").into()
}

/// A time as the service tells it.
pub(crate) fn time(millis: Millis) -> DateTime {
    DateTime::from_millis(i64::try_from(millis).unwrap_or_default())
}

/// What the functions filter a list by: a second earlier than the time that they have.
fn earlier(time: DateTime) -> Millis {
    u64::try_from(time.secs() - 1).unwrap_or_default() * 1000
}

fn no_resource(call: &Call, arn: &str) -> ServiceFailure {
    let message = format!("Could not find resource \"{arn}\".");
    failure(call, FailureKind::NotFound, message)
}

pub(crate) fn no_model(call: &Call, name: &str) -> ServiceFailure {
    let message = format!("Could not find model \"{}\".", arn("model", name));
    failure(call, FailureKind::PrerequisiteNotFound, message)
}
