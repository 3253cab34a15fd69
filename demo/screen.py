"""How the demo looks: plain lines, with colour only where a person watches."""

import json
import os
import sys
import textwrap
import threading
import time
from typing import Any, TextIO

from harness.emulator import Record

_WIDTH = 100
_BOLD, _DIM, _GREEN, _RED, _CYAN = "1", "2", "32", "31", "36"

# What a status is, by its colour.
_STATUS_COLOURS = {"InService": _GREEN, "Failed": _RED, "RollingBack": _RED, "UpdateRollbackFailed": _RED}


class Aside(str):
    """Words that stand for a value: shown dimmed and without quotes."""


class Screen:
    """Where the demo prints. Log lines arrive on another thread, hence the lock."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        """Print to ``out``."""
        self._out = out
        # https://no-color.org: any value switches the colour off.
        self._colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._lock = threading.Lock()

    def line(self, text: str = "") -> None:
        """Print one line at once."""
        with self._lock:
            print(text, file=self._out, flush=True)

    def title(self, text: str) -> None:
        """Print what the whole demo is."""
        self.line(self._paint(text, _BOLD))

    def note(self, text: str, indent: str = "  ") -> None:
        """Print a remark, wrapped and dimmed."""
        for line in textwrap.wrap(text, _WIDTH - len(indent)):
            self.line(indent + self._paint(line, _DIM))

    def headline(self, number: int, text: str) -> None:
        """Print an act's headline."""
        self.line()
        self.line(self._paint(f"{number}. {text}", _BOLD))

    def event(self, function: str, event: dict[str, Any]) -> None:
        """Print what a function is sent."""
        self._object(f"  {self._paint('→', _CYAN)} {self._paint(function, _CYAN)}", event)

    def answer(self, answer: dict[str, Any], seconds: float) -> None:
        """Print what a function answered, and after how long."""
        failed = "errorType" in answer
        colour, word = (_RED, "error") if failed else (_GREEN, "answer")
        after = self._paint(f"after {seconds:.1f} s", _DIM)
        self._object(f"  {self._paint('←', colour)} {self._paint(word, colour)} {after}", answer)

    def status(self, record: Record) -> None:
        """Print a status change that a function logged, in short."""
        status = str(record.get("status", "?"))
        elapsed = float(record.get("elapsed_seconds", 0))
        painted = self._paint(status, _STATUS_COLOURS.get(status, _BOLD))
        self.line(f"    {self._paint('…', _DIM)} {elapsed:4.1f} s  {painted}")

    def step(self, name: str, good: bool, text: str) -> None:
        """Print a step of a pipeline that has ended, and what came of it."""
        mark, colour = ("✓", _GREEN) if good else ("✗", _RED)
        first, *more = _wrapped(text, _WIDTH - 8)
        self.line(f"    {self._paint(mark, colour)} {name}")
        for line in (first, *more):
            self.line(f"        {self._paint(line, _DIM if good else colour)}")

    def failure(self, text: str) -> None:
        """Print why the demo ends early."""
        self.line()
        self.line(self._paint(f"The demo failed: {text}", _RED))

    def summary(self, lines: list[str], then: str) -> None:
        """Print what has been shown, and what to do next."""
        self.line()
        for line in lines:
            self.line(f"{self._paint('✓', _GREEN)} {line}")
        self.line(then)

    def _object(self, head: str, members: dict[str, Any]) -> None:
        """Print a JSON object's members in a column each for key and value."""
        self.line(head)
        width = max(len(key) for key in members)
        indent = " " * (4 + width + 2)
        for key, value in members.items():
            aside = isinstance(value, Aside)
            text = self._paint(f"({value})", _DIM) if aside else json.dumps(value, ensure_ascii=False)
            first, *more = _wrapped(text, _WIDTH - len(indent))
            self.line(f"    {self._paint(key.ljust(width), _DIM)}  {first}")
            for line in more:
                self.line(indent + line)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def _wrapped(text: str, room: int) -> list[str]:
    """Break a long value between words, so that nothing of it is lost."""
    return textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False) or [text]


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        """Begin to count."""
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self._start
