//! The decision table: what comes next, by what the service says. Pure.

use aws_sdk_sagemaker::types::EndpointStatus;

use crate::contract::{DeploymentKind, DeploymentStatus};
use crate::error::Error;
use crate::plan::Plan;
use crate::sagemaker::Endpoint;
use crate::wait::{Begun, Progress, Since, classify};

/// Everything that the next step depends on.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact that is known or asked for by itself"
)]
#[derive(Debug, Clone)]
pub(super) struct Situation<'a> {
    pub(super) kind: DeploymentKind,
    pub(super) endpoint_name: &'a str,
    /// The last look at the endpoint.
    pub(super) endpoint: Option<&'a Endpoint>,
    /// `None` only where there is no endpoint to plan an update from.
    pub(super) plan: Option<&'a Plan>,
    /// What is known of the deployment where it has, or may have, begun.
    pub(super) begun: Option<&'a Begun>,
    /// Whether the endpoint has been seen with this deployment on it.
    pub(super) seen_under_way: bool,
    /// Whether the `Failed` endpoint has been deleted, to be created again.
    pub(super) replacing: bool,
    pub(super) package_checked: bool,
    pub(super) model_made: bool,
    pub(super) endpoint_config_made: bool,
    pub(super) endpoint_tagged: bool,
    /// Whether it is known that the deployment may begin.
    pub(super) has_leave: bool,
    /// Why the creation failed, where an earlier step has noted that.
    pub(super) failure_noted: Option<&'a str>,
    /// Whether the endpoint came to serve what was asked for by this deployment, though in an earlier call.
    pub(super) was_begun_before: bool,
    /// Whether the beginning of the update is noted on the endpoint config.
    pub(super) noted: bool,
    /// Whether notes on the endpoint config are of no use once the endpoint serves it.
    pub(super) notes_open: bool,
    pub(super) scaling: ScalingState,
    pub(super) superseded_cleared: bool,
    pub(super) delete_superseded: bool,
    pub(super) replace_failed_endpoint: bool,
    pub(super) dry_run: bool,
}

/// How far the deployment is with what scales the endpoint's variants.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact that becomes known by itself"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ScalingState {
    /// Whether it has, or may have, been taken off, by this call or an earlier one.
    pub(super) may_be_off: bool,
    /// Whether everything has been taken off that had to be.
    pub(super) is_off: bool,
    /// Whether the endpoint has been seen to serve what was asked for.
    pub(super) serves: bool,
    /// Whether it scales as it should, too.
    pub(super) is_set: bool,
    /// Whether anything had to be changed for that.
    pub(super) was_changed: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Find out whether the deployment may begin.
    FindLeave,
    CheckPackage,
    CreateModel,
    CreateEndpointConfig,
    CreateEndpoint,
    /// Note on the endpoint config what is about to be replaced and taken off.
    Note,
    /// Take off what scales the variants that cannot be changed while they are scaled.
    TakeScalingOff,
    /// Put the event's tags on the endpoint that is updated.
    TagEndpoint,
    UpdateEndpoint,
    /// Delete the `Failed` endpoint that is to be replaced.
    DeleteFailedEndpoint,
    /// Have the variants of the endpoint, which serves, scale as they should.
    Scale,
    /// Remove the notes that are of no use any more.
    CloseNotes,
    /// Delete what the update replaced.
    DeleteSuperseded,
    LookAgain,
    Done(DeploymentStatus),
    Fail(Error),
}

/// Whether a look shows a deployment of this config under way.
///
/// A deployment shows itself by its config: pending on an endpoint that is updated, the endpoint's own on
/// one that is created. So a call that repeats one that was cut off finds it.
pub(super) fn is_under_way(look: &Endpoint, asked: &str) -> bool {
    let live_and_settled = look.config == asked && look.status == EndpointStatus::InService;
    look.pending_config.as_deref() == Some(asked) || (look.config == asked && !live_and_settled)
}

/// What a look adds to what is known of a deployment that has begun.
pub(super) fn begun_after(
    look: &Endpoint,
    asked: &str,
    kind: DeploymentKind,
    known: Option<Begun>,
) -> Option<Begun> {
    let is_pending = look.pending_config.as_deref() == Some(asked);
    let is_new = kind == DeploymentKind::New && is_under_way(look, asked);
    if !is_pending && !is_new {
        return known;
    }
    let config_before = match known {
        Some(begun) => begun.config_before,
        None if is_new => String::new(),
        None => look.config.clone(),
    };
    Some(Begun {
        config_before,
        since: Since::UnderWay(look.last_modified),
        certain: true,
    })
}

/// Decides the next step.
pub(super) fn decide(situation: &Situation<'_>) -> Step {
    use DeploymentKind::{Existing, New};
    let creates = situation.kind == New || situation.replacing;
    let Some(plan) = situation.plan else {
        return Step::Fail(situation.not_found());
    };
    let certain = situation.begun.is_some_and(|begun| begun.certain);
    let Some(endpoint) = situation.endpoint else {
        return match (creates, certain, situation.seen_under_way) {
            (false, ..) => Step::Fail(situation.not_found()),
            (true, false, _) => situation.prepare(Step::CreateEndpoint),
            // It was accepted and cannot be seen yet.
            (true, true, false) => Step::LookAgain,
            (true, true, true) => {
                let reason = Some("it was deleted while it was being created".to_owned());
                Step::Fail(situation.creation_failed(reason))
            }
        };
    };

    let asked = &plan.endpoint_config_name;
    let ours = certain || endpoint.config == *asked;
    match (classify(endpoint, asked, situation.begun), situation.kind) {
        (Progress::Deleting, _) if creates => situation.wait(),
        (_, New) if !ours => Step::Fail(situation.already_exists(endpoint)),
        (Progress::Ready, _) => situation.complete(plan),
        (Progress::Pending, _) => situation.wait(),
        (Progress::Failed { reason }, _) if creates => {
            Step::Fail(situation.creation_failed(reason))
        }
        (Progress::NotBegun, Existing) => situation.prepare(Step::UpdateEndpoint),
        (Progress::Failed { .. }, Existing)
            if situation.replace_failed_endpoint && situation.begun.is_none() =>
        {
            situation.prepare(Step::DeleteFailedEndpoint)
        }
        (Progress::RolledBack { reason }, _) => Step::Fail(Error::UpdateRolledBack {
            endpoint_name: situation.endpoint_name.to_owned(),
            endpoint_config: endpoint.config.clone(),
            reason,
        }),
        (progress, _) => Step::Fail(situation.not_updatable(endpoint, &progress)),
    }
}

impl Situation<'_> {
    /// Everything that has to be there before the endpoint is touched, in order, and then that.
    fn prepare(&self, last: Step) -> Step {
        let plan = self.plan.filter(|_| self.kind == DeploymentKind::Existing);
        let scaled = plan.is_some_and(|plan| !plan.autoscaling.kept.is_empty());
        let tagged = plan.is_some_and(|plan| !plan.tags.is_empty());
        let touches = matches!(last, Step::UpdateEndpoint | Step::DeleteFailedEndpoint);
        if let Some(reason) = self.failure_noted {
            let reason = (!reason.is_empty()).then(|| reason.to_owned());
            Step::Fail(self.creation_failed(reason))
        } else if !self.has_leave {
            Step::FindLeave
        } else if !self.package_checked {
            Step::CheckPackage
        } else if self.dry_run {
            Step::Done(DeploymentStatus::DryRun)
        } else if !self.model_made {
            Step::CreateModel
        } else if !self.endpoint_config_made {
            Step::CreateEndpointConfig
        } else if touches && !self.noted {
            Step::Note
        } else if touches && scaled && !self.scaling.is_off {
            Step::TakeScalingOff
        } else if last == Step::UpdateEndpoint && tagged && !self.endpoint_tagged {
            Step::TagEndpoint
        } else {
            last
        }
    }

    /// What is left to do once the endpoint serves what was asked for.
    fn complete(&self, plan: &Plan) -> Step {
        let scales = !plan.autoscaling.wanted.is_empty() && !self.scaling.is_set;
        let changed = self.begun.is_some() || self.was_begun_before || self.scaling.was_changed;
        if self.dry_run {
            Step::Done(if scales {
                DeploymentStatus::DryRun
            } else {
                DeploymentStatus::Unchanged
            })
        } else if scales {
            Step::Scale
        } else if self.notes_open {
            Step::CloseNotes
        } else if self.delete_superseded && !self.superseded_cleared {
            Step::DeleteSuperseded
        } else if changed {
            Step::Done(DeploymentStatus::Deployed)
        } else {
            Step::Done(DeploymentStatus::Unchanged)
        }
    }

    /// A dry run does not wait for what others do.
    fn wait(&self) -> Step {
        if self.dry_run {
            self.prepare(Step::LookAgain)
        } else {
            Step::LookAgain
        }
    }

    fn not_found(&self) -> Error {
        Error::EndpointNotFound {
            endpoint_name: self.endpoint_name.to_owned(),
        }
    }

    fn creation_failed(&self, reason: Option<String>) -> Error {
        Error::EndpointCreationFailed {
            endpoint_name: self.endpoint_name.to_owned(),
            reason,
        }
    }

    fn already_exists(&self, endpoint: &Endpoint) -> Error {
        Error::EndpointAlreadyExists {
            endpoint_name: self.endpoint_name.to_owned(),
            status: endpoint.status.as_str().to_owned(),
            endpoint_config: endpoint.config.clone(),
        }
    }

    fn not_updatable(&self, endpoint: &Endpoint, progress: &Progress) -> Error {
        let service_says = endpoint
            .failure_reason
            .as_deref()
            .unwrap_or("the service gave no reason")
            .trim_end_matches('.');
        let (reason, advice) = match (progress, &endpoint.status) {
            (Progress::Superseded, _) => (
                format!(
                    "another deployment replaced this one, and it serves {} now",
                    endpoint.config
                ),
                "Call again to deploy over that.",
            ),
            (Progress::Failed { .. }, _) => {
                let what = if self.begun.is_some() {
                    "this update"
                } else {
                    "an earlier deployment"
                };
                (
                    format!("{what} failed ({service_says})"),
                    "To delete it and create it again, call again with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints.",
                )
            }
            (Progress::Deleting, _) => (
                "it will soon be gone".to_owned(),
                "Call deploy-new-endpoint, which waits for that and creates it again.",
            ),
            (_, EndpointStatus::UpdateRollbackFailed) => (
                format!(
                    "an update failed and was not rolled back ({service_says}), so that old and new variants may both serve"
                ),
                "Ask AWS Support, or delete the endpoint and call deploy-new-endpoint.",
            ),
            _ => (
                "it takes no requests".to_owned(),
                "Bring it back in service, or delete it and call deploy-new-endpoint.",
            ),
        };
        Error::EndpointNotUpdatable {
            endpoint_name: self.endpoint_name.to_owned(),
            status: endpoint.status.as_str().to_owned(),
            reason,
            advice,
        }
    }
}

#[cfg(test)]
mod tests;
