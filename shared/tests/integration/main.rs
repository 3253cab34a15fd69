//! The library against a local `SageMaker`, over the wire. One binary, because linking the SDK is slow.

mod breakage;
mod deployments;
mod events;
mod killed;
mod others;
mod random;
mod scene;
mod shapes;
mod storm;
mod traffic;
