"""The built functions against moto, which other people made: they do not depend on how sagemaker-local sees things.

Moto has no UpdateEndpoint, so deploy-existing-endpoint is not here.
"""

import pytest

from harness import aws, scene
from harness.emulator import Emulator
from harness.moto import Moto
from harness.scene import ARN, ENDPOINT, GROUP, event


@pytest.fixture
def sagemaker(moto: Moto) -> Moto:
    """The service that the functions are started on."""
    return moto


def test_check_tells_absent_from_present(check: Emulator, moto: Moto):
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}
    package = scene.register_version(moto.client, GROUP)
    scene.serve(moto.client, f"{ENDPOINT}-2", package)
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}
    scene.serve(moto.client, ENDPOINT, package)
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": True, "endpoint_status": "InService"}


def test_check_reads_every_page(check: Emulator, moto: Moto):
    config = scene.serve(moto.client, "other-0", scene.register_version(moto.client, GROUP))
    for number in range(1, 120):
        moto.client.create_endpoint(EndpointName=f"other-{number}", EndpointConfigName=config)
    # Moto lists the oldest first, so that this one is on the last page.
    moto.client.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)
    assert check.invoke({"endpoint_name": ENDPOINT})["endpoint_exists"] is True


def test_a_new_endpoint_is_deployed_and_then_unchanged(deploy_new: Emulator, moto: Moto):
    package = scene.register_version(moto.client, GROUP)
    answer = deploy_new.invoke(event(package))
    assert answer.get("deployment_status") == "Deployed", answer
    assert answer["endpoint_arn"] == f"{ARN}:endpoint/{ENDPOINT}"

    endpoint = moto.client.describe_endpoint(EndpointName=ENDPOINT)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", answer["endpoint_config"])
    config = moto.client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])
    assert [variant["ModelName"] for variant in config["ProductionVariants"]] == [answer["model"]]
    model = moto.client.describe_model(ModelName=answer["model"])
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    assert [container["ModelPackageName"] for container in containers] == [package]
    assert model["ExecutionRoleArn"] == scene.ROLE

    assert deploy_new.invoke(event(package))["deployment_status"] == "Unchanged"


def test_a_new_endpoint_is_scaled(deploy_new: Emulator, moto: Moto):
    scaled = {"autoscaling_max_capacity": 6, "autoscaling_target_invocations_per_instance": 70}
    package = scene.register_version(moto.client, GROUP)
    answer = deploy_new.invoke(event(package, **scaled))
    assert answer.get("deployment_status") == "Deployed", answer
    scaling = aws.client("application-autoscaling", moto.url)
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{ENDPOINT}/variant/AllTraffic"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    [policy] = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70

    assert deploy_new.invoke(event(package, **scaled))["deployment_status"] == "Unchanged"


def test_an_endpoint_of_someone_else_is_left_alone(deploy_new: Emulator, moto: Moto):
    package = scene.register_version(moto.client, GROUP)
    config = scene.serve(moto.client, ENDPOINT, package)
    assert deploy_new.invoke(event(package)).get("errorType") == "EndpointAlreadyExists"
    assert moto.client.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"] == config
    assert len(moto.client.list_models()["Models"]) == 1


def test_a_package_must_be_approved(deploy_new: Emulator, moto: Moto):
    package = scene.register_version(moto.client, GROUP, "PendingManualApproval")
    assert deploy_new.invoke(event(package)).get("errorType") == "ModelPackageNotApproved"
    assert moto.client.list_models()["Models"] == []


def test_a_missing_package_is_told(deploy_new: Emulator, moto: Moto):
    missing = f"{ARN}:model-package/{GROUP}/9"
    # Moto has words of its own for it ("not found"), so what matters is that nothing is made and the ARN is named.
    answer = deploy_new.invoke(event(missing))
    assert answer.get("errorType") in ("ModelPackageNotFound", "SageMakerError")
    assert missing in answer["errorMessage"]
    assert moto.client.list_models()["Models"] == []
