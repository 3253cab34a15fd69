"""What a function is called with, and what is in the account before: packages, and endpoints made by someone else."""

import json
from typing import Any

from harness import aws
from harness.processes import until

# What SageMaker's ARNs begin with.
ARN = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}"

# The endpoint that is deployed to, and the group of the model's versions.
ENDPOINT = "churn"
GROUP = "churn-model"

# What scales the endpoint's instances, as Application Auto Scaling calls it.
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{ENDPOINT}/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}

# The execution role that the models run under, and the one that the functions get.
ROLE = f"arn:aws:iam::{aws.ACCOUNT}:role/service-role/churn-model"

_IMAGE = f"{aws.ACCOUNT}.dkr.ecr.{aws.REGION}.amazonaws.com/churn:1"


def register_group(sagemaker: Any, group: str) -> None:
    """Register a model package group."""
    sagemaker.create_model_package_group(ModelPackageGroupName=group, ModelPackageGroupDescription="Who will leave?")


def register_version(sagemaker: Any, group: str, approval: str = "Approved") -> str:
    """Register the next version of a group's model and return its ARN."""
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=approval,
        InferenceSpecification={
            "Containers": [{"Image": _IMAGE, "ModelDataUrl": f"s3://models/{group}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"],
            "SupportedTransformInstanceTypes": ["ml.m5.xlarge"],
        },
    )
    return package["ModelPackageArn"]


def event(package_arn: str, **more: Any) -> dict[str, Any]:
    """Return an event that deploys a package, with ``more`` keys added or replaced."""
    return {"role": ROLE, "endpoint_name": ENDPOINT, "package_arn": package_arn, **more}


def next_event(sagemaker: Any, **more: Any) -> dict[str, Any]:
    """Register the next version of the model and return an event that deploys it."""
    return event(register_version(sagemaker, GROUP), **more)


def serve(sagemaker: Any, endpoint_name: str, package_arn: str, wait: bool = True, **config: Any) -> str:
    """Make an endpoint as another tool or person would, and return its endpoint config's name.

    ``config`` adds members to the endpoint config, or replaces them.
    """
    model, endpoint_config = f"{endpoint_name}-by-hand", f"{endpoint_name}-config-by-hand"
    sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package_arn})
    sagemaker.create_endpoint_config(
        **{
            "EndpointConfigName": endpoint_config,
            "ProductionVariants": [variant(model)],
            **config,
        }
    )
    sagemaker.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=endpoint_config)
    if wait:
        wait_for_status(sagemaker, endpoint_name, "InService")
    return endpoint_config


def variant(model: str, **members: Any) -> dict[str, Any]:
    """Return a production variant, with ``members`` added or replaced."""
    return {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        **members,
    }


def status(sagemaker: Any, endpoint_name: str) -> str:
    """Return an endpoint's status."""
    return sagemaker.describe_endpoint(EndpointName=endpoint_name)["EndpointStatus"]


def wait_for_status(sagemaker: Any, endpoint_name: str, wanted: str, timeout: float = 30) -> None:
    """Return once the endpoint has the ``wanted`` status."""
    until(
        lambda: status(sagemaker, endpoint_name) == wanted,
        timeout,
        lambda: f"{endpoint_name} is {status(sagemaker, endpoint_name)}, not {wanted}",
    )


def callback_message(token: str, execution_arn: str, step_name: str, arguments: dict[str, Any]) -> str:
    """Return the body of the message that a pipeline's callback step puts into its queue."""
    message = {
        "token": token,
        "pipelineExecutionArn": execution_arn,
        "stepName": step_name,
        "status": "Executing",
        "arguments": arguments,
    }
    return json.dumps(message)
