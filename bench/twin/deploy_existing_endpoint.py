"""The twin of `deploy-existing-endpoint`: swaps the model of a live endpoint."""

import time
from typing import Any

from deployment import UpdateRolledBack, answer, find_endpoint, make, name, require_approved, required, sagemaker
from deployment import wait as until_in_service

# What a live endpoint config says besides what a new one is made with.
_ANSWERED_ONLY = {"ResponseMetadata", "EndpointConfigName", "EndpointConfigArn", "CreationTime"}


class EndpointNotFound(Exception):  # noqa: N818 - the names are the contract's error types
    """There is no such endpoint."""


class EndpointNotUpdatable(Exception):  # noqa: N818
    """The endpoint's status allows no update."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event."""
    started = time.monotonic()
    role, endpoint_name, package_arn = required(event, "role", "endpoint_name", "package_arn")
    endpoint = find_endpoint(endpoint_name)
    if endpoint is None:
        raise EndpointNotFound(f"{endpoint_name} does not exist: call deploy-new-endpoint")
    if endpoint["EndpointStatus"] in ("Updating", "SystemUpdating", "RollingBack", "Creating"):
        endpoint = until_in_service(endpoint_name, context)
    if endpoint["EndpointStatus"] != "InService":
        raise EndpointNotUpdatable(f"{endpoint_name} is {endpoint['EndpointStatus']}")

    live = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    # Read for what an update must keep of the model: its VPC and its isolation.
    live_model = sagemaker.describe_model(ModelName=live["ProductionVariants"][0]["ModelName"])
    tags = sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]

    kept = {key: live_model[key] for key in ("VpcConfig", "EnableNetworkIsolation") if live_model.get(key)}
    model_request = {"ExecutionRoleArn": role, "Containers": [{"ModelPackageName": package_arn}], **kept}
    model = name("model", {**model_request, "EndpointName": endpoint_name})
    if live_model["ModelName"] == model:
        return answer(
            event,
            endpoint,
            model,
            "Unchanged",
            previous_endpoint_config="",
            elapsed_seconds=round(time.monotonic() - started, 3),
        )

    shape = {key: value for key, value in live.items() if key not in _ANSWERED_ONLY}
    shape["ProductionVariants"] = [{**live["ProductionVariants"][0], "ModelName": model}]
    config = name("endpoint-config", {**shape, "EndpointName": endpoint_name})
    require_approved(package_arn)
    labels = {"Tags": tags} if tags else {}
    make("create_model", ModelName=model, **model_request, **labels)
    make("create_endpoint_config", EndpointConfigName=config, **shape, **labels)
    sagemaker.update_endpoint(EndpointName=endpoint_name, EndpointConfigName=config, RetainAllVariantProperties=True)
    endpoint = until_in_service(endpoint_name, context)
    if endpoint["EndpointConfigName"] != config:
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
        sagemaker.delete_model(ModelName=model)
        raise UpdateRolledBack(endpoint.get("FailureReason", f"{endpoint_name} is back on its old config"))
    return answer(
        event,
        endpoint,
        model,
        "Deployed",
        previous_endpoint_config=live["EndpointConfigName"],
        elapsed_seconds=round(time.monotonic() - started, 3),
    )
