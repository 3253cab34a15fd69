"""What the functions measure, in the embedded metric format that CloudWatch reads out of their log."""

from collections.abc import Callable
from typing import Any

from harness import scene
from harness.emulator import Emulator, Record
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT


def measured(documents: list[Record]) -> dict[tuple[str, str], Any]:
    """Return each metric's value by its name and its dimensions, as CloudWatch would take them out."""
    found = {}
    for document in documents:
        assert document["_aws"]["Timestamp"] > 0
        assert document["request_id"]
        [directive] = document["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "SageMakerDeployments"
        [dimensions] = directive["Dimensions"]
        for metric in directive["Metrics"]:
            by = ",".join(f"{name}={document[name]}" for name in dimensions)
            found[metric["Name"], by] = (document[metric["Name"]], metric["Unit"])
    return found


def test_a_check_is_counted_by_its_outcome(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    check = function("check-endpoint-exists", sagemaker.url)
    check.invoke({"endpoint_name": ENDPOINT})
    found = measured(check.last_metrics())
    assert found["Checks", "Function=check-endpoint-exists,Outcome=Absent"] == (1, "Count")
    [milliseconds], unit = found["Duration", "Function=check-endpoint-exists,Outcome=Absent"]
    assert milliseconds > 0
    assert unit == "Milliseconds"


def test_a_deployment_is_counted_with_its_polls(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    event = scene.next_event(sagemaker.client)
    deploy = function("deploy-new-endpoint", sagemaker.url)
    deploy.invoke(event)
    found = measured(deploy.last_metrics())
    assert found["Deployments", "Function=deploy-new-endpoint,Outcome=Deployed"] == (1, "Count")
    polls = len(sagemaker.calls("DescribeEndpoint"))
    assert found["Polls", "Function=deploy-new-endpoint"] == (polls, "Count")
    assert not any(name == "Failures" for name, _ in found)
    # What was counted is not counted again.
    deploy.invoke(event)
    again = measured(deploy.last_metrics())
    assert again["Deployments", "Function=deploy-new-endpoint,Outcome=Unchanged"] == (1, "Count")
    assert ("Deployments", "Function=deploy-new-endpoint,Outcome=Deployed") not in again


def test_metrics_are_written_at_any_level_of_the_log(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    check = function("check-endpoint-exists", sagemaker.url, FUNCTION_LOG_LEVEL="ERROR")
    check.invoke({"endpoint_name": ENDPOINT})
    assert check.last_log() == []
    assert ("Checks", "Function=check-endpoint-exists,Outcome=Absent") in measured(check.last_metrics())


def test_a_failure_is_counted_by_its_type(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    deploy = function("deploy-existing-endpoint", sagemaker.url)
    deploy.invoke({})
    found = measured(deploy.last_metrics())
    assert found["Deployments", "Function=deploy-existing-endpoint,Outcome=Failed"] == (1, "Count")
    assert found["Failures", "Function=deploy-existing-endpoint,ErrorType=InvalidRequest"] == (1, "Count")
