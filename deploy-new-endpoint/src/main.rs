//! The Lambda function `deploy-new-endpoint`: puts a registered model behind a new endpoint.

use lambda_runtime::{Error, run, service_fn};
use shared::contract::DeploymentKind;
use shared::runtime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::init();
    let environment = &runtime::environment();
    let services = &runtime::connect_for_deployments(environment);
    run(service_fn(async |event| {
        runtime::answer_deployment(services, DeploymentKind::New, environment, event).await
    }))
    .await
}
