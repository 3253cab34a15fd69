//! The kind of a failure, from the operation, the error's code, the beginning of its message and its HTTP status. Pure.

use super::FailureKind;

/// What an operation's message may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Endpoint,
    EndpointConfig,
    Model,
    ModelPackage,
    /// The only resource that the request names.
    Any,
}

/// What "could not find" means at one operation. Every other text of that kind keeps the service's words only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Absence {
    /// Its absence is [`FailureKind::NotFound`].
    own: Option<Subject>,
    /// Its absence is [`FailureKind::PrerequisiteNotFound`].
    prerequisite: Option<Subject>,
    /// Whether the code `ResourceNotFound` alone is the absence of the operation's own resource.
    by_code: bool,
}

const fn absence(own: Option<Subject>, prerequisite: Option<Subject>, by_code: bool) -> Absence {
    Absence {
        own,
        prerequisite,
        by_code,
    }
}

/// The table: which resource each operation is about, and which one it may not see yet.
fn absence_at(operation: &str) -> Absence {
    use Subject as S;
    match operation {
        "CreateModel" => absence(Some(S::ModelPackage), None, false),
        "CreateEndpointConfig" => absence(None, Some(S::Model), false),
        "CreateEndpoint" => absence(None, Some(S::EndpointConfig), false),
        "UpdateEndpoint" => absence(Some(S::Endpoint), Some(S::EndpointConfig), false),
        "DescribeEndpoint" | "DeleteEndpoint" | "UpdateEndpointWeightsAndCapacities" => {
            absence(Some(S::Endpoint), None, true)
        }
        "DescribeEndpointConfig" | "DeleteEndpointConfig" => {
            absence(Some(S::EndpointConfig), None, true)
        }
        "DescribeModel" | "DeleteModel" => absence(Some(S::Model), None, true),
        _ => absence(Some(S::Any), None, true),
    }
}

impl Subject {
    /// Whether a message says that such a resource does not exist.
    fn is_absent(self, message: &str) -> bool {
        match self {
            Self::Endpoint => is_missing(message, "endpoint"),
            Self::EndpointConfig => is_missing(message, "endpoint configuration"),
            Self::Model => is_missing(message, "model"),
            Self::ModelPackage => is_missing_package(message),
            Self::Any => message.starts_with("Could not find") || says_not_there(message).is_some(),
        }
    }
}

/// Whether a message begins `Could not find <kind> "…"`: the kind, and then a name. `model data at s3://…` is no model.
fn is_missing(message: &str, kind: &str) -> bool {
    let after = message.strip_prefix("Could not find ");
    let name = after.and_then(|after| after.strip_prefix(kind)?.strip_prefix(' '));
    name.is_some_and(|name| name.starts_with(['"', '\'']) || name.starts_with("arn:"))
}

/// What a message says does not exist.
fn says_not_there(message: &str) -> Option<&str> {
    message.split_once(" does not exist").map(|(what, _)| what)
}

/// Whether a message says that a model package does not exist: it names the kind, or the package's ARN, and nothing else.
fn is_missing_package(message: &str) -> bool {
    let found = message.strip_prefix("Could not find ");
    let Some(what) = found.or_else(|| says_not_there(message)) else {
        return false;
    };
    let named = ["ModelPackage ", "model package ", "Model package "]
        .iter()
        .find_map(|kind| what.strip_prefix(kind));
    let mut words = named.unwrap_or(what).split_whitespace();
    let is_arn = |word: &str| word.contains(":model-package/");
    let first = words.next();
    let is_package = named.is_some() || first.is_some_and(is_arn);
    is_package && first.is_some() && words.next().is_none()
}

/// Whether a code means too many calls, of whichever service: the list that the AWS SDKs share.
fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "TransactionInProgressException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException"
    )
}

/// Whether an operation is one of Application Auto Scaling, whose `LimitExceededException` is a quota.
fn is_of_autoscaling(operation: &str) -> bool {
    matches!(
        operation,
        "RegisterScalableTarget"
            | "DeregisterScalableTarget"
            | "DescribeScalableTargets"
            | "PutScalingPolicy"
            | "DescribeScalingPolicies"
            | "PutScheduledAction"
            | "DescribeScheduledActions"
    )
}

/// Whether a model was refused because its role cannot be assumed, or cannot read the artifact: the role, or the bucket's
/// policy, may be seconds old.
fn is_of_a_new_role(message: &str) -> bool {
    let words = message.to_lowercase();
    words.starts_with("could not assume role")
        || words.contains("cannot be assumed")
        || words.starts_with("could not access model data")
}

/// Whether a refusal passes once what was changed moments ago is known everywhere.
fn is_unsettled(operation: &str, code: &str, message: &str) -> bool {
    match code {
        "ConcurrentUpdateException" => true,
        "FailedResourceAccessException" => {
            message.contains("is not authorized to perform")
                || message.contains("token included in the request is invalid")
        }
        // The target was registered moments ago.
        "ObjectNotFoundException" => operation.starts_with("Put"),
        // The service-linked role was created by this very registration.
        "ValidationException" => {
            operation == "RegisterScalableTarget" && message.contains("Unable to assume IAM role")
                || operation == "CreateModel" && is_of_a_new_role(message)
        }
        _ => false,
    }
}

/// Whether the credentials or the time of a request are not valid. The next request is signed anew.
fn is_expired(code: &str, message: &str) -> bool {
    match code {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "RequestInTheFuture" => true,
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            message.contains("Signature expired") || message.contains("Signature not yet current")
        }
        _ => false,
    }
}

/// The kind that the code decides, mostly alone.
fn by_code(operation: &str, code: &str, message: &str, status: u16) -> Option<FailureKind> {
    let is_quota = code == "ResourceLimitExceeded"
        || code == "LimitExceededException" && is_of_autoscaling(operation);
    let rate_exceeded =
        code == "FailedResourceAccessException" && message.contains("Rate exceeded");
    let is_denial = matches!(
        code,
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation"
    );
    if is_quota {
        Some(FailureKind::LimitExceeded)
    } else if is_denial {
        Some(FailureKind::AccessDenied)
    } else if status == 429 || is_throttle(code) || rate_exceeded {
        Some(FailureKind::Throttled)
    } else if matches!(code, "RequestTimeout" | "RequestTimeoutException") {
        Some(FailureKind::ServiceFault)
    } else if is_unsettled(operation, code, message) {
        Some(FailureKind::Unsettled)
    } else if is_expired(code, message) {
        Some(FailureKind::Expired)
    } else {
        None
    }
}

/// Classifies an error reply.
pub(super) fn classify(operation: &str, code: &str, message: &str, status: u16) -> FailureKind {
    if let Some(kind) = by_code(operation, code, message, status) {
        return kind;
    }
    let absence = absence_at(operation);
    let says = |subject: Option<Subject>| subject.is_some_and(|subject| subject.is_absent(message));
    let is_absence = matches!(
        code,
        "ResourceNotFound" | "ResourceNotFoundException" | "ObjectNotFoundException"
    );
    if is_absence && absence.by_code {
        FailureKind::NotFound
    } else if status >= 500 {
        FailureKind::ServiceFault
    } else if message.contains("already existing") {
        FailureKind::AlreadyExists
    } else if message.starts_with("Cannot update in-progress endpoint") {
        FailureKind::InProgress
    } else if says(absence.own) {
        FailureKind::NotFound
    } else if says(absence.prerequisite) {
        FailureKind::PrerequisiteNotFound
    } else {
        FailureKind::Refused
    }
}

#[cfg(test)]
mod tests;
