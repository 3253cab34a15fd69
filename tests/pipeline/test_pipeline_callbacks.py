"""The compiled deploy pipeline in its callback way: through queues, to the built functions, and back by SageMaker."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from compiled import PRODUCTION, STACK, STAGING, Compile, given

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.pipeline import Runner, by_binary
from harness.pipeline_callbacks import Callbacks, UnansweredError
from harness.queues import Queues
from harness.scene import GROUP


@pytest.fixture(scope="module")
def queues() -> Iterator[Queues]:
    """An SQS on whose clock a quarter of a minute passes in a fraction of a second."""
    with Queues(speed=50) as running:
        yield running


@pytest.fixture
def urls(queues: Queues) -> dict[str, str]:
    """The URLs of the two queues, by the functions that they are for."""
    queues.reset()
    return {name: queues.create(name)[0] for name in ("deploy-new-endpoint", "deploy-existing-endpoint")}


@pytest.fixture
def definition(compile_promotion: Compile, urls: dict[str, str]) -> dict[str, Any]:
    stack = replace(
        STACK,
        deploy_new_queue=urls["deploy-new-endpoint"],
        deploy_existing_queue=urls["deploy-existing-endpoint"],
    )
    return compile_promotion(stack=stack, way="callback")


@pytest.fixture
def runner(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, queues: Queues, urls: dict[str, str]
) -> Runner:
    def invoke(name: str) -> Callable[[Any], Any]:
        return function(name, sagemaker.url, AWS_ENDPOINT_URL_SQS=queues.url).invoke

    callbacks = Callbacks(sagemaker, queues, {url: invoke(name) for name, url in urls.items()})
    checks = by_binary({"check-endpoint-exists": invoke("check-endpoint-exists")})
    return Runner(checks, callbacks=callbacks)


def in_service(sagemaker: LocalSageMaker, endpoint_name: str) -> str:
    endpoint = sagemaker.client.describe_endpoint(EndpointName=endpoint_name)
    assert endpoint["EndpointStatus"] == "InService"
    return endpoint["EndpointConfigName"]


def test_both_endpoints_are_made_and_then_updated(
    runner: Runner, definition: dict[str, Any], sagemaker: LocalSageMaker, queues: Queues, urls: dict[str, str]
):
    first = runner.run(definition, given(scene.register_version(sagemaker.client, GROUP)))
    assert first.status == "Succeeded", first.steps[-1].failure_reason
    made = first.step("DeployToNewEndpointProductionAfterCreation").outputs
    assert made["deployment_status"] == "Deployed"
    # Callbacks answer text; the pipeline reads it as it is declared.
    assert made["statusCode"] == 200
    assert made["elapsed_seconds"] > 0
    assert in_service(sagemaker, PRODUCTION) == made["endpoint_config"]

    second = runner.run(definition, given(scene.register_version(sagemaker.client, GROUP)))
    assert second.status == "Succeeded", second.steps[-1].failure_reason
    updated = second.step("DeployToExistingEndpointProductionAfterUpdate").outputs
    assert updated["previous_endpoint_config"] == made["endpoint_config"]
    assert in_service(sagemaker, PRODUCTION) == updated["endpoint_config"]
    assert [queues.length(url) for url in urls.values()] == [0, 0]


def test_a_rolled_back_update_fails_its_step_with_the_reason(
    runner: Runner, definition: dict[str, Any], sagemaker: LocalSageMaker
):
    config = scene.serve(sagemaker.client, STAGING, scene.register_version(sagemaker.client, GROUP))
    sagemaker.outcome(STAGING, "update-rolls-back", "The container did not pass the ping health check.")
    execution = runner.run(definition, given(scene.register_version(sagemaker.client, GROUP)))
    assert execution.status == "Failed"
    failed = execution.steps[-1]
    assert failed.name == "DeployToExistingEndpointStaging"
    assert "UpdateRolledBack" in failed.failure_reason
    assert len(failed.failure_reason) <= 256
    assert in_service(sagemaker, STAGING) == config
    assert not [each for each in sagemaker.client.list_endpoints()["Endpoints"] if each["EndpointName"] == PRODUCTION]


def test_a_step_that_nobody_answers_is_no_success(
    definition: dict[str, Any], sagemaker: LocalSageMaker, queues: Queues, urls: dict[str, str]
):
    # Every message is done with, and none is answered.
    callbacks = Callbacks(sagemaker, queues, dict.fromkeys(urls.values(), lambda batch: {}))
    absent = {"endpoint_exists": False, "endpoint_status": "NotFound"}
    with pytest.raises(UnansweredError, match="DeployToNewEndpointStaging has no answer"):
        Runner(lambda *_: absent, callbacks=callbacks).run(definition, given("arn"))
