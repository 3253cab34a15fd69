//! The clients, configured by the environment as Lambda sets it, and by nothing else: the SDK's own way through
//! profiles, web identities and metadata services takes its part of a start, and finds nothing there.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sagemaker::config::SharedCredentialsProvider;

use crate::autoscaling::Autoscaling;
use crate::contract::Environment;
use crate::drive::Services;
use crate::queue::Queues;
use crate::sagemaker::SageMaker;

/// A connection to a regional endpoint is there in milliseconds or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// These calls answer in well under a second; a reply that takes this long is lost.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A call as a whole: connection, request and reply.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(12);

/// A client for SageMaker, with every timeout set: 3 s to connect, 10 s for a reply, 12 s for a call. It repeats none.
pub fn connect(environment: &Environment) -> SageMaker {
    let configuration = for_service("SAGEMAKER", environment);
    SageMaker::new(aws_sdk_sagemaker::Client::new(&configuration))
}

/// Clients for every service that a deployment calls, configured likewise.
pub fn connect_for_deployments(environment: &Environment) -> Services {
    Services {
        sagemaker: connect(environment),
        autoscaling: Autoscaling::new(for_service("APPLICATION_AUTO_SCALING", environment)),
        queues: Queues::new(for_service("SQS", environment)),
    }
}

/// The configuration of one service's client.
fn for_service(service: &str, environment: &Environment) -> SdkConfig {
    let is_on = |name: &str| {
        let value = environment.get(name);
        value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let region = environment
        .get("AWS_REGION")
        .or_else(|| environment.get("AWS_DEFAULT_REGION"));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut configuration = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.cloned().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        // The reconciler repeats calls itself, within its budget. It has to know of each reply that was
        // lost, and behind the SDK's own retries it would only see the last.
        .retry_config(RetryConfig::disabled())
        .use_fips(is_on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"));
    configuration.set_endpoint_url(endpoint_url(service, environment));
    configuration.build()
}

/// The endpoint URL that the environment gives for a service: its own, else the one for all.
///
/// A blank one is none: a template or a shell sets a variable to nothing rather than not at all.
fn endpoint_url(service: &str, environment: &Environment) -> Option<String> {
    [&format!("AWS_ENDPOINT_URL_{service}"), "AWS_ENDPOINT_URL"]
        .into_iter()
        .filter_map(|name| environment.get(name))
        .map(|url| url.trim())
        .find(|url| !url.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        variables.iter().map(owned).collect()
    }

    #[test]
    fn a_blank_endpoint_url_is_none_and_the_services_own_counts_first() {
        let (own, all) = ("AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL");
        for (variables, expected) in [
            (vec![], None),
            (vec![(all, "http://a")], Some("http://a")),
            (vec![(all, "http://a"), (own, "http://b")], Some("http://b")),
            (vec![(all, "http://a"), (own, " ")], Some("http://a")),
            (vec![(all, ""), (own, "http://b")], Some("http://b")),
            (vec![(all, "")], None),
            (vec![("AWS_ENDPOINT_URL_SQS", "http://a")], None),
        ] {
            let url = endpoint_url("SAGEMAKER", &set(&variables));
            assert_eq!(url.as_deref(), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_client_is_of_the_region_and_the_kind_of_endpoint_that_the_environment_says() {
        let configuration = for_service(
            "SAGEMAKER",
            &set(&[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_USE_FIPS_ENDPOINT", "True"),
            ]),
        );
        assert_eq!(configuration.region(), Some(&Region::new("eu-west-1")));
        assert_eq!(configuration.use_fips(), Some(true));
        assert_eq!(configuration.use_dual_stack(), Some(false));
        assert_eq!(configuration.endpoint_url(), None);
        assert!(
            !configuration
                .retry_config()
                .is_some_and(RetryConfig::has_retry)
        );
    }
}
