//! Asks today's engine for the table: the situations of the page as a [`Situation`], its steps as words.

use aws_sdk_sagemaker::types::Tag;

use super::super::scaling::scaling;
use super::super::*;
use super::{Config, Deployment, Flow, Launch, Modified, Poll, Undo};
use crate::contract::OnFailure;
use crate::rollback::{Clearing, Traces, clearing};

const ANOTHER: &str = "endpoint-config-another";
/// The endpoint's `LastModifiedTime` before the launch and after it.
const BEFORE: i64 = 100;
const AFTER: i64 = 101;

/// What comes next after a poll.
pub(super) fn next(deployment: Deployment, launch: Launch, poll: Option<Poll>) -> String {
    let plan = plan();
    let asked = plan.endpoint_config_name.as_str();
    let (kind, replacing) = match deployment {
        Deployment::New => (DeploymentKind::New, false),
        Deployment::Existing | Deployment::ReplacementRequested => {
            (DeploymentKind::Existing, false)
        }
        Deployment::ReplacementDeleted => (DeploymentKind::Existing, true),
    };
    let creates = kind == DeploymentKind::New || replacing;
    let launched = |certain| Begun {
        config_before: if creates { "" } else { OTHER }.to_owned(),
        since: Since::Before((!creates).then(|| DateTime::from_secs(BEFORE))),
        certain,
    };
    let mut begun = match launch {
        Launch::NotSent => None,
        Launch::ReplyLost => Some(launched(false)),
        Launch::Accepted | Launch::Seen => Some(launched(true)),
    };
    let mut seen_under_way = false;
    let sighting = if creates {
        ("Creating", Config::Asked)
    } else {
        ("Updating", Config::PreviousAskedPending)
    };
    let sighting = (launch == Launch::Seen).then_some(Poll {
        status: sighting.0,
        config: sighting.1,
        modified: Modified::Later,
    });
    let polls: Vec<_> = [sighting, poll].into_iter().flatten().collect();
    for poll in polls {
        // As each look is taken in by `observe`.
        let look = endpoint(poll, asked);
        begun = begun_after(&look, asked, kind, begun);
        seen_under_way |= is_under_way(&look, asked);
    }
    let look = poll.map(|poll| endpoint(poll, asked));
    let is_planned = creates || look.is_some() || begun.is_some();
    let situation = Situation {
        endpoint: look.as_ref(),
        plan: is_planned.then_some(&plan),
        begun: begun.as_ref(),
        seen_under_way,
        replacing,
        has_leave: false,
        replace_failed_endpoint: replacing || deployment == Deployment::ReplacementRequested,
        ..fresh(kind, &plan)
    };
    match decide(&situation) {
        Step::FindLeave => {
            let prepared = Situation {
                package_checked: true,
                model_made: true,
                endpoint_config_made: true,
                has_leave: true,
                noted: true,
                ..situation
            };
            match decide(&prepared) {
                Step::CreateEndpoint => "prepare, then create".to_owned(),
                Step::UpdateEndpoint => "prepare, then update".to_owned(),
                Step::DeleteFailedEndpoint => "prepare, then delete the failed endpoint".to_owned(),
                step => panic!("{step:?} needs no preparation"),
            }
        }
        Step::LookAgain => "wait".to_owned(),
        Step::Done(_) => "complete".to_owned(),
        Step::Fail(error) => format!("fail: {}", error.error_type()),
        step => panic!("{step:?} comes before the preparation"),
    }
}

/// The tasks of a flow, in order, if all of them are needed.
pub(super) fn tasks(flow: Flow) -> Vec<String> {
    let mut plan = plan();
    plan.tags = vec![Tag::builder().key("team").value("ml").build()];
    plan.autoscaling.kept = vec![scaling()];
    plan.autoscaling.wanted = vec![scaling()];
    let (live, busy, failed, deleting, serving) = (
        look("InService", OTHER),
        look("Updating", OTHER),
        look("Failed", OTHER),
        look("Deleting", OTHER),
        look("InService", &plan.endpoint_config_name),
    );
    let launched = begun(true);
    let (kind, endpoint) = match flow {
        Flow::Creation | Flow::CreationWithRecordedFailure => (DeploymentKind::New, None),
        Flow::Update | Flow::DryRun => (DeploymentKind::Existing, Some(&live)),
        Flow::DryRunInProgress => (DeploymentKind::Existing, Some(&busy)),
        Flow::Replacement => (DeploymentKind::Existing, Some(&failed)),
        Flow::CompletionAfterLaunch | Flow::CompletionWithoutLaunch | Flow::CompletionOfDryRun => {
            (DeploymentKind::Existing, Some(&serving))
        }
    };
    let is_launched = matches!(flow, Flow::CompletionAfterLaunch);
    let mut situation = Situation {
        endpoint,
        begun: is_launched.then_some(&launched),
        has_leave: false,
        failure_noted: matches!(flow, Flow::CreationWithRecordedFailure).then_some(""),
        notes_open: is_launched,
        delete_superseded: true,
        replace_failed_endpoint: matches!(flow, Flow::Replacement),
        dry_run: matches!(
            flow,
            Flow::DryRun | Flow::DryRunInProgress | Flow::CompletionOfDryRun
        ),
        ..fresh(kind, &plan)
    };
    let mut tasks = Vec::new();
    loop {
        let step = decide(&situation);
        tasks.push(task(&step));
        match step {
            Step::FindLeave => situation.has_leave = true,
            Step::CheckPackage => situation.package_checked = true,
            Step::CreateModel => situation.model_made = true,
            Step::CreateEndpointConfig => situation.endpoint_config_made = true,
            Step::Note => situation.noted = true,
            Step::TakeScalingOff => situation.scaling.is_off = true,
            Step::TagEndpoint => situation.endpoint_tagged = true,
            Step::DeleteFailedEndpoint => {
                situation.replacing = true;
                situation.endpoint = Some(&deleting);
            }
            Step::LookAgain => situation.endpoint = None,
            Step::Scale => situation.scaling.is_set = true,
            Step::CloseNotes => situation.notes_open = false,
            Step::DeleteSuperseded => situation.superseded_cleared = true,
            Step::CreateEndpoint | Step::UpdateEndpoint | Step::Done(_) | Step::Fail(_) => {
                return tasks;
            }
        }
    }
}

fn task(step: &Step) -> String {
    let task = match step {
        Step::FindLeave => "check the permission to start",
        Step::CheckPackage => "check the model package",
        Step::CreateModel => "create the model",
        Step::CreateEndpointConfig => "create the endpoint config",
        Step::Note => "write the checkpoint",
        Step::TakeScalingOff => "suspend autoscaling",
        Step::TagEndpoint => "tag the endpoint",
        Step::CreateEndpoint => "create the endpoint",
        Step::UpdateEndpoint => "update the endpoint",
        Step::DeleteFailedEndpoint => "delete the failed endpoint",
        Step::LookAgain => "wait",
        Step::Scale => "set or restore autoscaling",
        Step::CloseNotes => "delete the checkpoint",
        Step::DeleteSuperseded => "delete the previous model and config",
        Step::Done(status) => return format!("answer `{status:?}`"),
        Step::Fail(error) => return format!("fail: {}", error.error_type()),
    };
    task.to_owned()
}

/// What the undo of a failed deployment does after a poll.
pub(super) fn undo(undo: Undo, poll: Option<Poll>) -> &'static str {
    let plan = plan();
    let traces = Traces {
        endpoint_name: "churn",
        plan: &plan,
        model: true,
        endpoint_config: true,
        endpoint: false,
        creates: match undo {
            Undo::Update => None,
            Undo::CreationToDelete => Some(OnFailure::Delete),
            Undo::CreationToKeep => Some(OnFailure::Keep),
        },
    };
    let look = poll.map(|poll| endpoint(poll, &plan.endpoint_config_name));
    match clearing(look.as_ref(), &traces) {
        Clearing::Clear => "delete the config, then the model unless the live config uses it",
        Clearing::DeleteEndpoint => "delete the endpoint, then wait",
        Clearing::LookAgain => "wait",
        Clearing::Keep(_) => "keep everything, report it as left behind",
        Clearing::AskedToKeep => "keep everything",
    }
}

fn endpoint(poll: Poll, asked: &str) -> Endpoint {
    let (config, is_pending) = match poll.config {
        Config::Asked => (asked, false),
        Config::Previous => (OTHER, false),
        Config::Another => (ANOTHER, false),
        Config::PreviousAskedPending => (OTHER, true),
        Config::AnotherAskedPending => (ANOTHER, true),
    };
    Endpoint {
        pending_config: is_pending.then(|| asked.to_owned()),
        last_modified: Some(DateTime::from_secs(match poll.modified {
            Modified::Same => BEFORE,
            Modified::Later => AFTER,
        })),
        ..look(poll.status, config)
    }
}
