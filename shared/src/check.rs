//! Does an endpoint of this name exist?

use aws_sdk_sagemaker::types::EndpointStatus;
use tokio::time::{Instant, sleep, timeout_at};

use crate::contract::{CheckAnswer, CheckRequest};
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
    let mut backoff = pace.backoff();
    loop {
        let found = sagemaker.find_endpoint_status(&request.endpoint_name);
        let failure = match timeout_at(answer_by, found).await {
            Ok(Ok(status)) => {
                return Ok(CheckAnswer::of(status.as_ref().map(EndpointStatus::as_str)));
            }
            Ok(Err(failure)) => failure,
            Err(_) => ServiceFailure::no_reply(
                "ListEndpoints",
                format!("endpoint {}", request.endpoint_name),
            ),
        };
        let pause = backoff.next().unwrap_or(pace.longest);
        if !failure.is_transient() || Instant::now() + pause >= answer_by {
            return Err(Error::Service(failure));
        }
        failure.warn_of_repeat();
        sleep(pause).await;
    }
}
