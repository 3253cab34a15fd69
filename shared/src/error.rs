//! What can go wrong, in the contract's words, each with the resource, the reason and what to do next.

use std::fmt;

use lambda_runtime::Diagnostic;

mod left_behind;
mod not_updatable;

pub use left_behind::{LeftBehind, Resource, Stays};
pub use not_updatable::{LostNetwork, NotUpdatable};

use crate::contract::BadKey;
use crate::failure::{CAPACITY, FailureKind, ServiceFailure, is_of_capacity};

/// The longest message that a pipeline step keeps as its failure reason, in characters.
const LONGEST_MESSAGE: usize = 1024;

/// The longest reason that the service takes for a callback step's failure, in characters.
pub const LONGEST_REASON: usize = 256;

/// Why a call failed. [`Error::error_type`] is the contract's word for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A key is missing or malformed; nothing was changed.
    InvalidRequest {
        /// The endpoint's name, where the event has a usable one.
        endpoint_name: Option<String>,
        /// Every bad key.
        bad_keys: Vec<BadKey>,
    },
    /// The registry has no such model package.
    ModelPackageNotFound {
        /// ARN of the package.
        package_arn: String,
    },
    /// The model package may not be deployed.
    ModelPackageNotApproved {
        /// ARN of the package.
        package_arn: String,
        /// What it is instead of `Completed` and `Approved`.
        found: String,
    },
    /// A new endpoint was asked for and the name is taken.
    EndpointAlreadyExists {
        /// The endpoint's name.
        endpoint_name: String,
        /// The endpoint's status.
        status: String,
        /// The endpoint config that it serves.
        endpoint_config: String,
    },
    /// An update was asked for and there is no such endpoint.
    EndpointNotFound {
        /// The endpoint's name.
        endpoint_name: String,
    },
    /// The endpoint is in a state in which it cannot be updated, or left the deployment's hands.
    EndpointNotUpdatable {
        /// The endpoint's name.
        endpoint_name: String,
        /// The endpoint's status.
        status: String,
        /// Why it cannot, or how it left.
        why: NotUpdatable,
    },
    /// The new endpoint ended `Failed`, or is gone.
    EndpointCreationFailed {
        /// The endpoint's name.
        endpoint_name: String,
        /// How it failed.
        how: CreationFailure,
    },
    /// The endpoint is back in service on the config that it had before.
    UpdateRolledBack {
        /// The endpoint's name.
        endpoint_name: String,
        /// The endpoint config that serves.
        endpoint_config: String,
        /// The service's `FailureReason`, where it gave one.
        reason: Option<String>,
    },
    /// The endpoint serves what was asked for, but did not get all that goes with it. Its word is that of the failed
    /// call.
    NotFinished {
        /// The endpoint's name.
        endpoint_name: String,
        /// The model that it serves.
        model_name: String,
        /// The call that failed.
        failure: Box<ServiceFailure>,
    },
    /// The waiting budget is spent.
    DeploymentTimedOut {
        /// The endpoint's name.
        endpoint_name: String,
        /// The endpoint's status when it was last seen.
        status: String,
        /// How long the call waited, in whole seconds.
        waited_seconds: u64,
        /// Whether this deployment has started; else the endpoint was busy with another change, or the service did not
        /// answer.
        started: bool,
    },
    /// A call to the service failed: `AccessDenied`, `ResourceLimitExceeded`, `Throttled` or
    /// `SageMakerError`.
    Service(ServiceFailure),
}

impl Error {
    /// The contract's word for this error, which the pipeline sees as `errorType`.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::InvalidRequest { .. } => "InvalidRequest",
            Self::ModelPackageNotFound { .. } => "ModelPackageNotFound",
            Self::ModelPackageNotApproved { .. } => "ModelPackageNotApproved",
            Self::EndpointAlreadyExists { .. } => "EndpointAlreadyExists",
            Self::EndpointNotFound { .. } => "EndpointNotFound",
            Self::EndpointNotUpdatable { .. } => "EndpointNotUpdatable",
            Self::EndpointCreationFailed { .. } => "EndpointCreationFailed",
            Self::UpdateRolledBack { .. } => "UpdateRolledBack",
            Self::DeploymentTimedOut { .. } => "DeploymentTimedOut",
            Self::NotFinished { failure, .. } => word(failure.kind),
            Self::Service(failure) => word(failure.kind),
        }
    }

    /// The message in three parts: what happened to which resource, the service's reason, what to do
    /// next. Only the middle one may be cut.
    fn parts(&self) -> (String, String, String) {
        match self {
            Self::InvalidRequest { endpoint_name, bad_keys } => {
                let of = endpoint_name.as_ref().map(|name| format!(" for the endpoint {name}")).unwrap_or_default();
                let before = format!("The request{of} is not usable: ");
                let after = ". Nothing was changed; correct these keys and call again.";
                let room = LONGEST_MESSAGE.saturating_sub(before.chars().count() + after.chars().count());
                (before, named(bad_keys, room), after.to_owned())
            }
            Self::ModelPackageNotFound { package_arn } => (
                format!("The model package {package_arn} does not exist"),
                String::new(),
                ". Check its ARN, account and region, and that the function's role may read it.".to_owned(),
            ),
            Self::ModelPackageNotApproved { package_arn, found } => (
                format!("The model package {package_arn} may not be deployed: it is {found}"),
                String::new(),
                ". Approve it in the model registry. For a version of a model package group nothing else helps: without require_approved_package, CreateModel itself refuses it.".to_owned(),
            ),
            Self::EndpointAlreadyExists { endpoint_name, status, endpoint_config } => (
                format!("The endpoint {endpoint_name} exists already ({status}, on {endpoint_config})"),
                String::new(),
                match status.as_str() {
                    "Failed" => ". Delete it, or call deploy-existing-endpoint with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints.",
                    "OutOfService" | "UpdateRollbackFailed" => ". Delete it, or choose another endpoint_name.",
                    _ => ". Call deploy-existing-endpoint to update it, or choose another endpoint_name.",
                }
                .to_owned(),
            ),
            Self::EndpointNotFound { endpoint_name } => (
                format!("There is no endpoint {endpoint_name}"),
                String::new(),
                ". Call deploy-new-endpoint to create it.".to_owned(),
            ),
            Self::EndpointNotUpdatable { endpoint_name, status, why } => {
                let (reason, advice) = why.words();
                (
                    format!("The endpoint {endpoint_name} ({status}) cannot be updated: "),
                    reason,
                    format!(". {advice}"),
                )
            }
            Self::EndpointCreationFailed { endpoint_name, how } => (
                format!("The endpoint {endpoint_name} could not be created: "),
                how.words().to_owned(),
                if is_of_capacity(how.words()) {
                    format!(". {CAPACITY}")
                } else {
                    format!(". Look into the log group /aws/sagemaker/Endpoints/{endpoint_name}, fix the cause and call again.")
                },
            ),
            Self::UpdateRolledBack { endpoint_name, endpoint_config, reason } => (
                format!("The update of the endpoint {endpoint_name} was rolled back; it serves {endpoint_config} as before: "),
                reason.clone().unwrap_or_else(|| "the service gave no reason".to_owned()),
                if reason.as_deref().is_some_and(is_of_capacity) {
                    format!(". {CAPACITY}")
                } else {
                    format!(". Look into the log group /aws/sagemaker/Endpoints/{endpoint_name} and at the update's alarms, where it has any; fix the cause and call again.")
                },
            ),
            Self::DeploymentTimedOut { endpoint_name, status, waited_seconds, started: true } => (
                format!("The deployment to the endpoint {endpoint_name} is not finished after {waited_seconds} s ({status})"),
                String::new(),
                ". It goes on; call again with the same event to resume the wait, with a larger max_wait_seconds if need be.".to_owned(),
            ),
            Self::DeploymentTimedOut { endpoint_name, status, waited_seconds, started: false } => (
                format!("The deployment to the endpoint {endpoint_name} has not started after {waited_seconds} s ({status}): the endpoint is busy with another change, or the service does not answer"),
                String::new(),
                ". Call again with the same event, with a larger max_wait_seconds if need be.".to_owned(),
            ),
            Self::NotFinished { endpoint_name, model_name, failure } => {
                let rest = if failure.is_about_scaling() {
                    "its autoscaling is not set"
                } else {
                    "what goes with it is not finished"
                };
                (
                    format!("The endpoint {endpoint_name} serves the model {model_name}, but {rest}: {} failed: ", failure.operation),
                    failure.reason(),
                    format!(". {} A repeated call with the same event does the rest and nothing else.", failure.advice()),
                )
            }
            Self::Service(failure) => (
                format!("{} on {} failed: ", failure.operation, failure.resource),
                failure.reason(),
                format!(". {}", failure.advice()),
            ),
        }
    }
}

/// How the creation of an endpoint failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreationFailure {
    /// It ended `Failed`, for this reason of the service's, if it gave one.
    Failed(Option<String>),
    /// Somebody deleted the endpoint meanwhile.
    Deleted,
}

impl CreationFailure {
    /// The reason in words.
    pub fn words(&self) -> &str {
        match self {
            Self::Failed(Some(reason)) if !reason.is_empty() => reason,
            Self::Failed(_) => "the service gave no reason",
            Self::Deleted => "it was deleted while it was being created",
        }
    }
}

/// What a pipeline's step is told that was stopped before its deployment started.
pub fn stopped(left_behind: &[LeftBehind]) -> String {
    let names = names(left_behind);
    let left = if names.is_empty() {
        "nothing of it is left".to_owned()
    } else {
        format!("left behind: {names}")
    };
    fit(
        "The pipeline was stopped before the deployment started; ",
        &left,
        ".",
        LONGEST_REASON,
    )
}

fn names(left_behind: &[LeftBehind]) -> String {
    let names: Vec<_> = left_behind
        .iter()
        .map(|left| left.resource.to_string())
        .collect();
    names.join(", ")
}

/// The contract's word for a failed call.
fn word(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::AccessDenied => "AccessDenied",
        FailureKind::LimitExceeded => "ResourceLimitExceeded",
        FailureKind::Throttled => "Throttled",
        _ => "SageMakerError",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, reason, after) = self.parts();
        formatter.write_str(&fit(&before, &reason, &after, LONGEST_MESSAGE))
    }
}

impl std::error::Error for Error {}

/// A failed call, with what its undo could not take away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong; the undo never changes it.
    pub error: Error,
    /// What the failed deployment made and is still there, and why.
    pub left_behind: Vec<LeftBehind>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            left_behind: Vec::new(),
        }
    }
}

impl Failure {
    /// The contract's word and the message in at most `longest` characters: what to do next gives way first, then the
    /// end of the reason. What is left behind is not in it where anything gives way.
    pub fn brief(&self, longest: usize) -> String {
        let word = self.error.error_type();
        let whole = format!("{word}: {self}");
        if whole.chars().count() <= longest {
            return whole;
        }
        let (before, reason, _) = self.error.parts();
        let brief = format!("{word}: {before}{}", reason.trim_end_matches('.'));
        if brief.chars().count() <= longest {
            return brief;
        }
        // Not within a word, where there is a choice.
        let kept: String = brief.chars().take(longest.saturating_sub(1)).collect();
        let end = kept.rfind(' ').filter(|end| *end > kept.len() / 2);
        format!(
            "{}…",
            kept[..end.unwrap_or(kept.len())].trim_end_matches([' ', ':', ',', ';'])
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.left_behind.is_empty() {
            return self.error.fmt(formatter);
        }
        let names = names(&self.left_behind);
        // The names say what to delete; the reason of the first mostly holds for all, and the log has each.
        let why = self.left_behind[0].reason();
        let left = format!(" Left behind: {names}, because {why}");
        let left = fit(&left, "", "", LONGEST_MESSAGE / 2);
        let (before, reason, after) = self.error.parts();
        formatter.write_str(&fit(
            &before,
            &reason,
            &format!("{after}{left}"),
            LONGEST_MESSAGE,
        ))
    }
}

impl std::error::Error for Failure {}

// Beside the type, because without it `lambda_runtime` would answer with a Rust type name.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.error.error_type().to_owned(),
            error_message: failure.to_string(),
        }
    }
}

/// Every bad key with its reason; where that has no room, every key without.
fn named(bad_keys: &[BadKey], room: usize) -> String {
    let reasons: Vec<_> = bad_keys
        .iter()
        .map(|bad| format!("{} {}", bad.key, bad.reason))
        .collect();
    let reasons = reasons.join("; ");
    if reasons.chars().count() <= room {
        return reasons;
    }
    let keys: Vec<_> = bad_keys.iter().map(|bad| bad.key.as_str()).collect();
    format!("bad or missing are {}", keys.join(", "))
}

/// Joins three parts to at most `longest` characters; what is too long goes off the end of the second,
/// and only then off the end of all.
fn fit(before: &str, reason: &str, after: &str, longest: usize) -> String {
    let rest = before.chars().count() + after.chars().count();
    let room = longest.saturating_sub(rest);
    let reason = reason.trim_end_matches('.');
    let whole = if reason.chars().count() <= room {
        format!("{before}{reason}{after}")
    } else {
        let kept: String = reason.chars().take(room.saturating_sub(1)).collect();
        format!("{before}{kept}…{after}")
    };
    whole.chars().take(longest).collect()
}

#[cfg(test)]
mod tests;
