//! The request and the answer of `check-endpoint-exists`.

use serde::Serialize;

use super::fields::{Environment, Fields};
use super::values;
use crate::error::Error;

/// What `check-endpoint-exists` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRequest {
    /// The endpoint's name, at most 63 letters, digits and inner hyphens; the service does not tell upper from lower
    /// case in it.
    pub endpoint_name: String,
}

impl CheckRequest {
    /// Parses the event.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] with every bad key.
    pub fn parse(event: &str) -> Result<Self, Error> {
        Fields::parse(event, &Environment::new(), Self::read)
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let endpoint_name = fields.required("endpoint_name", values::name)?;
        Some(Self { endpoint_name })
    }
}

/// What `check-endpoint-exists` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckAnswer {
    /// Whether there is an endpoint of this name that can be updated; `false` while it is being deleted.
    pub endpoint_exists: bool,
    /// The endpoint's status, `NotFound` where there is none.
    pub endpoint_status: String,
}

impl CheckAnswer {
    /// The answer for what `ListEndpoints` says of the endpoint.
    ///
    /// An endpoint that is `Deleting` cannot be updated and its name is about to be free, so it counts
    /// as absent.
    pub fn of(status: Option<&str>) -> Self {
        Self {
            endpoint_exists: status.is_some_and(|status| status != "Deleting"),
            endpoint_status: status.unwrap_or("NotFound").to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_but_deleting_exists() {
        for (status, exists) in [
            (None, false),
            (Some("Deleting"), false),
            (Some("InService"), true),
            (Some("Creating"), true),
            (Some("Updating"), true),
            (Some("SystemUpdating"), true),
            (Some("RollingBack"), true),
            (Some("OutOfService"), true),
            (Some("Failed"), true),
            (Some("UpdateRollbackFailed"), true),
            (Some("SomethingNew"), true),
        ] {
            let answer = CheckAnswer::of(status);
            assert_eq!(answer.endpoint_exists, exists, "{status:?}");
            assert_eq!(answer.endpoint_status, status.unwrap_or("NotFound"));
        }
    }

    #[test]
    fn unknown_keys_are_ignored_and_the_name_is_required() {
        let request = CheckRequest::parse(r#"{"endpoint_name": "a", "package_arn": 3}"#);
        assert_eq!(request.map(|request| request.endpoint_name), Ok("a".into()));
        let error = CheckRequest::parse(r#"{"package_arn": "x"}"#).expect_err("no name");
        assert!(
            error.to_string().contains("endpoint_name is missing"),
            "{error}"
        );
    }
}
