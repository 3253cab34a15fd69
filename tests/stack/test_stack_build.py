"""samconfig.toml: `sam build` compiles for the architecture that `sam deploy` gives the functions."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness import aws
from harness.binaries import FUNCTIONS, REPOSITORY

CONFIGURED = (REPOSITORY / "samconfig.toml").read_text()
ARCHITECTURE = "Architecture=x86_64"

# Instead of cargo: it writes down what it is asked to build, and makes a file for it.
CARGO = """#!/usr/bin/env python3
import os, pathlib, sys

arguments = sys.argv[1:]
if arguments[:2] == ["lambda", "build"]:
    with open(os.environ["BUILT"], "a") as built:
        print(*arguments, file=built)
    binary = arguments[arguments.index("--bin") + 1]
    made = pathlib.Path(os.environ["CARGO_TARGET_DIR"], "lambda", binary, "bootstrap")
    made.parent.mkdir(parents=True)
    made.write_text("a function")
else:
    os.execv(os.environ["REAL_CARGO"], [os.environ["REAL_CARGO"], *arguments])
"""


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_a_build_is_for_the_architecture_of_the_configuration(tmp_path: Path, architecture: str):
    cargo = tmp_path / "bin" / "cargo"
    cargo.parent.mkdir()
    cargo.write_text(CARGO)
    cargo.chmod(0o755)
    configuration = tmp_path / "samconfig.toml"
    configuration.write_text(CONFIGURED.replace(ARCHITECTURE, f"Architecture={architecture}"))
    built = tmp_path / "built"
    sam = Path(sys.executable).with_name("sam")
    path = os.pathsep.join([str(cargo.parent), str(sam.parent), os.environ["PATH"]])
    subprocess.run(
        [sam, "build", f"--config-file={configuration}", f"--build-dir={tmp_path / 'build'}"],
        cwd=REPOSITORY,
        check=True,
        env={
            **os.environ,
            **aws.environment(),
            "PATH": path,
            "SAM_CLI_TELEMETRY": "0",
            "CARGO_TARGET_DIR": str(tmp_path / "target"),
            "REAL_CARGO": str(shutil.which("cargo")),
            "BUILT": str(built),
        },
    )
    commands = built.read_text().splitlines()
    assert len(commands) == len(FUNCTIONS)
    assert all(("--arm64" in command.split()) == (architecture == "arm64") for command in commands), commands


def test_building_and_deploying_read_the_same_parameters():
    default = tomllib.loads(CONFIGURED)["default"]
    assert ARCHITECTURE in default["global"]["parameters"]["parameter_overrides"].split()
    # A command's own would stand in the place of these.
    assert [name for name, command in default.items() if "parameter_overrides" in command["parameters"]] == ["global"]
