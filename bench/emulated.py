"""A function under Lambda's runtime interface emulator: how long init and answers took, and the memory held."""

import re
from typing import Any

from bench.resident import peak_megabytes
from bench.sides import Side
from harness.emulator import Emulator
from harness.processes import START_SECONDS, until

# Lines of the emulator's own log, which are the true durations; those in its REPORT are not.
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_ANSWER = re.compile(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms\)")


class EmulatedFunction(Emulator):
    """One side under the emulator: start it with ``with``, then ``answer`` events."""

    def __init__(self, side: Side, environment: dict[str, str]) -> None:
        """Describe the function."""
        names = {"AWS_LAMBDA_FUNCTION_NAME": side.function}
        super().__init__(side.binary, {**side.environment, **names, **environment})
        self._side = side
        self._answered = 0

    def answer(self, event: Any) -> float:
        """Invoke the function, and return how many milliseconds it took to answer."""
        answer = self.invoke(event)
        if isinstance(answer, dict) and "errorType" in answer:
            raise ValueError(f"{self._side.name} failed: {answer}")
        self._answered += 1
        # The emulator writes the line while the answer is already on its way.
        until(lambda: len(self._durations(_ANSWER)) >= self._answered, START_SECONDS, self._program.describe)
        return self._durations(_ANSWER)[self._answered - 1]

    def init_ms(self) -> float:
        """Return how long the function took, from its start until it asked for its first event."""
        return self._durations(_INIT)[0]

    def peak_megabytes(self) -> float:
        """Return the most memory that the function has had resident."""
        (pid,) = self._program.children()
        return peak_megabytes(pid)

    def _durations(self, line: re.Pattern[str]) -> list[float]:
        matches = (line.search(each) for each in list(self._program.errors))
        return [float(match[1]) for match in matches if match]
