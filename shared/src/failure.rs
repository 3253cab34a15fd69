//! What a failed call to the service means, read off its code and the beginning of its message.
//!
//! SageMaker models only `ResourceLimitExceeded` for these calls; everything else arrives as a code that
//! the SDK has no type for, so the words of the message decide. The same words mean different things at different
//! operations: see `classify`.

mod advice;
mod classify;
mod denial;
mod foreign;

use std::error::Error as StdError;

use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::DispatchFailure;
use aws_smithy_runtime_api::client::retries::ErrorKind;
use tracing::warn;

pub(crate) use advice::{CAPACITY, is_of_capacity};
use classify::classify;

/// A service that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Models, endpoint configs, endpoints, pipelines.
    SageMaker,
    /// What scales an endpoint's variants.
    ApplicationAutoScaling,
    /// The queues that deployments come through.
    Sqs,
}

impl Service {
    /// Its prefix in IAM actions, as in `sagemaker:CreateModel`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::SageMaker => "sagemaker",
            Self::ApplicationAutoScaling => "application-autoscaling",
            Self::Sqs => "sqs",
        }
    }
}

/// What a caller can do about a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The function's role may not do this; no repetition helps.
    AccessDenied,
    /// A quota of the account is used up.
    LimitExceeded,
    /// Too many calls; the same call may pass later.
    Throttled,
    /// The resource that the call is about does not exist.
    NotFound,
    /// Something that the call refers to does not exist, or cannot be seen yet right after its creation.
    PrerequisiteNotFound,
    /// A resource of this name exists already.
    AlreadyExists,
    /// What the call is about is in progress with another change.
    InProgress,
    /// Something that was changed moments ago is not known everywhere yet. It passes soon, or not at all.
    Unsettled,
    /// The credentials or the time of the request were not valid. The next request is signed anew.
    Expired,
    /// The service failed; whether it acted is not known.
    ServiceFault,
    /// No reply came; whether the service acted is not known.
    NoReply,
    /// The call was not sent, and would not be the next time: no credentials, a certificate that nothing vouches for.
    NotSent,
    /// The service refused the call for another reason.
    Refused,
}

/// A failed call to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFailure {
    /// The service that was called.
    pub service: Service,
    /// The operation's name, as in IAM actions: `CreateModel`.
    pub operation: &'static str,
    /// The resource that the call was about, as in `endpoint churn`.
    pub resource: String,
    /// What a caller can do about it.
    pub kind: FailureKind,
    /// The service's error code, or `HTTP 403` and the like of a reply that is not the service's; empty if no reply came.
    pub code: String,
    /// The service's message, or what is known of the missing reply.
    pub message: String,
}

impl ServiceFailure {
    /// Reads an error of the SDK.
    pub(crate) fn of<E>(
        operation: &'static str,
        resource: String,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let (kind, code, message) = match error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or_default();
                let message = service.err().message().unwrap_or_default();
                of_reply(operation, code, message, service.raw())
            }
            SdkError::ResponseError(unread) => of_reply(operation, "", "", unread.raw()),
            SdkError::TimeoutError(_) => (FailureKind::NoReply, String::new(), in_words(error)),
            SdkError::DispatchFailure(dispatch) if may_pass(dispatch) => {
                (FailureKind::NoReply, String::new(), in_words(error))
            }
            _ => (FailureKind::NotSent, String::new(), in_words(error)),
        };
        Self {
            service: Service::SageMaker,
            operation,
            resource,
            kind,
            code,
            message,
        }
    }

    /// A call that had not been answered when the time was up.
    pub fn no_reply(operation: &'static str, resource: String) -> Self {
        Self {
            service: Service::SageMaker,
            operation,
            resource,
            kind: FailureKind::NoReply,
            code: String::new(),
            message: "the service had not answered when the time was up".to_owned(),
        }
    }

    /// The same failure, as one of Application Auto Scaling.
    pub(crate) fn of_autoscaling(self) -> Self {
        Self {
            service: Service::ApplicationAutoScaling,
            ..self
        }
    }

    /// The same failure, as one of the queues' service.
    pub(crate) fn of_queues(self) -> Self {
        Self {
            service: Service::Sqs,
            ..self
        }
    }

    /// Whether the same call may pass when it is repeated a little later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Throttled | FailureKind::ServiceFault | FailureKind::NoReply
        )
    }

    /// Whether the same call may pass after this many refusals of its kind.
    pub(crate) fn may_pass_after(&self, refusals: usize) -> bool {
        let is_bounded = matches!(self.kind, FailureKind::Unsettled | FailureKind::Expired);
        self.is_transient() || is_bounded && refusals < MOST_REPEATS
    }

    /// Whether the service may have acted although no success was reported.
    pub fn may_have_acted(&self) -> bool {
        matches!(self.kind, FailureKind::ServiceFault | FailureKind::NoReply)
    }

    /// Whether the call was about what scales an endpoint.
    pub(crate) fn is_about_scaling(&self) -> bool {
        self.service == Service::ApplicationAutoScaling
    }

    /// Logs that the call will be made again.
    pub(crate) fn warn_of_repeat(&self) {
        warn!(
            operation = self.operation,
            resource = self.resource,
            reason = self.reason(),
            "a call failed and will be repeated"
        );
    }

    /// The service's code and words, as far as it gave any.
    pub fn reason(&self) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        }
    }

    /// Whether the reply was not the service's, but that of something on the way.
    fn is_foreign(&self) -> bool {
        self.code.starts_with(FOREIGN)
    }
}

/// How often a call is repeated that a repetition helps soon or never.
const MOST_REPEATS: usize = 2;

/// How the code of a reply begins that is not the service's; its HTTP status follows.
const FOREIGN: &str = "HTTP ";

/// The SDK's words for a handshake that TLS itself ended, not the network; the type behind them is private.
const REFUSED_HANDSHAKE: &str = "TLS handshake failed";

/// The kind, the code and the message of an error reply. One without a code is not the service's.
fn of_reply(
    operation: &str,
    code: &str,
    message: &str,
    reply: &HttpResponse,
) -> (FailureKind, String, String) {
    let status = reply.status().as_u16();
    if !code.is_empty() {
        let kind = classify(operation, code, message, status);
        return (kind, code.to_owned(), message.to_owned());
    }
    let message = if message.is_empty() {
        foreign::words(reply)
    } else {
        message.to_owned()
    };
    (foreign::kind(status), format!("{FOREIGN}{status}"), message)
}

/// Whether a request that was not answered may be answered when it is sent again.
fn may_pass(dispatch: &DispatchFailure) -> bool {
    let Some(error) = dispatch.as_connector_error() else {
        return false;
    };
    let refused = causes(error).any(|cause| cause.to_string() == REFUSED_HANDSHAKE);
    let transient = error.as_other() == Some(ErrorKind::TransientError);
    !refused && (error.is_io() || error.is_timeout() || transient)
}

/// An error with its causes. An SDK error's own words are only "dispatch failure" and the like.
fn in_words(error: &(dyn StdError + 'static)) -> String {
    let words: Vec<String> = causes(error).map(ToString::to_string).collect();
    words.join(": ")
}

/// An error, what caused it, what caused that, and so on.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests;
