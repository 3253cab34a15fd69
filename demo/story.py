"""What the demo shows, in the order in which a pipeline would do it, and what must be true after each act."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from demo import promotion
from demo.screen import Aside, Screen, Stopwatch
from harness import aws, scene
from harness.binaries import FUNCTIONS, binary
from harness.emulator import Emulator, Record
from harness.local import LocalSageMaker
from harness.processes import until

ENDPOINT = "churn"
GROUP = "churn-model"

# Long enough to watch, short enough not to be bored: the real service takes minutes.
_CREATE_SECONDS = 4.0
_UPDATE_SECONDS = 4.0
_ROLLBACK_SECONDS = 2.0
# The five minutes between a canary's steps.
_GUARDRAIL_SCALE = 4 / 300

_ROLLBACK_REASON = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


class WrongError(Exception):
    """The product did not do what the demo says it does."""


class Story:
    """The three functions and their service, and the acts played on them."""

    def __init__(self, screen: Screen, sagemaker: LocalSageMaker, functions: dict[str, Emulator]) -> None:
        """Play on ``screen``."""
        self._screen = screen
        self._sagemaker = sagemaker
        self._functions = functions
        self._acts = 0

    def play(self) -> None:
        """Play every act; raise ``WrongError`` at the first thing that is not as it should be."""
        scene.register_group(self._sagemaker.client, GROUP)
        first, second = (scene.register_version(self._sagemaker.client, GROUP) for _ in range(2))
        self._screen.note(f"In the model registry: the group {GROUP} with versions 1 and 2, both approved.")

        self._headline("Is there an endpoint yet?")
        answer = self._invoke("check-endpoint-exists", {"endpoint_name": ENDPOINT, "package_arn": first})
        self._expect(answer, endpoint_exists=False, endpoint_status="NotFound")

        self._headline("There is none, so version 1 goes to a new endpoint")
        new = self._invoke("deploy-new-endpoint", self._deployment(first))
        self._expect(new, statusCode=200, deployment_status="Deployed", endpoint_status="InService")
        self._expect_serving(first, new["endpoint_config"])

        self._headline("The next run of the pipeline asks again")
        answer = self._invoke("check-endpoint-exists", {"endpoint_name": ENDPOINT, "package_arn": second})
        self._expect(answer, endpoint_exists=True, endpoint_status="InService")

        self._headline("There is one now, so version 2 replaces version 1 on it")
        update = self._invoke("deploy-existing-endpoint", self._deployment(second))
        self._expect(
            update,
            statusCode=200,
            deployment_status="Deployed",
            endpoint_status="InService",
            previous_endpoint_config=new["endpoint_config"],
        )
        self._expect_serving(second, update["endpoint_config"])

        self._headline("Version 3 is bad: its container never gets healthy, and the service rolls the update back")
        third = scene.register_version(self._sagemaker.client, GROUP)
        self._sagemaker.outcome(ENDPOINT, "update-rolls-back", _ROLLBACK_REASON)
        error = self._invoke("deploy-existing-endpoint", self._deployment(third))
        self._expect(error, errorType="UpdateRolledBack")
        if "ping health check" not in error.get("errorMessage", ""):
            raise WrongError("the error does not give the service's reason for the rollback")
        self._expect_serving(second, update["endpoint_config"])
        self._expect_no_leftovers(deployed=2)
        self._screen.note("The endpoint still serves version 2, and nothing of version 3's deployment is left behind.")

        self._headline("Version 4 is good, and its step may wait for one second only")
        fourth = scene.register_version(self._sagemaker.client, GROUP)
        impatient = self._deployment(fourth) | {"max_wait_seconds": 1, "on_timeout": "return"}
        under_way = self._invoke("deploy-existing-endpoint", impatient)
        self._expect(under_way, statusCode=200, deployment_status="InProgress")

        self._headline("The next call finds version 4 under way and resumes the wait: nothing starts over")
        resumed = self._invoke("deploy-existing-endpoint", self._deployment(fourth))
        self._expect(resumed, deployment_status="Deployed", model=under_way["model"])
        self._expect_serving(fourth, resumed["endpoint_config"])
        updates = [call for call in self._sagemaker.calls("UpdateEndpoint") if call["acted"]]
        if len(updates) != 3:
            raise WrongError(f"the endpoint was updated {len(updates)} times and not three")

        self._headline("Version 5 goes out as a canary; with a tenth of the traffic on it, an alarm goes off")
        fifth = scene.register_version(self._sagemaker.client, GROUP)
        careful = {"traffic_routing": "canary", "auto_rollback_alarms": "churn-errors"}
        with ThreadPoolExecutor(max_workers=1) as beside:
            beside.submit(self._sound_the_alarm)
            error = self._invoke("deploy-existing-endpoint", self._deployment(fifth) | careful)
        self._expect(error, errorType="UpdateRolledBack")
        self._expect_serving(fourth, resumed["endpoint_config"])
        self._expect_no_leftovers(deployed=3)
        percent = self._sagemaker.traffic(ENDPOINT)
        if percent:
            raise WrongError(f"{percent:.0f}% of the traffic is still on version 5")
        self._screen.note("All of the traffic is on version 4 again, and nothing of version 5 is left behind.")

    def play_promotion(self, walks: promotion.Walks) -> None:
        """Play the act of the pipeline."""
        self._headline("A pipeline takes a model to staging and, once it serves there, to production")
        walks.play()

    def _sound_the_alarm(self) -> None:
        """Let the canary's alarm go off as soon as the canary has traffic."""
        # Between two updates, all of the traffic is on what the last one brought.
        until(lambda: 0 < self._sagemaker.traffic(ENDPOINT) < 100, 30, lambda: "the canary gets no traffic")
        percent = self._sagemaker.traffic(ENDPOINT)
        self._screen.note(f"  {percent:.0f}% of the traffic is on version 5, and the alarm churn-errors goes off.")
        self._sagemaker.trip_alarm("churn-errors")

    def _headline(self, text: str) -> None:
        self._acts += 1
        self._screen.headline(self._acts, text)

    def _deployment(self, package_arn: str) -> dict[str, Any]:
        return scene.event(package_arn, endpoint_name=ENDPOINT)

    def _invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        self._screen.event(function, event)
        watch = Stopwatch()
        answer = self._functions[function].invoke(event)
        seconds = watch.seconds
        # So that no status change is printed after the answer that ends it.
        self._functions[function].last_log()
        shown = dict(answer)
        if json.loads(shown.get("body", "null")) == event:
            # It would fill three lines with what stands above already.
            shown["body"] = Aside("the event, as a JSON string")
        self._screen.answer(shown, seconds)
        return answer

    def _expect(self, answer: dict[str, Any], **wanted: Any) -> None:
        for key, value in wanted.items():
            if answer.get(key) != value:
                raise WrongError(f"{key} should be {value!r} and is {answer.get(key)!r}")

    def _expect_serving(self, package_arn: str, endpoint_config: str) -> None:
        """Look at the service itself, not at what the function says of it."""
        client = self._sagemaker.client
        endpoint = client.describe_endpoint(EndpointName=ENDPOINT)
        self._expect(endpoint, EndpointStatus="InService", EndpointConfigName=endpoint_config)
        config = client.describe_endpoint_config(EndpointConfigName=endpoint_config)
        model = client.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        containers = model.get("Containers") or [model["PrimaryContainer"]]
        self._expect(containers[0], ModelPackageName=package_arn)

    def _expect_no_leftovers(self, deployed: int) -> None:
        models = self._sagemaker.client.list_models()["Models"]
        configs = self._sagemaker.client.list_endpoint_configs()["EndpointConfigs"]
        if (len(models), len(configs)) != (deployed, deployed):
            raise WrongError(f"{deployed} models and endpoint configs should be left, not {models} and {configs}")


def play(screen: Screen) -> None:
    """Start everything, play the story and stop everything again, however it ends."""
    with ExitStack() as running:
        sagemaker = running.enter_context(
            LocalSageMaker(
                _CREATE_SECONDS, _UPDATE_SECONDS, _ROLLBACK_SECONDS, delete_seconds=1, guardrail_scale=_GUARDRAIL_SCALE
            )
        )
        functions = {
            name: running.enter_context(
                Emulator(
                    binary(name),
                    aws.endpoint_urls(sagemaker.url),
                    on_record=_status_changes(screen),
                )
            )
            for name in FUNCTIONS
        }
        screen.title("From a registered model to a serving endpoint, without an AWS account")
        screen.note("The three built functions run under Lambda's own runtime interface emulator and are called")
        screen.note(f"through the Lambda API. Their SageMaker is a local stand-in at {sagemaker.url},")
        screen.note("which takes seconds for what takes the service minutes.")
        story = Story(screen, sagemaker, functions)
        with promotion.compiling() as compiling:
            story.play()
            story.play_promotion(running.enter_context(promotion.Walks(screen, compiling)))


def _status_changes(screen: Screen) -> Callable[[Record], None]:
    def show(record: Record) -> None:
        if record.get("message") == "endpoint status":
            screen.status(record)

    return show
