//! What an operator watches: metrics through the log, in CloudWatch's embedded metric format.
//!
//! One JSON line for each set of dimensions at the end of a call, in the namespace
//! `SageMakerDeployments`. Lambda needs no permission and no call for it.
//!
//! | metric | unit | dimensions |
//! |---|---|---|
//! | `Checks`, `Deployments` | count | `Function`, `Outcome` |
//! | `Failures` | count | `Function`, `ErrorType` |
//! | `Polls` | count | `Function` |
//! | `Duration` | milliseconds | `Function`, `Outcome` |

use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};

/// The CloudWatch namespace of every metric.
pub const NAMESPACE: &str = "SageMakerDeployments";

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Starts collecting, for the function of this name.
///
/// Without it, as in tests of the library, nothing is collected and nothing written. A second call changes
/// nothing.
pub fn start(function: String) {
    let builder = Builder::new()
        .cloudwatch_namespace(NAMESPACE)
        .with_dimension("Function", function);
    if let Ok(collector) = builder.init() {
        describe_counter!(
            "Checks",
            Unit::Count,
            "calls of check-endpoint-exists, by Outcome"
        );
        describe_counter!(
            "Deployments",
            Unit::Count,
            "calls of a deploy function, by Outcome"
        );
        describe_counter!("Failures", Unit::Count, "failed calls, by ErrorType");
        describe_counter!("Polls", Unit::Count, "looks at the endpoint");
        describe_histogram!(
            "Duration",
            Unit::Milliseconds,
            "how long calls took, by Outcome"
        );
        let _ = COLLECTOR.set(collector);
    }
}

/// Counts a look at the endpoint.
pub(crate) fn polled() {
    counter!("Polls").increment(1);
}

/// Counts a call that has ended, and writes what it gave rise to.
///
/// `calls` is the metric that counts it, `error_type` the contract's word where it failed.
pub(crate) fn ended(
    calls: &'static str,
    outcome: &'static str,
    error_type: Option<&'static str>,
    duration: Duration,
    request_id: &str,
) {
    counter!(calls, "Outcome" => outcome).increment(1);
    if let Some(error_type) = error_type {
        counter!("Failures", "ErrorType" => error_type).increment(1);
    }
    histogram!("Duration", "Outcome" => outcome).record(duration.as_secs_f64() * 1000.0);
    if let Some(collector) = COLLECTOR.get() {
        collector.set_property("request_id", request_id);
        // A metric that cannot be written is no reason to fail a deployment.
        let _ = collector.flush(std::io::stdout().lock());
    }
}
