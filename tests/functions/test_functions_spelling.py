"""The built functions on an endpoint whose name has capitals, with ARNs that keep them and ARNs that do not."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ARN

GROUP = "Churn-Model"
OWN, OTHER = "Churn-EU", "churn-eu"


@pytest.fixture(params=["kept", "lower"])
def spelling(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sagemaker(running: ExitStack, spelling: str) -> LocalSageMaker:
    """An empty local SageMaker that spells names in ARNs so, with the model package group in it."""
    service = running.enter_context(LocalSageMaker(0.3, 0.3, 0.2, 0.2, arn_case=spelling))
    scene.register_group(service.client, GROUP)
    return service


def test_an_endpoint_keeps_its_own_spelling_and_its_one_scalable_target(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, spelling: str
):
    package = scene.register_version(sagemaker.client, GROUP)
    assert package == f"{ARN}:model-package/{GROUP if spelling == 'kept' else GROUP.lower()}/1"
    scaled = {"autoscaling_max_capacity": 6, "autoscaling_target_invocations_per_instance": 70}
    made = function("deploy-new-endpoint", sagemaker.url).invoke(scene.event(package, endpoint_name=OWN, **scaled))
    assert made.get("deployment_status") == "Deployed", made
    assert made["endpoint_arn"] == f"{ARN}:endpoint/{OWN if spelling == 'kept' else OTHER}"

    following = scene.register_version(sagemaker.client, GROUP)
    resized = scene.event(following, endpoint_name=OTHER, instance_type="ml.c5.xlarge")
    updated = function("deploy-existing-endpoint", sagemaker.url).invoke(resized)
    assert updated.get("deployment_status") == "Deployed", updated
    assert (updated["endpoint_name"], updated["endpoint_arn"]) == (OWN, made["endpoint_arn"])
    [target] = sagemaker.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MaxCapacity"]) == (f"endpoint/{OWN}/variant/AllTraffic", 6)
