"""The lines of an execution while it runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from harness import aws, scene
from pipeline import progress

ARN = f"{scene.ARN}:pipeline/churn/execution/abc"
START = datetime(2026, 1, 1, tzinfo=UTC)


def step(name: str, status: str, seconds: float | None = None, **more: Any) -> dict[str, Any]:
    ended = {} if seconds is None else {"StartTime": START, "EndTime": START + timedelta(seconds=seconds)}
    return {"StepName": name, "StepStatus": status, **ended, **more}


@pytest.fixture
def sagemaker() -> Any:
    return aws.client("sagemaker", "http://127.0.0.1:1")


def answers(stubber: Stubber, status: str, *pages: list[dict[str, Any]], reason: str | None = None) -> None:
    """Add one look: the execution, and the pages of its steps."""
    execution = {"PipelineExecutionArn": ARN, "PipelineExecutionStatus": status}
    stubber.add_response("describe_pipeline_execution", execution | ({"FailureReason": reason} if reason else {}))
    for number, page in enumerate(pages):
        more = {"NextToken": "more"} if number < len(pages) - 1 else {}
        stubber.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": page, **more})


def watched(sagemaker: Any, stubber: Stubber) -> tuple[str, list[str], list[float]]:
    lines: list[str] = []
    pauses: list[float] = []
    with stubber:
        status = progress.watch(sagemaker, ARN, lines.append, pauses.append)
        stubber.assert_no_pending_responses()
    return status, [" ".join(line.split()) for line in lines], pauses


def test_each_change_of_each_step_is_a_line(sagemaker: Any):
    stubber = Stubber(sagemaker)
    answers(stubber, "Executing", [step("PrepareData", "Starting")])
    answers(stubber, "Executing", [step("PrepareData", "Executing")])
    answers(stubber, "Executing", [step("PrepareData", "Executing")])
    done = step("PrepareData", "Succeeded", 125)
    answers(stubber, "Succeeded", [done], [step("TrainModel", "Succeeded", 2, CacheHitResult={})])
    status, lines, pauses = watched(sagemaker, stubber)
    assert status == "Succeeded"
    assert lines == [
        "PrepareData Starting",
        "PrepareData Executing",
        "PrepareData Succeeded 2 min 5 s",
        "TrainModel Succeeded 2 s, from the cache",
        f"Succeeded: {ARN}",
    ]
    assert pauses == [progress.POLL_SECONDS] * 3


@pytest.mark.parametrize("status", ["Failed", "Stopped", "CompletedWithFailures"])
def test_an_execution_that_ends_otherwise_ends_the_watch_with_its_reason(sagemaker: Any, status: str):
    stubber = Stubber(sagemaker)
    steps = [
        step("EndpointExists", "Succeeded", 0, Metadata={"Condition": {"Outcome": "True"}}),
        step("DeployToExistingEndpoint", "Failed", 60, FailureReason="UpdateRolledBack: churn"),
    ]
    answers(stubber, status, steps, reason="Step failure: One or multiple steps failed.")
    ended, lines, _ = watched(sagemaker, stubber)
    assert ended == status
    assert lines == [
        "EndpointExists Succeeded 0 s, the condition is True",
        "DeployToExistingEndpoint Failed 1 min 0 s, UpdateRolledBack: churn",
        f"{status}: {ARN} Step failure: One or multiple steps failed.",
    ]
