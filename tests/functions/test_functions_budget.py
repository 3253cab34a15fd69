"""What a deployment does when its waiting budget, or the invocation's time, is spent."""

from collections.abc import Callable
from typing import Any

import pytest
from seen import CHANGES, CREATES, error_type, operations

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT, GROUP, event


@pytest.fixture
def slow(slow_sagemaker: LocalSageMaker, function: Callable[..., Emulator]) -> Callable[[str, dict[str, Any]], Any]:
    """Invoke a function on the slow service, after which the budgets here are spent before its changes are done."""

    def invoke(name: str, sent: dict[str, Any]) -> Any:
        return function(name, slow_sagemaker.url).invoke(sent)

    return invoke


def test_a_spent_budget_may_answer_in_progress_and_the_same_call_resumes(
    slow: Callable[[str, dict[str, Any]], Any], slow_sagemaker: LocalSageMaker
):
    package = scene.register_version(slow_sagemaker.client, GROUP)
    sent = event(package, max_wait_seconds=1, on_timeout="return")
    cut_off = slow("deploy-new-endpoint", sent)
    assert (cut_off["deployment_status"], cut_off["endpoint_status"]) == ("InProgress", "Creating")
    assert 1 <= cut_off["elapsed_seconds"] < 2.5

    resumed = slow("deploy-new-endpoint", event(package))
    assert resumed["deployment_status"] == "Deployed"
    assert [resumed[key] for key in ("model", "endpoint_config")] == [
        cut_off[key] for key in ("model", "endpoint_config")
    ]
    assert [operations(slow_sagemaker, create) for create in CREATES] == [
        ["CreateModel"],
        ["CreateEndpointConfig"],
        ["CreateEndpoint"],
        [],
    ]
    assert slow("deploy-new-endpoint", event(package))["deployment_status"] == "Unchanged"


def test_a_spent_budget_is_an_error_by_default_and_nothing_is_undone(
    slow: Callable[[str, dict[str, Any]], Any], slow_sagemaker: LocalSageMaker
):
    first = scene.register_version(slow_sagemaker.client, GROUP)
    answer = slow("deploy-new-endpoint", event(first, max_wait_seconds="1"))
    assert error_type(answer) == "DeploymentTimedOut"
    assert ENDPOINT in answer["errorMessage"]
    assert operations(slow_sagemaker, "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel") == []
    assert slow("deploy-new-endpoint", event(first))["deployment_status"] == "Deployed"

    second = scene.register_version(slow_sagemaker.client, GROUP)
    slow_sagemaker.clear_calls()
    answer = slow("deploy-existing-endpoint", event(second, max_wait_seconds=1))
    assert error_type(answer) == "DeploymentTimedOut"
    resumed = slow("deploy-existing-endpoint", event(second))
    assert resumed["deployment_status"] == "Deployed"
    assert operations(slow_sagemaker, *CHANGES) == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]


@pytest.mark.unfinished
def test_a_budget_never_outlasts_the_invocation(function: Callable[..., Emulator], slow_sagemaker: LocalSageMaker):
    package = scene.register_version(slow_sagemaker.client, GROUP)
    short = function("deploy-new-endpoint", slow_sagemaker.url, timeout_seconds=3)
    slow_sagemaker.inject("DescribeEndpoint", "throttle", calls=1000, skip=2)
    # Lambda would end the invocation after 3 s with an error of its own; the function's comes first.
    assert error_type(short.invoke(event(package))) == "DeploymentTimedOut"


def test_a_lost_reply_to_the_update_updates_once(
    slow: Callable[[str, dict[str, Any]], Any], slow_sagemaker: LocalSageMaker
):
    assert slow("deploy-new-endpoint", event(scene.register_version(slow_sagemaker.client, GROUP)))["statusCode"] == 200
    package = scene.register_version(slow_sagemaker.client, GROUP)
    slow_sagemaker.inject("UpdateEndpoint", "drop-after")
    answer = slow("deploy-existing-endpoint", event(package))
    assert answer.get("deployment_status") == "Deployed", answer
    updates = slow_sagemaker.calls("UpdateEndpoint")
    # Whatever follows the lost one is refused, because the endpoint is in progress.
    assert [call["acted"] and call["error_code"] is None for call in updates] == [True, *[False] * (len(updates) - 1)]
