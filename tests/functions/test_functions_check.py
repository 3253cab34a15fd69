"""What check-endpoint-exists answers, against the local SageMaker."""

from collections.abc import Callable

import pytest
from seen import error_type

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT


def test_check_finds_no_endpoint(check: Emulator):
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}


def test_check_finds_an_endpoint_and_ignores_what_it_does_not_know(check: Emulator, live_config: str, package: str):
    answer = check.invoke({"endpoint_name": ENDPOINT, "package_arn": package, "x": 1})
    assert answer == {"endpoint_exists": True, "endpoint_status": "InService"}


@pytest.mark.parametrize(
    "status",
    [
        "Creating",
        "Updating",
        "SystemUpdating",
        "RollingBack",
        "OutOfService",
        "Failed",
        "UpdateRollbackFailed",
        "Deleting",
    ],
)
def test_check_tells_the_status_and_only_deleting_counts_as_absent(
    check: Emulator, sagemaker: LocalSageMaker, live_config: str, status: str
):
    sagemaker.force_status(ENDPOINT, status)
    answer = check.invoke({"endpoint_name": ENDPOINT})
    assert answer == {"endpoint_exists": status != "Deleting", "endpoint_status": status}


def test_check_takes_no_part_of_a_name_for_the_name(check: Emulator, sagemaker: LocalSageMaker, package: str):
    config = scene.serve(sagemaker.client, f"{ENDPOINT}-2", package)
    sagemaker.client.create_endpoint(EndpointName=f"my-{ENDPOINT}", EndpointConfigName=config)
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}


@pytest.mark.parametrize("asked", ["churn", "CHURN", "cHuRn"])
def test_check_ignores_the_case_of_a_name(check: Emulator, sagemaker: LocalSageMaker, package: str, asked: str):
    scene.serve(sagemaker.client, "Churn", package)
    assert check.invoke({"endpoint_name": asked}) == {"endpoint_exists": True, "endpoint_status": "InService"}


def test_check_reads_every_page_and_stops_at_the_match(check: Emulator, sagemaker: LocalSageMaker, live_config: str):
    for number in range(120):
        sagemaker.client.create_endpoint(EndpointName=f"other-{number}", EndpointConfigName=live_config)
    sagemaker.clear_calls()

    # The oldest, and so on the last page.
    assert check.invoke({"endpoint_name": ENDPOINT})["endpoint_exists"] is True
    assert [call["request"]["MaxResults"] for call in sagemaker.calls("ListEndpoints")] == [100, 100]
    sagemaker.clear_calls()
    assert check.invoke({"endpoint_name": "absent"})["endpoint_exists"] is False
    assert len(sagemaker.calls("ListEndpoints")) == 2
    sagemaker.clear_calls()
    assert check.invoke({"endpoint_name": "other-119"})["endpoint_exists"] is True
    assert len(sagemaker.calls()) == 1


@pytest.mark.parametrize(
    ("kind", "wanted"), [("deny", "AccessDenied"), ("throttle", "Throttled"), ("fail", "SageMakerError")]
)
def test_check_never_takes_a_failed_call_for_an_absent_endpoint(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, kind: str, wanted: str
):
    # A short deadline, because throttling is sat out as long as there is time.
    check = function("check-endpoint-exists", sagemaker.url, timeout_seconds=4)
    sagemaker.inject("ListEndpoints", kind, calls=1000)
    answer = check.invoke({"endpoint_name": ENDPOINT})
    assert error_type(answer) == wanted
    assert "ListEndpoints" in answer["errorMessage"]


def test_check_gets_over_a_throttled_and_a_lost_call(check: Emulator, sagemaker: LocalSageMaker, live_config: str):
    sagemaker.inject("ListEndpoints", "throttle")
    sagemaker.inject("ListEndpoints", "drop-after")
    assert check.invoke({"endpoint_name": ENDPOINT}) == {"endpoint_exists": True, "endpoint_status": "InService"}
