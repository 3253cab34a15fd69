"""The scripts of the steps, and where they lie in S3."""

import hashlib
from pathlib import Path
from typing import Any

_SCRIPTS = Path(__file__).parent / "scripts"

PREPARE_DATA = _SCRIPTS / "prepare_data.py"
EVALUATE_MODEL = _SCRIPTS / "evaluate_model.py"
PACKAGE_MODEL = _SCRIPTS / "package_model.py"


def script_uri(bucket: str, pipeline_name: str, script: Path) -> str:
    """Return the URI of a script, which its content is part of.

    So a changed script is another argument of its step, which the step's cache minds; and an execution that is running
    keeps the script that it was started with.
    """
    return f"s3://{bucket}/{_key(pipeline_name, script)}"


def upload(s3: Any, bucket: str, pipeline_name: str, *scripts: Path) -> None:
    """Upload scripts to where ``script_uri`` says."""
    for script in scripts:
        s3.put_object(Bucket=bucket, Key=_key(pipeline_name, script), Body=script.read_bytes())


def _key(pipeline_name: str, script: Path) -> str:
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    return f"{pipeline_name}/scripts/{digest[:16]}/{script.name}"
