"""A function whose runtime API is here, so that it can be held between its phases.

Lambda's own emulator sends the first event the moment that init is over. Here the event comes when it is asked for, so
that the CPU time of each phase can be read, and a CPU quota set between them.
"""

import json
import queue
import subprocess
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from bench.quota import Quota
from bench.sides import Side
from harness import aws

# Longer than any phase of any side, under a quota too.
_PHASE_SECONDS = 120

# What Lambda's runtime API gives with an event.
_INVOCATION_SECONDS = 900


@dataclass(frozen=True)
class Phase:
    """What one phase took."""

    elapsed_ms: float
    cpu_ms: float


class HeldFunction:
    """A function that is started with ``with``; then it has initialised, and waits for ``invoke``."""

    def __init__(self, side: Side, environment: dict[str, str], quota: Quota | None = None) -> None:
        """Describe the function; ``quota`` is the one that it starts under, if any."""
        self._side = side
        self._environment = environment
        self._quota = quota
        self._events: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._idle = threading.Semaphore(0)

    def __enter__(self) -> Self:
        """Start the function and return once its init is over."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._events, self._answers, self._idle))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        environment = {
            **aws.environment(),
            **self._side.environment,
            **self._environment,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": self._side.function,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        }
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [self._side.binary],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if self._quota is not None:
            self._quota.add(self.process.pid)
        try:
            self.init = self._phase(started, 0.0)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the function."""
        self._end()

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: Any) -> Phase:
        """Send an event, and return what it took until the function is ready for the next."""
        started, cpu = time.perf_counter(), self._cpu_ms()
        self._events.put(json.dumps(event).encode())
        phase = self._phase(started, cpu)
        outcome, answer = self._answers.get(timeout=_PHASE_SECONDS)
        if outcome != "response":
            raise ValueError(f"{self._side.name} failed: {answer.decode()}")
        return phase

    def _phase(self, started: float, cpu: float) -> Phase:
        """Return what passed until the function asks for its next event."""
        if not self._idle.acquire(timeout=_PHASE_SECONDS):
            raise TimeoutError(f"{self._side.name} did not ask for an event")
        return Phase((time.perf_counter() - started) * 1000, self._cpu_ms() - cpu)

    def _cpu_ms(self) -> float:
        """Return the CPU time that the process has used, to the nanosecond: Linux's clock of another process."""
        clock = (~self.process.pid << 3) | 2
        return time.clock_gettime(clock) * 1000


def _handler(
    events: "queue.Queue[bytes]", answers: "queue.Queue[tuple[str, bytes]]", idle: threading.Semaphore
) -> type[BaseHTTPRequestHandler]:
    """Return the part of Lambda's runtime API that a function uses."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in two packets, the second of which would wait for the first one's receipt.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            idle.release()
            body = events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + _INVOCATION_SECONDS) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{aws.REGION}:{aws.ACCOUNT}:x")
            self._end("application/json", body)

        def do_POST(self) -> None:
            answers.put((self.path.rsplit("/", 1)[1], self._body()))
            self.send_response(202)
            self._end("application/json", b"")

        def _end(self, kind: str, body: bytes) -> None:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self) -> bytes:
            if "Content-Length" in self.headers:
                return self.rfile.read(int(self.headers["Content-Length"]))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
