"""A local SageMaker, and the SAM CLI with the functions pointed at it: each is started once."""

from collections.abc import Iterator

import pytest

from harness import aws, scene
from harness.local import LocalSageMaker
from local.bridge import BridgedSageMaker
from local.sam import LambdaService, Sam

# The model package group of the files in events/.
GROUP = "churn"


@pytest.fixture(scope="session")
def service() -> Iterator[LocalSageMaker]:
    """A local SageMaker whose every change takes tenths of a second."""
    quick = {"create_seconds": 0.3, "update_seconds": 0.3, "rollback_seconds": 0.2, "delete_seconds": 0.2}
    with BridgedSageMaker(**quick, guardrail_scale=0.001) as service:
        yield service


@pytest.fixture(scope="session")
def sam(service: LocalSageMaker) -> Sam:
    """The SAM CLI's local commands."""
    return Sam(service.url)


@pytest.fixture(scope="session")
def functions(sam: Sam) -> Iterator[LambdaService]:
    """The functions behind a Lambda API."""
    with sam.lambda_service() as functions:
        yield functions


@pytest.fixture
def sagemaker(service: LocalSageMaker) -> LocalSageMaker:
    """The local SageMaker, with three approved versions of the model in it and no endpoint."""
    service.reset()
    scene.register_group(service.client, GROUP)
    for version in (1, 2, 3):
        # Without a list of instance types: the events ask for several.
        service.client.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [
                    {
                        "Image": f"{aws.ACCOUNT}.dkr.ecr.{aws.REGION}.amazonaws.com/{GROUP}:1",
                        "ModelDataUrl": f"s3://models/{GROUP}/{version}/model.tar.gz",
                    }
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    return service
