"""The SDK's session, so that compiling a pipeline calls nobody."""

import copy
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline

from pipeline import remarks

# Whether the SDK asks IAM about a role as soon as it is given one.
_VALIDATE_ROLE = "SAGEMAKER_VALIDATE_ROLE"


class Session(PipelineSession):
    """A pipeline session that takes the bucket's name for granted.

    The SDK's own looks whether the bucket is there and makes it where it is not, each time that it needs the name.
    """

    def __init__(self, boto_session: boto3.Session, bucket: str) -> None:
        """Work as the caller of ``boto_session``, with results in the bucket."""
        self._bucket = bucket
        super().__init__(boto_session=boto_session, default_bucket=bucket)

    def default_bucket(self) -> str:
        """Return the bucket's name."""
        return self._bucket


def session(boto_session: boto3.Session, bucket: str = "") -> Session:
    """Return a session to build a pipeline with, and to create it with. The SDK's config files hold for it.

    A pipeline that runs no jobs needs no bucket.
    """
    with remarks.hidden():
        return Session(boto_session, bucket)


@contextmanager
def unreported(pipeline_session: PipelineSession) -> Iterator[None]:
    """Keep the SDK from calling home about what is done with the session.

    Only for as long as that is done: a session that has a config validates it for each of a step's members, which takes
    longer than all the rest.
    """
    before = pipeline_session.sagemaker_config
    pipeline_session.sagemaker_config = _without_telemetry(before)
    try:
        yield
    finally:
        pipeline_session.sagemaker_config = before


def _without_telemetry(config: dict[str, Any] | None) -> dict[str, Any]:
    """Return a config with the SDK's telemetry turned off, and the rest as it was."""
    changed = copy.deepcopy(config) or {"SchemaVersion": "1.0"}
    python_sdk = changed.setdefault("SageMaker", {}).setdefault("PythonSDK", {})
    python_sdk.setdefault("Modules", {})["TelemetryOptOut"] = True
    return changed


@contextmanager
def offline() -> Iterator[None]:
    """Let the SDK build steps without a call, and without its remarks on each of them."""
    before = os.environ.get(_VALIDATE_ROLE)
    os.environ[_VALIDATE_ROLE] = "false"
    try:
        with remarks.hidden():
            yield
    finally:
        if before is None:
            del os.environ[_VALIDATE_ROLE]
        else:
            os.environ[_VALIDATE_ROLE] = before


def definition(pipeline: Pipeline) -> dict[str, Any]:
    """Compile a pipeline to the JSON object that the service gets."""
    with offline():
        return json.loads(pipeline.definition())


def upsert(pipeline: Pipeline, role: str) -> str:
    """Update the pipeline, or create it where there is none of that name, and return its ARN.

    Not by the SDK's own `upsert`: that compiles once more, reports to its makers, and asks IAM about the role in ways
    that the caller may have no permission for.
    """
    sagemaker = pipeline.sagemaker_session.sagemaker_client
    request = {
        "PipelineName": pipeline.name,
        "PipelineDefinition": json.dumps(definition(pipeline)),
        "RoleArn": role,
    }
    pages = sagemaker.get_paginator("list_pipelines").paginate(PipelineNamePrefix=pipeline.name)
    there = any(each["PipelineName"] == pipeline.name for page in pages for each in page["PipelineSummaries"])
    answer = sagemaker.update_pipeline(**request) if there else sagemaker.create_pipeline(**request)
    return answer["PipelineArn"]
