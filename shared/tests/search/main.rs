//! A search over everything that can happen to deployments: two of them, an operator, faults and deaths of processes, at
//! any call, on a SageMaker in memory and in virtual time.

#![expect(clippy::print_stderr, reason = "a search says what it has found")]

mod fingerprint;
mod history;
mod lab;
mod properties;
mod region;
mod scenes;
mod script;
mod search;
mod world;
