"""The CPU that Lambda gives a function of 128 MB: a share of one core, held by a control group of Linux."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

# Lambda gives CPU in proportion to memory, and one core at 1,769 MB.
MEMORY_MB = 128
_ONE_CORE_MB = 1769
SHARE = MEMORY_MB / _ONE_CORE_MB

# A short period, as Lambda's is observed to be: a function is stopped often and briefly, rather than seldom and long.
PERIOD_MICROSECONDS = 20_000

_ROOT = Path("/sys/fs/cgroup")


class QuotaUnavailableError(Exception):
    """Nobody, or not this user, may set a CPU quota on this machine."""


class Quota:
    """A control group with the quota, made with ``with``; ``add`` puts a process into it."""

    def __enter__(self) -> Self:
        """Make the group, of whichever version of control groups the machine has."""
        quota = round(PERIOD_MICROSECONDS * SHARE)
        unified = (_ROOT / "cgroup.controllers").is_file()
        self._group = (_ROOT if unified else _ROOT / "cpu") / f"sagemaker-bench-{os.getpid()}"
        self.version = "cgroup v2, cpu.max" if unified else "cgroup v1, cpu.cfs_quota_us"
        try:
            self._group.mkdir()
            try:
                if unified:
                    (self._group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
                else:
                    (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
                    (self._group / "cpu.cfs_quota_us").write_text(str(quota))
            except BaseException:
                self._group.rmdir()
                raise
        except OSError as error:
            raise QuotaUnavailableError(f"a CPU quota cannot be set here: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the group away. What was in it must have ended."""
        with suppress(OSError):
            self._group.rmdir()

    def add(self, process: int) -> None:
        """Put a process, with all of its threads, under the quota."""
        (self._group / "cgroup.procs").write_text(str(process))
