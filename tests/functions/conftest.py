"""The functions, invoked through the Lambda API under Lambda's emulator, on the local SageMaker and what is in it."""

from collections.abc import Callable, Iterator

import pytest
from seen import checkpoints

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT, GROUP


@pytest.fixture(autouse=True)
def leaves_no_checkpoint(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check that a test's deployments have left no checkpoint.

    If the last deployment of a test goes on, the test is marked ``unfinished``, and its checkpoint has to be there.
    """
    services = [name for name in ("sagemaker", "slow_sagemaker") if name in request.fixturenames]
    # Set up before the check, so that they are there when it is made.
    running = [request.getfixturevalue(name) for name in services]
    yield
    for service in running:
        if isinstance(service, LocalSageMaker):
            service.clear_faults()
    left = [tag for service in running for tag in checkpoints(service)]
    is_unfinished = request.node.get_closest_marker("unfinished") is not None
    assert bool(left) == is_unfinished, left


@pytest.fixture
def check(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Emulator:
    return function("check-endpoint-exists", sagemaker.url)


@pytest.fixture
def deploy_new(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Emulator:
    return function("deploy-new-endpoint", sagemaker.url)


@pytest.fixture
def deploy_existing(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Emulator:
    return function("deploy-existing-endpoint", sagemaker.url)


@pytest.fixture
def package(sagemaker: LocalSageMaker) -> str:
    """An approved model package, version 1 of its group."""
    arn = scene.register_version(sagemaker.client, GROUP)
    sagemaker.clear_calls()
    return arn


@pytest.fixture
def live_config(sagemaker: LocalSageMaker, package: str) -> str:
    """The endpoint config of an endpoint in service that someone else made."""
    name = scene.serve(
        sagemaker.client,
        ENDPOINT,
        package,
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 20,
            "DestinationS3Uri": "s3://captured/here",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
        KmsKeyId="alias/endpoints",
    )
    sagemaker.clear_calls()
    return name


@pytest.fixture
def next_package(sagemaker: LocalSageMaker, live_config: str) -> str:
    """Version 2, to update the live endpoint to."""
    arn = scene.register_version(sagemaker.client, GROUP)
    sagemaker.clear_calls()
    return arn
