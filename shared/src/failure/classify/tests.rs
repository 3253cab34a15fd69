use super::*;

const PACKAGE: &str = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1";

fn kind(operation: &str, code: &str, message: &str) -> FailureKind {
    classify(operation, code, message, 400)
}

/// The kind of a refusal in these words.
fn words(operation: &str, message: &str) -> FailureKind {
    kind(operation, "ValidationException", message)
}

#[test]
fn only_the_words_about_the_package_are_its_absence_when_a_model_is_created() {
    for message in [
        format!("ModelPackage {PACKAGE} does not exist."),
        format!("ModelPackage {PACKAGE}  does not exist"),
        format!("Could not find model package \"{PACKAGE}\"."),
        format!("Could not find ModelPackage {PACKAGE}."),
        format!("{PACKAGE} does not exist."),
    ] {
        assert_eq!(
            words("CreateModel", &message),
            FailureKind::NotFound,
            "{message}"
        );
    }
    for message in [
        "Could not find model data at s3://bucket/model.tar.gz.".to_owned(),
        format!(
            "Could not find model data at s3://bucket/model.tar.gz for ModelPackage {PACKAGE}."
        ),
        format!("The image of ModelPackage {PACKAGE} does not exist."),
        "Could not find model data at s3://bucket/model-package/x.".to_owned(),
        "The subnet ID 'subnet-1' does not exist".to_owned(),
        "Could not find role \"arn:aws:iam::123456789012:role/x\".".to_owned(),
        "Requested image x does not exist.".to_owned(),
        "ModelPackageGroup churn does not exist.".to_owned(),
    ] {
        assert_eq!(
            words("CreateModel", &message),
            FailureKind::Refused,
            "{message}"
        );
    }
    let code = "ResourceNotFound";
    assert_eq!(
        kind("CreateModel", code, "The subnet is gone."),
        FailureKind::Refused
    );
}

#[test]
fn each_operation_is_about_one_resource_and_may_need_another() {
    use FailureKind::{NotFound, PrerequisiteNotFound as Prerequisite, Refused};
    let endpoint = r#"Could not find endpoint "arn:x"."#;
    let config = "Could not find endpoint configuration 'arn:x'.";
    let model = r#"Could not find model "arn:x"."#;
    let data = "Could not find model data at s3://bucket/x.";
    let alarm = r#"Could not find alarm "latency"."#;
    let alarms = "The alarm latency does not exist.";
    for (operation, cases) in [
        (
            "UpdateEndpoint",
            [
                (endpoint, NotFound),
                (config, Prerequisite),
                (model, Refused),
                (alarm, Refused),
                (alarms, Refused),
            ],
        ),
        (
            "CreateEndpoint",
            [
                (endpoint, Refused),
                (config, Prerequisite),
                (model, Refused),
                (data, Refused),
                (alarms, Refused),
            ],
        ),
        (
            "CreateEndpointConfig",
            [
                (endpoint, Refused),
                (config, Refused),
                (model, Prerequisite),
                (data, Refused),
                (alarms, Refused),
            ],
        ),
        (
            "DescribeEndpoint",
            [
                (endpoint, NotFound),
                (config, Refused),
                (model, Refused),
                (data, Refused),
                (alarm, Refused),
            ],
        ),
        (
            "DescribeEndpointConfig",
            [
                (endpoint, Refused),
                (config, NotFound),
                (model, Refused),
                (data, Refused),
                (alarm, Refused),
            ],
        ),
        (
            "DeleteModel",
            [
                (endpoint, Refused),
                (config, Refused),
                (model, NotFound),
                (data, Refused),
                (alarm, Refused),
            ],
        ),
    ] {
        for (message, expected) in cases {
            assert_eq!(
                words(operation, message),
                expected,
                "{operation}: {message}"
            );
        }
    }
    let package = format!("ModelPackage {PACKAGE} does not exist.");
    assert_eq!(words("DescribeModelPackage", &package), NotFound);
    assert_eq!(
        words("ListTags", r#"Could not find resource "arn:x"."#),
        NotFound
    );
}

#[test]
fn codes_and_messages_are_told_apart() {
    use FailureKind as K;
    let validation = "ValidationException";
    for (code, message, status, expected) in [
        (
            validation,
            r#"Cannot create already existing endpoint "arn:x""#,
            400,
            K::AlreadyExists,
        ),
        (
            validation,
            r#"Cannot create already existing endpoint configuration "arn:x""#,
            400,
            K::AlreadyExists,
        ),
        (
            validation,
            r#"Cannot create already existing model "arn:x""#,
            400,
            K::AlreadyExists,
        ),
        ("ResourceNotFound", "", 400, K::NotFound),
        ("ObjectNotFoundException", "", 400, K::NotFound),
        (
            validation,
            r#"Cannot update in-progress endpoint "arn:x"."#,
            400,
            K::InProgress,
        ),
        (
            validation,
            "1 validation error detected: …",
            400,
            K::Refused,
        ),
        (
            "ResourceLimitExceeded",
            "The account-level service limit …",
            400,
            K::LimitExceeded,
        ),
        ("ThrottlingException", "Rate exceeded", 400, K::Throttled),
        ("ThrottlingException", "Rate exceeded", 503, K::Throttled),
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: y",
            400,
            K::AccessDenied,
        ),
        ("InternalFailure", "", 500, K::ServiceFault),
        ("ServiceUnavailable", "", 503, K::ServiceFault),
        (
            "ExpiredTokenException",
            "The security token is expired",
            400,
            K::Expired,
        ),
        ("ThrottlingException", "", 400, K::Throttled),
        ("RequestTimeout", "", 400, K::ServiceFault),
        ("", "", 400, K::Refused),
        ("", "", 429, K::Throttled),
        ("ServiceBusy", "", 429, K::Throttled),
    ] {
        let found = classify("DescribeEndpoint", code, message, status);
        assert_eq!(found, expected, "{code}: {message}");
    }
}

#[test]
fn what_passes_is_known_by_one_list_for_all_services() {
    use FailureKind as K;
    let throttles = [
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    ];
    for operation in ["CreateModel", "PutScalingPolicy", "ChangeMessageVisibility"] {
        for code in throttles {
            assert_eq!(
                kind(operation, code, ""),
                K::Throttled,
                "{operation}: {code}"
            );
        }
    }
    let limit = "LimitExceededException";
    assert_eq!(kind("PutScalingPolicy", limit, ""), K::LimitExceeded);
    assert_eq!(kind("CreateModel", limit, ""), K::Throttled);
}

#[test]
fn what_settles_in_moments_is_told_from_what_is_refused_for_good() {
    use FailureKind as K;
    let access = "FailedResourceAccessException";
    let alarms = "User: x is not authorized to perform: cloudwatch:PutMetricAlarm";
    let token = "The security token included in the request is invalid";
    let (register, put) = ("RegisterScalableTarget", "PutScalingPolicy");
    let validation = "ValidationException";
    for (operation, code, message, expected) in [
        (put, access, "Rate exceeded", K::Throttled),
        (put, access, alarms, K::Unsettled),
        (put, access, token, K::Unsettled),
        (put, access, "The alarm is malformed", K::Refused),
        (register, "ConcurrentUpdateException", "", K::Unsettled),
        (put, "ObjectNotFoundException", "", K::Unsettled),
        (
            "DeregisterScalableTarget",
            "ObjectNotFoundException",
            "",
            K::NotFound,
        ),
        (
            register,
            validation,
            "Unable to assume IAM role: x",
            K::Unsettled,
        ),
        (put, validation, "Unable to assume IAM role: x", K::Refused),
        ("CreateModel", "RequestTimeTooSkewed", "", K::Expired),
        (
            "CreateModel",
            "InvalidSignatureException",
            "Signature expired: 1",
            K::Expired,
        ),
        (
            "CreateModel",
            "InvalidSignatureException",
            "The key is wrong",
            K::Refused,
        ),
    ] {
        let found = kind(operation, code, message);
        assert_eq!(found, expected, "{operation} {code}: {message}");
    }
}

#[test]
fn a_role_that_may_be_seconds_old_is_told_from_data_that_is_not_there() {
    use FailureKind as K;
    for (message, expected) in [
        (
            "Could not assume role arn:aws:iam::123456789012:role/x. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.",
            K::Unsettled,
        ),
        (
            "Could not access model data at s3://bucket/model.tar.gz. Please ensure that the role \"x\" exists and has \"s3:GetObject\" permissions.",
            K::Unsettled,
        ),
        ("Role x is invalid or cannot be assumed", K::Unsettled),
        (
            "Could not find model data at s3://bucket/model.tar.gz.",
            K::Refused,
        ),
    ] {
        assert_eq!(words("CreateModel", message), expected, "{message}");
        assert_eq!(
            words("CreateEndpointConfig", message),
            K::Refused,
            "{message}"
        );
    }
}
