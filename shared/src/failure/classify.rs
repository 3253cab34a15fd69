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

/// Classifies an error reply.
pub(super) fn classify(operation: &str, code: &str, message: &str, status: u16) -> FailureKind {
    match code {
        "ResourceLimitExceeded" | "LimitExceededException" => return FailureKind::LimitExceeded,
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
            return FailureKind::AccessDenied;
        }
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded" => return FailureKind::Throttled,
        "ConcurrentUpdateException" => return FailureKind::InProgress,
        _ => {}
    }
    let absence = absence_at(operation);
    let says = |subject: Option<Subject>| subject.is_some_and(|subject| subject.is_absent(message));
    let by_code = matches!(
        code,
        "ResourceNotFound" | "ResourceNotFoundException" | "ObjectNotFoundException"
    );
    if by_code && absence.by_code {
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
