//! The Lambda function `deploy-existing-endpoint`: puts a registered model behind an endpoint
//! that serves already, without downtime.

use lambda_runtime::{Error, run, service_fn};
use shared::contract::DeploymentKind;
use shared::runtime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::init();
    let environment = &runtime::environment();
    let services = &runtime::connect_for_deployments(environment);
    run(service_fn(async |event| {
        runtime::answer_deployment(services, DeploymentKind::Existing, environment, event).await
    }))
    .await
}
