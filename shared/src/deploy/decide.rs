//! The decision table: what comes next for the endpoint, by what the last poll says. Pure.

use std::cmp::Ordering;
use std::time::Duration;

use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::EndpointStatus;

use crate::contract::{DeploymentKind, OnFailedEndpoint};
use crate::error::{CreationFailure, NotUpdatable};
use crate::moment::Moment;
use crate::plan::{Checkpoint, Route};
use crate::sagemaker::Endpoint;

/// How long a poll may still show the endpoint as it was before the last change: a stale read is over in a second or
/// two.
pub(super) const SETTLING: Duration = Duration::from_secs(5);

/// How long the service may take to show an endpoint whose creation it has accepted.
const APPEARING: Duration = Duration::from_secs(30);

/// The names that are deployed, and how the endpoint was before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) endpoint_config: String,
    pub(super) model: String,
    /// Name of the endpoint config before; empty if there was no endpoint.
    pub(super) previous: String,
    /// The endpoint's `LastModifiedTime` before the launch.
    pub(super) since: Option<DateTime>,
}

/// How far the launch is: `CreateEndpoint` or `UpdateEndpoint` with the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Launch {
    /// Nobody has sent it for this deployment.
    NotSent,
    /// It was sent, or an earlier process may have sent it, and no reply is known. Nobody can tell whether the service
    /// accepted it, unless the endpoint shows it.
    Sent {
        /// When this process sent it.
        at: Option<Moment>,
    },
    /// The service has accepted it, and no poll has shown it yet.
    Accepted {
        /// When.
        at: Moment,
    },
    /// A poll has shown it under way.
    Visible {
        /// The endpoint's `LastModifiedTime` then.
        modified: Option<DateTime>,
        /// When that poll was.
        at: Moment,
    },
}

impl Launch {
    /// Whether the service has certainly accepted it.
    pub(super) fn is_confirmed(self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Visible { .. })
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Only time helps.
    Wait,
    /// Prepare what the launch needs, then launch.
    Launch,
    /// Prepare the replacement, then delete the failed endpoint.
    DeleteFailed,
    /// The endpoint serves the target.
    Complete,
    /// The deployment has failed.
    Fail(Why),
}

/// Why a deployment failed, by a poll.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Why {
    NotFound,
    AlreadyExists,
    CreationFailed(CreationFailure),
    RolledBack { reason: Option<String> },
    NotUpdatable(NotUpdatable),
}

/// Whether a poll shows this target under way.
///
/// An update shows itself by its pending endpoint config, a creation by the endpoint's own. So a process that resumes
/// a launch whose reply nobody got finds it.
pub(super) fn shows_launch(endpoint: &Endpoint, target: &Target, route: Route) -> bool {
    let asked = target.endpoint_config.as_str();
    let is_pending = endpoint.pending_config.as_deref() == Some(asked);
    let is_created = endpoint.config == asked && endpoint.status == EndpointStatus::Creating;
    is_pending || (route != Route::Update && is_created)
}

/// The route, by what the last poll shows, what is asked, and what an earlier process wrote down.
pub(super) fn route(
    kind: DeploymentKind,
    on_failed: OnFailedEndpoint,
    written: Option<&Checkpoint>,
    launch: Launch,
    endpoint: Option<&Endpoint>,
) -> Route {
    use EndpointStatus as S;
    if kind == DeploymentKind::New {
        return Route::Create;
    }
    let recreates = written.filter(|written| written.route == Route::Recreate);
    let Some(endpoint) = endpoint else {
        return recreates.map_or(Route::Update, |_| Route::Recreate);
    };
    match (&endpoint.status, recreates) {
        (S::Failed, _) if on_failed == OnFailedEndpoint::Replace && !launch.is_confirmed() => {
            Route::Recreate
        }
        (S::Deleting, Some(_)) => Route::Recreate,
        (_, Some(written)) if endpoint.config == written.endpoint_config => Route::Recreate,
        _ => Route::Update,
    }
}

/// Decides what comes next.
///
/// `endpoint` is the last poll, `None` if there is no such endpoint.
pub(super) fn decide(
    route: Route,
    endpoint: Option<&Endpoint>,
    target: &Target,
    launch: Launch,
    now: Moment,
) -> Verdict {
    use EndpointStatus as S;
    let Some(endpoint) = endpoint else {
        return absent(route, launch, now);
    };
    let asked = endpoint.config == target.endpoint_config;
    let ours = asked || launch.is_confirmed() || shows_launch(endpoint, target, route);
    if route == Route::Create && !ours && endpoint.status != S::Deleting {
        return Verdict::Fail(Why::AlreadyExists);
    }
    let reason = || endpoint.failure_reason.clone();
    let not_updatable = |why| Verdict::Fail(Why::NotUpdatable(why));
    match (&endpoint.status, route) {
        (S::Creating | S::Updating | S::SystemUpdating | S::RollingBack, _)
        | (S::Deleting, Route::Create | Route::Recreate) => Verdict::Wait,
        (S::InService, _) if shows_launch(endpoint, target, route) => Verdict::Wait,
        (S::InService, _) if asked => Verdict::Complete,
        (S::InService, _) => in_service_elsewhere(route, endpoint, target, launch, now),
        (S::Failed, Route::Create) if asked => {
            Verdict::Fail(Why::CreationFailed(CreationFailure::Failed(reason())))
        }
        // The failed endpoint may have had the very endpoint config that it gets again.
        (S::Failed, Route::Recreate) if launch.is_confirmed() && asked => {
            Verdict::Fail(Why::CreationFailed(CreationFailure::Failed(reason())))
        }
        (S::Failed, Route::Recreate) if launch.is_confirmed() => Verdict::Wait,
        (S::Failed, Route::Recreate) => Verdict::DeleteFailed,
        (_, Route::Create) => Verdict::Fail(Why::AlreadyExists),
        (S::Failed, _) => not_updatable(NotUpdatable::Failed {
            by_this: launch.is_confirmed(),
            reason: reason(),
        }),
        (S::Deleting, _) => not_updatable(NotUpdatable::Deleting),
        (S::UpdateRollbackFailed, _) => {
            not_updatable(NotUpdatable::RollbackFailed { reason: reason() })
        }
        _ => not_updatable(NotUpdatable::OutOfService),
    }
}

fn absent(route: Route, launch: Launch, now: Moment) -> Verdict {
    match (route, launch) {
        (Route::Update, _) => Verdict::Fail(Why::NotFound),
        (_, Launch::NotSent | Launch::Sent { .. }) => Verdict::Launch,
        (_, Launch::Accepted { at }) if now.since(at) < APPEARING => Verdict::Wait,
        // A stale poll may follow a fresh one.
        (_, Launch::Visible { at, .. }) if now.since(at) < SETTLING => Verdict::Wait,
        _ => Verdict::Fail(Why::CreationFailed(CreationFailure::Deleted)),
    }
}

/// In service on an endpoint config that is not the target.
fn in_service_elsewhere(
    route: Route,
    endpoint: &Endpoint,
    target: &Target,
    launch: Launch,
    now: Moment,
) -> Verdict {
    let is_news = match launch {
        Launch::Sent { at: Some(at) } if now.since(at) < SETTLING => return Verdict::Wait,
        // Somebody else's change is no reason to give up, and none to claim a rollback.
        Launch::NotSent | Launch::Sent { .. } => return Verdict::Launch,
        // A poll right after the acceptance may be stale, and somebody's scaling may have moved the time before it.
        Launch::Accepted { at } => {
            let moved = order(endpoint.last_modified, target.since);
            now.since(at) >= SETTLING && moved.is_none_or(Ordering::is_gt)
        }
        Launch::Visible { modified, .. } => {
            order(endpoint.last_modified, modified).is_none_or(Ordering::is_ge)
        }
    };
    if !is_news {
        return Verdict::Wait;
    }
    if route == Route::Create {
        return Verdict::Fail(Why::AlreadyExists);
    }
    if endpoint.config == target.previous {
        let reason = endpoint.failure_reason.clone();
        return Verdict::Fail(Why::RolledBack { reason });
    }
    Verdict::Fail(Why::NotUpdatable(NotUpdatable::Replaced {
        endpoint_config: endpoint.config.clone(),
    }))
}

/// How two times compare; `None` if the service gives none to compare.
fn order(time: Option<DateTime>, with: Option<DateTime>) -> Option<Ordering> {
    let parts = |time: DateTime| (time.secs(), time.subsec_nanos());
    Some(parts(time?).cmp(&parts(with?)))
}

#[cfg(test)]
mod tests;
