//! The errors that the service answers with.

use std::fmt;

use serde_json::{Value, json};

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

/// The errors that the service model declares for these operations. Their text travels in
/// `Message`, that of the others in `message`.
const MODELLED: [&str; 4] = [
    "ConflictException",
    "ResourceInUse",
    "ResourceLimitExceeded",
    "ResourceNotFound",
];

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

    /// The body that carries the error in AWS JSON 1.1.
    pub(crate) fn body(&self) -> Value {
        let member = if MODELLED.contains(&self.code.as_str()) {
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
    fn a_modelled_error_spells_its_message_with_a_capital() {
        let limit = ServiceError::new("ResourceLimitExceeded", "too many");
        assert_eq!(
            limit.body(),
            json!({ "__type": "ResourceLimitExceeded", "Message": "too many" })
        );

        let validation = ServiceError::validation("no");
        assert_eq!(
            validation.body(),
            json!({ "__type": "ValidationException", "message": "no" })
        );
    }
}
