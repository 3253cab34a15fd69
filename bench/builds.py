"""How long builds take: from clean, and after a change of one line in the library.

`python -m bench.builds`. It compiles the SDK twice, for development and for Lambda, and takes half an hour or more.
"""

import os
import resource
import shutil
import subprocess
import time
from typing import Any

from bench.__main__ import keep, load, say, write
from bench.sides import WORKSHOP
from bench.source import copy_source, tools_on_path
from harness.binaries import FUNCTIONS

_DIRECTORY = WORKSHOP / "builds"
_SOURCE = _DIRECTORY / "source"
_TARGET = _DIRECTORY / "target"

# A line of code, not of a comment: the compiler's output changes.
_CHANGED = _SOURCE / "shared" / "src" / "wait.rs"
_LINE = "\n/// A line more.\npub const LINE: u8 = {number};\n"

_PACKAGES = [f"--package={function}" for function in FUNCTIONS]
_COMMANDS = {
    "for development: everything, with the tests": ["cargo", "build", "--workspace", "--all-targets"],
    "for Lambda: the three functions": ["cargo", "lambda", "build", "--release", *_PACKAGES],
}


def main() -> None:
    """Build and measure, from clean."""
    shutil.rmtree(_DIRECTORY, ignore_errors=True)
    copy_source(_SOURCE)
    rows = []
    for number, (what, command) in enumerate(_COMMANDS.items()):
        rows.append(_measured(f"{what}, from clean", command))
        _CHANGED.write_text(_CHANGED.read_text() + _LINE.format(number=number))
        rows.append(_measured(f"{what}, after a line in shared", command))
        # The second one's line is another.
        _CHANGED.write_text(_CHANGED.read_text().removesuffix(_LINE.format(number=number)))
    keep({"builds": rows})
    write(load())
    shutil.rmtree(_DIRECTORY)


def _measured(what: str, command: list[str]) -> dict[str, Any]:
    say(f"building {what}")
    environment = {**os.environ, **tools_on_path(), "CARGO_TARGET_DIR": str(_TARGET)}
    started, before = time.monotonic(), _cpu_seconds()
    subprocess.run([*command, "--quiet"], cwd=_SOURCE, env=environment, check=True)
    return {
        "what": what,
        "elapsed_seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(_cpu_seconds() - before, 1),
    }


def _cpu_seconds() -> float:
    """Return the CPU time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
