use super::*;

#[test]
fn a_deployment_that_has_begun_ends_by_what_the_endpoint_shows() {
    let plan = plan();
    let ours = plan.endpoint_config_name.as_str();
    let certain = begun(true);
    // status, config, what a new deployment does, what an update does
    let cases = [
        ("InService", ours, "Deployed", "Deployed"),
        ("InService", OTHER, "UpdateRolledBack", "UpdateRolledBack"),
        (
            "InService",
            "endpoint-config-third",
            "EndpointNotUpdatable",
            "EndpointNotUpdatable",
        ),
        ("Updating", OTHER, "LookAgain", "LookAgain"),
        (
            "Failed",
            ours,
            "EndpointCreationFailed",
            "EndpointNotUpdatable",
        ),
        ("Deleting", ours, "LookAgain", "EndpointNotUpdatable"),
        (
            "UpdateRollbackFailed",
            OTHER,
            "EndpointNotUpdatable",
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
                begun: Some(&certain),
                replace_failed_endpoint: true,
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
fn an_absent_endpoint_after_creation_is_not_seen_yet_or_gone_or_never_begun() {
    let plan = plan();
    let (certain, uncertain) = (begun(true), begun(false));
    let made = Situation {
        package_checked: true,
        model_made: true,
        endpoint_config_made: true,
        ..fresh(DeploymentKind::New, &plan)
    };
    let accepted = Situation {
        begun: Some(&certain),
        ..made.clone()
    };
    assert_eq!(decide(&accepted), Step::LookAgain);
    let seen = Situation {
        seen_under_way: true,
        ..accepted
    };
    assert_eq!(word(&decide(&seen)), "EndpointCreationFailed");
    let reply_lost = Situation {
        begun: Some(&uncertain),
        ..made
    };
    assert_eq!(decide(&reply_lost), Step::CreateEndpoint);
}

#[test]
fn a_creation_that_is_noted_as_failed_is_told_with_its_reason_and_not_begun_again() {
    let plan = plan();
    for (noted, expected) in [("out of memory", Some("out of memory")), ("", None)] {
        let situation = Situation {
            failure_noted: Some(noted),
            ..fresh(DeploymentKind::New, &plan)
        };
        match decide(&situation) {
            Step::Fail(Error::EndpointCreationFailed { reason, .. }) => {
                assert_eq!(reason.as_deref(), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_endpoint_that_somebody_else_made_while_our_reply_was_lost_is_theirs() {
    let plan = plan();
    let lost = begun(false);
    for status in ["InService", "Creating", "Failed"] {
        let theirs = look(status, OTHER);
        let situation = Situation {
            endpoint: Some(&theirs),
            begun: Some(&lost),
            ..fresh(DeploymentKind::New, &plan)
        };
        assert_eq!(
            word(&decide(&situation)),
            "EndpointAlreadyExists",
            "{status}"
        );
    }
}

#[test]
fn a_cut_off_deployment_is_found_under_way() {
    let ours = "endpoint-config-ours";
    let mut pending = look("Updating", OTHER);
    pending.pending_config = Some(ours.to_owned());
    let found = begun_after(&pending, ours, DeploymentKind::Existing, None).expect("it is ours");
    assert_eq!(found.config_before, OTHER);
    assert!(found.certain);

    let theirs = begun_after(
        &pending,
        "endpoint-config-third",
        DeploymentKind::Existing,
        None,
    );
    assert_eq!(theirs, None);
    let creating = look("Creating", ours);
    let found = begun_after(&creating, ours, DeploymentKind::New, None).expect("it is ours");
    assert_eq!(found.config_before, "", "a new endpoint had none before");
    // An endpoint that serves it already is no deployment under way: the answer is `Unchanged`.
    let serving = look("InService", ours);
    assert_eq!(begun_after(&serving, ours, DeploymentKind::New, None), None);
}
