//! What the region answers: cheap to have, with a fingerprint, and a reply of the engine's only where one is needed.

use std::fmt;
use std::hash::{Hash, Hasher};

use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::types::{ModelApprovalStatus, ModelPackageStatus};
use shared::deploy::{Call, Reply};
use shared::failure::{FailureKind, Service, ServiceFailure};
use shared::sagemaker::{self, Made, Waiting};

use super::endpoint::counts;
use super::{Config, Kept, Model, Name, Tags, Target, View, time};
use crate::fingerprint::Fingerprint;

/// The answer to a call that did not fail.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Endpoint(Option<(Name, View)>),
    EndpointConfig(Option<Kept<Config>>),
    Model(Option<Kept<Model>>),
    ModelPackage(Option<bool>),
    Tags(Tags),
    Waiting(Waiting),
    Target(Option<Kept<Target>>),
    Policies(Option<Kept<Target>>),
    Actions(Option<Kept<Target>>),
    Names(Vec<Name>),
    Created(Name),
    Found,
    Done,
}

impl Answer {
    /// Answers to the same call with the same fingerprint are the same.
    pub(crate) fn fingerprint(&self) -> u64 {
        fn kept<T>(kept: Option<&Kept<T>>) -> u64 {
            kept.map_or(0, Kept::fingerprint)
        }
        let mut hasher = Fingerprint::default();
        match self {
            Self::Endpoint(found) => found.hash(&mut hasher),
            Self::EndpointConfig(found) => kept(found.as_ref()).hash(&mut hasher),
            Self::Model(found) => kept(found.as_ref()).hash(&mut hasher),
            Self::ModelPackage(found) => found.hash(&mut hasher),
            Self::Tags(tags) => tags.hash(&mut hasher),
            Self::Waiting(waiting) => (*waiting as u8).hash(&mut hasher),
            Self::Target(found) | Self::Policies(found) | Self::Actions(found) => {
                kept(found.as_ref()).hash(&mut hasher);
            }
            Self::Names(names) => names.hash(&mut hasher),
            Self::Created(_) => 1.hash(&mut hasher),
            Self::Found => 2.hash(&mut hasher),
            Self::Done => 3.hash(&mut hasher),
        }
        hasher.finish()
    }

    pub(crate) fn to_reply(&self) -> Reply {
        match self {
            Self::Endpoint(found) => {
                Reply::Endpoint(found.as_ref().map(|(arn, view)| endpoint(arn, view)))
            }
            Self::EndpointConfig(found) => {
                let found = found.as_ref();
                Reply::EndpointConfig(
                    found.map(|config| Box::new((*config.described).clone().into())),
                )
            }
            Self::Model(found) => {
                let found = found.as_ref();
                Reply::Model(found.map(|model| Box::new((*model.described).clone().into())))
            }
            Self::ModelPackage(found) => Reply::ModelPackage(found.map(|approved| {
                let approval = if approved {
                    ModelApprovalStatus::Approved
                } else {
                    ModelApprovalStatus::Rejected
                };
                let package = DescribeModelPackageOutput::builder()
                    .model_package_status(ModelPackageStatus::Completed)
                    .model_approval_status(approval);
                Box::new(package.build())
            })),
            Self::Tags(tags) => Reply::Tags(tags.to_list()),
            Self::Waiting(waiting) => Reply::Waiting(*waiting),
            Self::Target(found) => {
                Reply::ScalableTarget(found.as_ref().map(|target| target.registered.clone()))
            }
            Self::Policies(found) => Reply::Scaling(
                found
                    .as_ref()
                    .map(|target| target.policies.clone())
                    .unwrap_or_default(),
            ),
            Self::Actions(found) => Reply::Scaling(
                found
                    .as_ref()
                    .map(|target| target.actions.clone())
                    .unwrap_or_default(),
            ),
            Self::Names(names) => Reply::Names(names.iter().map(ToString::to_string).collect()),
            Self::Created(arn) => Reply::Made(Made::Created {
                arn: arn.to_string(),
            }),
            Self::Found => Reply::Made(Made::Found),
            Self::Done => Reply::Done,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = |is_there: bool| if is_there { "there" } else { "none" };
        match self {
            Self::Endpoint(None) => formatter.write_str("none"),
            Self::Endpoint(Some((_, view))) => {
                let phase = &view.phase;
                write!(formatter, "{} on {}", phase.status, phase.live.config)?;
                let pending = phase.pending.as_ref().filter(|_| phase.is_in_progress());
                pending.map_or(Ok(()), |pending| {
                    write!(formatter, ", then {}", pending.config)
                })
            }
            Self::EndpointConfig(found) => formatter.write_str(there(found.is_some())),
            Self::Model(found) => formatter.write_str(there(found.is_some())),
            Self::Target(found) | Self::Policies(found) | Self::Actions(found) => {
                formatter.write_str(there(found.is_some()))
            }
            Self::ModelPackage(found) => write!(formatter, "approved: {found:?}"),
            Self::Tags(tags) => {
                for key in tags.keys() {
                    let value = tags.get(key).unwrap_or_default();
                    let value = value.get(..100).unwrap_or(value);
                    write!(formatter, "{key}={value} ")?;
                }
                Ok(())
            }
            Self::Waiting(waiting) => write!(formatter, "{waiting:?}"),
            Self::Names(names) => write!(formatter, "{}", names.join(" ")),
            Self::Created(_) => formatter.write_str("created"),
            Self::Found => formatter.write_str("found"),
            Self::Done => formatter.write_str("done"),
        }
    }
}

fn endpoint(arn: &Name, view: &View) -> sagemaker::Endpoint {
    let phase = &view.phase;
    let is_deploying = phase.is_in_progress() && phase.status.as_str() != "Deleting";
    let pending = phase.pending.as_ref().filter(|_| is_deploying);
    let is_new = phase.status.as_str() == "Creating";
    sagemaker::Endpoint {
        name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
        arn: arn.to_string(),
        status: phase.status.clone(),
        config: phase.live.config.to_string(),
        pending_config: pending.map(|pending| pending.config.to_string()),
        failure_reason: phase.reason.map(str::to_owned),
        last_modified: Some(time(view.modified)),
        instance_counts: if is_new {
            std::collections::BTreeMap::new()
        } else {
            counts(&phase.live)
        },
        last_deployment_config: None,
    }
}

/// A failure in the service's words.
pub(crate) fn failure(call: &Call, kind: FailureKind, message: String) -> ServiceFailure {
    let operation = call.operation();
    let scaling = ["ScalableTarget", "ScalingPolic", "ScheduledAction"];
    let service = if scaling.iter().any(|part| operation.contains(part)) {
        Service::ApplicationAutoScaling
    } else {
        Service::SageMaker
    };
    let code = match kind {
        FailureKind::Throttled => "ThrottlingException",
        FailureKind::AccessDenied => "AccessDeniedException",
        FailureKind::LimitExceeded => "ResourceLimitExceeded",
        FailureKind::NoReply => "",
        _ => "ValidationException",
    };
    ServiceFailure {
        service,
        operation,
        resource: call.resource(),
        kind,
        code: code.to_owned(),
        message,
    }
}

/// The fingerprint of a failure.
pub(crate) fn of_failure(failure: &ServiceFailure) -> u64 {
    let mut hasher = Fingerprint::default();
    (failure.kind as u8, &failure.code, &failure.message).hash(&mut hasher);
    hasher.finish()
}
