"""The memory that a process holds."""

import re
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_megabytes(process: int) -> float:
    """Return the most memory that the process has had resident so far."""
    match = _PEAK.search(Path(f"/proc/{process}/status").read_text())
    if match is None:
        raise ProcessLookupError(f"process {process} has ended")
    return int(match[1]) / 1024
