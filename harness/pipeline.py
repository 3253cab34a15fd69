"""Runs a compiled pipeline definition with the built functions, where SageMaker Pipelines would run it.

It executes the steps that it can, which are Lambda, Condition and Fail, and Callback where it has queues. A definition
with any other type of step is refused, by name, before the first step runs: nothing is ever passed over.
"""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from harness import aws
from harness.binaries import REPOSITORY
from harness.pipeline_callbacks import Callbacks
from harness.pipeline_values import (
    Definition,
    OutputError,
    Step,
    UnsupportedError,
    Values,
    depends_on,
    every_step,
    outputs,
    parameters,
)

_PIPELINE_ARN = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}:pipeline/local"

# The service cuts a step's failure reason here.
_MAX_REASON_CHARACTERS = 1024

# How a function is invoked: by its ARN, with an event, giving the answer or the error.
Invoke = Callable[[str, dict[str, Any]], Any]


@dataclass
class StepRun:
    """A step that has run: what it was sent, and what came of it."""

    name: str
    kind: str
    arguments: Any
    status: str
    outputs: dict[str, Any] = field(default_factory=dict)
    failure_reason: str = ""


@dataclass
class Execution:
    """An execution that has ended, with its steps in the order in which they ran."""

    status: str
    steps: list[StepRun]

    def step(self, name: str) -> StepRun:
        """Return the step that ran under a name."""
        [found] = [step for step in self.steps if step.name == name]
        return found


class Runner:
    """Runs one definition after the other with the same functions."""

    def __init__(
        self,
        invoke: Invoke,
        on_step: Callable[[StepRun], None] | None = None,
        callbacks: Callbacks | None = None,
    ) -> None:
        """Run with ``invoke``; ``on_step`` is called with each step that has ended."""
        self._invoke = invoke
        self._on_step = on_step
        self._callbacks = callbacks
        self._executors: dict[str, Callable[[Step, Values], StepRun]] = {
            "Lambda": self._run_lambda,
            "Condition": self._run_condition,
            "Fail": self._run_fail,
            **({"Callback": self._run_callback} if callbacks else {}),
        }

    def run(self, definition: Definition, given: Mapping[str, Any]) -> Execution:
        """Run a definition to its end, or to the first step that fails."""
        for step in every_step(definition["Steps"]):
            if step["Type"] not in self._executors:
                raise UnsupportedError(f"the step {step['Name']}: it is of the type {step['Type']}")
        values = Values(parameters(definition, given), _execution())
        waiting, done, ran = list(definition["Steps"]), set(), []
        while ready := [step for step in waiting if depends_on(step) <= done]:
            step = ready[0]
            waiting.remove(step)
            run = self._executors[step["Type"]](step, values)
            ran.append(run)
            if self._on_step:
                self._on_step(run)
            if run.status == "Failed":
                return Execution("Failed", ran)
            done.add(step["Name"])
            values.outputs[step["Name"]] = run.outputs
            if step["Type"] == "Condition":
                waiting += step["Arguments"]["IfSteps" if run.outputs["Outcome"] else "ElseSteps"]
        if waiting:
            names = ", ".join(step["Name"] for step in waiting)
            raise UnsupportedError(f"a definition in which {names} waits for a step that does not run")
        return Execution("Succeeded", ran)

    def _run_lambda(self, step: Step, values: Values) -> StepRun:
        event = values.resolved(step["Arguments"])
        answer = self._invoke(step["FunctionArn"], event)
        if not isinstance(answer, dict):
            return _failed(step, event, f"the function answered {answer!r}, which has no outputs")
        if "errorType" in answer:
            return _failed(step, event, f"{answer['errorType']}: {answer.get('errorMessage', '')}")
        try:
            return StepRun(step["Name"], step["Type"], event, "Succeeded", outputs(step, answer))
        except OutputError as error:
            return _failed(step, event, str(error))

    def _run_callback(self, step: Step, values: Values) -> StepRun:
        arguments = values.resolved(step["Arguments"])
        answer = self._callbacks.wait(values.execution["PipelineExecutionArn"], step, arguments)
        if answer["status"] != "Succeeded":
            return _failed(step, arguments, answer.get("failure_reason") or answer["status"])
        try:
            given = outputs(step, answer["outputs"], as_text=True)
        except OutputError as error:
            return _failed(step, arguments, str(error))
        return StepRun(step["Name"], step["Type"], arguments, "Succeeded", given)

    def _run_condition(self, step: Step, values: Values) -> StepRun:
        conditions = step["Arguments"]["Conditions"]
        outcome = all(values.holds(condition) for condition in conditions)
        return StepRun(step["Name"], step["Type"], conditions, "Succeeded", {"Outcome": outcome})

    def _run_fail(self, step: Step, values: Values) -> StepRun:
        arguments = values.resolved(step["Arguments"])
        return _failed(step, arguments, arguments["ErrorMessage"])


def _execution() -> dict[str, str]:
    """Return what a new execution knows of itself."""
    execution_id = secrets.token_hex(6)
    return {
        "PipelineName": "local",
        "PipelineArn": _PIPELINE_ARN,
        "PipelineExecutionId": execution_id,
        "PipelineExecutionArn": f"{_PIPELINE_ARN}/execution/{execution_id}",
    }


def _failed(step: Step, arguments: Any, reason: str) -> StepRun:
    return StepRun(step["Name"], step["Type"], arguments, "Failed", failure_reason=reason[:_MAX_REASON_CHARACTERS])


def by_binary(functions: Mapping[str, Callable[[dict[str, Any]], Any]]) -> Invoke:
    """Return how functions that run here are invoked by the ARNs of a stack, which end with the binaries' names."""

    def invoke(function_arn: str, event: dict[str, Any]) -> Any:
        [name] = [name for name in functions if re.fullmatch(rf"arn:.*:function:.*-{name}", function_arn)]
        return functions[name](event)

    return invoke


class Compiling:
    """A definition on its way, in a process of its own: the SDK takes seconds to be imported."""

    def __init__(self, *arguments: str) -> None:
        """Compile with the arguments of ``python -m pipeline``."""
        self._command = [sys.executable, "-m", "pipeline", *arguments]
        self._definition: Definition | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._process = subprocess.Popen(
            self._command,
            cwd=REPOSITORY,
            env=aws.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def definition(self) -> Definition:
        """Return the definition, as soon as it is there."""
        if self._definition is None:
            output, errors = self._process.communicate()
            if self._process.returncode:
                raise ChildProcessError(f"{self._command} ended with {self._process.returncode}: {errors}")
            self._definition = json.loads(output)
        return self._definition

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop compiling."""
        self._process.kill()
        self._process.communicate()
