//! The Lambda function `check-endpoint-exists`: does an endpoint of this name exist?

use lambda_runtime::{Error, run, service_fn};
use shared::runtime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::init();
    let sagemaker = &runtime::connect(&runtime::environment());
    run(service_fn(async |event| {
        runtime::answer_check(sagemaker, event).await
    }))
    .await
}
