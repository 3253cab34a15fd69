"""sagemaker-local, seen through boto3: what it refuses, of itself or as it is told, and what it leaves unanswered."""

import re
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from watched import NEW, error, second_config, update

from harness import aws, scene
from harness.local import LocalSageMaker
from harness.scene import ARN, ENDPOINT, GROUP

# Requests that the service refuses


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
    scene.serve(sagemaker.client, "short", scene.register_version(sagemaker.client, GROUP))
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
        package = scene.register_version(sagemaker.client, GROUP, approval)
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
    package = scene.register_version(sagemaker.client, GROUP)
    output = {"OutputConfig": {"S3OutputPath": "s3://out/here"}}
    scene.serve(sagemaker.client, ENDPOINT, package, AsyncInferenceConfig=output)
    second_config(sagemaker.client)
    code, _, _ = error(sagemaker.client.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=NEW)
    assert code == "ValidationException"


def test_an_unknown_operation_is_refused(sagemaker: LocalSageMaker):
    code, _, status = error(sagemaker.client.list_training_jobs)
    assert (code, status) == ("UnknownOperationException", 400)


# Misbehaviour: what boto3 makes of it. The tests of sagemaker-local itself have each kind, on the wire.


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
def test_boto3_reads_what_a_call_is_refused_with(
    serving: LocalSageMaker, kind: str, fields: dict[str, Any], code: str, text: str, status: int
):
    """Some refusals hold their text in `message` and some in `Message`, and boto3 is to find it in both."""
    serving.inject("UpdateEndpoint", kind, **fields)
    found = error(serving.client.update_endpoint, EndpointName=ENDPOINT, EndpointConfigName=NEW)
    assert (found[0], found[2]) == (code, status)
    assert text in found[1]


@pytest.mark.parametrize(("kind", "status"), [("drop-before", "InService"), ("drop-after", "Updating")])
def test_boto3_takes_a_dropped_call_for_a_closed_connection(serving: LocalSageMaker, kind: str, status: str):
    """And not for an answer that it cannot read, whether the call was carried out or not."""
    serving.inject("UpdateEndpoint", kind)
    with pytest.raises(ConnectionClosedError):
        update(serving)
    assert scene.status(serving.client, ENDPOINT) == status
