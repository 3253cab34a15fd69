#![doc = include_str!("../README.md")]
//!
//! ## Layout
//!
//! The modules stand in the order in which a request passes through them; none calls one above it.

// The socket, and connections without one.
mod server;

// What only a test asks.
mod unpublished;

// HTTP: AWS JSON, and the control paths beside it.
mod wire;

mod control;

// Misbehaviour, the act and the record.
mod service;

mod refusals;

mod faults;
mod rate;
mod recording;

// From an operation's name to what does it, by way of what its request must satisfy.
mod dispatch;

mod constraints;
mod shapes;

// The operations, by resource. Each looks only at resources below it.
mod pipeline_executions;
mod queues;

mod scaling_policies;
mod scheduled_actions;

mod scalable_targets;

mod scaling_tags;

mod tags;

mod endpoint_answers;

mod fleets;

mod endpoints;

mod deployments;
mod guardrails;

mod endpoint_configs;

mod serverless;

mod models;

mod model_packages;

mod model_package_groups;

// What is stored, and what follows from it at a moment.
mod registered;

mod account;

mod lifecycle;

mod alarms;
mod callback_steps;
mod rollouts;

mod deployed;
mod outcomes;
mod settings;

// What all of them speak in.
mod api;
mod clock;
mod error;
mod names;
mod paging;
mod requests;

#[cfg(test)]
mod scene;

pub use error::ServiceError;
pub use faults::{Fault, FaultKind};
pub use outcomes::Outcome;
pub use recording::Call;
pub use server::{Connection, Server};
pub use settings::{ArnCase, Settings};
pub use wire::Hangup;
