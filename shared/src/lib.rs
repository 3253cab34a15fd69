#![doc = include_str!("../README.md")]

// In the order of the data's way; blank lines keep rustfmt from sorting them.

pub mod runtime;

pub mod callback;

pub mod contract;

pub mod check;

pub mod drive;

pub mod deploy;

pub mod plan;

pub mod preflight;

pub mod sagemaker;

pub mod autoscaling;

pub mod queue;

pub mod raw;

pub mod wait;

pub mod moment;

pub mod error;

pub mod failure;

pub mod metrics;
