"""What is uploaded: each function's package, and its twin's."""

import tempfile
import zipfile
from pathlib import Path

from bench.sides import SDK, Side, copy_packages

# What Python does without: it compiles by itself, and never reads its packages' tests or type hints.
_LEFT_OUT = ("__pycache__",)


def own_megabytes(side: Side) -> float:
    """Return the size of a Rust function's package: the binary alone, as `bootstrap`."""
    with tempfile.TemporaryDirectory() as directory:
        return _zipped(Path(directory), [(side.binary, Path("bootstrap"))])


def twin_megabytes(handlers: Path, with_sdk: bool) -> float:
    """Return the size of the twins' package: their code, with the SDK as a layer would have it or without."""
    with tempfile.TemporaryDirectory() as directory:
        sdk = Path(directory) / "sdk"
        sdk.mkdir()
        if with_sdk:
            copy_packages(sdk, SDK)
        files = [(file, file.relative_to(root)) for root in (handlers, sdk) for file in _files(root)]
        return _zipped(Path(directory), files)


def _files(root: Path) -> list[Path]:
    return [file for file in sorted(root.rglob("*")) if file.is_file() and not set(_LEFT_OUT) & set(file.parts)]


def _zipped(directory: Path, files: list[tuple[Path, Path]]) -> float:
    """Return the megabytes of a zip file of these files, compressed as the SAM CLI does."""
    package = directory / "package.zip"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, name in files:
            archive.write(file, name)
    return package.stat().st_size / 1e6
