//! What goes into the functions and what comes out: the event's keys, their limits, the answer's keys.
//!
//! Everything here is pure. A request that parses is complete and within the service's limits; one that
//! does not is refused with every bad key named, before any call.

mod answer;
mod autoscaling;
mod callback;
mod check;
mod deployment;
mod fields;
mod shape;
mod tags;
mod traffic;
mod unknown;
mod values;

pub use answer::{DeployAnswer, DeploymentStatus};
pub use autoscaling::{Autoscaling, DEFAULT_MIN_CAPACITY, no_instances, too_few};
pub use callback::CallbackMessage;
pub use check::{CheckAnswer, CheckRequest};
pub use deployment::{
    DeployRequest, DeploymentKind, OnFailedEndpoint, OnFailure, OnSuccess, OnTimeout,
};
pub use fields::{BadKey, Environment, Setting};
pub use shape::{DEFAULT_SERVERLESS_MAX_CONCURRENCY, InferenceOption, Shape, too_much_provisioned};
pub use tags::{MOST_OWN_TAGS, OWN_TAGS};
pub use traffic::{Strategy, Traffic, TrafficRouting};
pub use unknown::unknown_keys;
