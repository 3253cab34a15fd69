//! Asks the engine's pure decisions for the table: the situations of the page as its types, its verdicts as words.

use super::super::super::super::undo::{Clearing, clearing};
use super::super::super::{self as decide, Verdict, Why};
use super::super::{
    AFTER, ANOTHER, ASKED, BEFORE, PREVIOUS, launched, poll, seconds, target, written,
};
use super::{Config, Deployment, Launch, Modified, Poll, Undo};
use crate::contract::{DeploymentKind, OnFailedEndpoint, OnFailure};
use crate::plan::Route;
use crate::sagemaker::Endpoint;
use aws_sdk_sagemaker::primitives::DateTime;

/// What comes next after a poll, ten seconds after the launch.
pub(super) fn next(deployment: Deployment, launch: Launch, polled: Option<Poll>) -> String {
    let endpoint = polled.map(endpoint);
    let endpoint = endpoint.as_ref();
    let kind = match deployment {
        Deployment::New => DeploymentKind::New,
        _ => DeploymentKind::Existing,
    };
    let on_failed = match deployment {
        Deployment::ReplacementRequested | Deployment::ReplacementDeleted => {
            OnFailedEndpoint::Replace
        }
        Deployment::New | Deployment::Existing => OnFailedEndpoint::Refuse,
    };
    let replaced = written(Route::Recreate);
    let checkpoint = (deployment == Deployment::ReplacementDeleted).then_some(&replaced);
    let target = target(if kind == DeploymentKind::New {
        ""
    } else {
        PREVIOUS
    });
    let sent = launched();
    let now = sent + seconds(10);
    let launch = match launch {
        Launch::NotSent => decide::Launch::NotSent,
        Launch::ReplyLost => decide::Launch::Sent { at: Some(sent) },
        Launch::Accepted => decide::Launch::Accepted { at: sent },
        Launch::Seen => decide::Launch::Visible {
            modified: Some(DateTime::from_secs(AFTER)),
            at: sent,
        },
    };
    let route = decide::route(kind, on_failed, checkpoint, launch, endpoint);
    // As the engine takes in each poll.
    let shown = endpoint.filter(|endpoint| decide::shows_launch(endpoint, &target, route));
    let launch = shown.map_or(launch, |endpoint| decide::Launch::Visible {
        modified: endpoint.last_modified,
        at: now,
    });
    let error = match decide::decide(route, endpoint, &target, launch, now) {
        Verdict::Wait => return "wait".to_owned(),
        Verdict::Launch if endpoint.is_none() => return "prepare, then create".to_owned(),
        Verdict::Launch => return "prepare, then update".to_owned(),
        Verdict::DeleteFailed => return "prepare, then delete the failed endpoint".to_owned(),
        Verdict::Complete => return "complete".to_owned(),
        Verdict::Fail(Why::NotFound) => "EndpointNotFound",
        Verdict::Fail(Why::AlreadyExists) => "EndpointAlreadyExists",
        Verdict::Fail(Why::CreationFailed(_)) => "EndpointCreationFailed",
        Verdict::Fail(Why::RolledBack { .. }) => "UpdateRolledBack",
        Verdict::Fail(Why::NotUpdatable(_)) => "EndpointNotUpdatable",
    };
    format!("fail: {error}")
}

/// What the undo of a failed deployment does after a poll. The service had accepted the launch.
pub(super) fn undo(undo: Undo, polled: Option<Poll>) -> &'static str {
    let endpoint = polled.map(endpoint);
    let (route, on_failure) = match undo {
        Undo::Update => (Route::Update, OnFailure::Delete),
        Undo::CreationToDelete => (Route::Create, OnFailure::Delete),
        Undo::CreationToKeep => (Route::Create, OnFailure::Keep),
    };
    let target = target(if route == Route::Update { PREVIOUS } else { "" });
    let launch = decide::Launch::Accepted { at: launched() };
    match clearing(endpoint.as_ref(), &target, route, launch, on_failure) {
        Clearing::Clear => "delete the config, then the model",
        Clearing::DeleteEndpoint => "delete the endpoint, then wait",
        Clearing::Wait => "wait",
        Clearing::Keep(_) => "keep everything, report it as left behind",
        Clearing::AskedToKeep => "keep everything",
        Clearing::Started => "go on with the deployment",
    }
}

fn endpoint(polled: Poll) -> Endpoint {
    let (config, is_pending) = match polled.config {
        Config::Asked => (ASKED, false),
        Config::Previous => (PREVIOUS, false),
        Config::Another => (ANOTHER, false),
        Config::PreviousAskedPending => (PREVIOUS, true),
        Config::AnotherAskedPending => (ANOTHER, true),
    };
    let modified = match polled.modified {
        Modified::Same => BEFORE,
        Modified::Later => AFTER,
    };
    Endpoint {
        pending_config: is_pending.then(|| ASKED.to_owned()),
        ..poll(polled.status, config, Some(modified))
    }
}
