//! The library against a local `SageMaker`, over the wire. One binary, because linking the SDK is slow.

mod autoscaling;
mod breakage;
mod callback;
mod deployments;
mod events;
mod killed;
mod others;
mod patience;
mod random;
mod scene;
mod shapes;
mod storm;
mod superseded;
mod traffic;
