"""What the three twins share: the client, the names, the makes and the wait.

Plain boto3, as one would write it with care: one client a process, names out of the contents, a create that adopts
what is there, the SDK's own waiter. It knows the required keys alone; the optional ones would be more code and no more
calls.
"""

import json
import uuid
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

sagemaker = boto3.client(
    "sagemaker",
    config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}),
)

_NAMES = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


class InvalidRequest(Exception):  # noqa: N818 - the names are the contract's error types
    """A key is missing."""


class ModelPackageNotApproved(Exception):  # noqa: N818
    """The registry has not approved the package."""


class EndpointCreationFailed(Exception):  # noqa: N818
    """The new endpoint ended `Failed`."""


class UpdateRolledBack(Exception):  # noqa: N818
    """The endpoint is back in service on its old config."""


class DeploymentTimedOut(Exception):  # noqa: N818
    """The budget is spent; the deployment goes on."""


def required(event: dict[str, Any], *keys: str) -> tuple[str, ...]:
    """Return the values of the keys, every one of which the event must have."""
    missing = [key for key in keys if not event.get(key)]
    if missing:
        raise InvalidRequest(f"missing: {', '.join(missing)}")
    return tuple(str(event[key]) for key in keys)


def name(kind: str, content: dict[str, Any]) -> str:
    """Return the name that a request with this content always has."""
    return f"{kind}-{uuid.uuid5(_NAMES, json.dumps(content, sort_keys=True))}"


def find_endpoint(endpoint_name: str) -> dict[str, Any] | None:
    """Return the endpoint, or nothing where there is none."""
    try:
        return sagemaker.describe_endpoint(EndpointName=endpoint_name)
    except ClientError as error:
        if "Could not find endpoint" in error.response["Error"]["Message"]:
            return None
        raise


def require_approved(package_arn: str) -> None:
    """Raise unless the registry has approved the package."""
    approval = sagemaker.describe_model_package(ModelPackageName=package_arn)["ModelApprovalStatus"]
    if approval != "Approved":
        raise ModelPackageNotApproved(f"{package_arn} is {approval}")


def make(operation: str, **request: Any) -> bool:
    """Create something, unless it is there already; tell whether it was made."""
    try:
        getattr(sagemaker, operation)(**request)
    except ClientError as error:
        if "already existing" in error.response["Error"]["Message"]:
            return False
        raise
    return True


def wait(endpoint_name: str, context: Any) -> dict[str, Any]:
    """Return the endpoint once it is in service or failed."""
    seconds = min(540, context.get_remaining_time_in_millis() // 1000 - 10)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    try:
        waiter.wait(EndpointName=endpoint_name, WaiterConfig={"Delay": 30, "MaxAttempts": max(1, seconds // 30)})
    except WaiterError as error:
        if error.last_response.get("EndpointStatus") != "Failed":
            raise DeploymentTimedOut(f"{endpoint_name} is not in service yet; call again to resume") from error
    return sagemaker.describe_endpoint(EndpointName=endpoint_name)


def answer(event: dict[str, Any], endpoint: dict[str, Any], model: str, status: str, **more: Any) -> dict[str, Any]:
    """Return the answer's keys."""
    return {
        "statusCode": 200,
        "body": json.dumps(event),
        "model": model,
        "endpoint_name": endpoint["EndpointName"],
        "endpoint_arn": endpoint["EndpointArn"],
        "endpoint_config": endpoint["EndpointConfigName"],
        "endpoint_status": endpoint["EndpointStatus"],
        "deployment_status": status,
        **more,
    }
