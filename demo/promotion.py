"""The compiled deploy pipeline, walked where nothing serves, where something does, and where an update goes wrong."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from demo.screen import Screen
from harness import aws, scene
from harness.binaries import FUNCTIONS, binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.pipeline import Compiling, Execution, Runner, StepRun, by_binary

GROUP = "churn-model"
ENDPOINT = "churn"

# Shorter than in the other acts: five deployments are the point here, and not how each one goes.
_SECONDS = 0.8

_ROLLBACK_REASON = "The container for production variant AllTraffic did not pass the ping health check."


class WrongWalkError(Exception):
    """The pipeline did not go the way that the demo says it does."""


def compiling() -> Compiling:
    """Begin to compile the pipeline with the SageMaker SDK, which takes some seconds beside the other acts."""
    return Compiling("deploy", "definition", "--region", aws.REGION, "--role", scene.ROLE, "--endpoint-name", ENDPOINT)


class Walks:
    """A local SageMaker of its own with the functions, and the pipeline walked on it: start it with ``with``."""

    def __init__(self, screen: Screen, compiling: Compiling) -> None:
        """Show the steps on ``screen``."""
        self._screen = screen
        self._compiling = compiling

    def __enter__(self) -> Self:
        """Start the service and the functions."""
        with ExitStack() as running:
            self._sagemaker = running.enter_context(LocalSageMaker(_SECONDS, _SECONDS, _SECONDS, _SECONDS))
            environment = aws.endpoint_urls(self._sagemaker.url)
            functions = {name: running.enter_context(Emulator(binary(name), environment)).invoke for name in FUNCTIONS}
            self._runner = Runner(by_binary(functions), self._show)
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them."""
        self._running.close()

    def play(self) -> None:
        """Walk three times; raise ``WrongWalkError`` where it does not go as it should."""
        scene.register_group(self._sagemaker.client, GROUP)
        self._screen.note("Compiled by the SageMaker SDK, and walked step by step as SageMaker Pipelines would.")
        self._walk(
            "Version 1, and neither endpoint is there yet:", "Succeeded", "DeployToNewEndpointProductionAfterCreation"
        )
        self._walk("Version 2, where version 1 serves:", "Succeeded", "DeployToExistingEndpointProductionAfterUpdate")
        self._sagemaker.outcome(f"{ENDPOINT}-staging", "update-rolls-back", _ROLLBACK_REASON)
        self._walk("Version 3, which is bad:", "Failed", "DeployToExistingEndpointStaging")
        self._screen.note("Production never heard of it.")

    def _walk(self, what: str, status: str, last_step: str) -> Execution:
        self._screen.note(what)
        package = scene.register_version(self._sagemaker.client, GROUP)
        execution = self._runner.run(self._compiling.definition(), {"ModelPackageArn": package})
        if (execution.status, execution.steps[-1].name) != (status, last_step):
            raise WrongWalkError(f"the pipeline should end {status} with {last_step}, and went {execution}")
        return execution

    def _show(self, step: StepRun) -> None:
        match step.kind, step.outputs:
            case "Condition", _:
                return
            case _, {"endpoint_exists": exists, "endpoint_status": status}:
                text = f"endpoint_exists {str(exists).lower()}, {status}"
            case _, {"deployment_status": deployed, "endpoint_name": endpoint_name}:
                text = f"{endpoint_name}: {deployed}"
            case _:
                text = step.failure_reason
        self._screen.step(step.name, step.status == "Succeeded", text)
