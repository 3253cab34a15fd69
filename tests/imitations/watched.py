"""The endpoint that the tests of sagemaker-local watch: on its old config, with a new one to update it to."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import scene
from harness.local import LocalSageMaker
from harness.processes import until
from harness.scene import ENDPOINT

OLD, NEW = f"{ENDPOINT}-config-by-hand", "config-2"


def second_config(client: Any) -> None:
    client.create_endpoint_config(
        EndpointConfigName=NEW, ProductionVariants=[scene.variant(f"{ENDPOINT}-by-hand", InitialInstanceCount=3)]
    )


def update(service: LocalSageMaker, **request: Any) -> None:
    service.client.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NEW, **request)


def describe(service: LocalSageMaker) -> dict[str, Any]:
    return service.client.describe_endpoint(EndpointName=ENDPOINT)


def error(call: Any, **request: Any) -> tuple[str, str, int]:
    """Return code, message and HTTP status of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    response = caught.value.response
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
