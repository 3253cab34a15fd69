"""The local SageMaker with something in it."""

import pytest
from watched import second_config

from harness import scene
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT, GROUP


@pytest.fixture
def serving(watched_sagemaker: LocalSageMaker) -> LocalSageMaker:
    """The service with an endpoint in service on one config, and a second config to update it to."""
    package = scene.register_version(watched_sagemaker.client, GROUP)
    scene.serve(watched_sagemaker.client, ENDPOINT, package, wait=False)
    watched_sagemaker.force_status(ENDPOINT, "InService")
    second_config(watched_sagemaker.client)
    watched_sagemaker.clear_calls()
    return watched_sagemaker
