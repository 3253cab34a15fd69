//! The server as its clients meet it: over HTTP, through its control paths and as a program.

mod callbacks;
mod client;
mod control;
mod in_process;
mod misbehaviour;
mod program;
mod rust_api;
mod scaling;
mod wire;
