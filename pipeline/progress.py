"""A line for each step of an execution, as it comes and goes."""

import time
from collections.abc import Callable
from typing import Any

# A step takes minutes; the listing is throttled by the account.
POLL_SECONDS = 15.0

# The statuses after which an execution does not change any more.
ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


def watch(
    sagemaker: Any,
    execution_arn: str,
    show: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Show each change of each step until the execution has ended, and return its status."""
    seen: dict[str, str] = {}
    while True:
        # Looked at before its steps: once it has ended, these are the steps' last statuses.
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
        for line in changes(seen, steps(sagemaker, execution_arn)):
            show(line)
        status = execution["PipelineExecutionStatus"]
        if status in ENDED:
            show(summary(execution))
            return status
        sleep(POLL_SECONDS)


def steps(sagemaker: Any, execution_arn: str) -> list[dict[str, Any]]:
    """Return the steps of an execution in the order in which they started."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=execution_arn, SortOrder="Ascending"
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def changes(seen: dict[str, str], now: list[dict[str, Any]]) -> list[str]:
    """Return a line for each step whose status is another than ``seen``, and see it."""
    lines = []
    for step in now:
        name, status = step["StepName"], step["StepStatus"]
        if seen.get(name) != status:
            seen[name] = status
            lines.append(_line(step))
    return lines


def summary(execution: dict[str, Any]) -> str:
    """Return the line of a whole execution."""
    reason = execution.get("FailureReason")
    return f"{execution['PipelineExecutionStatus']}: {execution['PipelineExecutionArn']}" + (
        f"\n  {reason}" if reason else ""
    )


def _line(step: dict[str, Any]) -> str:
    """Return a step's line: name, status, how long it took, and what there is to say about it."""
    remarks = []
    if "StartTime" in step and "EndTime" in step:
        seconds = round((step["EndTime"] - step["StartTime"]).total_seconds())
        remarks.append(f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s")
    if "CacheHitResult" in step:
        remarks.append("from the cache")
    outcome = step.get("Metadata", {}).get("Condition", {}).get("Outcome")
    if outcome:
        remarks.append(f"the condition is {outcome}")
    if step.get("FailureReason"):
        remarks.append(step["FailureReason"])
    return f"{step['StepName']:<48} {step['StepStatus']:<10} {', '.join(remarks)}".rstrip()
