"""sagemaker-local, seen through boto3 and past it: lists and descriptions are what the service gives."""

import gzip
import json
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore
from botocore.model import ServiceModel
from watched import NEW, OLD, course, describe, update

from harness import aws, scene
from harness.local import LocalSageMaker
from harness.scene import ARN, ENDPOINT, GROUP

# Lists


def test_every_page_together_is_every_endpoint_even_while_more_are_made(sagemaker: LocalSageMaker):
    client = sagemaker.client
    scene.serve(client, "e-00", scene.register_version(client, GROUP))
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


# What is stored comes back


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
        ("DescribeModelPackageGroup", {"ModelPackageGroupName": GROUP}),
        ("DescribeModelPackage", {"ModelPackageName": package}),
        ("ListModelPackages", {"ModelPackageGroupName": GROUP}),
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
