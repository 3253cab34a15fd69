"""How deploy-existing-endpoint updates and fails, against the local SageMaker."""

import json
import re
from collections.abc import Callable

import pytest
from seen import CHANGES, UUID, configs, error_type, live, models, operations, writes

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ARN, ENDPOINT, event


def test_an_endpoint_is_updated_and_keeps_its_settings(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, live_config: str, next_package: str
):
    sent = event(next_package)
    answer = deploy_existing.invoke(sent)

    assert set(answer) == {
        "statusCode",
        "body",
        "model",
        "endpoint_name",
        "endpoint_arn",
        "endpoint_config",
        "endpoint_status",
        "previous_endpoint_config",
        "deployment_status",
        "elapsed_seconds",
    }
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == sent
    assert re.fullmatch(f"model-{UUID}", answer["model"])
    assert re.fullmatch(f"endpoint-config-{UUID}", answer["endpoint_config"])
    assert answer["endpoint_arn"] == f"{ARN}:endpoint/{ENDPOINT}"
    assert answer["endpoint_status"] == "InService"
    assert answer["previous_endpoint_config"] == live_config
    assert answer["deployment_status"] == "Deployed"
    assert live(sagemaker) == ("InService", answer["endpoint_config"])
    assert operations(sagemaker, *CHANGES) == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]
    assert_anchor_is_first_and_last(sagemaker)
    [update] = sagemaker.calls("UpdateEndpoint")
    assert update["request"]["RetainAllVariantProperties"] is True

    client = sagemaker.client
    old = client.describe_endpoint_config(EndpointConfigName=live_config)
    new = client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])
    for key in ("DataCaptureConfig", "KmsKeyId"):
        assert new[key] == old[key]
    [variant] = new["ProductionVariants"]
    assert variant == {**old["ProductionVariants"][0], "ModelName": answer["model"]}


def assert_anchor_is_first_and_last(sagemaker: LocalSageMaker):
    """The anchor with the checkpoint is made before everything else, and deleted after everything else."""
    first, *between, last = writes(sagemaker)
    assert (first, last) == ("CreateEndpointConfig of the anchor", "DeleteEndpointConfig of the anchor")
    assert not any("anchor" in write for write in between), between


def test_an_event_changes_what_it_names_and_the_environment_does_not(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, live_config: str, next_package: str
):
    stack = function("deploy-existing-endpoint", sagemaker.url, INSTANCE_TYPE="ml.m5.xlarge", VARIANT_NAME="Main")
    answer = stack.invoke(event(next_package, initial_instance_count=2))
    assert error_type(answer) is None, answer
    new = sagemaker.client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])
    [variant] = new["ProductionVariants"]
    assert variant == scene.variant(answer["model"], InitialInstanceCount=2)


def test_the_same_update_again_finds_it_unchanged(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, next_package: str
):
    first = deploy_existing.invoke(event(next_package))
    sagemaker.clear_calls()
    again = deploy_existing.invoke(event(next_package))
    assert again["deployment_status"] == "Unchanged"
    assert again["previous_endpoint_config"] == ""
    for key in ("model", "endpoint_config"):
        assert again[key] == first[key]
    assert operations(sagemaker, *CHANGES) == []


def test_an_endpoint_must_be_there_to_be_updated(deploy_existing: Emulator, sagemaker: LocalSageMaker, package: str):
    answer = deploy_existing.invoke(event(package))
    assert error_type(answer) == "EndpointNotFound"
    assert ENDPOINT in answer["errorMessage"]
    assert operations(sagemaker, *CHANGES) == []


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"])
def test_an_endpoint_that_cannot_be_updated_is_left_alone(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, next_package: str, status: str
):
    sagemaker.force_status(ENDPOINT, status)
    answer = deploy_existing.invoke(event(next_package))
    assert error_type(answer) == "EndpointNotUpdatable"
    assert status in answer["errorMessage"]
    assert operations(sagemaker, *CHANGES) == []


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating"])
def test_a_change_of_someone_else_is_waited_for(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, live_config: str, next_package: str, status: str
):
    sagemaker.force_status(ENDPOINT, status, 1.5)
    answer = deploy_existing.invoke(event(next_package))
    assert answer.get("deployment_status") == "Deployed", answer
    assert answer["previous_endpoint_config"] == live_config


@pytest.mark.parametrize("reason", ["The primary container did not pass the ping health check.", None])
def test_a_rolled_back_update_is_an_error_and_leaves_nothing(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, live_config: str, next_package: str, reason: str | None
):
    sagemaker.outcome(ENDPOINT, "update-rolls-back", reason)
    answer = deploy_existing.invoke(event(next_package))
    assert error_type(answer) == "UpdateRolledBack"
    assert ENDPOINT in answer["errorMessage"]
    assert (reason or "").rstrip(".") in answer["errorMessage"]
    assert live(sagemaker) == ("InService", live_config)
    assert models(sagemaker) == {f"{ENDPOINT}-by-hand"}
    assert configs(sagemaker) == {live_config}
    assert_anchor_is_first_and_last(sagemaker)
    # The same deployment may be tried again.
    assert deploy_existing.invoke(event(next_package))["deployment_status"] == "Deployed"


def test_a_stale_read_is_not_a_rollback(deploy_existing: Emulator, sagemaker: LocalSageMaker, next_package: str):
    # The first look and the one right before the update see the endpoint as it is; the two after do not see the update.
    sagemaker.inject("DescribeEndpoint", "stale", calls=2, skip=2)
    answer = deploy_existing.invoke(event(next_package))
    assert answer.get("deployment_status") == "Deployed", answer
    assert operations(sagemaker, *CHANGES) == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]


def test_a_denied_update_leaves_nothing(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, live_config: str, next_package: str
):
    sagemaker.inject("UpdateEndpoint", "deny", calls=1000)
    answer = deploy_existing.invoke(event(next_package))
    assert error_type(answer) == "AccessDenied"
    assert f"sagemaker:UpdateEndpoint on resource: {ARN}:endpoint/{ENDPOINT}" in answer["errorMessage"]
    assert_anchor_is_first_and_last(sagemaker)
    assert models(sagemaker) == {f"{ENDPOINT}-by-hand"}
    assert configs(sagemaker) == {live_config}
    assert live(sagemaker) == ("InService", live_config)
