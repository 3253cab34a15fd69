"""One function binary under Lambda's runtime interface emulator, invoked through the Lambda API.

The emulator is the program AWS puts into its base images; the SAM CLI's wheel carries it. Against it a function runs
as it does in Lambda, with the same runtime API and deadline header, but is not frozen between invocations.
"""

import importlib.util
import json
import os
import platform
import re
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError, HTTPClientError

from harness import aws
from harness.processes import START_SECONDS, Program, answers, free_ports, until

Record = dict[str, Any]

# Lambda's own limit, and what the template gives the functions that wait.
LONGEST_TIMEOUT_SECONDS = 900

# Between choosing a free port and the emulator's bind, another process may take it.
_START_ATTEMPTS = 3


class FunctionDiedError(Exception):
    """The function's process ended, or its answer was no JSON, before the invocation was answered."""


class FunctionTimedOutError(Exception):
    """The emulator ended the invocation because the function's timeout had passed."""


def emulator_program() -> Path:
    """Return the emulator that fits this machine, out of the SAM CLI's package."""
    package = importlib.util.find_spec("samcli")
    if package is None or package.origin is None:
        raise FileNotFoundError("aws-sam-cli is not installed: run `make setup`")
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    return Path(package.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"


class Emulator:
    """A function under the emulator: start it with ``with``, then ``invoke`` it."""

    def __init__(
        self,
        binary: Path,
        environment: Mapping[str, str],
        timeout_seconds: int = LONGEST_TIMEOUT_SECONDS,
        on_record: Callable[[Record], None] | None = None,
    ) -> None:
        """Describe the function; ``on_record`` gets each JSON line that it logs, as it comes, on another thread."""
        self.binary = binary
        self._environment = {
            **aws.environment(),
            "AWS_LAMBDA_FUNCTION_NAME": binary.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
            **environment,
        }
        self._on_record = on_record
        # A second invocation while one is running crashes the emulator.
        self._one_at_a_time = threading.Lock()
        self._first_line = 0

    def __enter__(self) -> Self:
        """Start the emulator and return once it accepts connections. The function starts with the first invocation."""
        for attempt in range(1, _START_ATTEMPTS + 1):
            port, runtime_port = free_ports(2)
            self._program = Program(self._command(port, runtime_port), self._environment, self._on_line)
            try:
                self._wait_for(port)
            except ChildProcessError:
                self._program.stop()
                if attempt == _START_ATTEMPTS:
                    raise
            except BaseException:
                self._program.stop()
                raise
            else:
                self._client = aws.client("lambda", f"http://127.0.0.1:{port}")
                break
        return self

    def _command(self, port: int, runtime_port: int) -> list[str | Path]:
        return [
            emulator_program(),
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{port}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime_port}",
            self.binary,
        ]

    def _wait_for(self, port: int) -> None:
        """Return once the emulator accepts connections; raise ``ChildProcessError`` where it has ended instead."""
        until(lambda: self._program.ended or answers(port), START_SECONDS, self._program.describe)
        if self._program.ended:
            raise ChildProcessError(self._program.describe())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the emulator and the function."""
        self._program.stop()

    def _on_line(self, line: str) -> None:
        record = _record(line)
        if record is not None and self._on_record is not None:
            self._on_record(record)

    def invoke(self, event: Any) -> Any:
        """Send ``event`` through Lambda's Invoke API and return the answer's JSON value.

        A failed invocation is an answer too: an object with ``errorType`` and ``errorMessage``, as the caller of the
        real API gets it.
        """
        with self._one_at_a_time:
            self._first_line = len(self._program.output)
            try:
                answer = self._client.invoke(FunctionName="function", Payload=json.dumps(event).encode())
            except (ClientError, HTTPClientError) as error:
                raise FunctionDiedError(f"{self.binary.name}: {error}; {self._program.describe()}") from error
            text = answer["Payload"].read().decode()
        # The emulator answers 200 with plain text where Lambda would answer with a function error.
        if re.fullmatch(r"Task timed out after [\d.]+ seconds", text):
            raise FunctionTimedOutError(f"{self.binary.name}: {text}")
        try:
            return json.loads(text)
        except ValueError as error:
            raise FunctionDiedError(f"{self.binary.name} answered {text!r}; {self._program.describe()}") from error

    def last_log(self) -> list[Record]:
        """Return the JSON lines that the last answered invocation logged."""
        # The emulator's own line after an invocation: everything that the function wrote is before it.
        self._program.wait_for_line(
            lambda line: line.startswith("REPORT RequestId:"), START_SECONDS, since=self._first_line
        )
        records = (_record(line) for line in self._program.output[self._first_line :])
        return [record for record in records if record is not None]

    def last_metrics(self) -> list[Record]:
        """Return what the last answered invocation measured, in CloudWatch's embedded metric format."""
        self.last_log()
        values = (_json(line) for line in self._program.output[self._first_line :])
        return [value for value in values if value is not None and "_aws" in value]

    def last_lines(self) -> list[str]:
        """Return what the last answered invocation logged, line by line: no metrics, no lines of the emulator's own."""
        self.last_log()
        lines = self._program.output[self._first_line :]
        return [line for line in lines if not re.match(r'(START|END|REPORT) RequestId: |\{"_aws":', line)]

    def wait_for_record(self, wanted: Callable[[Record], bool], timeout: float = START_SECONDS) -> Record:
        """Return the first JSON line of the invocation that is ``wanted``, waiting for one still to come."""

        def matches(line: str) -> bool:
            record = _record(line)
            return record is not None and wanted(record)

        return _record(self._program.wait_for_line(matches, timeout, since=self._first_line)) or {}

    def kill(self) -> None:
        """Kill the function's process, as a crash in the middle of an invocation would. The emulator lives on."""
        for pid in self._program.children():
            os.kill(pid, signal.SIGKILL)

    def mark(self) -> tuple[int, int]:
        """Return where the output stands, for ``output_since``."""
        return len(self._program.errors), len(self._program.output)

    def output_since(self, mark: tuple[int, int]) -> str:
        """Return what the emulator and the function printed since a ``mark``, for a failed test's report."""
        errors, output = mark
        return "\n".join(self._program.errors[errors:] + self._program.output[output:])


def _record(line: str) -> Record | None:
    """Return the JSON object in a line of output, or nothing: the emulator's own lines are plain text.

    What holds for the whole call (``request_id``, ``endpoint_name``, ``model_name``) is in an object ``span`` of the
    line; here it stands beside the line's other fields.
    """
    value = _json(line)
    if value is None or "_aws" in value:
        return None
    span = value.pop("span", {})
    return {**span, **value}


def _json(line: str) -> dict[str, Any] | None:
    """Return the JSON object that a line is, or nothing."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
