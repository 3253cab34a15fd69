"""How many calls a deployment makes of the service: as few as it can, whatever the machine."""

import pytest

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker

# One look at the endpoint and one at the package, the three creates, and the look that finds the endpoint in service.
NEW = 6
# The live config, its model and its tags are read; the note of what was replaced is made and taken away.
UPDATE = 12


@pytest.fixture
def local():
    # Whoever looks after a pause finds the change done: the number of looks is no matter of time.
    with LocalSageMaker(create_seconds=0, update_seconds=0) as local:
        scene.register_group(local.client, "churn")
        yield local


def invoked(local, function, package):
    """Invoke a function and return its answer with the number of calls that it made."""
    event = scene.event(package)
    local.clear_calls()
    with Emulator(binary(function), aws.endpoint_urls(local.url)) as emulator:
        answer = emulator.invoke(event)
    return answer["deployment_status"], len(local.calls())


def test_a_new_endpoint_takes_six_calls_and_a_repeated_event_one(local):
    package = scene.register_version(local.client, "churn")
    status, calls = invoked(local, "deploy-new-endpoint", package)
    assert status == "Deployed"
    assert calls <= NEW
    assert invoked(local, "deploy-new-endpoint", package) == ("Unchanged", 1)


def test_an_update_takes_twelve_calls_and_a_repeated_event_reads_alone(local):
    scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
    package = scene.register_version(local.client, "churn")
    status, calls = invoked(local, "deploy-existing-endpoint", package)
    assert status == "Deployed"
    assert calls <= UPDATE
    status, calls = invoked(local, "deploy-existing-endpoint", package)
    assert status == "Unchanged"
    assert calls <= 4


def test_a_check_reads_one_page_of_a_hundred_endpoints(local):
    config = scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
    for number in range(100):
        local.client.create_endpoint(EndpointName=f"churn-{number}", EndpointConfigName=config)
    local.clear_calls()
    with Emulator(binary("check-endpoint-exists"), aws.endpoint_urls(local.url)) as emulator:
        assert emulator.invoke({"endpoint_name": "absent"})["endpoint_exists"] is False
    # 101 endpoints.
    assert len(local.calls()) == 2
