"""sagemaker-local, seen through boto3: it behaves over time as the service does, and misbehaves as it is told."""

import gzip
import json
import re
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.model import ServiceModel

from harness import aws, scene
from harness.local import LocalSageMaker
from harness.processes import until

ENDPOINT = "churn"
ARN = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}"


@pytest.fixture
def sagemaker(watched_sagemaker: LocalSageMaker) -> LocalSageMaker:
    """An empty service, here one whose statuses last long enough to be seen for certain."""
    return watched_sagemaker


@pytest.fixture
def serving(sagemaker: LocalSageMaker) -> LocalSageMaker:
    """The service with an endpoint in service on one config, and a second config to update it to."""
    package = scene.register_version(sagemaker.client, "churn-model")
    scene.serve(sagemaker.client, ENDPOINT, package, wait=False)
    sagemaker.force_status(ENDPOINT, "InService")
    second_config(sagemaker.client)
    sagemaker.clear_calls()
    return sagemaker


OLD, NEW = f"{ENDPOINT}-config-by-hand", "config-2"


def second_config(client: Any) -> None:
    client.create_endpoint_config(
        EndpointConfigName=NEW, ProductionVariants=[scene.variant(f"{ENDPOINT}-by-hand", InitialInstanceCount=3)]
    )


def update(service: LocalSageMaker, **request: Any) -> None:
    service.client.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NEW, **request)


def describe(service: LocalSageMaker) -> dict[str, Any]:
    return service.client.describe_endpoint(EndpointName=ENDPOINT)


def refused(call: Any, **request: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value


def error(call: Any, **request: Any) -> tuple[str, str, int]:
    """Return code, message and HTTP status of a call that must be refused."""
    response = refused(call, **request).response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def course(service: LocalSageMaker, until_status: str) -> list[dict[str, Any]]:
    """Describe the endpoint until it has a status, and return one description per status on the way."""
    seen: list[dict[str, Any]] = []

    def look() -> bool:
        endpoint = describe(service)
        if not seen or seen[-1]["EndpointStatus"] != endpoint["EndpointStatus"]:
            seen.append(endpoint)
        return endpoint["EndpointStatus"] == until_status

    until(look, 30, lambda: f"seen only {statuses(seen)}")
    return seen


def statuses(descriptions: list[dict[str, Any]]) -> list[str]:
    return [each["EndpointStatus"] for each in descriptions]


def pending(description: dict[str, Any]) -> str | None:
    return description.get("PendingDeploymentSummary", {}).get("EndpointConfigName")


# Life cycle.


def test_a_creation_passes_through_creating(sagemaker: LocalSageMaker):
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, "churn-model"), wait=False)
    creating, in_service = course(sagemaker, "InService")

    assert statuses([creating, in_service]) == ["Creating", "InService"]
    assert [creating["EndpointConfigName"], in_service["EndpointConfigName"]] == [OLD, OLD]
    assert [pending(creating), pending(in_service)] == [OLD, None]
    assert creating["LastModifiedTime"] < in_service["LastModifiedTime"]
    assert "FailureReason" not in in_service


@pytest.mark.parametrize("reason", ["No capacity.", None])
def test_a_creation_may_fail(sagemaker: LocalSageMaker, reason: str | None):
    sagemaker.outcome(ENDPOINT, "create-fails", reason)
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, "churn-model"), wait=False)
    _, failed = course(sagemaker, "Failed")

    assert failed.get("FailureReason") == reason
    assert pending(failed) is None
    code, message, _ = error(sagemaker.client.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=OLD)
    assert code == "ValidationException"
    assert f"{ARN}:endpoint/{ENDPOINT}" in message
    sagemaker.client.delete_endpoint(EndpointName=ENDPOINT)
    assert scene.status(sagemaker.client, ENDPOINT) == "Deleting"


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


# Requests that the service refuses.


@pytest.mark.parametrize(
    ("operation", "request_", "at"),
    [
        ("describe_endpoint", {"EndpointName": "my_endpoint"}, "endpointName"),
        ("describe_endpoint", {"EndpointName": "-x"}, "endpointName"),
        ("describe_endpoint", {"EndpointName": "x-"}, "endpointName"),
        ("describe_endpoint_config", {"EndpointConfigName": "a b"}, "endpointConfigName"),
        ("delete_model", {"ModelName": "Größe"}, "modelName"),
        ("create_model", {"ModelName": "m", "ExecutionRoleArn": "arn:aws:iam::1:role/too-short"}, "executionRoleArn"),
        (
            "create_endpoint_config",
            {"EndpointConfigName": "c", "ProductionVariants": [scene.variant("m", VariantName="a.b")]},
            "productionVariants.1.member.variantName",
        ),
    ],
)
def test_a_pattern_is_enforced(sagemaker: LocalSageMaker, operation: str, request_: dict[str, Any], at: str):
    code, message, status = error(getattr(sagemaker.client, operation), **request_)
    assert (code, status) == ("ValidationException", 400)
    assert re.match(
        rf"1 validation error detected: Value '.+' at '{re.escape(at)}' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: .+",
        message,
    )


def test_a_name_is_at_most_63_long(sagemaker: LocalSageMaker):
    longest = "x" * 63
    scene.serve(sagemaker.client, "short", scene.register_version(sagemaker.client, "churn-model"))
    sagemaker.client.create_endpoint(EndpointName=longest, EndpointConfigName="short-config-by-hand")
    _, message, _ = error(sagemaker.client.describe_endpoint, EndpointName=longest + "x")
    assert "at 'endpointName' failed to satisfy constraint: Member must have length less than or equal to 63" in message


def test_a_required_member_must_be_there(sagemaker: LocalSageMaker):
    unchecked = aws.client("sagemaker", sagemaker.url, parameter_validation=False)
    code, message, _ = error(unchecked.create_endpoint, EndpointName="x")
    assert code == "ValidationException"
    assert "Value null at 'endpointConfigName' failed to satisfy constraint: Member must not be null" in message


def test_a_package_must_be_approved_to_become_a_model(sagemaker: LocalSageMaker):
    for approval in ("PendingManualApproval", "Rejected"):
        package = scene.register_version(sagemaker.client, "churn-model", approval)
        code, message, _ = error(
            sagemaker.client.create_model,
            ModelName="m",
            ExecutionRoleArn=scene.ROLE,
            PrimaryContainer={"ModelPackageName": package},
        )
        assert code == "ValidationException"
        assert package in message


def test_an_update_needs_endpoint_and_config(serving: LocalSageMaker):
    update_endpoint = serving.client.update_endpoint
    _, message, _ = error(update_endpoint, EndpointName=ENDPOINT, EndpointConfigName="nope")
    assert message.startswith(f'Could not find endpoint configuration "{ARN}:endpoint-config/nope"')
    _, message, _ = error(update_endpoint, EndpointName="nope", EndpointConfigName=NEW)
    assert message.startswith(f'Could not find endpoint "{ARN}:endpoint/nope"')


def test_an_update_cannot_take_async_inference_away(sagemaker: LocalSageMaker):
    package = scene.register_version(sagemaker.client, "churn-model")
    output = {"OutputConfig": {"S3OutputPath": "s3://out/here"}}
    scene.serve(sagemaker.client, ENDPOINT, package, AsyncInferenceConfig=output)
    second_config(sagemaker.client)
    code, _, _ = error(sagemaker.client.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=NEW)
    assert code == "ValidationException"


def test_an_unknown_operation_is_refused(sagemaker: LocalSageMaker):
    code, _, status = error(sagemaker.client.list_training_jobs)
    assert (code, status) == ("UnknownOperationException", 400)


# Lists.


def test_every_page_together_is_every_endpoint_even_while_more_are_made(sagemaker: LocalSageMaker):
    client = sagemaker.client
    scene.serve(client, "e-00", scene.register_version(client, "churn-model"))
    names = [f"e-{number:02}" for number in range(1, 25)]
    for name in names:
        client.create_endpoint(EndpointName=name, EndpointConfigName="e-00-config-by-hand")

    page = client.list_endpoints()
    assert len(page["Endpoints"]) == 10
    listed = [each["EndpointName"] for each in page["Endpoints"]]
    while "NextToken" in page:
        client.create_endpoint(EndpointName=f"late-{len(listed)}", EndpointConfigName="e-00-config-by-hand")
        page = client.list_endpoints(NextToken=page["NextToken"])
        listed += [each["EndpointName"] for each in page["Endpoints"]]
    assert listed == [*reversed(names), "e-00"]


def test_lists_are_sorted_as_asked(serving: LocalSageMaker):
    for name in ("b", "c", "a"):
        serving.client.create_endpoint(EndpointName=name, EndpointConfigName=OLD)

    def listed(**order: str) -> list[str]:
        return [each["EndpointName"] for each in serving.client.list_endpoints(**order)["Endpoints"]]

    assert listed(SortBy="Name", SortOrder="Ascending") == ["a", "b", "c", ENDPOINT]
    assert listed(SortBy="Name", SortOrder="Descending") == [ENDPOINT, "c", "b", "a"]
    assert listed(SortOrder="Ascending") == [ENDPOINT, "b", "c", "a"]


def test_models_and_configs_are_listed_like_endpoints(serving: LocalSageMaker):
    client = serving.client
    assert [each["EndpointConfigName"] for each in client.list_endpoint_configs()["EndpointConfigs"]] == [NEW, OLD]
    first = client.list_endpoint_configs(MaxResults=1, NameContains="by-hand")
    assert first["EndpointConfigs"] == []
    second = client.list_endpoint_configs(MaxResults=1, NameContains="by-hand", NextToken=first["NextToken"])
    assert [each["EndpointConfigName"] for each in second["EndpointConfigs"]] == [OLD]
    assert [each["ModelName"] for each in client.list_models(NameContains="by")["Models"]] == [f"{ENDPOINT}-by-hand"]


# What is stored comes back.


def test_a_config_gives_back_every_setting(serving: LocalSageMaker):
    settings = {
        "ProductionVariants": [
            scene.variant(
                f"{ENDPOINT}-by-hand",
                VolumeSizeInGB=64,
                ModelDataDownloadTimeoutInSeconds=600,
                ContainerStartupHealthCheckTimeoutInSeconds=900,
                RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
            )
        ],
        "ShadowProductionVariants": [scene.variant(f"{ENDPOINT}-by-hand", VariantName="Shadow")],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 20,
            "DestinationS3Uri": "s3://captured/here",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
        "KmsKeyId": "alias/endpoints",
        "ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {"MimeType": "text/csv"}}}},
        "ExecutionRoleArn": scene.ROLE,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "EnableNetworkIsolation": True,
    }
    serving.client.create_endpoint_config(EndpointConfigName="full", **settings)
    described = serving.client.describe_endpoint_config(EndpointConfigName="full")
    assert {key: described[key] for key in settings} == settings
    assert described["EndpointConfigArn"] == f"{ARN}:endpoint-config/full"


# The model calls it required, but only an unversioned package has a name of its own.
NOT_ALWAYS_THERE = "DescribeModelPackage.ModelPackageName: missing"


def _misfits(shape: Any, value: Any, path: str) -> list[str]:
    """Return where a JSON value is not what the service model says of its shape."""
    kinds = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float),
    }
    if not isinstance(value, kinds[shape.type_name]) or (shape.type_name != "boolean" and isinstance(value, bool)):
        return [f"{path}: {value!r} is no {shape.type_name}"]
    found = []
    if shape.type_name == "structure":
        for key, item in value.items():
            if key in shape.members:
                found += _misfits(shape.members[key], item, f"{path}.{key}")
            else:
                found.append(f"{path}.{key}: unknown")
        found += [f"{path}.{key}: missing" for key in shape.required_members if key not in value]
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            found += _misfits(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        found.append(f"{path}: {value!r} is not in the enum")
    return found


def _post(url: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Make a call without an SDK, which would hide what it does not know."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
    with aws.http().open(urllib.request.Request(url, json.dumps(request).encode(), headers), timeout=10) as response:
        return json.load(response)


def test_every_answer_fits_the_service_model(serving: LocalSageMaker):
    data = Path(botocore.__file__).parent / "data" / "sagemaker" / "2017-07-24" / "service-2.json.gz"
    model = ServiceModel(json.loads(gzip.decompress(data.read_bytes())), "sagemaker")
    package = f"{ARN}:model-package/churn-model/1"
    serving.outcome(ENDPOINT, "update-rolls-back", "because")
    update(serving, DeploymentConfig={"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}})
    calls: list[tuple[str, dict[str, Any]]] = [
        ("DescribeModelPackageGroup", {"ModelPackageGroupName": "churn-model"}),
        ("DescribeModelPackage", {"ModelPackageName": package}),
        ("ListModelPackages", {"ModelPackageGroupName": "churn-model"}),
        ("UpdateModelPackage", {"ModelPackageArn": package, "ModelApprovalStatus": "Rejected"}),
        ("DescribeModel", {"ModelName": f"{ENDPOINT}-by-hand"}),
        ("ListModels", {}),
        ("DescribeEndpointConfig", {"EndpointConfigName": NEW}),
        ("ListEndpointConfigs", {}),
        ("DescribeEndpoint", {"EndpointName": ENDPOINT}),
        ("ListEndpoints", {"MaxResults": 1}),
        ("ListTags", {"ResourceArn": f"{ARN}:endpoint/{ENDPOINT}"}),
    ]

    def check() -> None:
        for operation, request in calls:
            shape = model.operation_model(operation).output_shape
            misfits = _misfits(shape, _post(serving.url, operation, request), operation)
            assert set(misfits) <= {NOT_ALWAYS_THERE}

    check()
    course(serving, "InService")
    assert describe(serving)["FailureReason"] == "because"
    check()


def test_times_are_seconds_with_milliseconds(serving: LocalSageMaker):
    created = _post(serving.url, "DescribeEndpoint", {"EndpointName": ENDPOINT})["CreationTime"]
    assert abs(created - time.time()) < 60
    assert round(created, 3) == created
    assert isinstance(describe(serving)["CreationTime"], datetime)


# Misbehaviour.


def test_a_read_may_be_stale(serving: LocalSageMaker):
    before = describe(serving)
    update(serving)
    serving.inject("DescribeEndpoint", "stale")
    stale, fresh = describe(serving), describe(serving)
    for key in ("EndpointStatus", "EndpointConfigName", "LastModifiedTime"):
        assert stale[key] == before[key]
    assert pending(stale) is None
    assert (fresh["EndpointStatus"], pending(fresh)) == ("Updating", NEW)


def test_a_config_may_not_be_seen_yet(serving: LocalSageMaker):
    serving.inject("UpdateEndpoint", "config-not-found")
    _, message, _ = error(serving.client.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=NEW)
    assert message.startswith(f'Could not find endpoint configuration "{ARN}:endpoint-config/{NEW}"')
    assert scene.status(serving.client, ENDPOINT) == "InService"
    update(serving)
    assert scene.status(serving.client, ENDPOINT) == "Updating"


@pytest.mark.parametrize(
    ("kind", "fields", "code", "text", "status"),
    [
        ("throttle", {}, "ThrottlingException", "Rate exceeded", 400),
        ("fail", {}, "InternalFailure", "", 500),
        (
            "deny",
            {},
            "AccessDeniedException",
            f"is not authorized to perform: sagemaker:UpdateEndpoint on resource: {ARN}:endpoint/{ENDPOINT}",
            400,
        ),
        ("limit", {}, "ResourceLimitExceeded", "The account-level service limit 'ml.", 400),
        ("error", {"code": "Odd", "message": "Very odd.", "status": 409}, "Odd", "Very odd.", 409),
    ],
)
def test_a_call_may_be_refused(
    serving: LocalSageMaker, kind: str, fields: dict[str, Any], code: str, text: str, status: int
):
    serving.inject("UpdateEndpoint", kind, **fields)
    found = error(serving.client.update_endpoint, EndpointName=ENDPOINT.title(), EndpointConfigName=NEW)
    assert (found[0], found[2]) == (code, status)
    assert text in found[1]
    assert scene.status(serving.client, ENDPOINT) == "InService"
    [call] = serving.calls("UpdateEndpoint")
    assert (call["status"], call["error_code"], call["acted"]) == (status, code, False)
    assert call["request"]["EndpointConfigName"] == NEW


def test_a_fault_skips_counts_and_ends(serving: LocalSageMaker):
    serving.inject("DescribeEndpoint", "throttle", calls=2, skip=1)
    codes = []
    for _ in range(5):
        try:
            describe(serving)
            codes.append("ok")
        except ClientError as caught:
            codes.append(caught.response["Error"]["Code"])
    assert codes == ["ok", "ThrottlingException", "ThrottlingException", "ok", "ok"]


def test_faults_for_any_operation_queue_up_and_can_be_taken_back(serving: LocalSageMaker):
    serving.inject("*", "throttle")
    serving.inject("*", "fail")
    assert error(serving.client.list_models)[0] == "ThrottlingException"
    assert error(serving.client.list_endpoints)[0] == "InternalFailure"
    serving.client.list_endpoints()
    serving.inject("*", "throttle", calls=100)
    serving.clear_faults()
    serving.client.list_endpoints()


def test_a_connection_may_drop_before_anything_is_done(serving: LocalSageMaker):
    serving.inject("UpdateEndpoint", "drop-before")
    with pytest.raises(ConnectionClosedError):
        update(serving)
    assert scene.status(serving.client, ENDPOINT) == "InService"
    [call] = serving.calls("UpdateEndpoint")
    assert (call["status"], call["acted"]) == (None, False)


def test_a_reply_may_be_lost_after_the_deed(serving: LocalSageMaker):
    serving.inject("UpdateEndpoint", "drop-after")
    with pytest.raises(ConnectionClosedError):
        update(serving)
    assert scene.status(serving.client, ENDPOINT) == "Updating"
    [call] = serving.calls("UpdateEndpoint")
    assert (call["status"], call["acted"]) == (None, True)


def test_a_call_may_hang_and_others_go_on(serving: LocalSageMaker):
    serving.inject("UpdateEndpoint", "hang")
    impatient = aws.client("sagemaker", serving.url, read_timeout=0.5)
    hung: list[BaseException] = []

    def call() -> None:
        try:
            impatient.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NEW)
        except ReadTimeoutError as caught:
            hung.append(caught)

    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: serving.calls("UpdateEndpoint") != [], 10, lambda: "the call has not arrived")
    assert scene.status(serving.client, ENDPOINT) == "InService"
    thread.join(timeout=10)
    assert len(hung) == 1
    assert scene.status(serving.client, ENDPOINT) == "InService"


def test_an_answer_may_be_late(serving: LocalSageMaker):
    serving.inject("ListEndpoints", "late", milliseconds=300)
    start = time.monotonic()
    assert len(serving.client.list_endpoints()["Endpoints"]) == 1
    assert time.monotonic() - start >= 0.3


def test_an_account_has_a_rate_limit():
    with LocalSageMaker(calls_per_second=5) as limited:
        codes = []
        for _ in range(40):
            try:
                limited.client.list_endpoints()
                codes.append(None)
            except ClientError as caught:
                codes.append(caught.response["Error"]["Code"])
        assert codes[0] is None
        assert "ThrottlingException" in codes
        assert [call["error_code"] for call in limited.calls()] == codes


# The control API.


def test_calls_are_recorded_in_order_and_control_requests_are_not(serving: LocalSageMaker):
    serving.client.list_models()
    scene.status(serving.client, ENDPOINT)
    calls = serving.calls()
    assert [call["operation"] for call in calls] == ["ListModels", "DescribeEndpoint"]
    assert calls[1]["request"] == {"EndpointName": ENDPOINT}
    assert all((call["status"], call["error_code"], call["acted"]) == (200, None, True) for call in calls)
    assert calls[0]["at_seconds"] <= calls[1]["at_seconds"]
    serving.clear_calls()
    assert serving.calls() == []


def test_a_reset_forgets_everything(serving: LocalSageMaker):
    serving.inject("*", "throttle", calls=100)
    serving.outcome(ENDPOINT, "create-fails")
    serving.reset()
    assert serving.calls() == []
    assert serving.client.list_endpoints()["Endpoints"] == []
    assert serving.client.list_models()["Models"] == []
    scene.register_group(serving.client, "churn-model")
    scene.serve(serving.client, ENDPOINT, scene.register_version(serving.client, "churn-model"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"operation": "CreateModel", "kind": "explode"}),
        ("faults", {"kind": "throttle"}),
        ("faults", {"operation": "CreateModel", "kind": "late"}),
        ("outcomes", {"endpoint_name": "x", "outcome": "perhaps"}),
        ("statuses", {"endpoint_name": "x"}),
        ("statuses", []),
    ],
)
def test_a_malformed_control_request_is_refused_with_a_message(sagemaker: LocalSageMaker, path: str, body: Any):
    request = urllib.request.Request(f"{sagemaker.url}/_local/{path}", json.dumps(body).encode(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        aws.http().open(request, timeout=10)
    with caught.value as answer:
        assert answer.code == 400
        assert json.load(answer)
