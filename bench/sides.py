"""The functions that are measured, and how each is started."""

import compileall
import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.binaries import FUNCTIONS, REPOSITORY

# Where cargo-lambda puts what is uploaded.
_TARGET = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target")
WORKSHOP = _TARGET / "bench"

_TWINS = REPOSITORY / "bench" / "twin"
_RUNTIME = WORKSHOP / "twin" / "runtime"
_TASK = WORKSHOP / "twin" / "task"
_BOOTSTRAPS = WORKSHOP / "twin" / "bootstraps"

# What a twin's package needs: the SDK, and what Lambda's Python has besides to run a handler.
SDK = "boto3"
_RUNTIME_CLIENT = "awslambdaric"

# A dependency of another system or of an extra is none here.
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)[^;]*(?:;\s*(.*))?$")

# As Lambda's own bootstrap does it.
_BOOTSTRAP = """#!{python}
from awslambdaric.__main__ import main
main(["awslambdaric", "{module}.handler"])
"""


@dataclass(frozen=True)
class Side:
    """One function of one kind: what is run, and with which environment."""

    kind: str
    function: str
    binary: Path
    environment: dict[str, str] = field(default_factory=dict, hash=False)
    # The variable that names the bundle of roots.
    roots: str = "SSL_CERT_FILE"

    @property
    def name(self) -> str:
        """Kind and function, as messages have it."""
        return f"{self.kind} {self.function}"


def ours(function: str) -> Side:
    """Return one of the product's functions, as `make build` builds it for Lambda."""
    return Side("ours", function, _built(function))


def empty() -> Side:
    """Return the function that does nothing, built in the same way."""
    return Side("empty", "empty-function", _built("empty-function"))


def twin(function: str) -> Side:
    """Return a function's twin on boto3, under Lambda's runtime client for Python. `lay_out_twins` comes first."""
    python_path = os.pathsep.join((str(_TASK), str(_RUNTIME)))
    # Nothing that the user's account has installed.
    environment = {"PYTHONPATH": python_path, "PYTHONNOUSERSITE": "1", "LAMBDA_TASK_ROOT": str(_TASK)}
    return Side("twin", function, _BOOTSTRAPS / function, environment, roots="AWS_CA_BUNDLE")


def pairs() -> Iterator[tuple[Side, Side]]:
    """Return each function with its twin."""
    return ((ours(function), twin(function)) for function in FUNCTIONS)


def lay_out_twins() -> None:
    """Put the twins and what they need where Lambda would have it: the handlers, the SDK, and nothing else.

    Everything is compiled beforehand, which is the best that Python can be given.
    """
    shutil.rmtree(WORKSHOP / "twin", ignore_errors=True)
    copy_packages(_RUNTIME, _RUNTIME_CLIENT, SDK)
    shutil.copytree(_TWINS, _TASK, ignore=shutil.ignore_patterns("__pycache__"))
    for directory in (_RUNTIME, _TASK):
        compileall.compile_dir(directory, quiet=2)
    _BOOTSTRAPS.mkdir()
    for function in FUNCTIONS:
        bootstrap = _BOOTSTRAPS / function
        # The interpreter itself: a virtual environment would bring its own packages.
        python = Path(sys.executable).resolve()
        bootstrap.write_text(_BOOTSTRAP.format(python=python, module=function.replace("-", "_")))
        bootstrap.chmod(0o755)


def copy_packages(into: Path, *names: str) -> None:
    """Copy installed packages, with everything that they need, out of this Python's own."""
    for package in sorted(_closure(set(names))):
        for file in importlib.metadata.files(package) or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = into / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), target)


def _closure(names: set[str]) -> set[str]:
    """Return the packages and all that they require."""
    found: set[str] = set()
    while names:
        name = names.pop()
        found.add(name)
        for requirement in importlib.metadata.requires(name) or ():
            match = _REQUIREMENT.match(requirement)
            # A marker names an extra, another system or an old Python: nothing of that is needed here.
            if match and not match[2]:
                needed = match[1].lower()
                names |= {needed} - found
    return found


def _built(function: str) -> Path:
    path = _TARGET / "lambda" / function / "bootstrap"
    if not path.is_file():
        raise FileNotFoundError(f"{path.relative_to(REPOSITORY)} is not built: `make bench` builds it")
    return path
