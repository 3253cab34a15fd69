use super::*;

#[test]
fn a_request_that_could_not_be_sent_is_repeated_only_where_time_may_heal_that() {
    use aws_sdk_sagemaker::error::ConnectorError;
    use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointError;
    let cause = || "the cable is out".into();
    for (error, kind) in [
        (ConnectorError::io(cause()), FailureKind::NoReply),
        (ConnectorError::timeout(cause()), FailureKind::NoReply),
        (
            ConnectorError::other(cause(), Some(ErrorKind::TransientError)),
            FailureKind::NoReply,
        ),
        (ConnectorError::other(cause(), None), FailureKind::NotSent),
        (ConnectorError::user(cause()), FailureKind::NotSent),
    ] {
        let error: SdkError<DescribeEndpointError, HttpResponse> =
            SdkError::dispatch_failure(error);
        let failure = ServiceFailure::of("DescribeEndpoint", "endpoint churn".to_owned(), &error);
        assert_eq!(failure.kind, kind, "{error:?}");
        assert!(failure.message.ends_with("the cable is out"), "{failure:?}");
    }
}

fn failure(kind: FailureKind, code: &str, message: &str) -> ServiceFailure {
    ServiceFailure {
        service: Service::SageMaker,
        operation: "CreateModel",
        resource: "model model-1".to_owned(),
        kind,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

#[test]
fn the_reason_is_the_code_with_the_words_or_what_there_is_of_both() {
    let reason = |code, message| failure(FailureKind::Refused, code, message).reason();
    assert_eq!(
        reason("ValidationException", "No."),
        "ValidationException: No."
    );
    assert_eq!(reason("InternalFailure", ""), "InternalFailure");
    assert_eq!(
        reason("", "the connection was closed"),
        "the connection was closed"
    );
}

#[test]
fn only_what_time_may_heal_is_repeated_and_only_a_lost_reply_may_have_acted() {
    use FailureKind as K;
    let cases = [
        (K::Throttled, true, false),
        (K::ServiceFault, true, true),
        (K::NoReply, true, true),
        (K::NotSent, false, false),
        (K::AccessDenied, false, false),
        (K::LimitExceeded, false, false),
        (K::NotFound, false, false),
        (K::PrerequisiteNotFound, false, false),
        (K::AlreadyExists, false, false),
        (K::InProgress, false, false),
        (K::Unsettled, false, false),
        (K::Expired, false, false),
        (K::Refused, false, false),
    ];
    for (kind, transient, may_have_acted) in cases {
        let failure = failure(kind, "", "");
        assert_eq!(failure.is_transient(), transient, "{kind:?}");
        assert_eq!(failure.may_have_acted(), may_have_acted, "{kind:?}");
        let passes: Vec<_> = (0..4).map(|times| failure.may_pass_after(times)).collect();
        let bounded = matches!(kind, K::Unsettled | K::Expired);
        let expected = [
            transient || bounded,
            transient || bounded,
            transient,
            transient,
        ];
        assert_eq!(passes, expected, "{kind:?}");
    }
}

#[test]
fn the_advice_fits_the_kind() {
    use FailureKind as K;
    for (kind, words) in [
        (K::AccessDenied, "Allow sagemaker:CreateModel"),
        (K::LimitExceeded, "higher quota"),
        (K::Throttled, "call again later"),
        (K::ServiceFault, "what was done is taken up"),
        (K::NoReply, "what was done is taken up"),
        (K::NotSent, "SSL_CERT_FILE"),
        (K::Expired, "credentials"),
        (K::Refused, "Correct what the service names"),
    ] {
        let advice = failure(kind, "", "").advice();
        assert!(advice.contains(words), "{kind:?}: {advice}");
    }
}

#[test]
fn an_error_is_told_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct Outer(#[source] std::io::Error);
    let error = Outer(std::io::Error::other("the cable is out"));
    assert_eq!(in_words(&error), "no connection: the cable is out");
}
