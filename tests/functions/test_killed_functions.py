"""The function's process is killed after each of its calls in turn, and the next invocation takes up what it left."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from seen import checkpoints

from harness import scene
from harness.emulator import Emulator, FunctionDiedError
from harness.local import LocalSageMaker
from harness.processes import until
from harness.scene import ENDPOINT, GROUP, TARGET, next_event

_AN_HOUR = 3_600_000

# More calls than a deployment makes before the local SageMaker's is over. An update makes 18 at least, and one more for
# each poll on the way: twice that many leave room for the polls of a slow machine.
_MOST_CALLS = 40


def _killed_after(
    function: Emulator, sagemaker: LocalSageMaker, event: dict[str, Any], calls: int = 1, operation: str = "*"
) -> bool:
    """Invoke, and kill the process when call number ``calls`` has acted and waits for its reply.

    Say whether the deployment made that many calls, of one operation or of all.
    """
    sagemaker.clear_calls()
    sagemaker.inject(operation, "late", skip=calls - 1, milliseconds=_AN_HOUR)
    counted = () if operation == "*" else (operation,)
    ended = threading.Event()
    answers: list[Any] = []

    def invoke() -> None:
        try:
            answers.append(function.invoke(event))
        except FunctionDiedError:
            pass
        finally:
            ended.set()

    invocation = threading.Thread(target=invoke)
    invocation.start()
    until(lambda: ended.is_set() or len(sagemaker.calls(*counted)) >= calls, 30, lambda: f"waiting for call {calls}")
    if not answers:
        function.kill()
    invocation.join()
    sagemaker.clear_faults()
    return not answers


@pytest.mark.parametrize("name", ["deploy-new-endpoint", "deploy-existing-endpoint"])
def test_each_call_may_be_the_last(name: str, function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    """No second model, config or fleet, whichever call the process was killed after."""
    deploy = function(name, sagemaker.url)
    for calls in range(1, _MOST_CALLS):
        sagemaker.reset()
        scene.register_group(sagemaker.client, GROUP)
        package = scene.register_version(sagemaker.client, GROUP)
        if name == "deploy-existing-endpoint":
            scene.serve(sagemaker.client, ENDPOINT, package)
        event = scene.event(package, deployment_id="killed")

        if not _killed_after(deploy, sagemaker, event, calls):
            assert calls > 6, "every call up to the first look at the running deployment is to be the last once"
            return
        answer = deploy.invoke(event)

        assert answer.get("deployment_status") in ("Deployed", "Unchanged"), answer
        live = sagemaker.client.describe_endpoint(EndpointName=ENDPOINT)
        assert (live["EndpointStatus"], live["EndpointConfigName"]) == ("InService", answer["endpoint_config"])
        mine = [each["ModelName"] for each in sagemaker.client.list_models(NameContains="model-")["Models"]]
        assert mine == [answer["model"]]
        configs = sagemaker.client.list_endpoint_configs(NameContains="endpoint-config-")["EndpointConfigs"]
        assert [each["EndpointConfigName"] for each in configs] == [answer["endpoint_config"]]
        begun = [call for call in sagemaker.calls("CreateEndpoint", "UpdateEndpoint") if call["acted"]]
        assert len(begun) == 1, f"killed after call {calls}"
        assert checkpoints(sagemaker) == [], f"killed after call {calls}"
    pytest.fail("the deployment does not end")


def test_what_was_taken_off_is_put_back_by_the_next_process(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker
):
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    sagemaker.scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=7)
    event = next_event(sagemaker.client, instance_type="ml.c5.xlarge")
    deploy = function("deploy-existing-endpoint", sagemaker.url)
    assert _killed_after(deploy, sagemaker, event, operation="DeregisterScalableTarget")
    assert _capacities(sagemaker) == []
    answer = deploy.invoke(event)
    assert answer.get("deployment_status") == "Deployed", answer
    assert _capacities(sagemaker) == [(2, 7)]


def test_a_rollback_of_an_accepted_update_is_reported_by_the_next_process(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker
):
    live = scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    reason = "The container did not answer its ping."
    sagemaker.outcome(ENDPOINT, "update-rolls-back", reason)
    event = next_event(sagemaker.client)
    deploy = function("deploy-existing-endpoint", sagemaker.url)
    assert _killed_after(deploy, sagemaker, event, operation="AddTags")
    # The last thing that the process did was to write down that the service had accepted the update.
    [accepted] = sagemaker.calls("AddTags")
    assert accepted["acted"]
    assert [tag["Key"].rpartition(":")[2].partition("-")[0] for tag in accepted["request"]["Tags"]] == ["accepted"]
    scene.wait_for_status(sagemaker.client, ENDPOINT, "InService")
    sagemaker.clear_calls()
    answer = deploy.invoke(event)
    assert answer.get("errorType") == "UpdateRolledBack", answer
    assert reason.rstrip(".") in answer["errorMessage"]
    assert sagemaker.calls("UpdateEndpoint") == []
    configs = sagemaker.client.list_endpoint_configs()["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in configs] == [live]


def test_an_update_whose_acceptance_nobody_knows_of_starts_again(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker
):
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    sagemaker.outcome(ENDPOINT, "update-rolls-back", "The container did not answer its ping.")
    event = next_event(sagemaker.client)
    deploy = function("deploy-existing-endpoint", sagemaker.url)
    assert _killed_after(deploy, sagemaker, event, operation="UpdateEndpoint")
    scene.wait_for_status(sagemaker.client, ENDPOINT, "InService")
    sagemaker.clear_calls()
    # The process was killed before it could write down that the service had accepted the update. So nobody can know
    # whether what went wrong meanwhile was this update: no rollback is claimed.
    answer = deploy.invoke(event)
    assert answer.get("deployment_status") == "Deployed", answer
    assert len(sagemaker.calls("UpdateEndpoint")) == 1


def _capacities(sagemaker: LocalSageMaker) -> list[tuple[int, int]]:
    targets = sagemaker.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return [(target["MinCapacity"], target["MaxCapacity"]) for target in targets]
