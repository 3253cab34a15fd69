//! Application Auto Scaling, as the deploy functions use it: the only file that makes calls to it.
//!
//! A variant's autoscaling is read and put in the service's wire form ([`Wire`]), so that it can be suspended, saved and
//! restored without loss. No method repeats a call: the engine does.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::config::http::HttpRequest;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use serde_json::{Value, json};

use crate::failure::{FailureKind, ServiceFailure};
use crate::plan::{Change, Wire};
use crate::raw::{self, Reply};

const DIMENSION: ScalableDimension = ScalableDimension::SageMakerVariantDesiredInstanceCount;

/// The members of a scalable target that can be put; the rest of its description is the service's.
const TARGET_MEMBERS: [&str; 3] = ["MinCapacity", "MaxCapacity", "SuspendedState"];
const POLICY_MEMBERS: [&str; 4] = [
    "PolicyName",
    "PolicyType",
    "TargetTrackingScalingPolicyConfiguration",
    "StepScalingPolicyConfiguration",
];
const ACTION_MEMBERS: [&str; 6] = [
    "ScheduledActionName",
    "Schedule",
    "Timezone",
    "StartTime",
    "EndTime",
    "ScalableTargetAction",
];

/// The calls to Application Auto Scaling that the deploy functions make.
#[derive(Debug, Clone)]
pub struct Autoscaling {
    configuration: SdkConfig,
    /// Made by the first call: most deployments make none.
    client: OnceLock<Client>,
}

impl Autoscaling {
    /// Makes its calls with a client of this configuration.
    pub fn new(configuration: SdkConfig) -> Self {
        Self {
            configuration,
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.configuration))
    }

    /// The scalable target of a variant (`DescribeScalableTargets`); `None` if nothing is registered.
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn find_target(
        &self,
        endpoint_name: &str,
        variant: &str,
    ) -> Result<Option<Wire>, ServiceFailure> {
        let resource_id = &resource_id(endpoint_name, variant);
        let reply = Reply::default();
        let request = self
            .client()
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Sagemaker)
            .resource_ids(resource_id)
            .scalable_dimension(DIMENSION);
        let sent = request.customize().interceptor(reply.clone()).send().await;
        sent.map_err(|error| {
            ServiceFailure::of(
                "DescribeScalableTargets",
                scalable_target(resource_id),
                &error,
            )
            .of_autoscaling()
        })?;
        Ok(all(&reply, "ScalableTargets", &TARGET_MEMBERS)
            .into_iter()
            .next())
    }

    /// The scaling policies of a variant (`DescribeScalingPolicies`, all pages).
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn policies(
        &self,
        endpoint_name: &str,
        variant: &str,
    ) -> Result<Vec<Wire>, ServiceFailure> {
        let resource_id = &resource_id(endpoint_name, variant);
        let (mut policies, mut next) = (Vec::new(), None);
        loop {
            let reply = Reply::default();
            let request = self
                .client()
                .describe_scaling_policies()
                .service_namespace(ServiceNamespace::Sagemaker)
                .resource_id(resource_id)
                .scalable_dimension(DIMENSION)
                .set_next_token(next);
            let sent = request.customize().interceptor(reply.clone()).send().await;
            let page = sent.map_err(|error| {
                let target = scalable_target(resource_id);
                ServiceFailure::of("DescribeScalingPolicies", target, &error).of_autoscaling()
            })?;
            policies.extend(all(&reply, "ScalingPolicies", &POLICY_MEMBERS));
            next = page.next_token;
            if next.is_none() {
                return Ok(policies);
            }
        }
    }

    /// The scheduled actions of a variant (`DescribeScheduledActions`, all pages).
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn scheduled_actions(
        &self,
        endpoint_name: &str,
        variant: &str,
    ) -> Result<Vec<Wire>, ServiceFailure> {
        let resource_id = &resource_id(endpoint_name, variant);
        let (mut actions, mut next) = (Vec::new(), None);
        loop {
            let reply = Reply::default();
            let request = self
                .client()
                .describe_scheduled_actions()
                .service_namespace(ServiceNamespace::Sagemaker)
                .resource_id(resource_id)
                .scalable_dimension(DIMENSION)
                .set_next_token(next);
            let sent = request.customize().interceptor(reply.clone()).send().await;
            let page = sent.map_err(|error| {
                let target = scalable_target(resource_id);
                ServiceFailure::of("DescribeScheduledActions", target, &error).of_autoscaling()
            })?;
            actions.extend(all(&reply, "ScheduledActions", &ACTION_MEMBERS));
            next = page.next_token;
            if next.is_none() {
                return Ok(actions);
            }
        }
    }

    /// Puts one thing right for a variant (`RegisterScalableTarget`, `PutScalingPolicy`, `PutScheduledAction`); each
    /// makes what is not there and changes what is.
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn put(
        &self,
        endpoint_name: &str,
        variant: &str,
        change: &Change,
    ) -> Result<(), ServiceFailure> {
        let id = resource_id(endpoint_name, variant);
        let (sagemaker, target) = (ServiceNamespace::Sagemaker, scalable_target(&id));
        // The SDK's own request has what it insists on; what is sent is the wire form.
        let sent = match change {
            Change::Target(wire) => self
                .client()
                .register_scalable_target()
                .service_namespace(sagemaker)
                .resource_id(&id)
                .scalable_dimension(DIMENSION)
                .customize()
                .mutate_request(body(&id, wire))
                .send()
                .await
                .map(drop)
                .map_err(|error| ServiceFailure::of("RegisterScalableTarget", target, &error)),
            Change::Policy(wire) => self
                .client()
                .put_scaling_policy()
                .policy_name("named in the wire form")
                .service_namespace(sagemaker)
                .resource_id(&id)
                .scalable_dimension(DIMENSION)
                .customize()
                .mutate_request(body(&id, wire))
                .send()
                .await
                .map(drop)
                .map_err(|error| ServiceFailure::of("PutScalingPolicy", target, &error)),
            Change::ScheduledAction(wire) => self
                .client()
                .put_scheduled_action()
                .scheduled_action_name("named in the wire form")
                .service_namespace(sagemaker)
                .resource_id(&id)
                .scalable_dimension(DIMENSION)
                .customize()
                .mutate_request(body(&id, wire))
                .send()
                .await
                .map(drop)
                .map_err(|error| ServiceFailure::of("PutScheduledAction", target, &error)),
        };
        sent.map_err(ServiceFailure::of_autoscaling)
    }

    /// Takes off everything that scales a variant (`DeregisterScalableTarget`): its target, and with it its policies
    /// and scheduled actions. Where there is none that is fine.
    ///
    /// # Errors
    ///
    /// Whatever else the service says.
    pub async fn deregister(
        &self,
        endpoint_name: &str,
        variant: &str,
    ) -> Result<(), ServiceFailure> {
        let id = resource_id(endpoint_name, variant);
        let request = self
            .client()
            .deregister_scalable_target()
            .service_namespace(ServiceNamespace::Sagemaker)
            .resource_id(&id)
            .scalable_dimension(DIMENSION);
        let failure = match request.send().await {
            Ok(_) => return Ok(()),
            Err(error) => {
                ServiceFailure::of("DeregisterScalableTarget", scalable_target(&id), &error)
            }
        };
        match failure.kind {
            FailureKind::NotFound => Ok(()),
            _ => Err(failure.of_autoscaling()),
        }
    }
}

fn resource_id(endpoint_name: &str, variant: &str) -> String {
    format!("endpoint/{endpoint_name}/variant/{variant}")
}

fn scalable_target(resource_id: &str) -> String {
    format!("scalable target {resource_id}")
}

/// What can be put again of what the service describes.
fn only(described: &Wire, members: &[&str]) -> Wire {
    let mut wire = described.clone();
    wire.retain(|member, value| members.contains(&member.as_str()) && !value.is_null());
    wire
}

/// Sends a wire form instead of the SDK's own body.
fn body(resource_id: &str, wire: &Wire) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    let mut wire = wire.clone();
    wire.insert("ServiceNamespace".to_owned(), json!("sagemaker"));
    wire.insert("ResourceId".to_owned(), json!(resource_id));
    wire.insert("ScalableDimension".to_owned(), json!(DIMENSION.as_str()));
    let wire = Value::Object(wire);
    move |request| raw::set_body(request, &wire)
}

/// What can be put again of the objects of one of a reply's lists.
fn all(reply: &Reply, list: &str, members: &[&str]) -> Vec<Wire> {
    let reply = reply.value();
    let objects = reply[list].as_array().into_iter().flatten();
    objects
        .filter_map(Value::as_object)
        .map(|object| only(object, members))
        .collect()
}
