//! The scene that the tests play on: a local `SageMaker` without a socket and the functions' own code, with the real
//! numbers of both. The clock is paused, so that it jumps to whatever is waited for: an hour takes milliseconds.

use std::sync::Arc;
use std::time::Duration;

use sagemaker_local::{Call, Server, Settings};
use serde_json::{Value, json};
use shared::contract::DeploymentKind;
use tokio::time::sleep;

mod door;
mod process;

pub(crate) use door::{Answer, Asked, Delivered, Door, Ended, deliver, receive};
pub(crate) use process::{ATTEMPT_TIMEOUT, Network, Process, SOCKET_TIMEOUT};

pub(crate) const ENDPOINT: &str = "churn";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerExecutionRole";

/// How the key of a checkpoint's tag begins.
const CHECKPOINT: &str = "sagemaker-deployments:deployment-";

/// Name of somebody else's endpoint config.
pub(crate) const THEIRS: &str = "theirs";

/// How long a creation or an update takes on the scene.
pub(crate) const DEPLOYMENT: Duration = Duration::from_secs(300);

/// The same in scenes that are played once for every call of a deployment.
pub(crate) const QUICK: Duration = Duration::from_secs(30);

/// How long the creation takes of an endpoint that serves before the scene starts, so that few calls are spent on it.
const CREATED_BEFORE: Duration = Duration::from_secs(5);

pub(crate) struct Scene {
    pub(crate) server: Arc<Server>,
    pub(crate) network: Network,
}

impl Scene {
    /// A region with nothing in it.
    pub(crate) fn empty() -> Self {
        Self::lasting(DEPLOYMENT, DEPLOYMENT)
    }

    /// The same, where a creation and an update take this long.
    pub(crate) fn lasting(create: Duration, update: Duration) -> Self {
        Self::with(settings(create, update))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self {
            server: Arc::new(Server::without_socket(settings)),
            network: Network::default(),
        }
    }

    /// A region with nothing in it behind a socket, in real time, where a creation and an update take this long.
    pub(crate) async fn on_socket(lasting: Duration) -> Self {
        let server = Server::start(settings(lasting, lasting)).await;
        Self {
            server: Arc::new(server.expect("a free port")),
            network: Network::Socket,
        }
    }

    /// An endpoint that serves the first version of a group, deployed by this product.
    pub(crate) async fn serving() -> (Self, Answer) {
        Self::serving_with(DEPLOYMENT).await
    }

    /// The same, where an update takes this long.
    pub(crate) async fn serving_with(update: Duration) -> (Self, Answer) {
        Self::serving_as(update, &json!({})).await
    }

    /// The same, deployed with these keys besides.
    pub(crate) async fn serving_as(update: Duration, keys: &Value) -> (Self, Answer) {
        let scene = Self::lasting(CREATED_BEFORE, update);
        let event = with(event(&scene.package()), keys);
        let ended = scene.through(Door::Call, DeploymentKind::New, &event).await;
        scene.server.clear_calls();
        (scene, ended.deployed())
    }

    /// What a deployment of this kind starts from: nothing, or an endpoint that serves.
    pub(crate) async fn before(kind: DeploymentKind) -> Self {
        Self::before_with(kind, DEPLOYMENT).await
    }

    /// The same, where the deployment takes this long.
    pub(crate) async fn before_with(kind: DeploymentKind, lasting: Duration) -> Self {
        match kind {
            DeploymentKind::New => Self::lasting(lasting, lasting),
            DeploymentKind::Existing => Self::serving_with(lasting).await.0,
        }
    }

    /// Registers the next version of the group `churn`.
    pub(crate) fn package(&self) -> String {
        self.server.register_package("churn")
    }

    /// A fresh process of a function.
    pub(crate) fn process(&self) -> Process {
        Process::start(&self.server, &self.network, None)
    }

    /// Takes a deployment to its end through a door: a call that waits as long as the contract has it, or a message.
    pub(crate) async fn through(&self, door: Door, kind: DeploymentKind, event: &Value) -> Ended {
        self.ask(door, kind, event).until_ended().await
    }

    /// The same, with this much time to wait.
    pub(crate) async fn through_for(
        &self,
        door: Door,
        kind: DeploymentKind,
        event: &Value,
        wait: Duration,
    ) -> Ended {
        self.ask_for(door, kind, event, wait).until_ended().await
    }

    /// The same, for a deployment that takes longer than a call may wait: the call is repeated until it ends.
    pub(crate) async fn to_the_end(
        &self,
        door: Door,
        kind: DeploymentKind,
        event: &Value,
    ) -> Ended {
        loop {
            let ended = self.through(door, kind, event).await;
            let goes_on = ["DeploymentTimedOut", "InProgress"].contains(&ended.word());
            if door == Door::Queue || !goes_on {
                return ended;
            }
        }
    }

    /// Asks for a deployment through a door. Nothing runs yet.
    pub(crate) fn ask(&self, door: Door, kind: DeploymentKind, event: &Value) -> Asked {
        Asked::new(self, door, kind, event, None)
    }

    /// The same, with this much time to wait.
    pub(crate) fn ask_for(
        &self,
        door: Door,
        kind: DeploymentKind,
        event: &Value,
        wait: Duration,
    ) -> Asked {
        Asked::new(self, door, kind, event, Some(wait))
    }

    /// Asks for a deployment by a call whose invocation ends so soon.
    pub(crate) fn ask_until(
        &self,
        kind: DeploymentKind,
        event: &Value,
        deadline: Duration,
    ) -> Asked {
        let asked = Asked::new(self, Door::Call, kind, event, None);
        asked.in_invocation_of(deadline)
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
        self.until(|| self.count(|call| call.operation == operation) >= times)
            .await;
    }

    /// Returns when the endpoint is there and in this status.
    pub(crate) async fn until_status(&self, status: &str) {
        let name = json!({ "EndpointName": ENDPOINT });
        let is_so = || {
            let found = self.server.call("DescribeEndpoint", name.clone());
            found.is_ok_and(|endpoint| endpoint["EndpointStatus"] == status)
        };
        self.until(is_so).await;
    }

    /// Returns when something is so.
    pub(crate) async fn until(&self, is_so: impl Fn() -> bool) {
        while !is_so() {
            sleep(Duration::from_millis(100)).await;
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

    /// The operations that were called, in order, without those that only a queue or a pipeline sees.
    pub(crate) fn operations(&self) -> Vec<String> {
        let calls = self.server.calls().into_iter();
        calls
            .map(|call| call.operation)
            .filter(|operation| !DOOR_OPERATIONS.contains(&operation.as_str()))
            .collect()
    }

    /// Whether no call so far was one to change anything.
    pub(crate) fn has_only_read(&self) -> bool {
        let reads =
            |operation: &String| operation.starts_with("Describe") || operation.starts_with("List");
        self.operations().iter().all(reads)
    }

    /// Whether no model, endpoint config or endpoint was asked to be deleted so far. An anchor, which no endpoint ever
    /// uses, goes with its deployment.
    pub(crate) fn has_deleted_nothing(&self) -> bool {
        let anchors: Vec<_> = self
            .calls_of("CreateEndpointConfig")
            .into_iter()
            .filter(|call| call.request["Tags"].to_string().contains(CHECKPOINT))
            .map(|call| call.request["EndpointConfigName"].clone())
            .collect();
        let deletes = |call: &Call| {
            let is_anchor = anchors.contains(&call.request["EndpointConfigName"]);
            call.operation.starts_with("Delete") && call.operation != "DeleteTags" && !is_anchor
        };
        self.count(deletes) == 0
    }

    /// The calls of one operation.
    pub(crate) fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.server.read_calls(|calls| {
            let of_it = calls.iter().filter(|call| call.operation == operation);
            of_it.cloned().collect()
        })
    }

    /// How many calls are like this.
    pub(crate) fn count(&self, is_like: impl Fn(&Call) -> bool) -> usize {
        let count = |calls: &[Call]| calls.iter().filter(|call| is_like(call)).count();
        self.server.read_calls(count)
    }

    /// How many creations and updates of an endpoint the service was asked for and carried out.
    pub(crate) fn started(&self) -> usize {
        let starts = ["CreateEndpoint", "UpdateEndpoint"];
        self.count(|call| starts.contains(&call.operation.as_str()) && call.acted)
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

fn settings(create: Duration, update: Duration) -> Settings {
    Settings {
        create,
        update,
        rollback: update / 3,
        delete: update / 10,
        ..Settings::default()
    }
}

/// What the queue's door calls besides the deployment's own operations.
const DOOR_OPERATIONS: [&str; 6] = [
    "GetQueueUrl",
    "ChangeMessageVisibility",
    "ListPipelineExecutionSteps",
    "DescribePipelineExecution",
    "SendPipelineExecutionStepSuccess",
    "SendPipelineExecutionStepFailure",
];

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
