//! Does an endpoint of this name exist?

use aws_sdk_sagemaker::types::EndpointStatus;
use tokio::time::Instant;

use crate::contract::{CheckAnswer, CheckRequest};
use crate::drive::until_it_passes;
use crate::error::Error;
use crate::failure::ServiceFailure;
use crate::sagemaker::SageMaker;
use crate::wait::Pace;

/// Answers whether the endpoint exists, going on through throttling and lost replies until `answer_by`.
///
/// # Errors
///
/// Whatever the service says; a failed call is never taken for an absent endpoint.
pub async fn check_endpoint_exists(
    sagemaker: &SageMaker,
    request: &CheckRequest,
    pace: Pace,
    answer_by: Instant,
) -> Result<CheckAnswer, Error> {
    let name = &request.endpoint_name;
    let late = || ServiceFailure::no_reply("ListEndpoints", format!("endpoint {name}"));
    let found = || sagemaker.find_endpoint_status(name);
    let status = until_it_passes(pace, answer_by, late, found).await;
    let status = status.map_err(Error::Service)?;
    Ok(CheckAnswer::of(status.as_ref().map(EndpointStatus::as_str)))
}
