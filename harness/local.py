"""sagemaker-local, the local SageMaker API, and its control API."""

import json
import re
import urllib.error
import urllib.request
from types import TracebackType
from typing import Any, Self

from harness import aws
from harness.binaries import binary
from harness.processes import START_SECONDS, Program

Call = dict[str, Any]

# What a test or a person may tell an endpoint to do next.
OUTCOMES = ("create-fails", "update-rolls-back", "update-rollback-fails", "update-fails")


class LocalSageMaker:
    """A running sagemaker-local: start it with ``with``; then use its clients, ``url`` and the control methods.

    ``client`` is for SageMaker, ``scaling`` for Application Auto Scaling.
    """

    def __init__(
        self,
        create_seconds: float = 3,
        update_seconds: float = 3,
        rollback_seconds: float = 1,
        delete_seconds: float = 1,
        calls_per_second: float | None = None,
        guardrail_scale: float = 1,
        arn_case: str = "kept",
    ) -> None:
        """Describe the service: how long each kind of change takes, and its rate limit, if any.

        ``arn_case`` is how ARNs spell names: ``kept`` as they were created, or ``lower``.
        ``guardrail_scale`` shortens the waits of an update that moves its traffic in steps, which last minutes.
        """
        self._options = [
            f"--create-seconds={create_seconds}",
            f"--update-seconds={update_seconds}",
            f"--rollback-seconds={rollback_seconds}",
            f"--delete-seconds={delete_seconds}",
            f"--guardrail-scale={guardrail_scale}",
            f"--arn-case={arn_case}",
        ]
        if calls_per_second is not None:
            self._options.append(f"--calls-per-second={calls_per_second}")

    def __enter__(self) -> Self:
        """Start the program on a free port and return once it listens."""
        self._program = Program([binary("sagemaker-local"), "--port=0", *self._options], aws.environment())
        try:
            ready = self._program.wait_for_line(lambda line: "listening on" in line, START_SECONDS)
        except BaseException:
            self._program.stop()
            raise
        match = re.search(r"http://\S+", ready)
        assert match, ready
        self.url: str = match.group()
        self.client = aws.client("sagemaker", self.url)
        self.scaling = aws.client("application-autoscaling", self.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the program."""
        self._program.stop()

    def inject(self, operation: str, kind: str, calls: int = 1, skip: int = 0, **fields: Any) -> None:
        """Make the next ``calls`` calls of ``operation`` (``*``: of any) misbehave, after ``skip`` good ones."""
        fault = {"operation": operation, "kind": kind, "calls": calls, "skip": skip, **fields}
        self._control("POST", "faults", fault)

    def clear_faults(self) -> None:
        """Forget the misbehaviour that is still to come."""
        self._control("DELETE", "faults")

    def outcome(self, endpoint_name: str, outcome: str, reason: str | None = None) -> None:
        """Say how the next creation or update of an endpoint ends: one of ``OUTCOMES``."""
        self._control("POST", "outcomes", {"endpoint_name": endpoint_name, "outcome": outcome, "reason": reason})

    def force_status(self, endpoint_name: str, status: str, seconds: float | None = None) -> None:
        """Put an existing endpoint into ``status``, for some seconds or for good."""
        self._control("POST", "statuses", {"endpoint_name": endpoint_name, "status": status, "seconds": seconds})

    def trip_alarm(self, name: str, tripped: bool = True) -> None:
        """Put a CloudWatch alarm into alarm state, or out of it."""
        self._control("POST", "alarms", {"alarm_name": name, "tripped": tripped})

    def traffic(self, endpoint_name: str) -> float:
        """Return how many percent of an endpoint's traffic an update's new variants have."""
        return self._control("GET", f"traffic?endpoint_name={endpoint_name}")["percent"]

    def start_callback_step(self, execution_arn: str, step_name: str, queue_url: str) -> str:
        """Have a pipeline's step wait for an answer, and return the token that it is given under."""
        step = {"pipeline_execution_arn": execution_arn, "step_name": step_name, "queue_url": queue_url}
        return self._control("POST", "callback-steps", step)["token"]

    def callback_step(self, token: str) -> dict[str, Any]:
        """Return how a step that waited, or still does, stands: its status, outputs or reason, and every answer."""
        return self._control("GET", f"callback-steps?token={token}")

    def expire_callback_step(self, token: str) -> None:
        """Have nobody wait for a step's answer any more."""
        self._control("DELETE", f"callback-steps?token={token}")

    def calls(self, *operations: str) -> list[Call]:
        """Return the recorded calls in order, of the named operations or of all."""
        calls = self._control("GET", "calls")
        return [call for call in calls if not operations or call["operation"] in operations]

    def clear_calls(self) -> None:
        """Forget the recorded calls."""
        self._control("DELETE", "calls")

    def reset(self) -> None:
        """Forget everything: resources, misbehaviour, recorded calls."""
        self._control("POST", "reset")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_local/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with aws.http().open(request, timeout=10) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise ValueError(f"{method} /_local/{path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None
