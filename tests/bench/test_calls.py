"""How many calls a deployment makes of the service: one more is a decision, and never an accident."""

import pytest

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker

# The anchor, the endpoint and the package are read. The model (it is the anchor), the endpoint config and the
# endpoint are created. The claims are read before the launch, and the accepted launch is recorded after it. After the
# poll that finds the endpoint in service, two calls read tags and three remove them.
NEW = 14
# The anchor and its tags, and the endpoint.
NEW_AGAIN = 3
# The live endpoint config, its model, their tags and the endpoint's are read too; the anchor is created and deleted.
UPDATE = 20
UPDATE_AGAIN = 5


@pytest.fixture
def local():
    # The first poll after the launch finds the change done: the number of polls is no matter of time.
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


def test_a_new_endpoint_takes_fourteen_calls_and_a_repeated_event_three(local):
    package = scene.register_version(local.client, "churn")
    status, calls = invoked(local, "deploy-new-endpoint", package)
    assert status == "Deployed"
    assert calls <= NEW
    assert invoked(local, "deploy-new-endpoint", package) == ("Unchanged", NEW_AGAIN)


def test_an_update_takes_twenty_calls_and_a_repeated_event_five(local):
    scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
    package = scene.register_version(local.client, "churn")
    status, calls = invoked(local, "deploy-existing-endpoint", package)
    assert status == "Deployed"
    assert calls <= UPDATE
    status, calls = invoked(local, "deploy-existing-endpoint", package)
    assert status == "Unchanged"
    assert calls <= UPDATE_AGAIN


def test_a_check_reads_one_page_of_a_hundred_endpoints(local):
    config = scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
    for number in range(100):
        local.client.create_endpoint(EndpointName=f"churn-{number}", EndpointConfigName=config)
    local.clear_calls()
    with Emulator(binary("check-endpoint-exists"), aws.endpoint_urls(local.url)) as emulator:
        assert emulator.invoke({"endpoint_name": "absent"})["endpoint_exists"] is False
    # 101 endpoints.
    assert len(local.calls()) == 2
