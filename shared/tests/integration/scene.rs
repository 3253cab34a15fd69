//! The scene that the tests play on: a local `SageMaker` whose deployments take fractions of a second, and the
//! functions' own code at a pace to match.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sagemaker::config::{Credentials, SharedCredentialsProvider};
use sagemaker_local::{Call, Server, Settings};
use serde_json::{Value, json};
use shared::autoscaling::Autoscaling;
use shared::contract::{DeployAnswer, DeployRequest, DeploymentKind, Environment};
use shared::deploy::{Budget, Services, deploy};
use shared::error::Failure;
use shared::queue::Queues;
use shared::sagemaker::SageMaker;
use shared::wait::Pace;
use tokio::time::{Instant, sleep};

pub(crate) const ENDPOINT: &str = "churn";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerExecutionRole";

/// Name of somebody else's endpoint config.
pub(crate) const THEIRS: &str = "theirs";

/// How long a creation or an update takes on the scene.
pub(crate) const DEPLOYMENT: Duration = Duration::from_millis(60);

/// Five minutes between two steps of an update pass in 60 ms here.
pub(crate) const GUARDRAIL_SCALE: f64 = 0.0002;

/// A pace at which a deployment of [`DEPLOYMENT`] is seen to pass.
pub(crate) const PACE: Pace = Pace {
    shortest: Duration::from_millis(10),
    longest: Duration::from_millis(60),
    share: 0.06,
    patience: Duration::from_millis(300),
};

/// A reply that takes longer than this is lost.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_millis(300);

pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) services: Services,
}

impl Scene {
    /// A region with nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::lasting(DEPLOYMENT).await
    }

    async fn lasting(update: Duration) -> Self {
        Self::with(Settings {
            create: DEPLOYMENT,
            update,
            rollback: DEPLOYMENT / 3,
            delete: DEPLOYMENT / 3,
            guardrail_scale: GUARDRAIL_SCALE,
            ..Settings::default()
        })
        .await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let server = Server::start(settings).await.expect("a free port");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(READ_TIMEOUT)
            .operation_attempt_timeout(READ_TIMEOUT)
            .build();
        let services = connect(&server, timeouts, Some(credentials()));
        Self { server, services }
    }

    /// The same region through a client that waits for replies as long as it takes.
    pub(crate) fn patient_client(&self) -> Services {
        connect(&self.server, TimeoutConfig::disabled(), Some(credentials()))
    }

    /// The same region through a client that has nothing to sign with.
    pub(crate) fn client_without_credentials(&self) -> Services {
        connect(&self.server, TimeoutConfig::disabled(), None)
    }

    /// An endpoint that serves the first version of a group, deployed by this product.
    pub(crate) async fn serving() -> (Self, DeployAnswer) {
        Self::serving_with(DEPLOYMENT).await
    }

    /// The same, where an update takes this long.
    pub(crate) async fn serving_with(update: Duration) -> (Self, DeployAnswer) {
        let scene = Self::lasting(update).await;
        let package = scene.package();
        let answer = scene
            .run(DeploymentKind::New, &event(&package))
            .await
            .expect("nothing is in its way");
        scene.server.clear_calls();
        (scene, answer)
    }

    /// What a deployment of this kind begins from: nothing, or an endpoint that serves.
    pub(crate) async fn before(kind: DeploymentKind) -> Self {
        match kind {
            DeploymentKind::New => Self::empty().await,
            DeploymentKind::Existing => Self::serving().await.0,
        }
    }

    /// Registers the next version of the group `churn`.
    pub(crate) fn package(&self) -> String {
        self.server.register_package("churn")
    }

    /// Runs a deploy function's code on an event, with two seconds to wait.
    pub(crate) async fn run(
        &self,
        kind: DeploymentKind,
        event: &Value,
    ) -> Result<DeployAnswer, Failure> {
        self.run_for(kind, event, Duration::from_secs(2)).await
    }

    pub(crate) async fn run_for(
        &self,
        kind: DeploymentKind,
        event: &Value,
        wait: Duration,
    ) -> Result<DeployAnswer, Failure> {
        run(&self.services, kind, event, budget(wait)).await
    }

    /// Puts the endpoint onto a config of somebody else's, as soon as this deployment has called an operation.
    pub(crate) async fn theirs_after(&self, operation: &str, model_name: &str, count: u32) {
        self.until_called(operation, 1).await;
        let config = json!({
            "EndpointConfigName": THEIRS,
            "ProductionVariants": [{
                "VariantName": "AllTraffic",
                "ModelName": model_name,
                "InstanceType": "ml.m5.xlarge",
                "InitialInstanceCount": count,
            }],
        });
        self.server
            .call("CreateEndpointConfig", config)
            .expect("new");
        self.server.force_status(ENDPOINT, "InService", None);
        let update = json!({"EndpointName": ENDPOINT, "EndpointConfigName": THEIRS});
        self.server
            .call("UpdateEndpoint", update)
            .expect("it serves");
    }

    /// Returns when an operation has been called so often.
    pub(crate) async fn until_called(&self, operation: &str, times: usize) {
        while self.calls_of(operation).len() < times {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// What the endpoint says of itself.
    pub(crate) fn endpoint(&self, name: &str) -> Value {
        self.server
            .call("DescribeEndpoint", json!({ "EndpointName": name }))
            .expect("there is such an endpoint")
    }

    /// The tags of an endpoint config, as text.
    pub(crate) fn tags_of_config(&self, name: &str) -> String {
        let config = json!({ "EndpointConfigName": name });
        let config = self.server.call("DescribeEndpointConfig", config);
        let arn = config.expect("there is such a config")["EndpointConfigArn"].clone();
        let tags = self.server.call("ListTags", json!({ "ResourceArn": arn }));
        tags.expect("it is there").to_string()
    }

    /// The operations that came over the wire, in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        let calls = self.server.calls();
        calls.into_iter().map(|call| call.operation).collect()
    }

    /// Whether no call so far was one to change anything.
    pub(crate) fn has_only_read(&self) -> bool {
        let reads =
            |operation: &String| operation.starts_with("Describe") || operation.starts_with("List");
        self.operations().iter().all(reads)
    }

    /// Whether no model, endpoint config or endpoint was asked to be deleted so far.
    pub(crate) fn has_deleted_nothing(&self) -> bool {
        let deletes =
            |operation: &String| operation.starts_with("Delete") && operation != "DeleteTags";
        !self.operations().iter().any(deletes)
    }

    /// The calls of one operation.
    pub(crate) fn calls_of(&self, operation: &str) -> Vec<Call> {
        let calls = self.server.calls();
        calls
            .into_iter()
            .filter(|call| call.operation == operation)
            .collect()
    }

    /// The names of everything that a deployment makes: models, endpoint configs, endpoints.
    pub(crate) fn inventory(&self) -> [Vec<String>; 3] {
        [
            self.server.model_names(),
            self.server.endpoint_config_names(),
            self.server.endpoint_names(),
        ]
    }
}

pub(crate) async fn run(
    services: &Services,
    kind: DeploymentKind,
    event: &Value,
    budget: Budget,
) -> Result<DeployAnswer, Failure> {
    run_at(PACE, services, kind, event, budget).await
}

pub(crate) async fn run_at(
    pace: Pace,
    services: &Services,
    kind: DeploymentKind,
    event: &Value,
    budget: Budget,
) -> Result<DeployAnswer, Failure> {
    let text = event.to_string();
    let request = DeployRequest::parse(kind, &text, &Environment::new())?;
    Box::pin(deploy(services, kind, &request, &text, budget, pace)).await
}

/// A budget with this much time to wait, and a little more for the undo and the answer.
pub(crate) fn budget(wait: Duration) -> Budget {
    let started = Instant::now();
    Budget {
        started,
        wait_until: started + wait,
        undo_until: started + wait + Duration::from_millis(900),
        answer_by: started + wait + Duration::from_millis(1400),
    }
}

/// The event of a deployment of this package.
pub(crate) fn event(package_arn: &str) -> Value {
    json!({ "role": ROLE, "endpoint_name": ENDPOINT, "package_arn": package_arn })
}

/// The event with some keys set.
pub(crate) fn with(mut event: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event
}

pub(crate) fn error_type(ended: &Result<DeployAnswer, Failure>) -> &'static str {
    ended
        .as_ref()
        .map_or_else(|failure| failure.error.error_type(), |_| "none")
}

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test"))
}

fn connect(
    server: &Server,
    timeouts: TimeoutConfig,
    credentials: Option<SharedCredentialsProvider>,
) -> Services {
    let mut config = SdkConfig::builder();
    config.set_credentials_provider(credentials);
    let config = config
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.url())
        .region(Region::new("eu-west-1"))
        .retry_config(RetryConfig::disabled())
        // Without TLS, whose root certificates take longer to load than these replies may take.
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .timeout_config(timeouts)
        .build();
    Services {
        sagemaker: SageMaker::new(aws_sdk_sagemaker::Client::new(&config)),
        autoscaling: Autoscaling::new(config.clone()),
        queues: Queues::new(config.clone()),
    }
}
