"""Deployments that pipelines' callback steps ask for, by the built functions on moto's SQS.

The messages are those of a pipeline that the SageMaker SDK has compiled. Ten minutes of the queues' time, of the
messages' age and of the updates' guardrails pass in 0.6 s here.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import pytest

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.pipeline import Compiling
from harness.pipeline_values import Definition, Step, Values, every_step, parameters
from harness.poller import DELETED, INVOKED, RECEIVED, Poller
from harness.processes import until
from harness.queues import MAX_RECEIVES, Queues

SPEED = 1000

GROUP = "churn-model"
ENDPOINT = "churn-production"
EXECUTION = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}:pipeline/model-deploy/execution/abcdefghijkl"
NEW, EXISTING = "deploy-new-endpoint", "deploy-existing-endpoint"
STEPS = {NEW: "DeployToNewEndpointProduction", EXISTING: "DeployToExistingEndpointProduction"}

ALARM = "churn-5xx"
# Two bakes of 20 minutes.
CANARY = {"traffic_routing": "canary", "traffic_wait_seconds": "1200", "auto_rollback_alarms": ALARM}

# More stages than any deployment here has.
MOST_STAGES = 200


@pytest.fixture(scope="module")
def steps() -> dict[str, Step]:
    """The steps of the pipeline that deploys by callback, as the SDK writes them, by the functions' names."""
    settings = [f"--set={key}={value}" for key, value in CANARY.items()]
    options = ["--stages=production", "--deploy-by=callback", "--endpoint-name=churn", f"--role={scene.ROLE}"]
    with Compiling("deploy", "definition", f"--region={aws.REGION}", *options, *settings) as compiling:
        definition: Definition = compiling.definition()
    named = {step["Name"]: step for step in every_step(definition["Steps"])}
    values = Values(parameters(definition, {"ModelPackageArn": "the package"}))
    return {
        name: {**named[step], "Arguments": values.resolved(named[step]["Arguments"])} for name, step in STEPS.items()
    }


@pytest.fixture(scope="module")
def service() -> Iterator[LocalSageMaker]:
    """A local SageMaker at the pace of the queues, roughly: a creation or an update takes 100 s."""
    with LocalSageMaker(0.1, 0.1, 0.05, 0.05, guardrail_scale=1 / SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def running_queues() -> Iterator[Queues]:
    with Queues(SPEED) as running:
        yield running


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


@pytest.fixture
def pipeline(steps: dict[str, Step], service: LocalSageMaker, running_queues: Queues) -> Callable[..., Pipeline]:
    """``pipeline(function)`` is the pipeline's step for a function, in an account with nothing but a model."""

    def empty(name: str, max_receives: int = MAX_RECEIVES) -> Pipeline:
        service.reset()
        running_queues.reset()
        scene.register_group(service.client, GROUP)
        queue_url, dead_letter_url = running_queues.create(steps[name]["SqsQueueUrl"].split("/")[-1], max_receives)
        return Pipeline(name, steps[name], service, running_queues, queue_url, dead_letter_url)

    return empty


Start = Callable[..., Pipeline]


def assert_deployed(pipeline: Pipeline, waiting: Waiting) -> dict[str, str]:
    """The step has succeeded, with what the service says; return its outputs."""
    step = pipeline.told(waiting)
    assert step["status"] == "Succeeded", step
    outputs = step["outputs"]
    declared = {output["OutputName"] for output in pipeline.step["OutputParameters"]}
    assert declared - set(outputs) == set()
    assert all(isinstance(value, str) and len(value) <= 1024 for value in outputs.values())
    assert outputs["deployment_status"] == "Deployed"
    live = pipeline.live()
    assert (live["EndpointStatus"], live["EndpointConfigName"]) == ("InService", outputs["endpoint_config"])
    return outputs


def assert_rolled_back(pipeline: Pipeline, waiting: Waiting, cause: str) -> None:
    step = pipeline.told(waiting)
    assert step["status"] == "Failed", step
    reason = step["failure_reason"]
    assert reason.startswith(f"UpdateRolledBack: The update of the endpoint {ENDPOINT}"), reason
    assert cause in reason
    assert len(reason) <= 256


def test_a_new_endpoint_is_deployed_and_the_step_gets_its_outputs(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call()
    poller = run.run()
    outputs = assert_deployed(run, waiting)
    assert outputs["endpoint_name"] == ENDPOINT
    assert run.inventory() == [[outputs["model"]], [outputs["endpoint_config"]], [ENDPOINT]]
    # One step begins it, and one at least sees it end.
    assert len(poller.deliveries) >= 2
    assert run.queues.length(run.dead_letter_url) == 0


def test_a_canary_of_forty_minutes_is_followed_to_its_end(pipeline: Start):
    run = pipeline(EXISTING)
    before = run.serve()
    waiting = run.call(canary=True)
    poller = run.run()
    outputs = assert_deployed(run, waiting)
    assert outputs["previous_endpoint_config"] == before
    elapsed = float(outputs["elapsed_seconds"])
    assert elapsed > 2400
    assert run.begun() == 1
    print(f"{elapsed:.0f} s of waiting: {poller.billed_seconds:.2f} s in {len(poller.deliveries)} invocations")


def test_a_message_comes_back_after_a_time_that_grows_with_its_age(pipeline: Start):
    run = pipeline(EXISTING)
    run.serve()
    run.call(canary=True)
    poller = run.run()
    asked = [call["request"]["VisibilityTimeout"] for call in run.queues.calls("ChangeMessageVisibility")]

    def pause(age: float) -> float:
        return min(max(age / 10, 15), 60)

    for seconds, delivery in zip(asked, poller.deliveries, strict=True):
        [message] = delivery.messages
        # It looks at the clock somewhere between the beginning and the end of its step.
        age = delivery.started - int(message["attributes"]["SentTimestamp"]) / 1000
        assert int(pause(age)) <= seconds <= pause(age + delivery.seconds)
    assert all(earlier <= later for earlier, later in pairwise(asked))
    assert asked[-1] == 60
    # Whatever there is to know of the queue is asked once.
    [call] = run.queues.calls("GetQueueUrl")
    assert call["request"] == {
        "QueueName": run.step["SqsQueueUrl"].split("/")[-1],
        "QueueOwnerAWSAccountId": aws.ACCOUNT,
    }


def test_a_canary_that_an_alarm_takes_back_fails_the_step(pipeline: Start):
    run = pipeline(EXISTING)
    before = run.serve()
    inventory = run.inventory()
    waiting = run.call(canary=True)
    with run.poller() as poller:
        for _ in poller.stages():
            if run.live()["EndpointStatus"] == "Updating" and run.sagemaker.traffic(ENDPOINT) == 10:
                run.sagemaker.trip_alarm(ALARM)
    assert_rolled_back(run, waiting, ALARM)
    assert run.live()["EndpointConfigName"] == before
    assert run.inventory() == inventory
    assert run.begun() == 1


@pytest.mark.parametrize("name", [NEW, EXISTING])
def test_the_poller_may_be_killed_between_any_two_stages(name: str, pipeline: Start):
    """A fresh poller with a fresh process takes the message up, whichever stage was the last one's last."""
    for stages in range(1, MOST_STAGES):
        run = pipeline(name)
        if name == EXISTING:
            run.serve()
            run.sagemaker.outcome(ENDPOINT, "update-rolls-back", "The container did not answer its ping.")
        inventory = run.inventory()
        waiting = run.call()
        with run.poller() as poller:
            done = list(islice(poller.stages(), stages))
        if len(done) < stages:
            # The deployment was over before: each of its stages has been the last one.
            assert set(done) == {RECEIVED, INVOKED, DELETED}
            assert stages > 6
            return
        rest = run.run()
        assert run.begun() == 1, f"killed after stage {stages}"
        if name == EXISTING:
            assert_rolled_back(run, waiting, "did not answer its ping")
            assert run.inventory() == inventory
        else:
            assert_deployed(run, waiting)
            assert [len(names) for names in run.inventory()] == [1, 1, 1]
        # What was received and not taken to the function comes back after the queue's own timeout.
        assert done[-1] != RECEIVED or rest.deliveries != []
    pytest.fail("the deployment does not end")


def test_a_process_that_dies_in_a_step_has_all_of_its_messages_come_back(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call()
    variables = {**aws.endpoint_urls(run.sagemaker.url), "AWS_ENDPOINT_URL_SQS": run.queues.url}
    # It has created the endpoint and does not hear of that.
    run.sagemaker.inject("CreateEndpoint", "late", milliseconds=3_600_000)
    with Emulator(binary(NEW), variables) as function:
        poller = Poller(run.queues, run.queue_url, function.invoke)
        stages = poller.stages()
        assert next(stages) == RECEIVED
        invocation = threading.Thread(target=next, args=(stages,))
        invocation.start()
        until(lambda: run.begun() == 1, 30, lambda: f"{run.begun()} endpoints")
        function.kill()
        invocation.join()
    [delivery] = poller.deliveries
    assert delivery.failed == {message["messageId"] for message in delivery.messages}
    run.run()
    assert_deployed(run, waiting)
    assert run.begun() == 1


def test_nothing_begins_that_nobody_waits_for(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call()
    run.sagemaker.expire_callback_step(waiting.token)
    poller = run.run()
    assert len(poller.deliveries) == 1
    assert run.inventory() == [[], [], []]
    step = run.sagemaker.callback_step(waiting.token)
    assert (step["status"], step["answers"]) == ("Stopped", [])
    assert run.queues.length(run.dead_letter_url) == 0


def test_a_step_that_stops_waiting_midway_has_its_deployment_followed_to_the_end(pipeline: Start):
    run = pipeline(EXISTING)
    before = run.serve()
    run.sagemaker.outcome(ENDPOINT, "update-rolls-back", "The container did not answer its ping.")
    inventory = run.inventory()
    waiting = run.call()
    with run.poller() as poller:
        for _ in poller.stages():
            if run.live()["EndpointStatus"] == "Updating":
                run.sagemaker.expire_callback_step(waiting.token)
    step = run.sagemaker.callback_step(waiting.token)
    assert step["status"] == "Stopped"
    assert run.live()["EndpointConfigName"] == before
    assert run.inventory() == inventory


def test_a_message_without_a_token_ends_in_the_dead_letter_queue(pipeline: Start):
    run = pipeline(NEW, max_receives=5)
    poison = '{"arguments": {"endpoint_name": "churn"}}'
    run.send(poison)
    poller = run.run()
    assert len(poller.deliveries) == 5
    # Once a second: a thousand receives, as in the stack, are a quarter of an hour.
    asked = [call["request"]["VisibilityTimeout"] for call in run.queues.calls("ChangeMessageVisibility")]
    assert asked == [1] * 5
    [dead] = run.queues.client.receive_message(QueueUrl=run.dead_letter_url)["Messages"]
    assert dead["Body"] == poison
    assert run.sagemaker.calls("CreateModel") == []


def test_a_batch_mixes_messages_and_a_bad_one_holds_up_no_other(pipeline: Start):
    run = pipeline(NEW, max_receives=20)
    good, bad = run.waiting(), run.waiting(endpoint_name="no_name")
    for body in ("no JSON", bad.body, good.body):
        run.send(body)
    poller = run.run()
    assert [len(delivery.messages) for delivery in islice(poller.deliveries, 1)] == [3]
    assert_deployed(run, good)
    step = run.told(bad)
    assert step["status"] == "Failed"
    assert step["failure_reason"].startswith("InvalidRequest: ")
    assert "endpoint_name" in step["failure_reason"]
    assert run.queues.length(run.dead_letter_url) == 1


def test_a_second_message_for_the_same_step_begins_nothing(pipeline: Start):
    """SQS may deliver twice, and a pipeline that is being stopped sends one more message with the same token."""
    run = pipeline(EXISTING)
    run.serve()
    waiting = run.call()
    with run.poller() as poller:
        stages = poller.stages()
        until(lambda: next(stages) == DELETED, 30, lambda: "the first step")
        run.send(waiting.body.replace("Executing", "Stopping"))
        for _ in stages:
            pass
    step = run.sagemaker.callback_step(waiting.token)
    assert step["status"] == "Succeeded"
    accepted = [answer["request"] for answer in step["answers"] if answer["accepted"]]
    # The same answer may have gone out twice, which the service takes for one.
    assert all(answer == accepted[0] for answer in accepted)
    assert run.begun() == 1
