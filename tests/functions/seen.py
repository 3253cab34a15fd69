"""What a function answered, which calls it made, and what is in the account since, as the service says."""

from typing import Any

from harness.local import LocalSageMaker
from harness.scene import ENDPOINT

# Of the names that the functions derive, which hold a UUID of version 5.
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

CREATES = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint")
CHANGES = (*CREATES, "DeleteModel", "DeleteEndpointConfig", "DeleteEndpoint")


# How the key of a checkpoint's tag begins. The endpoint config that has it is an anchor, which no endpoint ever uses.
CHECKPOINT = "sagemaker-deployments:deployment-"


def operations(service: LocalSageMaker, *wanted: str) -> list[str]:
    """Return the operations in order, without those that make or delete an anchor."""
    anchors = {
        call["request"]["EndpointConfigName"]
        for call in service.calls("CreateEndpointConfig")
        if any(tag["Key"].startswith(CHECKPOINT) for tag in call["request"].get("Tags", []))
    }
    of_anchors = ("CreateEndpointConfig", "DeleteEndpointConfig")
    return [
        call["operation"]
        for call in service.calls(*wanted)
        if call["operation"] not in of_anchors or call["request"].get("EndpointConfigName") not in anchors
    ]


def error_type(answer: Any) -> str | None:
    """Return the word for what failed, having checked that the error is one that a pipeline can show."""
    if "errorType" not in answer:
        return None
    assert set(answer) == {"errorType", "errorMessage"}, answer
    assert 0 < len(answer["errorMessage"]) <= 1024, answer
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
