"""What the figures were taken on."""

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from harness.binaries import REPOSITORY


def describe() -> dict[str, str]:
    """Return the machine and the versions, by name. No path and no host's name is in it."""
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gb()} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "rustc": _printed("rustc", "--version").split()[1],
        "cargo-lambda": version("cargo-lambda"),
        "SDK for Rust": _locked("aws-sdk-sagemaker"),
        "lambda_runtime": _locked("lambda_runtime"),
        "Python": platform.python_version(),
        "boto3": version("boto3"),
        "awslambdaric": version("awslambdaric"),
        "emulator": f"of aws-sam-cli {version('aws-sam-cli')}",
    }


def _cpu() -> str:
    match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1] if match else platform.machine()


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _locked(crate: str) -> str:
    """Return the version of a crate that Cargo.lock has."""
    match = re.search(rf'name = "{crate}"\nversion = "([^"]+)"', (REPOSITORY / "Cargo.lock").read_text())
    return match[1] if match else sys.exit(f"Cargo.lock has no {crate}")


def _printed(*command: str) -> str:
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
