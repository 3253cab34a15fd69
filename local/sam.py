"""The SAM CLI's local commands, on the stack that ``sam build`` made."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness import aws
from harness.binaries import REPOSITORY
from harness.processes import Program, answers, free_ports, until

_SAM = Path(sys.executable).with_name("sam")
_TEMPLATE = REPOSITORY / ".aws-sam" / "build" / "template.yaml"
# What the template names the functions by unless told otherwise.
_PREFIX = "sagemaker-"

# What the functions call, as the template's parameters spell it.
_APIS = ("SageMaker", "AutoScaling", "Sqs")

# Far longer than an invocation takes here, and short enough to see that one hangs.
_INVOCATION_SECONDS = 120
# The SAM CLI takes its containers away before it ends.
_END_SECONDS = 60

# How the SAM CLI and Docker find their files and each other. Nothing else of the developer's environment counts: the
# SAM CLI would hand a variable such as INSTANCE_TYPE on to the functions.
_KEPT = ("HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "TMPDIR", "XDG_RUNTIME_DIR")


class Sam:
    """The SAM CLI, with the stack's functions pointed at one server of every API that they call."""

    def __init__(self, url: str) -> None:
        """Describe where the API is, for this machine and for a container alike."""
        self._options = [
            f"--template={_TEMPLATE}",
            f"--region={aws.REGION}",
            "--parameter-overrides",
            " ".join([*(f"{api}EndpointUrl={url}" for api in _APIS), f"Architecture={architecture()}"]),
            "--skip-pull-image",
        ]
        self._environment = aws.environment(
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            SAM_CLI_TELEMETRY="0",
            # The SAM CLI asks STS for the account. The question stays here, is refused, and 123456789012 it is.
            AWS_ENDPOINT_URL=url,
        )

    def invoke(self, function: str, event: Path) -> Any:
        """Run ``sam local invoke`` with the event in a file, and return the JSON value that it prints."""
        with self._running("invoke", _PREFIX + function, f"--event={event}") as program:
            until(lambda: program.ended, _INVOCATION_SECONDS, program.describe)
        # Its output is complete only now.
        try:
            return json.loads("\n".join(program.output))
        except ValueError as error:
            raise ChildProcessError(program.describe()) from error

    @contextmanager
    def lambda_service(self) -> Iterator["LambdaService"]:
        """Run ``sam local start-lambda`` with a container for each function, which serves call after call."""
        [port] = free_ports(1)
        with self._running("start-lambda", f"--port={port}", "--warm-containers=EAGER", "--no-watch") as program:
            until(lambda: program.ended or answers(port), _INVOCATION_SECONDS, program.describe)
            if program.ended:
                raise ChildProcessError(program.describe())
            yield LambdaService(aws.client("lambda", f"http://127.0.0.1:{port}"))

    @contextmanager
    def _running(self, command: str, *arguments: str) -> Iterator[Program]:
        """Run a local command; at the end neither it nor a container of its is left."""
        program = Program([_SAM, "local", command, *self._options, *arguments], self._environment)
        try:
            yield program
        finally:
            program.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                program.process.wait(_END_SECONDS)
            program.stop()
            _remove(_containers(program))
            # pytest shows it where a test fails.
            sys.stdout.write("\n".join([*program.errors, ""]))


class LambdaService:
    """A Lambda API on this machine."""

    def __init__(self, client: Any) -> None:
        """Describe the API by its client."""
        self._client = client

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function by the name that it has in an account, as a pipeline does."""
        answer = self._client.invoke(FunctionName=_PREFIX + function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())


def architecture() -> str:
    """Return this machine's architecture, as Lambda calls it."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def _containers(program: Program) -> list[str]:
    """Return the ids of the containers that a command of the SAM CLI said it had made."""
    return re.findall(r"SAM_CONTAINER_ID: (\w+)", "\n".join(program.errors))


def _remove(containers: list[str]) -> None:
    """Remove those of the containers that are still there."""
    if containers:
        subprocess.run(["docker", "rm", "--force", *containers], check=False, capture_output=True)
