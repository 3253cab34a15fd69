#![doc = include_str!("../README.md")]

pub mod check;
pub mod contract;
pub mod deploy;
pub mod error;
pub mod metrics;
pub mod plan;
pub mod preflight;
mod rollback;
pub mod runtime;
pub mod sagemaker;
pub mod wait;
