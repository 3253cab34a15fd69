"""moto's SQS, with a clock of its own: what takes minutes on the real one takes a fraction of a second here.

SQS counts in whole seconds, and the functions have a message come back after 15 of them at least. So nothing that they
ask for is shortened on its way: the queue's clock runs faster than ours instead, for visibility, retention and the
times that it puts on messages alike.
"""

import io
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from moto.server import DomainDispatcherApplication, create_backend_app
from moto.sqs import models
from werkzeug.serving import WSGIRequestHandler, make_server

from harness import aws

Call = dict[str, Any]


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Say nothing of each request."""


# What template.yaml gives its queues, in seconds and receives.
VISIBILITY_TIMEOUT = 900
MAX_RECEIVES = 1000


class Queues:
    """An SQS API: start it with ``with``; then use ``client`` and ``url``, and ``calls`` to see what it was asked."""

    def __init__(self, speed: float = 1) -> None:
        """Describe the API: how many seconds pass on its clock in one of ours."""
        self.speed = speed
        self._calls: list[Call] = []

    def __enter__(self) -> Self:
        """Start the server on a thread of this process."""
        with ExitStack() as stack:
            self._started = time.time()
            clock = {"unix_time": self.now, "unix_time_millis": lambda: self.now() * 1000}
            stack.enter_context(patch.multiple(models, **clock))
            self._moto = DomainDispatcherApplication(create_backend_app)
            server = make_server("127.0.0.1", 0, self._recorded, threaded=True, request_handler=_Silent)
            stack.callback(server.server_close)
            serving = threading.Thread(target=server.serve_forever, daemon=True)
            serving.start()
            stack.callback(serving.join)
            stack.callback(server.shutdown)
            self._running = stack.pop_all()
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.client: Any = aws.client("sqs", self.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self._running.close()

    def now(self) -> float:
        """Return the time on the queues' clock, in seconds since 1970."""
        return self._started + (time.time() - self._started) * self.speed

    def ahead(self) -> float:
        """Return by how many seconds the queues' clock is ahead of ours.

        Taken off a time that the queues give, it makes that look as old to us as it is to them.
        """
        return self.now() - time.time()

    def create(self, name: str, max_receives: int = MAX_RECEIVES) -> tuple[str, str]:
        """Make a queue with a dead-letter queue, as template.yaml does, and return the URLs of both."""
        dead = self.client.create_queue(QueueName=f"{name}-dead-letter")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": max_receives}
        attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT), "RedrivePolicy": json.dumps(redrive)}
        return self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], dead

    def arn(self, queue_url: str) -> str:
        """Return a queue's ARN."""
        return self._attribute(queue_url, "QueueArn")

    def length(self, queue_url: str) -> int:
        """Return how many messages a queue has, at least; those that are being received count too."""
        # In this order, a message that comes back meanwhile is never missed.
        names = ("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessages")
        return max(int(self._attribute(queue_url, name)) for name in names)

    def calls(self, *operations: str) -> list[Call]:
        """Return the calls in order, of the named operations or of all: operation, request and status."""
        return [call for call in self._calls if not operations or call["operation"] in operations]

    def reset(self) -> None:
        """Forget every queue and every call."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        with aws.http().open(request, timeout=10):
            self._calls.clear()

    def _attribute(self, queue_url: str, name: str) -> str:
        return self.client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])["Attributes"][name]

    def _recorded(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let moto answer a request, and note what it was if it was a call."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        _, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if not operation:
            return self._moto(environ, start_response)
        call = {"operation": operation, "request": json.loads(body), "status": None}
        self._calls.append(call)

        def noting(status: str, *more: Any) -> Any:
            call["status"] = int(status.split()[0])
            return start_response(status, *more)

        return self._moto(environ, noting)
