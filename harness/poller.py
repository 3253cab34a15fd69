"""What Lambda's event source mapping does: it takes a queue's messages to a function, and deletes what is done with.

A batch has up to ten messages. Those that the function reports stay in the queue, for as long as their visibility has
them hidden. Where the function fails, or answers what Lambda does not understand, all of them stay.
"""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness import aws
from harness.emulator import FunctionDiedError, FunctionTimedOutError
from harness.queues import Queues

BATCH_SIZE = 10

# The stages of a batch, each of which may be the last thing that a poller does.
RECEIVED, INVOKED, DELETED = STAGES = ("received", "invoked", "deleted")

# What Lambda takes for an answer by which every message is done with.
_NOTHING_FAILED = (None, {}, {"batchItemFailures": None}, {"batchItemFailures": []})

# How long to wait for a message to be seen again before looking once more: SQS's long polling, in small.
_PAUSE_SECONDS = 0.005

Message = dict[str, Any]
Invoke = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Delivery:
    """A batch that was taken to the function, and what came of it."""

    messages: list[Message]
    # When the function was called, in seconds since 1970.
    started: float
    # How long its caller waited: what is billed, and the way there and back.
    seconds: float
    # The ids of the messages that stay.
    failed: set[str]


@dataclass
class Poller:
    """Takes the messages of one queue to one function."""

    queues: Queues
    queue_url: str
    invoke: Invoke
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Ask for the queue's ARN, which every message bears."""
        self._arn = self.queues.arn(self.queue_url)

    def stages(self) -> Iterator[str]:
        """Take batch after batch to the function, until the queue has no message; stop after each stage of a batch.

        Whoever does not go on has killed the poller there.
        """
        while self.queues.length(self.queue_url):
            received = self._receive()
            if not received:
                time.sleep(_PAUSE_SECONDS)
                continue
            yield RECEIVED
            delivery = self._deliver([self._message(each) for each in received])
            self.deliveries.append(delivery)
            yield INVOKED
            for message in received:
                if message["MessageId"] not in delivery.failed:
                    self.queues.client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            yield DELETED

    def run(self) -> None:
        """Take batch after batch to the function, until the queue has no message."""
        for _ in self.stages():
            pass

    @property
    def billed_seconds(self) -> float:
        """How long the function ran in all."""
        return sum(delivery.seconds for delivery in self.deliveries)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self.queues.client.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=BATCH_SIZE,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _deliver(self, messages: list[Message]) -> Delivery:
        started = time.time()
        try:
            answer = self.invoke({"Records": messages})
        except (FunctionDiedError, FunctionTimedOutError) as error:
            answer = error
        ids = {message["messageId"] for message in messages}
        return Delivery(messages, started, time.time() - started, failed(answer, ids))

    def _message(self, received: dict[str, Any]) -> Message:
        """Return a message as it stands in a function's event."""
        attributes = dict(received["Attributes"])
        # The function holds them against its own clock.
        ahead = int(self.queues.ahead() * 1000)
        for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
            attributes[name] = str(int(attributes[name]) - ahead)
        return {
            "messageId": received["MessageId"],
            "receiptHandle": received["ReceiptHandle"],
            "body": received["Body"],
            "attributes": attributes,
            "messageAttributes": {
                name: _attribute(value) for name, value in received.get("MessageAttributes", {}).items()
            },
            "md5OfBody": received["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": aws.REGION,
        }


def failed(answer: Any, batch: set[str]) -> set[str]:
    """Return which messages of a batch stay in the queue, by what the function answered."""
    if answer in _NOTHING_FAILED:
        return set()
    match answer:
        case {"batchItemFailures": [*items]} if all(_names(item, batch) for item in items):
            return {item["itemIdentifier"] for item in items}
    return batch


def _names(item: Any, batch: set[str]) -> bool:
    return isinstance(item, dict) and item.get("itemIdentifier") in batch


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    """Return a message's attribute, in the form that Lambda gives it."""
    attribute = {"dataType": value["DataType"], "stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute
