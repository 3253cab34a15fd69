"""Queues on whose clock ten minutes pass in 0.6 s, and the pipeline that calls the functions through them."""

from collections.abc import Callable, Iterator

import pytest
from calling import CANARY, SPEED, STEPS, Pipeline

from harness import aws, scene
from harness.local import LocalSageMaker
from harness.pipeline import Compiling
from harness.pipeline_values import Definition, Step, Values, every_step, parameters
from harness.queues import MAX_RECEIVES, Queues
from harness.scene import GROUP


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
    """An SQS at that pace."""
    with Queues(SPEED) as running:
        yield running


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
