"""How deploy-new-endpoint deploys and fails, against the local SageMaker."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from seen import CHANGES, CHECKPOINT, CREATES, UUID, configs, endpoints, error_type, live, models, operations, writes

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.processes import until
from harness.scene import ARN, ENDPOINT, GROUP, event


def test_a_new_endpoint_is_deployed(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    sent = event(package, instance_type="ml.c5.xlarge", initial_instance_count="2", note="unknown keys are kept")
    answer = deploy_new.invoke(sent)

    assert set(answer) == {
        "statusCode",
        "body",
        "model",
        "endpoint_name",
        "endpoint_arn",
        "endpoint_config",
        "endpoint_status",
        "deployment_status",
        "elapsed_seconds",
    }
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == sent
    assert re.fullmatch(f"model-{UUID}", answer["model"])
    assert re.fullmatch(f"endpoint-config-{UUID}", answer["endpoint_config"])
    assert answer["endpoint_name"] == ENDPOINT
    assert answer["endpoint_arn"] == f"{ARN}:endpoint/{ENDPOINT}"
    assert answer["endpoint_status"] == "InService"
    assert answer["deployment_status"] == "Deployed"
    # The change takes 0.3 s, and its end is noticed within 2 s.
    assert 0.3 <= answer["elapsed_seconds"] <= 3
    assert live(sagemaker) == ("InService", answer["endpoint_config"])

    [model, config, endpoint] = [call["request"] for call in sagemaker.calls(*CREATES)]
    assert operations(sagemaker, *CHANGES) == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    # The model is the anchor: it is made first with the checkpoint, which is removed last.
    [checkpoint] = [tag["Key"] for tag in model["Tags"] if tag["Key"].startswith(CHECKPOINT)]
    assert (writes(sagemaker)[0], writes(sagemaker)[-1]) == ("CreateModel", "DeleteTags")
    last = sagemaker.calls("DeleteTags")[-1]["request"]
    assert last["ResourceArn"] == f"{ARN}:model/{answer['model']}"
    assert checkpoint in last["TagKeys"]
    assert model["ModelName"] == answer["model"]
    assert model["ExecutionRoleArn"] == scene.ROLE
    [container] = model.get("Containers") or [model["PrimaryContainer"]]
    assert container == {"ModelPackageName": package}
    assert config["EndpointConfigName"] == answer["endpoint_config"]
    [variant] = config["ProductionVariants"]
    assert variant["VariantName"] == "AllTraffic"
    assert variant["ModelName"] == answer["model"]
    assert variant["InstanceType"] == "ml.c5.xlarge"
    assert variant["InitialInstanceCount"] == 2
    [made_by] = endpoint.pop("Tags")
    assert made_by["Key"] == "sagemaker-deployments:made-by"
    assert endpoint == {"EndpointName": ENDPOINT, "EndpointConfigName": answer["endpoint_config"]}
    # Once it serves, it is nobody's undo's any more.
    assert sagemaker.client.list_tags(ResourceArn=answer["endpoint_arn"])["Tags"] == []


def test_defaults_come_from_the_contract_then_the_environment_then_the_event(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, package: str
):
    def planned(called: Emulator, **more: Any) -> dict[str, Any]:
        sagemaker.clear_calls()
        answer = called.invoke(event(package, **more))
        assert error_type(answer) is None
        [variant] = sagemaker.calls("CreateEndpointConfig")[0]["request"]["ProductionVariants"]
        sagemaker.client.delete_endpoint(EndpointName=ENDPOINT)
        until(lambda: endpoints(sagemaker) == set(), 10, lambda: "the endpoint is not gone")
        return {key: variant[key] for key in ("VariantName", "InstanceType", "InitialInstanceCount")}

    plain = function("deploy-new-endpoint", sagemaker.url)
    stack = function(
        "deploy-new-endpoint",
        sagemaker.url,
        VARIANT_NAME="Main",
        INSTANCE_TYPE="ml.m5.large",
        INITIAL_INSTANCE_COUNT="",
    )
    assert planned(plain) == {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    assert planned(stack) == {"VariantName": "Main", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    assert planned(stack, instance_type="ml.c5.xlarge", initial_instance_count=3) == {
        "VariantName": "Main",
        "InstanceType": "ml.c5.xlarge",
        "InitialInstanceCount": 3,
    }


def test_the_same_call_again_finds_it_unchanged(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    first = deploy_new.invoke(event(package))
    sagemaker.clear_calls()
    again = deploy_new.invoke(event(package))
    assert again["deployment_status"] == "Unchanged"
    for key in ("model", "endpoint_config", "endpoint_arn", "endpoint_status"):
        assert again[key] == first[key]
    assert operations(sagemaker, *CHANGES) == []


def test_an_endpoint_of_someone_else_is_left_alone(deploy_new: Emulator, sagemaker: LocalSageMaker, live_config: str):
    package = scene.register_version(sagemaker.client, GROUP)
    sagemaker.clear_calls()
    answer = deploy_new.invoke(event(package))
    assert error_type(answer) == "EndpointAlreadyExists"
    assert ENDPOINT in answer["errorMessage"]
    assert operations(sagemaker, *CHANGES) == []


def test_a_name_that_is_being_deleted_is_waited_for(
    deploy_new: Emulator, sagemaker: LocalSageMaker, live_config: str, package: str
):
    sagemaker.client.delete_endpoint(EndpointName=ENDPOINT)
    answer = deploy_new.invoke(event(package))
    assert answer.get("deployment_status") == "Deployed", answer
    assert live(sagemaker) == ("InService", answer["endpoint_config"])


def test_a_failed_creation_tells_the_reason_and_is_cleared_away(
    deploy_new: Emulator, sagemaker: LocalSageMaker, package: str
):
    sagemaker.outcome(ENDPOINT, "create-fails", "The primary container did not pass the ping health check.")
    answer = deploy_new.invoke(event(package))
    assert error_type(answer) == "EndpointCreationFailed"
    assert "did not pass the ping health check" in answer["errorMessage"]
    assert ENDPOINT in answer["errorMessage"]
    assert (models(sagemaker), configs(sagemaker)) == (set(), set())
    until(lambda: endpoints(sagemaker) == set(), 10, lambda: "the failed endpoint is not deleted")
    # So that the corrected deployment meets nothing in its way.
    assert deploy_new.invoke(event(package))["deployment_status"] == "Deployed"


def test_a_failed_creation_without_a_reason_is_one_all_the_same(
    deploy_new: Emulator, sagemaker: LocalSageMaker, package: str
):
    sagemaker.outcome(ENDPOINT, "create-fails")
    assert error_type(deploy_new.invoke(event(package))) == "EndpointCreationFailed"


def test_a_failed_endpoint_may_be_kept(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    sagemaker.outcome(ENDPOINT, "create-fails", "No.")
    answer = deploy_new.invoke(event(package, on_failure="keep"))
    assert error_type(answer) == "EndpointCreationFailed"
    assert live(sagemaker)[0] == "Failed"
    assert operations(sagemaker, "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel") == []


@pytest.mark.parametrize("operation", ["DescribeModelPackage", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"])
def test_a_denied_call_names_action_and_resource_and_leaves_nothing(
    deploy_new: Emulator, sagemaker: LocalSageMaker, package: str, operation: str
):
    sagemaker.inject(operation, "deny", calls=1000)
    answer = deploy_new.invoke(event(package))
    assert error_type(answer) == "AccessDenied"
    assert f"sagemaker:{operation}" in answer["errorMessage"]
    [denied] = sagemaker.calls(operation)
    kinds = {
        "DescribeModelPackage": "model-package/churn-model/1",
        "CreateModel": f"model/{denied['request'].get('ModelName')}",
        "CreateEndpointConfig": f"endpoint-config/{denied['request'].get('EndpointConfigName')}",
        "CreateEndpoint": f"endpoint/{ENDPOINT}",
    }
    assert f"{ARN}:{kinds[operation]}" in answer["errorMessage"]
    assert (models(sagemaker), configs(sagemaker), endpoints(sagemaker)) == (set(), set(), set())


def test_a_spent_quota_carries_its_text_and_leaves_nothing(
    deploy_new: Emulator, sagemaker: LocalSageMaker, package: str
):
    sagemaker.inject("CreateEndpoint", "limit", calls=1000)
    answer = deploy_new.invoke(event(package))
    assert error_type(answer) == "ResourceLimitExceeded"
    assert "The account-level service limit 'ml.m5.xlarge for endpoint usage'" in answer["errorMessage"]
    assert (models(sagemaker), configs(sagemaker), endpoints(sagemaker)) == (set(), set(), set())


def test_throttling_is_sat_out(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    for operation in ("DescribeEndpoint", "CreateModel"):
        sagemaker.inject(operation, "throttle")
    assert deploy_new.invoke(event(package))["deployment_status"] == "Deployed"
    assert operations(sagemaker, *CHANGES) == ["CreateModel", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"]


def test_throttling_without_end_is_an_error(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    sagemaker.inject("CreateModel", "throttle", calls=1000)
    answer = deploy_new.invoke(event(package, max_wait_seconds=3))
    assert error_type(answer) == "Throttled"
    assert "CreateModel" in answer["errorMessage"]
    assert (models(sagemaker), configs(sagemaker), endpoints(sagemaker)) == (set(), set(), set())


def test_another_refusal_carries_its_code(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    sagemaker.inject("CreateModel", "error", calls=1000, code="OddException", message="Very odd.", status=400)
    answer = deploy_new.invoke(event(package))
    assert error_type(answer) == "SageMakerError"
    assert "OddException" in answer["errorMessage"]
    assert "Very odd" in answer["errorMessage"]


def test_a_missing_package_is_told(deploy_new: Emulator, sagemaker: LocalSageMaker):
    answer = deploy_new.invoke(event(f"{ARN}:model-package/{GROUP}/9"))
    assert error_type(answer) == "ModelPackageNotFound"
    assert f"{ARN}:model-package/{GROUP}/9" in answer["errorMessage"]
    assert operations(sagemaker, *CHANGES) == []


@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_a_package_must_be_approved(deploy_new: Emulator, sagemaker: LocalSageMaker, approval: str):
    package = scene.register_version(sagemaker.client, GROUP, approval)
    answer = deploy_new.invoke(event(package))
    assert error_type(answer) == "ModelPackageNotApproved"
    assert package in answer["errorMessage"]
    assert approval in answer["errorMessage"]
    assert operations(sagemaker, *CHANGES) == []


def test_no_key_gets_a_package_deployed_that_is_not_approved(deploy_new: Emulator, sagemaker: LocalSageMaker):
    package = scene.register_version(sagemaker.client, GROUP, "PendingManualApproval")
    answer = deploy_new.invoke(event(package, require_approved_package=False))
    # SageMaker refuses to create the model.
    assert error_type(answer) is not None
    assert package in answer["errorMessage"]
    assert (models(sagemaker), configs(sagemaker)) == (set(), set())


@pytest.mark.parametrize("operation", ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"])
def test_a_lost_reply_makes_nothing_twice(
    deploy_new: Emulator, sagemaker: LocalSageMaker, package: str, operation: str
):
    sagemaker.inject(operation, "drop-after")
    answer = deploy_new.invoke(event(package))
    assert answer.get("deployment_status") == "Deployed", answer
    assert (models(sagemaker), configs(sagemaker)) == ({answer["model"]}, {answer["endpoint_config"]})
    done = [call["operation"] for call in sagemaker.calls(*CHANGES) if call["acted"] and call["error_code"] is None]
    assert done == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]


def test_a_config_that_is_not_seen_yet_is_asked_for_again(
    deploy_new: Emulator, sagemaker: LocalSageMaker, package: str
):
    sagemaker.inject("CreateEndpoint", "config-not-found", calls=2)
    assert deploy_new.invoke(event(package))["deployment_status"] == "Deployed"


def test_a_dry_run_changes_nothing(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    planned = deploy_new.invoke(event(package, dry_run="true"))
    assert planned["deployment_status"] == "DryRun"
    assert planned["endpoint_status"] == "NotFound"
    assert operations(sagemaker, *CHANGES) == []
    done = deploy_new.invoke(event(package))
    assert [planned[key] for key in ("model", "endpoint_config")] == [done[key] for key in ("model", "endpoint_config")]
