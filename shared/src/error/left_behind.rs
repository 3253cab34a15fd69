//! What a failed deployment leaves behind, and why.

use std::fmt;

use crate::failure::ServiceFailure;

/// Something that a failed deployment made, or suspended, and that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// What it is.
    pub resource: Resource,
    /// Why it is still there.
    pub why: Stays,
}

/// Something that a deployment makes, or suspends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// An endpoint, by its name.
    Endpoint(String),
    /// An endpoint config, by its name.
    EndpointConfig(String),
    /// A model, by its name.
    Model(String),
    /// The autoscaling of a variant, by the variant's name.
    Autoscaling(String),
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(name) => write!(formatter, "endpoint {name}"),
            Self::EndpointConfig(name) => write!(formatter, "endpoint config {name}"),
            Self::Model(name) => write!(formatter, "model {name}"),
            Self::Autoscaling(variant) => write!(formatter, "autoscaling of the variant {variant}"),
        }
    }
}

/// Why something is left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// The endpoint uses it.
    InUse,
    /// The endpoint may use it: an update was not rolled back.
    PerhapsInUse,
    /// The endpoint uses it, and another deployment made the endpoint.
    EndpointOfAnother,
    /// Another deployment is about to use it.
    Claimed,
    /// This deployment did not make it, or had succeeded with it.
    NotItsOwn,
    /// Its endpoint config stays, and refers to it.
    ReferredTo,
    /// The time was up before a poll showed that the endpoint does not use it.
    NotSeenUnused,
    /// The time was up before it could be deleted.
    NoTime,
    /// The failed endpoint was deleted, and is to be created again from it.
    ToCreateAgain,
    /// An earlier process may have made it, and whether it did could not be found out.
    Unknown,
    /// The service refused the call.
    Refused {
        /// The call's operation.
        operation: &'static str,
        /// The service's reason.
        reason: String,
    },
}

impl Stays {
    /// The refusal of a call.
    pub fn refused(failure: &ServiceFailure) -> Self {
        Self::Refused {
            operation: failure.operation,
            reason: failure.reason(),
        }
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InUse => "the endpoint uses it",
            Self::PerhapsInUse => "the endpoint may still use it",
            Self::EndpointOfAnother => {
                "the endpoint uses it, and this deployment did not make the endpoint"
            }
            Self::Claimed => "another deployment uses it",
            Self::NotItsOwn => "this deployment did not make it, or had succeeded with it before",
            Self::ReferredTo => "its endpoint config refers to it",
            Self::NotSeenUnused => "no poll showed in time that the endpoint does not use it",
            Self::NoTime => "the time was up before it could be deleted",
            Self::Unknown => {
                "an earlier call or delivery may have made it, and that could not be found out"
            }
            Self::ToCreateAgain => "a call with the same event creates the endpoint again from it",
            Self::Refused { operation, reason } => {
                return write!(formatter, "{operation} failed: {reason}");
            }
        })
    }
}

impl LeftBehind {
    pub(super) fn reason(&self) -> String {
        match self.resource {
            Resource::Autoscaling(_) => format!(
                "{}; it is saved in the endpoint's tags, and the next deployment of this endpoint restores it",
                self.why
            ),
            _ => self.why.to_string(),
        }
    }
}
