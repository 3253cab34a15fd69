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

# How the keys of the tags begin that a deployment keeps only until it has ended.
_OF_DEPLOYMENTS = tuple(f"sagemaker-deployments:{kind}-" for kind in ("deployment", "accepted", "claim", "undo"))


def operations(service: LocalSageMaker, *wanted: str) -> list[str]:
    """Return the operations in order, without those that make or delete an anchor.

    ``checkpoints`` finds an anchor that is left.
    """
    anchors = _anchors(service)
    return [call["operation"] for call in service.calls(*wanted) if not _is_about(call, anchors)]


def writes(service: LocalSageMaker) -> list[str]:
    """Return the writes in order. A create or a delete says whether it is of an anchor."""
    anchors = _anchors(service)
    return [
        f"{call['operation']} of the anchor" if _is_about(call, anchors) else call["operation"]
        for call in service.calls()
        if not call["operation"].startswith(("Describe", "List"))
    ]


def _anchors(service: LocalSageMaker) -> set[str]:
    return {
        call["request"]["EndpointConfigName"]
        for call in service.calls("CreateEndpointConfig")
        if any(tag["Key"].startswith(CHECKPOINT) for tag in call["request"].get("Tags", []))
    }


def _is_about(call: dict[str, Any], anchors: set[str]) -> bool:
    of_anchors = ("CreateEndpointConfig", "DeleteEndpointConfig")
    return call["operation"] in of_anchors and call["request"].get("EndpointConfigName") in anchors


def checkpoints(service: LocalSageMaker) -> list[str]:
    """Return the tags of deployments under way that models, endpoint configs and endpoints have."""
    client = service.client
    there = "Endpoints[?EndpointStatus != 'Deleting'].EndpointArn"
    listed = [
        *client.get_paginator("list_models").paginate().search("Models[].ModelArn"),
        *client.get_paginator("list_endpoint_configs").paginate().search("EndpointConfigs[].EndpointConfigArn"),
        *client.get_paginator("list_endpoints").paginate().search(there),
    ]
    return [
        f"{arn}: {tag['Key']}"
        for arn in listed
        for tag in client.list_tags(ResourceArn=arn)["Tags"]
        if tag["Key"].startswith(_OF_DEPLOYMENTS)
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
