//! What a server can be told before it starts.

use std::time::Duration;

/// How the ARNs of `SageMaker`'s resources spell names. The service has answered both over the years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArnCase {
    /// As the resource was created.
    #[default]
    Kept,
    /// In lower case.
    Lower,
}

/// How long things take, whose account it is, and how many calls it bears.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long an endpoint is `Creating`; 3 seconds by default.
    pub create: Duration,
    /// How long an endpoint is `Updating`; 3 seconds by default. An update with a deployment config takes that one's
    /// waits besides.
    pub update: Duration,
    /// How long an endpoint is `RollingBack`, after `Updating`; 1 second by default.
    pub rollback: Duration,
    /// How long an endpoint is `Deleting`, before it is gone; 1 second by default.
    pub delete: Duration,
    /// The region that the ARNs name; `eu-west-1` by default.
    pub region: String,
    /// The account that the ARNs name, 12 digits; `123456789012` by default.
    pub account: String,
    /// How ARNs spell names; as created by default.
    pub arn_case: ArnCase,
    /// Calls per second that the whole account may make, those to queues aside; `None` for no limit. A
    /// second's worth may come at once, and at least one call.
    pub calls_per_second: Option<f64>,
    /// Whether `UpdateEndpoint` refuses to turn instances into a serverless variant, as the service's
    /// documentation has it. It is accepted otherwise.
    pub refuse_to_serverless: bool,
    /// By what the waits and the timeout of a deployment config are multiplied, so that a long
    /// canary takes a short while: 1 for as long as it says, 0 for no time.
    pub guardrail_scale: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            create: Duration::from_secs(3),
            update: Duration::from_secs(3),
            rollback: Duration::from_secs(1),
            delete: Duration::from_secs(1),
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            arn_case: ArnCase::default(),
            calls_per_second: None,
            refuse_to_serverless: false,
            guardrail_scale: 1.0,
        }
    }
}
