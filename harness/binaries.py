"""Where cargo put the programs."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

FUNCTIONS = ("check-endpoint-exists", "deploy-new-endpoint", "deploy-existing-endpoint")


def binary(name: str) -> Path:
    """Return the dev-profile binary ``name``, from ``CARGO_TARGET_DIR`` where that is set."""
    # A relative CARGO_TARGET_DIR counts from where cargo is run, which is the repository's root.
    target = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target")
    path = target / "debug" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not built: run `cargo build --workspace --all-targets` first")
    return path
