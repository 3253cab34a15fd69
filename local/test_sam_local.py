"""Each event of events/ by ``sam local invoke``, and a pipeline's calls by ``sam local start-lambda``."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness import aws, scene
from harness.binaries import FUNCTIONS, REPOSITORY
from harness.local import LocalSageMaker
from local.conftest import GROUP
from local.sam import LambdaService, Sam, architecture

EVENTS = REPOSITORY / "events"
CHECK, NEW, EXISTING = FUNCTIONS

# What shows in the endpoint config that an event makes: members of the config, and of its variant.
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "deploy-new-endpoint": ({}, {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge"}),
    "deploy-new-endpoint-async": ({"AsyncInferenceConfig.ClientConfig.MaxConcurrentInvocationsPerInstance": 4}, {}),
    "deploy-new-endpoint-data-capture": ({"DataCaptureConfig.InitialSamplingPercentage": 20}, {}),
    "deploy-new-endpoint-guarded": ({"KmsKeyId": "alias/churn"}, {}),
    "deploy-new-endpoint-instances": ({}, {"VariantName": "blue", "InitialInstanceCount": 2, "VolumeSizeInGB": 32}),
    "deploy-new-endpoint-serverless": ({}, {"ServerlessConfig.MemorySizeInMB": 4096}),
    # The endpoint has one of another type before.
    "deploy-existing-endpoint": ({}, {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}),
    "deploy-existing-endpoint-autoscaling": ({}, {"InstanceType": "ml.c7i.xlarge"}),
    "deploy-existing-endpoint-scaled": ({}, {"InstanceType": "ml.c5.2xlarge", "InitialInstanceCount": 3}),
    "deploy-existing-endpoint-to-real-time": ({}, {"InstanceType": "ml.m5.large", "ServerlessConfig": None}),
}

# The fewest and the most instances that an event lets the endpoint have.
CAPACITIES: dict[str, list[tuple[int, int]]] = {
    "deploy-new-endpoint-autoscaling": [(1, 4)],
    "deploy-existing-endpoint-autoscaling": [(1, 6)],
}


# What an ELF header calls an architecture.
MACHINES = {"x86_64": 62, "arm64": 183}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_binary_is_of_the_architecture_that_it_is_built_for(function: str):
    logical_id = "".join(word.capitalize() for word in function.split("-")) + "Function"
    header = (REPOSITORY / ".aws-sam" / "build" / logical_id / "bootstrap").read_bytes()[:20]
    assert header[:4] == b"\x7fELF"
    assert int.from_bytes(header[18:20], "little") == MACHINES[architecture()]


def named(function: str) -> list[Any]:
    """Return the events for a function, which their names begin with."""
    paths = sorted(EVENTS.glob(f"{function}*.json"))
    return [pytest.param(path, id=path.stem) for path in paths]


def package(version: int) -> str:
    """Return the ARN of a version of the model."""
    return f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}:model-package/{GROUP}/{version}"


def serve(sagemaker: LocalSageMaker, endpoint_name: str) -> str:
    """Let an endpoint made by hand serve the first version; the one that is named so is serverless."""
    variants = {}
    if "serverless" in endpoint_name:
        serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
        variant = scene.variant(f"{endpoint_name}-by-hand", ServerlessConfig=serverless)
        del variant["InstanceType"], variant["InitialInstanceCount"]
        variants = {"ProductionVariants": [variant]}
    return scene.serve(sagemaker.client, endpoint_name, package(1), **variants)


def assert_deployed(sagemaker: LocalSageMaker, path: Path, answer: Any) -> None:
    """The answer says that the event in the file was done, and the service says so too."""
    event = json.loads(path.read_text())
    assert answer.get("deployment_status") == "Deployed", answer
    assert answer["statusCode"] == 200
    assert answer["endpoint_status"] == "InService"
    assert answer["endpoint_name"] == event["endpoint_name"]
    assert json.loads(answer["body"]) == event

    client = sagemaker.client
    endpoint = client.describe_endpoint(EndpointName=event["endpoint_name"])
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointArn"] == answer["endpoint_arn"]
    assert endpoint["EndpointConfigName"] == answer["endpoint_config"]
    config = client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])
    [variant] = config["ProductionVariants"]
    assert variant["ModelName"] == answer["model"]
    model = client.describe_model(ModelName=answer["model"])
    assert model["ExecutionRoleArn"] == event["role"]
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    assert [container["ModelPackageName"] for container in containers] == [event["package_arn"]]

    of_config, of_variant = SHAPES.get(path.stem, ({}, {}))
    assert {key: member(config, key) for key in of_config} == of_config
    assert {key: member(variant, key) for key in of_variant} == of_variant
    targets = sagemaker.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    capacities = [(target["MinCapacity"], target["MaxCapacity"]) for target in targets]
    assert capacities == CAPACITIES.get(path.stem, [])


def member(shape: dict[str, Any], path: str) -> Any:
    """Return what stands at a dotted path, or nothing."""
    value: Any = shape
    for key in path.split("."):
        value = (value or {}).get(key)
    return value


def operations(sagemaker: LocalSageMaker) -> list[str]:
    """Return the SageMaker operations that were called; the SAM CLI's question to STS is none."""
    return [call["operation"] for call in sagemaker.calls() if call["operation"]]


def test_every_event_is_for_a_function_and_every_shape_is_of_an_event():
    stems = {path.stem for path in EVENTS.glob("*.json")}
    assert stems == {param.id for function in FUNCTIONS for param in named(function)}
    assert set(SHAPES) | set(CAPACITIES) <= stems


@pytest.mark.parametrize("path", named(CHECK))
@pytest.mark.parametrize("exists", [False, True], ids=["absent", "present"])
def test_check(sam: Sam, sagemaker: LocalSageMaker, path: Path, exists: bool):
    if exists:
        serve(sagemaker, json.loads(path.read_text())["endpoint_name"])
    answer = sam.invoke(CHECK, path)
    assert answer == {"endpoint_exists": exists, "endpoint_status": "InService" if exists else "NotFound"}


@pytest.mark.parametrize("path", named(NEW))
def test_new(sam: Sam, sagemaker: LocalSageMaker, path: Path):
    assert_deployed(sagemaker, path, sam.invoke(NEW, path))


@pytest.mark.parametrize("path", named(EXISTING))
def test_existing(sam: Sam, sagemaker: LocalSageMaker, path: Path):
    before = serve(sagemaker, json.loads(path.read_text())["endpoint_name"])
    answer = sam.invoke(EXISTING, path)
    assert_deployed(sagemaker, path, answer)
    assert answer["previous_endpoint_config"] == before


@pytest.mark.parametrize("path", named("invalid/"))
def test_invalid(sam: Sam, sagemaker: LocalSageMaker, path: Path):
    sagemaker.clear_calls()
    answer = sam.invoke(CHECK if path.stem.startswith("check") else NEW, path)
    assert answer.get("errorType") == "InvalidRequest", answer
    assert operations(sagemaker) == []


@pytest.mark.parametrize("path", named("invalid/"))
def test_invalid_for_an_update_too(functions: LambdaService, sagemaker: LocalSageMaker, path: Path):
    serve(sagemaker, "churn")
    sagemaker.clear_calls()
    answer = functions.invoke(EXISTING, json.loads(path.read_text()))
    assert answer.get("errorType") == "InvalidRequest", answer
    # What an event leaves out, the live endpoint may have: some are only known as bad once it has been looked at.
    assert [operation for operation in operations(sagemaker) if not operation.startswith("Describe")] == []


def test_a_pipelines_calls_in_their_order(functions: LambdaService, sagemaker: LocalSageMaker):
    def asked(version: int) -> dict[str, Any]:
        return scene.event(package(version), endpoint_name="shop")

    assert functions.invoke(CHECK, asked(1)) == {"endpoint_exists": False, "endpoint_status": "NotFound"}
    first = functions.invoke(NEW, asked(1))
    assert first.get("deployment_status") == "Deployed", first

    assert functions.invoke(CHECK, asked(2)) == {"endpoint_exists": True, "endpoint_status": "InService"}
    second = functions.invoke(EXISTING, asked(2))
    assert second.get("deployment_status") == "Deployed", second
    assert second["previous_endpoint_config"] == first["endpoint_config"]

    sagemaker.outcome("shop", "update-rolls-back", "The container did not answer its ping.")
    third = functions.invoke(EXISTING, asked(3))
    assert third.get("errorType") == "UpdateRolledBack", third
    assert "The container did not answer its ping." in third["errorMessage"]
    live = sagemaker.client.describe_endpoint(EndpointName="shop")
    assert (live["EndpointStatus"], live["EndpointConfigName"]) == ("InService", second["endpoint_config"])

    again = functions.invoke(EXISTING, asked(2))
    assert again.get("deployment_status") == "Unchanged", again
