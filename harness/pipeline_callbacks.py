"""Callback steps: a message in the step's queue, which a function takes, and the answer that it gives SageMaker."""

from collections.abc import Callable, Mapping
from typing import Any

from harness import scene
from harness.local import LocalSageMaker
from harness.pipeline_values import Step
from harness.poller import Poller
from harness.queues import Queues


class UnansweredError(Exception):
    """The queue is empty, and the step still waits for its answer: it would until its execution is stopped."""


class Callbacks:
    """The queues of the callback steps, each with the function that takes its messages."""

    def __init__(
        self,
        sagemaker: LocalSageMaker,
        queues: Queues,
        functions: Mapping[str, Callable[[dict[str, Any]], Any]],
    ) -> None:
        """Take the messages of the queue at each URL to its function."""
        self._sagemaker = sagemaker
        self._queues = queues
        self._functions = functions

    def wait(self, execution_arn: str, step: Step, arguments: dict[str, Any]) -> dict[str, Any]:
        """Send what a pipeline would, have it taken to the function until that has answered, and return the answer."""
        url = step["SqsQueueUrl"]
        token = self._sagemaker.start_callback_step(execution_arn, step["Name"], url)
        body = scene.callback_message(token, execution_arn, step["Name"], arguments)
        self._queues.client.send_message(QueueUrl=url, MessageBody=body)
        Poller(self._queues, url, self._functions[url]).run()
        answer = self._sagemaker.callback_step(token)
        if answer["status"] == "Executing":
            raise UnansweredError(f"{step['Name']} has no answer, and nothing is left in {url}")
        return answer
