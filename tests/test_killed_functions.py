"""The function's process is killed after each of its calls in turn, and the next invocation takes up what it left."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from harness import scene
from harness.emulator import Emulator, FunctionDiedError
from harness.local import LocalSageMaker
from harness.processes import until

ENDPOINT = "churn"
GROUP = "churn-model"
_AN_HOUR = 3_600_000

# More calls than a deployment makes before the local SageMaker's is over.
_MOST_CALLS = 20


def _killed_after(function: Emulator, sagemaker: LocalSageMaker, event: dict[str, Any], calls: int) -> bool:
    """Invoke, and kill the process when call number ``calls`` has acted and waits for its reply.

    Say whether the deployment made that many calls.
    """
    sagemaker.clear_calls()
    sagemaker.inject("*", "late", skip=calls - 1, milliseconds=_AN_HOUR)
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
    until(lambda: ended.is_set() or len(sagemaker.calls()) >= calls, 30, lambda: f"waiting for call {calls}")
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
        event = {"role": scene.ROLE, "endpoint_name": ENDPOINT, "package_arn": package, "deployment_id": "killed"}

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
    pytest.fail("the deployment does not end")
