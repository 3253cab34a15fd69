"""A pipeline with a callback step for one of the functions, and how its step ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.pipeline_values import Step
from harness.poller import Poller
from harness.queues import Queues
from harness.scene import GROUP

# Ten minutes of the queues' time, of the messages' age and of the updates' guardrails pass in 0.6 s.
SPEED = 1000

ENDPOINT = "churn-production"
EXECUTION = f"{scene.ARN}:pipeline/model-deploy/execution/abcdefghijkl"
NEW, EXISTING = "deploy-new-endpoint", "deploy-existing-endpoint"
STEPS = {NEW: "DeployToNewEndpointProduction", EXISTING: "DeployToExistingEndpointProduction"}

ALARM = "churn-5xx"
# Two bakes of 20 minutes.
CANARY = {"traffic_routing": "canary", "traffic_wait_seconds": "1200", "auto_rollback_alarms": ALARM}


@dataclass(frozen=True)
class Waiting:
    """A step that waits for its deployment."""

    token: str
    body: str


@dataclass
class Pipeline:
    """The pipeline with its step for one of the functions, and what it calls."""

    name: str
    step: Step
    sagemaker: LocalSageMaker
    queues: Queues
    queue_url: str
    dead_letter_url: str

    def call(self, **arguments: Any) -> Waiting:
        """Run the step: it sends its message, and waits."""
        waiting = self.waiting(**arguments)
        self.send(waiting.body)
        return waiting

    def waiting(self, canary: bool = False, **arguments: Any) -> Waiting:
        """Have the step wait, and keep its message."""
        token = self.sagemaker.start_callback_step(EXECUTION, self.step["Name"], self.queue_url)
        compiled = {key: value for key, value in self.step["Arguments"].items() if canary or key not in CANARY}
        package = scene.register_version(self.sagemaker.client, GROUP)
        event = {**compiled, "package_arn": package, **arguments}
        return Waiting(token, scene.callback_message(token, EXECUTION, self.step["Name"], event))

    def send(self, body: str) -> None:
        self.queues.client.send_message(QueueUrl=self.queue_url, MessageBody=body)

    def serve(self) -> str:
        """Make the endpoint as somebody else would, and return its endpoint config's name."""
        package = scene.register_version(self.sagemaker.client, GROUP)
        config = scene.serve(self.sagemaker.client, ENDPOINT, package)
        self.sagemaker.clear_calls()
        return config

    @contextmanager
    def poller(self) -> Iterator[Poller]:
        """A fresh poller with a fresh process of the function."""
        variables = {**aws.endpoint_urls(self.sagemaker.url), "AWS_ENDPOINT_URL_SQS": self.queues.url}
        with Emulator(binary(self.name), variables) as function:
            yield Poller(self.queues, self.queue_url, function.invoke)

    def run(self) -> Poller:
        """Let a poller take messages until there is none left."""
        with self.poller() as poller:
            poller.run()
        return poller

    def told(self, waiting: Waiting) -> dict[str, Any]:
        """Return how a step ended, which it has taken one answer for."""
        step = self.sagemaker.callback_step(waiting.token)
        assert [answer["accepted"] for answer in step["answers"]].count(True) == 1, step
        return step

    def live(self) -> dict[str, Any]:
        return self.sagemaker.client.describe_endpoint(EndpointName=ENDPOINT)

    def inventory(self) -> list[list[str]]:
        """Return the names of the models, endpoint configs and endpoints that there are."""
        client = self.sagemaker.client
        return [
            sorted(each["ModelName"] for each in client.list_models(MaxResults=100)["Models"]),
            sorted(
                each["EndpointConfigName"] for each in client.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]
            ),
            sorted(each["EndpointName"] for each in client.list_endpoints(MaxResults=100)["Endpoints"]),
        ]

    def begun(self) -> int:
        """Return how many deployments the service has accepted."""
        calls = self.sagemaker.calls("CreateEndpoint", "UpdateEndpoint")
        return sum(call["acted"] and call["status"] == 200 for call in calls)


Start = Callable[..., Pipeline]


def assert_deployed(pipeline: Pipeline, waiting: Waiting) -> dict[str, str]:
    """The step has succeeded, with what the service says; return its outputs."""
    step = pipeline.told(waiting)
    assert step["status"] == "Succeeded", step
    outputs = step["outputs"]
    declared = {output["OutputName"] for output in pipeline.step["OutputParameters"]}
    assert declared - set(outputs) == set(), outputs
    assert all(isinstance(value, str) and len(value) <= 1024 for value in outputs.values()), outputs
    assert outputs["deployment_status"] == "Deployed", outputs
    live = pipeline.live()
    assert (live["EndpointStatus"], live["EndpointConfigName"]) == ("InService", outputs["endpoint_config"]), live
    return outputs


def assert_rolled_back(pipeline: Pipeline, waiting: Waiting, cause: str) -> None:
    step = pipeline.told(waiting)
    assert step["status"] == "Failed", step
    reason = step["failure_reason"]
    assert reason.startswith(f"UpdateRolledBack: The update of the endpoint {ENDPOINT}"), reason
    assert cause in reason, reason
    assert len(reason) <= 256, reason
