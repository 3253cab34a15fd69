"""moto's SageMaker: a second imitation of the service, made by other people from other sources."""

import urllib.request
from types import TracebackType
from typing import Any, Self

from moto.server import ThreadedMotoServer

from harness import aws


class Moto:
    """A moto server on a free port: start it with ``with``; then use ``client`` and ``url``."""

    def __enter__(self) -> Self:
        """Start the server on a thread of this process."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.client: Any = aws.client("sagemaker", self.url)
        return self

    def reset(self) -> None:
        """Forget every resource."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        with aws.http().open(request, timeout=10):
            pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self._server.stop()
