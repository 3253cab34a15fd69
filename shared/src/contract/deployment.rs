//! The request of `deploy-new-endpoint` and `deploy-existing-endpoint`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::autoscaling::Autoscaling;
use super::fields::{BadKey, Environment, Fields};
use super::shape::Shape;
use super::traffic::Traffic;
use super::values;
use crate::error::Error;

/// Budget for waiting where nothing else is asked: a pipeline's `LambdaStep` lasts at most 10 minutes,
/// and the answer has to arrive within it.
const DEFAULT_MAX_WAIT_SECONDS: i32 = 540;

/// How long a deployment that came through a queue may take where nothing else is asked: the longest execution
/// timeout of an update.
const DEFAULT_MAX_AGE_SECONDS: i32 = 28_800;

/// The longest budget that makes sense: a day, well over any deployment that the service lets live.
const LONGEST_MAX_WAIT_SECONDS: i32 = 86_400;

/// Which of the two deployments is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentKind {
    /// `deploy-new-endpoint`: there must be no endpoint of this name yet (`CreateEndpoint`).
    New,
    /// `deploy-existing-endpoint`: the endpoint serves already and is updated (`UpdateEndpoint`).
    Existing,
}

/// What becomes of a new endpoint that ended `Failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It is deleted, with its model and endpoint config.
    Delete,
    /// It stays, for somebody to look at; so do its model and endpoint config.
    Keep,
}

/// What becomes of an endpoint that is to be updated and is `Failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailedEndpoint {
    /// The update is refused.
    Refuse,
    /// It is deleted and created again.
    Replace,
}

/// What becomes of the previous model and endpoint config once an update has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSuccess {
    /// They stay.
    KeepPrevious,
    /// They are deleted, if this product made them and nothing uses them.
    DeletePrevious,
}

/// How a spent waiting budget is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// With the error `DeploymentTimedOut`.
    Fail,
    /// With an answer whose `deployment_status` is `InProgress`.
    Return,
}

/// A deployment, as asked for: complete and within the service's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRequest {
    /// What tells this request from others: the event without the keys that only say how to wait for it.
    pub identity: String,
    /// ARN of the execution role that the model runs under, at most 2048 characters.
    pub role: String,
    /// The endpoint's name, at most 63 letters, digits and inner hyphens; the service does not tell upper from lower
    /// case in it.
    pub endpoint_name: String,
    /// ARN of a versioned model package, at most 176 characters; of the endpoint's region and the role's partition.
    pub package_arn: String,
    /// Salt for the derived names, at most 256 characters: the same inputs with another id are a fresh deployment.
    pub deployment_id: Option<String>,
    /// What shapes the endpoint.
    pub shape: Shape,
    /// What scales the variant's instances.
    pub autoscaling: Autoscaling,
    /// Update only: how the traffic moves to what the update brings.
    pub traffic: Traffic,
    /// Update only: whether the counts and weights that autoscaling or an operator gave the variants stay.
    pub retain_all_variant_properties: bool,
    /// Whether a package that is not `Approved` is refused before anything is made. `SageMaker` itself creates no model from
    /// a version that is not approved.
    pub require_approved_package: bool,
    /// Update only: what becomes of a `Failed` endpoint (`replace_failed_endpoint`).
    pub on_failed_endpoint: OnFailedEndpoint,
    /// Update only: what becomes of the previous model and endpoint config after success (`delete_superseded`).
    pub on_success: OnSuccess,
    /// New only: what becomes of an endpoint that ended `Failed`.
    pub on_failure: OnFailure,
    /// Budget for waiting within one call: 0 to 86400 seconds, 540 where nothing is asked.
    pub max_wait: Duration,
    /// How long a deployment that came through a queue may take in all: 0 to 86400 seconds, 28800 where the event says
    /// nothing. What a stack sets is for one call.
    pub max_age: Duration,
    /// How a spent budget is answered.
    pub on_timeout: OnTimeout,
    /// Validate, read and plan, but change nothing.
    pub dry_run: bool,
}

impl DeployRequest {
    /// Parses the event, with the environment for the optional keys that it does not set.
    ///
    /// `AWS_REGION`, which Lambda always sets, is held against the package's region.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] with every bad key.
    pub fn parse(
        kind: DeploymentKind,
        event: &str,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let region = environment.get("AWS_REGION");
        let request = Fields::parse(event, environment, |fields| {
            Self::read(fields, kind, region)
        })?;
        Ok(Self {
            identity: identity(kind, event),
            ..request
        })
    }

    /// The refusal of this request for keys that do not go together, or not with what the service has.
    pub fn refused(&self, bad_keys: Vec<BadKey>) -> Error {
        Error::InvalidRequest {
            endpoint_name: Some(self.endpoint_name.clone()),
            bad_keys,
        }
    }

    pub(super) fn read(
        fields: &mut Fields<'_>,
        kind: DeploymentKind,
        region: Option<&String>,
    ) -> Option<Self> {
        let role = fields.required("role", role_arn);
        let endpoint_name = fields.required("endpoint_name", values::name);
        let package_arn = fields.required("package_arn", package_arn);
        if let (Some(role), Some(package)) = (&role, &package_arn)
            && part(role, PARTITION) != part(package, PARTITION)
        {
            fields.reject("role", "must be of the same partition as package_arn");
        }
        if let (Some(package), Some(region)) = (&package_arn, region)
            && part(package, REGION) != region
        {
            let reason = format!("must be of the region {region}, where the endpoint is");
            fields.reject("package_arn", reason);
        }

        let deployment_id = fields.optional("deployment_id", |value| {
            values::text("(?s:.)+", 256, "a string of at most 256 characters")(value)
        });
        let shape = Shape::read(fields, kind);
        let autoscaling = Autoscaling::read(fields, kind, &shape);
        let traffic = Traffic::read(fields);
        let retain_all_variant_properties =
            fields.optional("retain_all_variant_properties", values::flag);
        let require_approved_package = fields.optional("require_approved_package", values::flag);
        let replace_failed_endpoint = fields.optional("replace_failed_endpoint", values::flag);
        let delete_superseded = fields.optional("delete_superseded", values::flag);
        let on_failure = fields.optional(
            "on_failure",
            values::choice(&[("delete", OnFailure::Delete), ("keep", OnFailure::Keep)]),
        );
        let max_wait_seconds = fields.optional(
            "max_wait_seconds",
            values::integer(0..=LONGEST_MAX_WAIT_SECONDS),
        );
        let on_timeout = fields.optional(
            "on_timeout",
            values::choice(&[("fail", OnTimeout::Fail), ("return", OnTimeout::Return)]),
        );
        let dry_run = fields.optional("dry_run", values::flag);

        Some(Self {
            identity: String::new(),
            role: role?,
            endpoint_name: endpoint_name?,
            package_arn: package_arn?,
            deployment_id: deployment_id.get(),
            shape,
            autoscaling,
            traffic,
            retain_all_variant_properties: retain_all_variant_properties.or(true),
            require_approved_package: require_approved_package.or(true),
            on_failed_endpoint: if replace_failed_endpoint.or(false) {
                OnFailedEndpoint::Replace
            } else {
                OnFailedEndpoint::Refuse
            },
            on_success: if delete_superseded.or(false) {
                OnSuccess::DeletePrevious
            } else {
                OnSuccess::KeepPrevious
            },
            on_failure: on_failure.or(OnFailure::Delete),
            max_wait: seconds(max_wait_seconds.or(DEFAULT_MAX_WAIT_SECONDS)),
            max_age: seconds(max_wait_seconds.event.unwrap_or(DEFAULT_MAX_AGE_SECONDS)),
            on_timeout: on_timeout.or(OnTimeout::Fail),
            dry_run: dry_run.or(false),
        })
    }
}

/// Keys that a repeated call may set otherwise and still resume the same deployment.
const NOT_IN_IDENTITY: [&str; 4] = ["max_wait_seconds", "on_timeout", "on_failure", "dry_run"];

/// The event as text, its keys in alphabetical order.
fn identity(kind: DeploymentKind, event: &str) -> String {
    let mut event: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(event).unwrap_or_default();
    event.retain(|key, _| !NOT_IN_IDENTITY.contains(&key.as_str()));
    format!("{kind:?} {event:?}")
}

fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(seconds.unsigned_abs().into())
}

const PARTITION: usize = 1;
const REGION: usize = 3;

/// A part of an ARN that has been found well-formed.
fn part(arn: &str, index: usize) -> &str {
    arn.split(':').nth(index).unwrap_or_default()
}

fn role_arn(value: &serde_json::Value) -> Result<String, String> {
    values::text(
        r"arn:aws[a-z\-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        2048,
        "the ARN of an IAM role, arn:aws:iam::<account>:role/<name>",
    )(value)
}

fn package_arn(value: &serde_json::Value) -> Result<String, String> {
    values::text(
        r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]{1,32}:[0-9]{12}:model-package/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}/[0-9]{1,9}",
        176,
        "the ARN of a versioned model package, arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>",
    )(value)
}

#[cfg(test)]
mod tests;
