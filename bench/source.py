"""A copy of the repository's source to build from: it stays as it is, whatever is edited meanwhile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness.binaries import REPOSITORY


def copy_source(into: Path) -> None:
    """Copy what git knows, and what it would."""
    shutil.rmtree(into, ignore_errors=True)
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    files = subprocess.run(listed, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    for name in files.split("\0"):
        if name and (REPOSITORY / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, into / name)


def tools_on_path() -> dict[str, str]:
    """Return the variable by which cargo finds cargo-lambda, and that the zig that it links with."""
    return {"PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
