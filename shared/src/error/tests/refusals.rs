//! Each sentence that says why an endpoint is refused, and what to do next.

use super::*;

fn not_updatable(status: &str, why: NotUpdatable) -> String {
    let error = Error::EndpointNotUpdatable {
        endpoint_name: "churn".to_owned(),
        status: status.to_owned(),
        why,
    };
    error.to_string()
}

#[test]
fn an_endpoint_that_cannot_be_updated_says_why_once_and_what_to_do() {
    let endpoint_config = || "endpoint-config-3".to_owned();
    let cases = [
        (
            "InService",
            NotUpdatable::Replaced {
                endpoint_config: endpoint_config(),
            },
            "another deployment replaced this one, and it serves endpoint-config-3 now. Call again to deploy over that.",
        ),
        (
            "Failed",
            NotUpdatable::Failed {
                by_this: true,
                reason: Some("out of memory.".to_owned()),
            },
            "this update failed (out of memory). To delete it and create it again, call again with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints.",
        ),
        (
            "Failed",
            NotUpdatable::Failed {
                by_this: false,
                reason: None,
            },
            "an earlier deployment failed (the service gave no reason). To delete it and create it again, call again with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints.",
        ),
        (
            "Deleting",
            NotUpdatable::Deleting,
            "it will soon be gone. Call deploy-new-endpoint, which waits for that and creates it again.",
        ),
        (
            "UpdateRollbackFailed",
            NotUpdatable::RollbackFailed {
                reason: Some("out of memory.".to_owned()),
            },
            "an update failed and was not rolled back (out of memory), so that old and new variants may both serve. Ask AWS Support, or delete the endpoint and call deploy-new-endpoint.",
        ),
        (
            "UpdateRollbackFailed",
            NotUpdatable::RollbackFailed { reason: None },
            "an update failed and was not rolled back (the service gave no reason), so that old and new variants may both serve. Ask AWS Support, or delete the endpoint and call deploy-new-endpoint.",
        ),
        (
            "OutOfService",
            NotUpdatable::OutOfService,
            "it takes no requests. Bring it back in service, or delete it and call deploy-new-endpoint.",
        ),
        (
            "InService",
            NotUpdatable::ConfigGone {
                endpoint_config: endpoint_config(),
            },
            "its endpoint config endpoint-config-3 does not exist any more, so that its settings cannot be kept. Delete the endpoint and call deploy-new-endpoint.",
        ),
        (
            "InService",
            NotUpdatable::InferenceComponents {
                variant: "blue".to_owned(),
            },
            "its variant blue has no model of its own and serves inference components, which an update with a model would take away. Deploy to another endpoint, or update the inference component (UpdateInferenceComponent).",
        ),
        (
            "InService",
            NotUpdatable::ModelGone {
                model: "model-3".to_owned(),
                unknown: LostNetwork::Both,
            },
            "its model model-3 does not exist any more, so that its VPC and network isolation cannot be kept. Set subnets, security_group_ids and enable_network_isolation in the event, or create the model again under its name.",
        ),
        (
            "InService",
            NotUpdatable::PackageGone {
                package: "arn:…:model-package/churn/1".to_owned(),
            },
            "the package arn:…:model-package/churn/1 of its model does not exist any more, so that nobody knows which environment variables are the model's own. Delete the endpoint and call deploy-new-endpoint, or deploy to a new endpoint.",
        ),
        (
            "InService",
            NotUpdatable::NotCarried {
                members: vec!["ProductionVariants[blue].Warmth".to_owned()],
            },
            "it has settings that the update has no place for: ProductionVariants[blue].Warmth. Leave out the keys that change the shape of what has them, use a newer version of this program, or deploy to a new endpoint.",
        ),
        (
            "InService",
            NotUpdatable::TooManyTags {
                present: 45,
                needed: 9,
            },
            "with the event's tags it has 45 tags of at most 50, and 9 more are needed to save what it would lose while it is updated. Remove some tags and call again.",
        ),
    ];
    for (status, why, expected) in cases {
        let expected = format!("The endpoint churn ({status}) cannot be updated: {expected}");
        assert_eq!(not_updatable(status, why), expected);
    }
}

#[test]
fn a_long_reason_of_a_refusal_is_cut_and_the_advice_stays() {
    let why = NotUpdatable::RollbackFailed {
        reason: Some("x".repeat(2000)),
    };
    let message = not_updatable("UpdateRollbackFailed", why);
    assert_eq!(message.chars().count(), LONGEST_MESSAGE);
    assert!(
        message
            .starts_with("The endpoint churn (UpdateRollbackFailed) cannot be updated: an update"),
        "{message}"
    );
    assert!(
        message.ends_with(
            "xx…. Ask AWS Support, or delete the endpoint and call deploy-new-endpoint."
        ),
        "{message}"
    );
}

#[test]
fn a_name_that_is_taken_says_what_can_be_done_with_the_endpoint() {
    let update = "Call deploy-existing-endpoint to update it, or choose another endpoint_name.";
    let unusable = "Delete it, or choose another endpoint_name.";
    let replace = "Delete it, or call deploy-existing-endpoint with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints.";
    for (status, advice) in [
        ("InService", update),
        ("Updating", update),
        ("Failed", replace),
        ("OutOfService", unusable),
        ("UpdateRollbackFailed", unusable),
    ] {
        let error = Error::EndpointAlreadyExists {
            endpoint_name: "churn".to_owned(),
            status: status.to_owned(),
            endpoint_config: "endpoint-config-1".to_owned(),
        };
        assert_eq!(
            error.to_string(),
            format!("The endpoint churn exists already ({status}, on endpoint-config-1). {advice}")
        );
    }
}

#[test]
fn a_spent_budget_says_whether_the_deployment_goes_on() {
    for (started, expected) in [
        (
            true,
            "The deployment to the endpoint churn is not finished after 540 s (Updating). It goes on; call again with the same event to resume the wait, with a larger max_wait_seconds if need be.",
        ),
        (
            false,
            "The deployment to the endpoint churn has not started after 540 s (Updating): the endpoint is busy with another change, or the service does not answer. Call again with the same event, with a larger max_wait_seconds if need be.",
        ),
    ] {
        let error = Error::DeploymentTimedOut {
            endpoint_name: "churn".to_owned(),
            status: "Updating".to_owned(),
            waited_seconds: 540,
            started,
        };
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn what_was_not_finished_names_the_model_that_serves_and_the_call_that_failed() {
    let failed = ServiceFailure {
        kind: FailureKind::AccessDenied,
        code: "AccessDeniedException".to_owned(),
        message: "No.".to_owned(),
        ..ServiceFailure::no_reply("PutScalingPolicy", "scalable target x".to_owned())
    };
    for (failure, rest) in [
        (
            failed.clone().of_autoscaling(),
            "its autoscaling is not set",
        ),
        (failed, "what goes with it is not finished"),
    ] {
        let prefix = failure.service.prefix();
        let error = Error::NotFinished {
            endpoint_name: "churn".to_owned(),
            model_name: "model-1".to_owned(),
            failure: Box::new(failure),
        };
        assert_eq!(error.error_type(), "AccessDenied");
        assert_eq!(
            error.to_string(),
            format!(
                "The endpoint churn serves the model model-1, but {rest}: PutScalingPolicy failed: AccessDeniedException: No. Allow {prefix}:PutScalingPolicy on this resource to the function's role. A repeated call with the same event does the rest and nothing else."
            )
        );
    }
}

#[test]
fn a_creation_that_failed_says_why_and_where_to_look() {
    let reason = |reason: &str| CreationFailure::Failed(Some(reason.to_owned()));
    for (how, expected) in [
        (reason("out of memory."), "out of memory"),
        (reason(""), "the service gave no reason"),
        (CreationFailure::Failed(None), "the service gave no reason"),
        (
            CreationFailure::Deleted,
            "it was deleted while it was being created",
        ),
    ] {
        let error = Error::EndpointCreationFailed {
            endpoint_name: "churn".to_owned(),
            how,
        };
        assert_eq!(
            error.to_string(),
            format!(
                "The endpoint churn could not be created: {expected}. Look into the log group /aws/sagemaker/Endpoints/churn, fix the cause and call again."
            )
        );
    }
}

#[test]
fn what_is_left_behind_is_named_with_the_reason_why_it_stays() {
    let model = || Resource::Model("model-1".to_owned());
    let refused = || Stays::Refused {
        operation: "DeleteModel",
        reason: "AccessDeniedException: No.".to_owned(),
    };
    for (resource, why, expected) in [
        (
            model(),
            Stays::InUse,
            "model model-1, because the endpoint uses it",
        ),
        (
            Resource::EndpointConfig("endpoint-config-1".to_owned()),
            Stays::PerhapsInUse,
            "endpoint config endpoint-config-1, because the endpoint may still use it",
        ),
        (
            model(),
            Stays::EndpointOfAnother,
            "model model-1, because the endpoint uses it, and this deployment did not make the endpoint",
        ),
        (
            model(),
            Stays::Claimed,
            "model model-1, because another deployment uses it",
        ),
        (
            model(),
            Stays::ReferredTo,
            "model model-1, because its endpoint config refers to it",
        ),
        (
            model(),
            Stays::NotSeenUnused,
            "model model-1, because no poll showed in time that the endpoint does not use it",
        ),
        (
            Resource::Endpoint("churn".to_owned()),
            Stays::NoTime,
            "endpoint churn, because the time was up before it could be deleted",
        ),
        (
            model(),
            Stays::ToCreateAgain,
            "model model-1, because a call with the same event creates the endpoint again from it",
        ),
        (
            model(),
            refused(),
            "model model-1, because DeleteModel failed: AccessDeniedException: No.",
        ),
        (
            Resource::Autoscaling("blue".to_owned()),
            Stays::NoTime,
            "autoscaling of the variant blue, because the time was up before it could be deleted; it is saved in the endpoint's tags, and the next deployment of this endpoint restores it",
        ),
    ] {
        let failure = Failure {
            error: Error::EndpointNotFound {
                endpoint_name: "churn".to_owned(),
            },
            left_behind: vec![LeftBehind { resource, why }],
        };
        let message = failure.to_string();
        let expected = format!(" Left behind: {expected}");
        assert!(message.ends_with(&expected), "{message}");
    }
}

#[test]
fn a_stopped_step_reads_what_is_left_of_its_deployment() {
    let left = |resources: Vec<Resource>| {
        let left = resources.into_iter().map(|resource| LeftBehind {
            resource,
            why: Stays::NoTime,
        });
        stopped(&left.collect::<Vec<_>>())
    };
    let model = |number: u32| Resource::Model(format!("model-{number}"));
    assert_eq!(
        left(Vec::new()),
        "The pipeline was stopped before the deployment started; nothing of it is left."
    );
    let config = Resource::EndpointConfig("endpoint-config-1".to_owned());
    assert_eq!(
        left(vec![config, model(1)]),
        "The pipeline was stopped before the deployment started; left behind: endpoint config endpoint-config-1, model model-1."
    );
    let cut = left((0..40).map(model).collect());
    assert_eq!(cut.chars().count(), LONGEST_REASON);
    assert!(cut.contains("model model-0, model model-1"), "{cut}");
    assert!(cut.ends_with("…."), "{cut}");
}
