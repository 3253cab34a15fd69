//! The errors that the service answers with.

use std::fmt;

use serde_json::{Value, json};

use crate::api::Api;

/// An error as the service puts it on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The error's code, such as `ValidationException`.
    pub code: String,
    /// The service's words.
    pub message: String,
    /// The HTTP status that it is sent with.
    pub status: u16,
}

impl ServiceError {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: 400,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new("ConflictException", message)
    }

    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", message)
    }

    /// The body that carries the error of a service in AWS JSON 1.1.
    pub(crate) fn body(&self, api: Api) -> Value {
        let member = if api.declares(&self.code) {
            "Message"
        } else {
            "message"
        };
        json!({ "__type": self.code, member: self.message })
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ServiceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_its_service_declares_spells_its_message_with_a_capital() {
        let (sagemaker, scaling) = (Api::SageMaker, Api::ApplicationAutoScaling);
        for (code, api, member) in [
            ("ResourceLimitExceeded", sagemaker, "Message"),
            ("ValidationException", sagemaker, "message"),
            ("ValidationException", scaling, "Message"),
            ("ObjectNotFoundException", scaling, "Message"),
            ("ThrottlingException", scaling, "message"),
        ] {
            assert_eq!(
                ServiceError::new(code, "no").body(api),
                json!({ "__type": code, member: "no" })
            );
        }
    }
}
