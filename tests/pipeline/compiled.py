"""What the tests compile the pipelines with, and run them with."""

import os
from collections.abc import Callable
from typing import Any

from harness import aws

# The SDK's own settings of a developer have no say here; it reads them while it is imported.
os.environ["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"] = os.devnull
os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] = os.devnull

from pipeline.stack import Stack

BUCKET = "models"
STACK = Stack.example(aws.REGION)

Compile = Callable[..., dict[str, Any]]

# The endpoints that the deploy pipeline makes of the name that it is given.
STAGING, PRODUCTION = "churn-staging", "churn-production"


def given(package_arn: str) -> dict[str, str]:
    """Return the parameters that an execution of the deploy pipeline is started with."""
    return {"ModelPackageArn": package_arn, "EndpointName": "churn"}
