"""The built functions, invoked through the Lambda API under Lambda's emulator, against the local SageMaker."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from harness import aws, scene
from harness.emulator import Emulator, Record
from harness.local import LocalSageMaker
from harness.processes import until

ENDPOINT = "churn"
GROUP = "churn-model"
ARN = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}"

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

CREATES = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint")
CHANGES = (*CREATES, "DeleteModel", "DeleteEndpointConfig", "DeleteEndpoint")


@pytest.fixture
def check(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Emulator:
    return function("check-endpoint-exists", sagemaker.url)


@pytest.fixture
def deploy_new(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Emulator:
    return function("deploy-new-endpoint", sagemaker.url)


@pytest.fixture
def deploy_existing(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Emulator:
    return function("deploy-existing-endpoint", sagemaker.url)


@pytest.fixture
def package(sagemaker: LocalSageMaker) -> str:
    """An approved model package, version 1 of its group."""
    arn = scene.register_version(sagemaker.client, GROUP)
    sagemaker.clear_calls()
    return arn


@pytest.fixture
def live_config(sagemaker: LocalSageMaker, package: str) -> str:
    """The endpoint config of an endpoint in service that someone else made."""
    name = scene.serve(
        sagemaker.client,
        ENDPOINT,
        package,
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 20,
            "DestinationS3Uri": "s3://captured/here",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
        KmsKeyId="alias/endpoints",
    )
    sagemaker.clear_calls()
    return name


@pytest.fixture
def next_package(sagemaker: LocalSageMaker, live_config: str) -> str:
    """Version 2, to update the live endpoint to."""
    arn = scene.register_version(sagemaker.client, GROUP)
    sagemaker.clear_calls()
    return arn


def event(package_arn: str, **more: Any) -> dict[str, Any]:
    return {"role": scene.ROLE, "endpoint_name": ENDPOINT, "package_arn": package_arn, **more}


def operations(service: LocalSageMaker, *wanted: str) -> list[str]:
    return [call["operation"] for call in service.calls(*wanted)]


def error_type(answer: Any) -> str | None:
    """Return the word for what failed, having checked that the error is one that a pipeline can show."""
    if "errorType" not in answer:
        return None
    assert set(answer) == {"errorType", "errorMessage"}
    assert 0 < len(answer["errorMessage"]) <= 1024
    return answer["errorType"]


def models(service: LocalSageMaker) -> set[str]:
    return {each["ModelName"] for each in service.client.list_models()["Models"]}


def configs(service: LocalSageMaker) -> set[str]:
    return {each["EndpointConfigName"] for each in service.client.list_endpoint_configs()["EndpointConfigs"]}


def endpoints(service: LocalSageMaker) -> set[str]:
    return {each["EndpointName"] for each in service.client.list_endpoints()["Endpoints"]}


def live(service: LocalSageMaker) -> tuple[str, str]:
    """Return status and config of the endpoint, as the service says."""
    endpoint = service.client.describe_endpoint(EndpointName=ENDPOINT)
    return endpoint["EndpointStatus"], endpoint["EndpointConfigName"]


# check-endpoint-exists


def test_check_finds_no_endpoint(check: Emulator):
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}


def test_check_finds_an_endpoint_and_ignores_what_it_does_not_know(check: Emulator, live_config: str, package: str):
    answer = check.invoke({"endpoint_name": ENDPOINT, "package_arn": package, "x": 1})
    assert answer == {"endpoint_exists": True, "endpoint_status": "InService"}


@pytest.mark.parametrize(
    "status",
    [
        "Creating",
        "Updating",
        "SystemUpdating",
        "RollingBack",
        "OutOfService",
        "Failed",
        "UpdateRollbackFailed",
        "Deleting",
    ],
)
def test_check_tells_the_status_and_only_deleting_counts_as_absent(
    check: Emulator, sagemaker: LocalSageMaker, live_config: str, status: str
):
    sagemaker.force_status(ENDPOINT, status)
    answer = check.invoke({"endpoint_name": ENDPOINT})
    assert answer == {"endpoint_exists": status != "Deleting", "endpoint_status": status}


def test_check_takes_no_part_of_a_name_for_the_name(check: Emulator, sagemaker: LocalSageMaker, package: str):
    config = scene.serve(sagemaker.client, f"{ENDPOINT}-2", package)
    sagemaker.client.create_endpoint(EndpointName=f"my-{ENDPOINT}", EndpointConfigName=config)
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}


@pytest.mark.parametrize("asked", ["churn", "CHURN", "cHuRn"])
def test_check_ignores_the_case_of_a_name(check: Emulator, sagemaker: LocalSageMaker, package: str, asked: str):
    scene.serve(sagemaker.client, "Churn", package)
    assert check.invoke({"endpoint_name": asked}) == {"endpoint_exists": True, "endpoint_status": "InService"}


def test_check_reads_every_page_and_stops_at_the_match(check: Emulator, sagemaker: LocalSageMaker, live_config: str):
    for number in range(120):
        sagemaker.client.create_endpoint(EndpointName=f"other-{number}", EndpointConfigName=live_config)
    sagemaker.clear_calls()

    # The oldest, and so on the last page.
    assert check.invoke({"endpoint_name": ENDPOINT})["endpoint_exists"] is True
    assert [call["request"]["MaxResults"] for call in sagemaker.calls("ListEndpoints")] == [100, 100]
    sagemaker.clear_calls()
    assert check.invoke({"endpoint_name": "absent"})["endpoint_exists"] is False
    assert len(sagemaker.calls("ListEndpoints")) == 2
    sagemaker.clear_calls()
    assert check.invoke({"endpoint_name": "other-119"})["endpoint_exists"] is True
    assert len(sagemaker.calls()) == 1


@pytest.mark.parametrize(
    ("kind", "wanted"), [("deny", "AccessDenied"), ("throttle", "Throttled"), ("fail", "SageMakerError")]
)
def test_check_never_takes_a_failed_call_for_an_absent_endpoint(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, kind: str, wanted: str
):
    # A short deadline, because throttling is sat out as long as there is time.
    check = function("check-endpoint-exists", sagemaker.url, timeout_seconds=4)
    sagemaker.inject("ListEndpoints", kind, calls=1000)
    answer = check.invoke({"endpoint_name": ENDPOINT})
    assert error_type(answer) == wanted
    assert "ListEndpoints" in answer["errorMessage"]


def test_check_gets_over_a_throttled_and_a_lost_call(check: Emulator, sagemaker: LocalSageMaker, live_config: str):
    sagemaker.inject("ListEndpoints", "throttle")
    sagemaker.inject("ListEndpoints", "drop-after")
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": True, "endpoint_status": "InService"}


# Bad requests, of every function


@pytest.mark.parametrize("name", ["check-endpoint-exists", "deploy-new-endpoint", "deploy-existing-endpoint"])
@pytest.mark.parametrize("value", [[], "text", 7, None, True], ids=repr)
def test_an_event_that_is_no_object_is_refused_and_the_function_lives_on(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, name: str, value: Any
):
    called = function(name, sagemaker.url)
    assert error_type(called.invoke(value)) == "InvalidRequest"
    assert sagemaker.calls() == []
    # The same process answers the next event.
    assert error_type(called.invoke({"endpoint_name": ENDPOINT})) in (None, "InvalidRequest")


@pytest.mark.parametrize("bad", [{}, {"endpoint_name": ""}, {"endpoint_name": None}, {"endpoint_name": "my_endpoint"}])
def test_check_names_its_bad_key(check: Emulator, sagemaker: LocalSageMaker, bad: dict[str, Any]):
    answer = check.invoke(bad)
    assert error_type(answer) == "InvalidRequest"
    assert "endpoint_name" in answer["errorMessage"]
    assert sagemaker.calls() == []


@pytest.mark.parametrize("name", ["deploy-new-endpoint", "deploy-existing-endpoint"])
@pytest.mark.parametrize(
    ("event_", "bad_keys"),
    [
        ({}, {"role", "endpoint_name", "package_arn"}),
        ({"role": "", "endpoint_name": None, "package_arn": ""}, {"role", "endpoint_name", "package_arn"}),
        (event("churn-model/1"), {"package_arn"}),
        (event(f"{ARN}:model-package/churn-model/1", role="churn-model"), {"role"}),
        (
            event(
                f"{ARN}:model-package/churn-model/1",
                endpoint_name="x" * 64,
                instance_type="m5.large",
                initial_instance_count="many",
                max_wait_seconds=-1,
                on_timeout="explode",
                dry_run="perhaps",
            ),
            {
                "endpoint_name",
                "instance_type",
                "initial_instance_count",
                "max_wait_seconds",
                "on_timeout",
                "dry_run",
            },
        ),
    ],
    ids=["empty", "unset", "package", "role", "many"],
)
def test_a_deployment_names_every_bad_key_and_calls_nothing(
    function: Callable[..., Emulator],
    sagemaker: LocalSageMaker,
    name: str,
    event_: dict[str, Any],
    bad_keys: set[str],
):
    answer = function(name, sagemaker.url).invoke(event_)
    assert error_type(answer) == "InvalidRequest"
    known = {*event(""), *event_, "role", "deployment_id", "on_failure"}
    named = {key for key in known if re.search(rf"\b{key}\b", answer["errorMessage"])}
    assert named == bad_keys
    assert sagemaker.calls() == []


# deploy-new-endpoint


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
    assert endpoint == {"EndpointName": ENDPOINT, "EndpointConfigName": answer["endpoint_config"]}


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


# deploy-existing-endpoint


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
    [update] = sagemaker.calls("UpdateEndpoint")
    assert update["request"]["RetainAllVariantProperties"] is True

    client = sagemaker.client
    old = client.describe_endpoint_config(EndpointConfigName=live_config)
    new = client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])
    for key in ("DataCaptureConfig", "KmsKeyId"):
        assert new[key] == old[key]
    [variant] = new["ProductionVariants"]
    assert variant == {**old["ProductionVariants"][0], "ModelName": answer["model"]}


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
    assert models(sagemaker) == {f"{ENDPOINT}-by-hand"}
    assert configs(sagemaker) == {live_config}
    assert live(sagemaker) == ("InService", live_config)


# The waiting budget


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


# Logs


def with_message(log: list[Record], message: str) -> Record:
    [record] = [record for record in log if record["message"] == message]
    return record


def assert_is_one_call(called: Emulator, log: list[Record]) -> None:
    """Every line is JSON and says when, how grave and of which call it is."""
    assert len(called.last_lines()) == len(log)
    assert len({record["request_id"] for record in log}) == 1
    for record in log:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", record["request_id"])
        assert record["endpoint_name"] == ENDPOINT
        assert record["level"] in ("INFO", "WARN", "ERROR")
        assert datetime.fromisoformat(record["timestamp"]).tzinfo is not None


def test_a_check_logs_its_start_and_end(check: Emulator):
    check.invoke({"endpoint_name": ENDPOINT})
    log = check.last_log()
    assert_is_one_call(check, log)
    assert [record["message"] for record in log] == ["check started", "check finished"]
    assert with_message(log, "check finished")["duration_ms"] >= 0


def test_a_deployment_logs_every_status_change(deploy_existing: Emulator, next_package: str):
    answer = deploy_existing.invoke(event(next_package))
    log = deploy_existing.last_log()
    assert_is_one_call(deploy_existing, log)
    assert log[0]["message"] == "deployment started"
    assert log[-1]["message"] == "deployment finished"
    assert log[-1]["model_name"] == answer["model"]
    assert log[-1]["duration_ms"] == pytest.approx(answer["elapsed_seconds"] * 1000, abs=100)

    changes = [record for record in log if record["message"] == "endpoint status"]
    statuses = [record["status"] for record in changes]
    assert statuses[0] == statuses[-1] == "InService"
    elapsed = [record["elapsed_seconds"] for record in changes]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] <= answer["elapsed_seconds"]


def test_a_failure_is_logged_once(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    sagemaker.outcome(ENDPOINT, "create-fails", "No capacity.")
    answer = deploy_new.invoke(event(package))
    log = deploy_new.last_log()
    assert_is_one_call(deploy_new, log)
    [failure] = [record for record in log if record["level"] == "ERROR"]
    assert failure["message"] == "deployment failed"
    assert failure["error_type"] == answer["errorType"] == "EndpointCreationFailed"
    assert failure["error_message"] == answer["errorMessage"]
    assert failure["duration_ms"] > 0
    assert "Failed" in [record.get("status") for record in log]


def test_a_refused_request_is_logged_with_its_endpoint(deploy_new: Emulator):
    deploy_new.invoke({"endpoint_name": ENDPOINT})
    log = deploy_new.last_log()
    assert_is_one_call(deploy_new, log)
    assert [record["message"] for record in log] == ["deployment started", "deployment failed"]
    assert log[-1]["error_type"] == "InvalidRequest"
