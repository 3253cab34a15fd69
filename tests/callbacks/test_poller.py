"""What stands between a queue and a function does as Lambda does."""

import hashlib
from typing import Any

import pytest

from harness import aws
from harness.emulator import FunctionTimedOutError
from harness.poller import BATCH_SIZE, Poller, failed
from harness.queues import Queues


@pytest.fixture
def queues(running_queues: Queues) -> Queues:
    running_queues.reset()
    return running_queues


@pytest.mark.parametrize(
    ("answer", "stay"),
    [
        # Lambda's documentation takes each of these for a success as a whole.
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        # And each of these for a failure as a whole.
        ({"errorType": "InvalidRequest", "errorMessage": "role is missing"}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}]}, {"a", "b"}),
        ("done", {"a", "b"}),
        (FunctionTimedOutError("after 900 s"), {"a", "b"}),
    ],
)
def test_what_stays_in_the_queue_is_what_the_function_reports(answer: Any, stay: set[str]):
    assert failed(answer, {"a", "b"}) == stay


def test_an_event_is_what_lambda_makes_of_messages(queues: Queues):
    queue_url, _ = queues.create("deployments")
    events: list[Any] = []
    attribute = {"color": {"DataType": "String", "StringValue": "red"}}
    queues.client.send_message(QueueUrl=queue_url, MessageBody="hello", MessageAttributes=attribute)
    Poller(queues, queue_url, events.append).run()
    [event] = events
    [message] = event["Records"]
    attributes = message.pop("attributes")
    assert message.pop("messageId") != message.pop("receiptHandle")
    assert message == {
        "body": "hello",
        "messageAttributes": {
            "color": {"dataType": "String", "stringValue": "red", "stringListValues": [], "binaryListValues": []}
        },
        "md5OfBody": hashlib.md5(b"hello").hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT}:deployments",
        "awsRegion": aws.REGION,
    }
    assert set(attributes) >= {"SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId"}
    assert attributes["ApproximateReceiveCount"] == "1"
    assert int(attributes["SentTimestamp"]) <= int(attributes["ApproximateFirstReceiveTimestamp"])


def test_a_batch_has_ten_messages_at_most_and_one_that_fails_comes_back_until_it_is_a_dead_letter(queues: Queues):
    queue_url, dead_letter_url = queues.create("deployments", max_receives=3)
    for number in range(BATCH_SIZE + 1):
        queues.client.send_message(QueueUrl=queue_url, MessageBody=str(number))

    def function(event: Any) -> Any:
        failures = [{"itemIdentifier": each["messageId"]} for each in event["Records"] if each["body"] == "7"]
        return {"batchItemFailures": failures}

    poller = Poller(queues, queue_url, function)
    poller.run()
    assert max(len(delivery.messages) for delivery in poller.deliveries) == BATCH_SIZE
    sevens = [each for delivery in poller.deliveries for each in delivery.messages if each["body"] == "7"]
    assert [each["attributes"]["ApproximateReceiveCount"] for each in sevens] == ["1", "2", "3"]
    [dead] = queues.client.receive_message(QueueUrl=dead_letter_url)["Messages"]
    assert dead["Body"] == "7"
    assert queues.length(queue_url) == 0
