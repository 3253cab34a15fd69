//! The library against a local `SageMaker`. One binary, because linking the SDK is slow.

mod autoscaling;
mod breakage;
mod callback;
mod deployments;
mod doors;
mod events;
mod kept;
mod killed;
mod others;
mod patience;
mod previous;
mod promises;
mod random;
mod scene;
mod shapes;
mod spelling;
mod storm;
mod traffic;
mod wire;
