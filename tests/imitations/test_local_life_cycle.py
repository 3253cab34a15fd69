"""sagemaker-local, seen through boto3: an endpoint goes through its statuses over time as it does with the service."""

import pytest
from watched import NEW, OLD, course, describe, error, pending, statuses, update

from harness import scene
from harness.local import LocalSageMaker
from harness.processes import until
from harness.scene import ARN, ENDPOINT, GROUP


def test_a_creation_passes_through_creating(watched_sagemaker: LocalSageMaker):
    scene.serve(watched_sagemaker.client, ENDPOINT, scene.register_version(watched_sagemaker.client, GROUP), wait=False)
    creating, in_service = course(watched_sagemaker, "InService")

    assert statuses([creating, in_service]) == ["Creating", "InService"]
    assert [creating["EndpointConfigName"], in_service["EndpointConfigName"]] == [OLD, OLD]
    assert [pending(creating), pending(in_service)] == [OLD, None]
    assert creating["LastModifiedTime"] < in_service["LastModifiedTime"]
    assert "FailureReason" not in in_service


@pytest.mark.parametrize("reason", ["No capacity.", None])
def test_a_creation_may_fail(watched_sagemaker: LocalSageMaker, reason: str | None):
    watched_sagemaker.outcome(ENDPOINT, "create-fails", reason)
    scene.serve(watched_sagemaker.client, ENDPOINT, scene.register_version(watched_sagemaker.client, GROUP), wait=False)
    _, failed = course(watched_sagemaker, "Failed")

    assert failed.get("FailureReason") == reason
    assert pending(failed) is None
    code, message, _ = error(watched_sagemaker.client.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=OLD)
    assert code == "ValidationException"
    assert f"{ARN}:endpoint/{ENDPOINT}" in message
    watched_sagemaker.client.delete_endpoint(EndpointName=ENDPOINT)
    assert scene.status(watched_sagemaker.client, ENDPOINT) == "Deleting"


def test_an_update_keeps_the_old_config_live_until_it_is_done(serving: LocalSageMaker):
    before = describe(serving)
    update(serving)
    updating, after = course(serving, "InService")

    assert statuses([updating, after]) == ["Updating", "InService"]
    assert [updating["EndpointConfigName"], after["EndpointConfigName"]] == [OLD, NEW]
    assert [pending(updating), pending(after)] == [NEW, None]
    assert before["LastModifiedTime"] < updating["LastModifiedTime"] < after["LastModifiedTime"]
    assert before["CreationTime"] == after["CreationTime"]
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 3


def test_variant_properties_are_retained_where_asked(serving: LocalSageMaker):
    update(serving, RetainAllVariantProperties=True)
    after = course(serving, "InService")[-1]
    assert after["EndpointConfigName"] == NEW
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 1


@pytest.mark.parametrize("reason", ["The container did not pass the ping health check.", None])
def test_a_rolled_back_update_ends_in_service_on_the_old_config(serving: LocalSageMaker, reason: str | None):
    serving.outcome(ENDPOINT, "update-rolls-back", reason)
    before = describe(serving)
    update(serving)
    seen = course(serving, "InService")

    assert statuses(seen) == ["Updating", "RollingBack", "InService"]
    assert {each["EndpointConfigName"] for each in seen} == {OLD}
    after = seen[-1]
    assert after.get("FailureReason") == reason
    assert pending(after) is None
    assert after["LastModifiedTime"] > before["LastModifiedTime"]

    update(serving)
    assert "FailureReason" not in describe(serving)
    assert course(serving, "InService")[-1]["EndpointConfigName"] == NEW


def test_a_rollback_may_fail(serving: LocalSageMaker):
    serving.outcome(ENDPOINT, "update-rollback-fails", "Half of it is left.")
    update(serving)
    seen = course(serving, "UpdateRollbackFailed")
    assert statuses(seen) == ["Updating", "RollingBack", "UpdateRollbackFailed"]
    assert seen[-1]["FailureReason"] == "Half of it is left."


def test_an_update_may_end_failed(serving: LocalSageMaker):
    serving.outcome(ENDPOINT, "update-fails", "Could not scale.")
    update(serving)
    failed = course(serving, "Failed")[-1]
    assert (failed["FailureReason"], failed["EndpointConfigName"]) == ("Could not scale.", OLD)


def test_an_outcome_is_for_one_endpoint_and_one_deployment(serving: LocalSageMaker):
    serving.outcome("other", "update-rolls-back")
    serving.outcome(ENDPOINT.upper(), "update-rolls-back")
    update(serving)
    assert course(serving, "InService")[-1]["EndpointConfigName"] == OLD
    update(serving)
    assert course(serving, "InService")[-1]["EndpointConfigName"] == NEW


def test_a_deleted_endpoint_is_deleting_and_then_gone_and_its_name_is_free(serving: LocalSageMaker):
    serving.client.delete_endpoint(EndpointName=ENDPOINT)
    assert scene.status(serving.client, ENDPOINT) == "Deleting"
    code, message, _ = error(serving.client.create_endpoint, EndpointName=ENDPOINT, EndpointConfigName=OLD)
    assert (code, message[:47]) == ("ValidationException", 'Cannot create already existing endpoint "arn:aw')

    def gone() -> bool:
        return serving.client.list_endpoints()["Endpoints"] == []

    until(gone, 30, lambda: f"{ENDPOINT} is still there")
    serving.client.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=OLD)
    assert scene.status(serving.client, ENDPOINT) == "Creating"


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_in_progress_is_neither_updated_nor_deleted(serving: LocalSageMaker, status: str):
    serving.force_status(ENDPOINT, status)
    wanted = f'Cannot update in-progress endpoint "{ARN}:endpoint/{ENDPOINT}"'
    for call, request in [
        (serving.client.update_endpoint, {"EndpointConfigName": NEW}),
        (serving.client.delete_endpoint, {}),
        (
            serving.client.update_endpoint_weights_and_capacities,
            {"DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]},
        ),
    ]:
        code, message, http_status = error(call, EndpointName=ENDPOINT, **request)
        assert (code, http_status) == ("ValidationException", 400)
        assert message.startswith(wanted)


def test_a_forced_status_passes_after_its_time(serving: LocalSageMaker):
    serving.force_status(ENDPOINT, "SystemUpdating", 0.7)
    assert statuses(course(serving, "InService")) == ["SystemUpdating", "InService"]
    assert describe(serving)["EndpointConfigName"] == OLD


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed", "Failed", "Deleting"])
def test_a_forced_status_may_stay(serving: LocalSageMaker, status: str):
    serving.force_status(ENDPOINT, status)
    assert scene.status(serving.client, ENDPOINT) == status
    assert serving.client.list_endpoints(StatusEquals=status)["Endpoints"][0]["EndpointName"] == ENDPOINT
