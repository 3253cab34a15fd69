use aws_sdk_sagemaker::primitives::DateTime;
use serde_json::json;

use super::*;
use crate::plan::Scaling;
use crate::plan::tests::new;

const OTHER: &str = "endpoint-config-other";

fn plan() -> Plan {
    new(&json!({}))
}

fn look(status: &str, config: &str) -> Endpoint {
    Endpoint {
        arn: "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn".to_owned(),
        status: EndpointStatus::from(status),
        config: config.to_owned(),
        pending_config: None,
        failure_reason: None,
        last_modified: Some(DateTime::from_secs(100)),
        created: None,
    }
}

fn begun(certain: bool) -> Begun {
    Begun {
        config_before: OTHER.to_owned(),
        since: Since::Before(Some(DateTime::from_secs(99))),
        certain,
    }
}

/// Nothing known yet but the plan.
fn fresh(kind: DeploymentKind, plan: &Plan) -> Situation<'_> {
    Situation {
        kind,
        endpoint_name: "churn",
        endpoint: None,
        plan: Some(plan),
        begun: None,
        seen_under_way: false,
        replacing: false,
        package_checked: false,
        model_made: false,
        endpoint_config_made: false,
        endpoint_tagged: false,
        has_leave: true,
        failure_noted: None,
        was_begun_before: false,
        noted: false,
        notes_open: false,
        scaling: ScalingState::default(),
        superseded_cleared: false,
        delete_superseded: false,
        replace_failed_endpoint: false,
        dry_run: false,
    }
}

/// The step as a word: an error's type, a final status, or the step's own name.
fn word(step: &Step) -> String {
    match step {
        Step::Fail(error) => error.error_type().to_owned(),
        Step::Done(status) => format!("{status:?}"),
        step => format!("{step:?}"),
    }
}

/// What a refused step is told.
fn message(step: Step) -> String {
    match step {
        Step::Fail(error) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn failed_look(status: &str, config: &str) -> Endpoint {
    Endpoint {
        failure_reason: Some("out of memory.".to_owned()),
        ..look(status, config)
    }
}

#[test]
fn a_first_look_decides_by_kind_status_and_config() {
    let plan = plan();
    let ours = plan.endpoint_config_name.as_str();
    // status, the config it is on, what a new deployment does, what an update does
    let cases = [
        ("InService", ours, "Unchanged", "Unchanged"),
        ("InService", OTHER, "EndpointAlreadyExists", "CheckPackage"),
        ("Creating", ours, "LookAgain", "LookAgain"),
        ("Creating", OTHER, "EndpointAlreadyExists", "LookAgain"),
        ("Updating", OTHER, "EndpointAlreadyExists", "LookAgain"),
        (
            "SystemUpdating",
            OTHER,
            "EndpointAlreadyExists",
            "LookAgain",
        ),
        ("RollingBack", OTHER, "EndpointAlreadyExists", "LookAgain"),
        (
            "Failed",
            ours,
            "EndpointCreationFailed",
            "EndpointNotUpdatable",
        ),
        (
            "Failed",
            OTHER,
            "EndpointAlreadyExists",
            "EndpointNotUpdatable",
        ),
        (
            "OutOfService",
            OTHER,
            "EndpointAlreadyExists",
            "EndpointNotUpdatable",
        ),
        (
            "UpdateRollbackFailed",
            OTHER,
            "EndpointAlreadyExists",
            "EndpointNotUpdatable",
        ),
        ("Deleting", OTHER, "LookAgain", "EndpointNotUpdatable"),
        (
            "Levitating",
            OTHER,
            "EndpointAlreadyExists",
            "EndpointNotUpdatable",
        ),
    ];
    for (status, config, new, existing) in cases {
        let look = look(status, config);
        for (kind, expected) in [
            (DeploymentKind::New, new),
            (DeploymentKind::Existing, existing),
        ] {
            let situation = Situation {
                endpoint: Some(&look),
                ..fresh(kind, &plan)
            };
            assert_eq!(
                word(&decide(&situation)),
                expected,
                "{kind:?} on {status} {config}"
            );
        }
    }
}

#[test]
fn an_absent_endpoint_is_created_or_not_found() {
    let plan = plan();
    let new = fresh(DeploymentKind::New, &plan);
    assert_eq!(decide(&new), Step::CheckPackage);
    let existing = Situation {
        plan: None,
        ..fresh(DeploymentKind::Existing, &plan)
    };
    assert_eq!(word(&decide(&existing)), "EndpointNotFound");
}

#[test]
fn everything_is_made_in_order_before_the_endpoint_is_touched() {
    let plan = plan();
    let live = look("InService", OTHER);
    let failed = look("Failed", OTHER);
    let new = fresh(DeploymentKind::New, &plan);
    let existing = fresh(DeploymentKind::Existing, &plan);
    let scenes = [
        (new.clone(), Step::CreateEndpoint),
        (
            Situation {
                endpoint: Some(&live),
                ..existing.clone()
            },
            Step::UpdateEndpoint,
        ),
        (
            Situation {
                endpoint: Some(&failed),
                replace_failed_endpoint: true,
                ..existing.clone()
            },
            Step::DeleteFailedEndpoint,
        ),
        (
            Situation {
                replacing: true,
                ..existing
            },
            Step::CreateEndpoint,
        ),
    ];
    for (mut situation, last) in scenes {
        assert_eq!(decide(&situation), Step::CheckPackage, "before {last:?}");
        situation.package_checked = true;
        assert_eq!(decide(&situation), Step::CreateModel, "before {last:?}");
        situation.model_made = true;
        assert_eq!(
            decide(&situation),
            Step::CreateEndpointConfig,
            "before {last:?}"
        );
        situation.endpoint_config_made = true;
        if last != Step::CreateEndpoint {
            assert_eq!(decide(&situation), Step::Note, "before {last:?}");
            situation.noted = true;
        }
        assert_eq!(decide(&situation), last);
    }
}

#[test]
fn an_endpoint_is_tagged_before_it_is_updated_and_one_that_is_created_is_not() {
    let mut plan = plan();
    plan.tags = vec![
        aws_sdk_sagemaker::types::Tag::builder()
            .key("team")
            .value("ml")
            .build(),
    ];
    let live = look("InService", OTHER);
    let made = |kind| Situation {
        package_checked: true,
        model_made: true,
        endpoint_config_made: true,
        noted: true,
        ..fresh(kind, &plan)
    };
    let mut update = Situation {
        endpoint: Some(&live),
        ..made(DeploymentKind::Existing)
    };
    assert_eq!(decide(&update), Step::TagEndpoint);
    update.endpoint_tagged = true;
    assert_eq!(decide(&update), Step::UpdateEndpoint);
    assert_eq!(decide(&made(DeploymentKind::New)), Step::CreateEndpoint);
}

#[test]
fn a_failed_endpoint_is_told_from_an_update_that_failed() {
    let plan = plan();
    let failed = failed_look("Failed", OTHER);
    let before = Situation {
        endpoint: Some(&failed),
        ..fresh(DeploymentKind::Existing, &plan)
    };
    let begun = begun(true);
    let after = Situation {
        begun: Some(&begun),
        ..before.clone()
    };
    for (situation, what) in [(before, "an earlier deployment"), (after, "this update")] {
        assert_eq!(
            message(decide(&situation)),
            format!(
                "The endpoint churn (Failed) cannot be updated: {what} failed (out of memory). To delete it and create it again, call again with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints."
            )
        );
    }
}

#[test]
fn an_endpoint_that_cannot_be_updated_is_told_why_once_and_what_to_do() {
    let plan = plan();
    let begun = begun(true);
    for (status, begun, expected) in [
        (
            "InService",
            Some(&begun),
            "another deployment replaced this one, and it serves endpoint-config-3 now. Call again to deploy over that.",
        ),
        (
            "Deleting",
            None,
            "it will soon be gone. Call deploy-new-endpoint, which waits for that and creates it again.",
        ),
        (
            "UpdateRollbackFailed",
            None,
            "an update failed and was not rolled back (out of memory), so that old and new variants may both serve. Ask AWS Support, or delete the endpoint and call deploy-new-endpoint.",
        ),
        (
            "OutOfService",
            None,
            "it takes no requests. Bring it back in service, or delete it and call deploy-new-endpoint.",
        ),
    ] {
        let look = failed_look(status, "endpoint-config-3");
        let situation = Situation {
            endpoint: Some(&look),
            begun,
            ..fresh(DeploymentKind::Existing, &plan)
        };
        assert_eq!(
            message(decide(&situation)),
            format!("The endpoint churn ({status}) cannot be updated: {expected}")
        );
    }
}

#[test]
fn a_dry_run_checks_the_package_and_stops() {
    let plan = plan();
    let updating = look("Updating", OTHER);
    let new = Situation {
        dry_run: true,
        ..fresh(DeploymentKind::New, &plan)
    };
    let busy = Situation {
        endpoint: Some(&updating),
        dry_run: true,
        ..fresh(DeploymentKind::Existing, &plan)
    };
    for mut situation in [new, busy] {
        assert_eq!(decide(&situation), Step::CheckPackage);
        situation.package_checked = true;
        assert_eq!(decide(&situation), Step::Done(DeploymentStatus::DryRun));
    }
}

mod begun;
mod scaling;
