"""A child process whose output is read as it comes."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

# A program that starts in milliseconds gets this long on a machine that is busy compiling.
START_SECONDS = 30.0


class Program:
    """A running program, its output lines so far, and a way to wait for a line still to come."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: dict[str, str],
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Start ``command``; ``on_line`` is called, on another thread, with each line of its standard output."""
        self.name = Path(command[0]).name
        self.output: list[str] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        # A session of its own: Ctrl-C in a terminal reaches the parent alone, which then stops its children in order.
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        streams = ((self.process.stdout, self.output, on_line), (self.process.stderr, self.errors, None))
        self._readers = [threading.Thread(target=self._read, args=each, daemon=True) for each in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str], on_line: Callable[[str], None] | None) -> None:
        with stream:
            for raw in stream:
                line = raw.rstrip("\n")
                with self._changed:
                    lines.append(line)
                    self._changed.notify_all()
                if on_line:
                    on_line(line)
        with self._changed:
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether the program is no longer running."""
        return self.process.poll() is not None

    def wait_for_line(self, wanted: Callable[[str], bool], timeout: float, since: int = 0) -> str:
        """Return the first line of standard output, from index ``since`` on, that is ``wanted``."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self.output[since:]:
                    if wanted(line):
                        return line
                remaining = deadline - time.monotonic()
                if remaining <= 0 or (self.ended and not self._reading()):
                    raise TimeoutError(f"{self.describe()} did not print the awaited line")
                # Ends of the process are not notified, hence the short turns.
                self._changed.wait(min(remaining, 0.2))

    def _reading(self) -> bool:
        return any(reader.is_alive() for reader in self._readers)

    def children(self) -> list[int]:
        """Return the process ids of the program's own children."""
        try:
            tasks = list(Path(f"/proc/{self.process.pid}/task").iterdir())
            return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
        except FileNotFoundError:
            return []

    def stop(self) -> None:
        """End the program, and any process it started."""
        # The runtime interface emulator gives the function a process group of its own and does not take it along.
        for pid in self.children():
            _kill(pid)
        # Through Popen, which never signals a process that has ended: its id may be another's by then.
        self.process.terminate()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join(timeout=2)

    def describe(self) -> str:
        """Return the program's name, whether it runs, and the end of what it printed: for an error message."""
        state = f"ended with {self.process.returncode}" if self.ended else "is running"
        tail = "\n".join((self.errors + self.output)[-20:])
        return f"{self.name} ({state}; its last output: {tail or 'none'})"


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports of the loopback interface that nothing listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def answers(port: int) -> bool:
    """Whether something accepts connections on ``port`` of the loopback interface."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def until(condition: Callable[[], bool], timeout: float, what: Callable[[], str]) -> None:
    """Return once ``condition`` holds; after ``timeout`` seconds raise, with ``what`` as the message."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what())
        time.sleep(0.01)
