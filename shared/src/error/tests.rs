use proptest::prelude::*;

use super::*;

#[test]
fn a_long_reason_is_cut_and_the_advice_stays() {
    let error = Error::EndpointCreationFailed {
        endpoint_name: "churn".to_owned(),
        how: CreationFailure::Failed(Some("ü".repeat(3000))),
    };
    let message = error.to_string();
    assert_eq!(message.chars().count(), 1024);
    assert!(message.starts_with("The endpoint churn could not be created: üüü"));
    assert!(message.ends_with("call again."), "{message}");
}

fn left(resource: Resource, reason: &str) -> LeftBehind {
    LeftBehind {
        resource,
        why: Stays::Refused {
            operation: "DeleteModel",
            reason: reason.to_owned(),
        },
    }
}

#[test]
fn what_an_undo_left_is_named_after_the_error() {
    let failure = Failure {
        error: Error::UpdateRolledBack {
            endpoint_name: "churn".to_owned(),
            endpoint_config: "endpoint-config-1".to_owned(),
            reason: Some("x".repeat(2000)),
        },
        left_behind: vec![
            left(
                Resource::EndpointConfig("endpoint-config-2".to_owned()),
                "access was denied",
            ),
            left(Resource::Model("model-2".to_owned()), "access was denied"),
        ],
    };
    let diagnostic = Diagnostic::from(failure);
    assert_eq!(diagnostic.error_type, "UpdateRolledBack");
    assert!(diagnostic.error_message.chars().count() <= 1024);
    for part in [
        "churn",
        "endpoint-config-1",
        "endpoint-config-2",
        "model-2",
        "access was denied",
    ] {
        assert!(
            diagnostic.error_message.contains(part),
            "{part} in {}",
            diagnostic.error_message
        );
    }
}

#[test]
fn a_rollback_sends_to_the_containers_log_and_to_the_alarms() {
    let rolled_back = |reason: Option<&str>| Error::UpdateRolledBack {
        endpoint_name: "churn".to_owned(),
        endpoint_config: "endpoint-config-1".to_owned(),
        reason: reason.map(str::to_owned),
    };
    assert_eq!(
        rolled_back(None).to_string(),
        "The update of the endpoint churn was rolled back; it serves endpoint-config-1 as before: the service gave no reason. Look into the log group /aws/sagemaker/Endpoints/churn and at the update's alarms, where it has any; fix the cause and call again."
    );
    let long = rolled_back(Some(&"x".repeat(2000))).to_string();
    assert!(long.contains("alarms"), "{long}");
}

#[test]
fn a_lack_of_capacity_sends_nobody_to_a_log_that_does_not_exist() {
    let words = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.";
    let name = || "churn".to_owned();
    for error in [
        Error::EndpointCreationFailed {
            endpoint_name: name(),
            how: CreationFailure::Failed(Some(words.to_owned())),
        },
        Error::UpdateRolledBack {
            endpoint_name: name(),
            endpoint_config: "endpoint-config-1".to_owned(),
            reason: Some(words.to_owned()),
        },
    ] {
        let message = error.to_string();
        assert!(message.contains("another instance_type"), "{message}");
        assert!(!message.contains("log group"), "{message}");
    }
}

#[test]
fn a_failed_call_has_the_contracts_word_for_its_kind() {
    let cases = [
        (FailureKind::AccessDenied, "AccessDenied"),
        (FailureKind::LimitExceeded, "ResourceLimitExceeded"),
        (FailureKind::Throttled, "Throttled"),
        (FailureKind::ServiceFault, "SageMakerError"),
        (FailureKind::NoReply, "SageMakerError"),
        (FailureKind::Refused, "SageMakerError"),
    ];
    for (kind, word) in cases {
        let mut failure = ServiceFailure::no_reply("CreateModel", "model model-1".to_owned());
        failure.kind = kind;
        assert_eq!(Error::Service(failure).error_type(), word);
    }
}

#[test]
fn a_long_list_of_what_is_left_does_not_crowd_out_the_error() {
    let failure = Failure {
        error: Error::EndpointNotFound {
            endpoint_name: "churn".to_owned(),
        },
        left_behind: vec![left(
            Resource::Model("model-1".to_owned()),
            &"x".repeat(3000),
        )],
    };
    let message = failure.to_string();
    assert!(
        message.starts_with("There is no endpoint churn. Call deploy-new-endpoint"),
        "{message}"
    );
    assert!(
        message.contains("Left behind: model model-1, because DeleteModel failed: xxx"),
        "{message}"
    );
    assert!((500..800).contains(&message.chars().count()), "{message}");
}

#[test]
fn a_brief_failure_keeps_its_word_and_as_much_of_the_reason_as_fits() {
    let failure = |reason: &str| {
        Failure::from(Error::UpdateRolledBack {
            endpoint_name: "churn".to_owned(),
            endpoint_config: "endpoint-config-1".to_owned(),
            reason: Some(reason.to_owned()),
        })
    };
    let short = failure("out of memory").brief(400);
    assert!(short.ends_with("call again."), "{short}");
    let long = failure(&"not enough memory; ".repeat(30)).brief(256);
    assert!(
        long.starts_with("UpdateRolledBack: The update of the endpoint churn"),
        "{long}"
    );
    let last = long.trim_end_matches('…').rsplit(' ').next();
    assert!(matches!(last, Some("not" | "enough" | "memory")), "{long}");
    assert!((230..=256).contains(&long.chars().count()), "{long}");
    let without_advice = failure("out of memory").brief(160);
    assert!(
        without_advice.ends_with("out of memory"),
        "{without_advice}"
    );
    assert_eq!(failure(&"ü".repeat(999)).brief(256).chars().count(), 256);
}

#[test]
fn bad_keys_keep_their_reasons_as_long_as_those_fit() {
    let bad_keys = |count: usize| {
        let bad_key =
            |number| BadKey::new(format!("key_{number:02}"), "must be a name, not \"x y\"");
        Error::InvalidRequest {
            endpoint_name: Some("e".repeat(63)),
            bad_keys: (0..count).map(bad_key).collect(),
        }
    };
    let few = bad_keys(20).to_string();
    assert!(few.contains("key_19 must be a name"), "{few}");
    assert!(few.ends_with("call again."), "{few}");
    let many = bad_keys(40).to_string();
    assert!(
        !many.contains("must be a name") && many.contains("key_39"),
        "{many}"
    );
    assert!(many.ends_with("call again."), "{many}");
}

#[test]
fn many_bad_keys_are_all_named() {
    let bad_keys: Vec<_> = (0..40)
        .map(|number| BadKey::new(format!("some_long_key_{number}"), "must be ".repeat(30)))
        .collect();
    let message = Error::InvalidRequest {
        endpoint_name: None,
        bad_keys: bad_keys.clone(),
    }
    .to_string();
    for bad in bad_keys {
        assert!(message.contains(&bad.key), "{} in {message}", bad.key);
    }
}

proptest! {
    #[test]
    fn no_message_is_longer_than_a_step_keeps(before in ".{0,1500}", reason in ".{0,1500}", after in ".{0,1500}") {
        let message = fit(&before, &reason, &after, LONGEST_MESSAGE);
        prop_assert!(message.chars().count() <= LONGEST_MESSAGE);
    }
}

mod refusals;
