//! A function that panics on every event that asks for it: for the test that a panic is an answered error.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use shared::runtime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::init();
    run(service_fn(async |event: LambdaEvent<Value>| {
        assert!(event.payload["panic"] != true, "as asked for");
        Ok::<_, Error>(event.payload)
    }))
    .await
}
