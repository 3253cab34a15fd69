"""What a behaviour of the service is, and the calls that the table of behaviours is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from harness import scene
from harness.scene import GROUP

# For what both imitations do alike.
SAME = object()


@dataclass(frozen=True)
class Behaviour:
    """A few calls and what comes of them."""

    name: str
    run: Callable[[Any], Any]
    expected: Any
    moto: Any = SAME
    why_moto_differs: str = ""

    def __post_init__(self) -> None:
        """Refuse a difference without a reason, and a reason without a difference."""
        assert (self.moto is SAME) == (not self.why_moto_differs), self.name
        assert self.moto != self.expected, self.name


def refusal(call: Callable[..., Any], **request: Any) -> str:
    """Return the error that a call is refused with, or the ARN of what it made."""
    try:
        answer = call(**request)
    except ClientError as error:
        # The service ends its sentences with a full stop or not, as the years go.
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}".rstrip(".")
    return next((value for key, value in answer.items() if key.endswith("Arn")), "accepted")


def create_model(client: Any, name: str = "model-a", package: str | None = None) -> str:
    package = package or scene.register_version(client, GROUP)
    return refusal(
        client.create_model,
        ModelName=name,
        ExecutionRoleArn=scene.ROLE,
        PrimaryContainer={"ModelPackageName": package},
    )


def create_config(client: Any, name: str = "config-a", model: str = "model-a") -> str:
    return refusal(client.create_endpoint_config, EndpointConfigName=name, ProductionVariants=[scene.variant(model)])


def create_endpoint(client: Any, name: str = "endpoint-a", config: str = "config-a") -> str:
    return refusal(client.create_endpoint, EndpointName=name, EndpointConfigName=config)


def serving(client: Any, name: str = "endpoint-a") -> Any:
    """Make a model, a config and an endpoint, and return the client."""
    create_model(client)
    create_config(client)
    create_endpoint(client, name)
    scene.wait_for_status(client, name, "InService")
    return client


def described(answer: dict[str, Any], *members: str) -> dict[str, Any]:
    return {member: answer.get(member) for member in members}


def pages(client: Any, **request: Any) -> list[list[str]]:
    """Return the endpoint names on each page of ListEndpoints."""
    paginator = client.get_paginator("list_endpoints")
    return [[each["EndpointName"] for each in page["Endpoints"]] for page in paginator.paginate(**request)]


def three_endpoints(client: Any) -> Any:
    serving(client, "churn")
    create_endpoint(client, "other")
    create_endpoint(client, "churn-2")
    return client


def gone_at_last(client: Any) -> str:
    """Delete an endpoint and return how it is missed once it is gone."""
    serving(client)
    client.delete_endpoint(EndpointName="endpoint-a")
    client.get_waiter("endpoint_deleted").wait(
        EndpointName="endpoint-a", WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
    )
    return refusal(client.describe_endpoint, EndpointName="endpoint-a")
