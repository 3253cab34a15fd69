"""The twin of `deploy-new-endpoint`: puts a registered model behind a new endpoint."""

import time
from typing import Any

from deployment import EndpointCreationFailed, answer, find_endpoint, make, name, require_approved, required, sagemaker
from deployment import wait as until_in_service


class EndpointAlreadyExists(Exception):  # noqa: N818 - the name is the contract's error type
    """The name is somebody else's endpoint."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event."""
    started = time.monotonic()
    role, endpoint_name, package_arn = required(event, "role", "endpoint_name", "package_arn")
    model_request = {"ExecutionRoleArn": role, "Containers": [{"ModelPackageName": package_arn}]}
    model = name("model", {**model_request, "EndpointName": endpoint_name})
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    config = name("endpoint-config", {"ProductionVariants": [variant], "EndpointName": endpoint_name})

    endpoint, status = find_endpoint(endpoint_name), "Deployed"
    if endpoint is not None and endpoint["EndpointConfigName"] != config:
        raise EndpointAlreadyExists(f"{endpoint_name} exists already: call deploy-existing-endpoint")
    if endpoint is None:
        require_approved(package_arn)
        make("create_model", ModelName=model, **model_request)
        make("create_endpoint_config", EndpointConfigName=config, ProductionVariants=[variant])
        make("create_endpoint", EndpointName=endpoint_name, EndpointConfigName=config)
    elif endpoint["EndpointStatus"] == "InService":
        status = "Unchanged"
    if endpoint is None or endpoint["EndpointStatus"] == "Creating":
        endpoint = until_in_service(endpoint_name, context)
    if endpoint["EndpointStatus"] == "Failed":
        sagemaker.delete_endpoint(EndpointName=endpoint_name)
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
        sagemaker.delete_model(ModelName=model)
        raise EndpointCreationFailed(endpoint.get("FailureReason", f"{endpoint_name} failed"))
    return answer(event, endpoint, model, status, elapsed_seconds=round(time.monotonic() - started, 3))
