"""The command line: builds, creates, starts and watches the two pipelines, and tests an endpoint."""

import dataclasses
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from pipeline import autogluon, endpoint, options, progress, remarks, uploads
from pipeline import stack as stacks

DEFAULT_NAMES = {options.COMPLETE: "model-complete", options.DEPLOY: "model-deploy"}

# Where the examples lie, when nothing says where else.
_EXAMPLE_REGION = "us-east-1"
_EXAMPLE_ROLE = f"arn:aws:iam::{stacks.EXAMPLE_ACCOUNT}:role/service-role/AmazonSageMaker-ExecutionRole"


class CommandError(Exception):
    """The command cannot be carried out: why."""


# What a person can mend. Anything else is a defect and shows where it happened.
_EXPECTED = (CommandError, stacks.StackError, endpoint.AnswerError, ClientError, BotoCoreError, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command line and return the exit code."""
    given = options.parser().parse_args(arguments)
    try:
        session = boto3.Session(region_name=given.region)
        if given.subject == options.TEST:
            return _test(given, session)
        given.name = given.name or DEFAULT_NAMES[given.subject]
        actions = {
            options.DEFINITION: _definition,
            options.UPSERT: _upsert,
            options.START: _start,
            options.DESCRIBE: _describe,
        }
        # The SDK lets every library speak up as soon as it is imported.
        with remarks.hidden():
            return actions[given.action](given, session)
    except _EXPECTED as error:
        print(error, file=sys.stderr)
        return 1


def _definition(given: Namespace, session: boto3.Session) -> int:
    region = session.region_name or _EXAMPLE_REGION
    missing: list[str] = []
    if given.stack_name:
        stack = stacks.read(session.client("cloudformation"), given.stack_name)
    else:
        stack = _example(missing, "functions", stacks.Stack.example(region))
    given.role = given.role or _example(missing, "role", _EXAMPLE_ROLE)
    artifacts = None
    if given.subject == options.COMPLETE:
        given.bucket = given.bucket or _example(missing, "bucket", f"sagemaker-{region}-{stacks.EXAMPLE_ACCOUNT}")
        artifacts = _given_artifacts(given) or _override(given, _example_artifacts(given, region, missing))
    if missing:
        print(f"Examples, because not given: {', '.join(missing)}.", file=sys.stderr)
    pipeline = _build(given, boto3.Session(region_name=region), stack, artifacts)
    from pipeline import sdk

    print(json.dumps(sdk.definition(pipeline), indent=2))
    return 0


def _upsert(given: Namespace, session: boto3.Session) -> int:
    _region(session)
    stack = stacks.read(session.client("cloudformation"), given.stack_name)
    artifacts = None
    if given.subject == options.COMPLETE:
        if not given.bucket:
            account = session.client("sts").get_caller_identity()["Account"]
            given.bucket = f"sagemaker-{session.region_name}-{account}"
        artifacts = _given_artifacts(given) or _override(given, _look_up(given, session))
        scripts = (uploads.PREPARE_DATA, uploads.EVALUATE_MODEL, uploads.PACKAGE_MODEL)
        uploads.upload(session.client("s3"), given.bucket, given.name, *scripts)
    pipeline = _build(given, session, stack, artifacts)
    from pipeline import sdk

    print(sdk.upsert(pipeline, given.role))
    return 0


def _start(given: Namespace, session: boto3.Session) -> int:
    _region(session)
    sagemaker = session.client("sagemaker")
    parameters = [{"Name": name, "Value": value} for name, value in given.parameters]
    execution = sagemaker.start_pipeline_execution(PipelineName=given.name, PipelineParameters=parameters)
    print(execution["PipelineExecutionArn"], flush=True)
    return _watch(sagemaker, execution["PipelineExecutionArn"]) if given.wait else 0


def _describe(given: Namespace, session: boto3.Session) -> int:
    _region(session)
    sagemaker = session.client("sagemaker")
    execution_arn = given.execution or _latest(sagemaker, given.name)
    if given.wait:
        return _watch(sagemaker, execution_arn)
    for line in progress.changes({}, progress.steps(sagemaker, execution_arn)):
        print(line)
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    print(progress.summary(execution))
    return 0


def _test(given: Namespace, session: boto3.Session) -> int:
    _region(session)
    test = endpoint.rows(_text(given.data, session))
    if not test:
        raise CommandError(f"there are no rows in {given.data}")
    result = endpoint.ask(session.client("sagemaker-runtime"), given.endpoint_name, test, given.classes)
    print(result.report())
    if given.delete:
        for gone in endpoint.delete(session.client("sagemaker"), given.endpoint_name):
            print(f"deleted the {gone}")
    return 0 if result.accuracy >= given.at_least else 1


def _build(given: Namespace, session: boto3.Session, stack: stacks.Stack, artifacts: autogluon.Artifacts | None) -> Any:
    """Build the pipeline that is asked for. Here the SDK is imported, which takes seconds."""
    _let_the_sdk_be_imported(session.region_name)
    from pipeline import complete, promotion, sdk

    shared = {
        "stack": stack,
        "endpoint_name": given.endpoint_name,
        "name": given.name,
        "way": given.deploy_by,
        "settings": dict(given.settings),
    }
    execution_role = given.execution_role or given.role
    if given.subject == options.DEPLOY:
        settings = promotion.Promotion(**shared, role=execution_role, stages=given.stages)
        return promotion.build(settings, sdk.session(session))
    data_bucket, data_key = given.input_data or (given.bucket, "data/data.csv")
    settings = complete.Complete(
        **shared,
        artifacts=artifacts,
        bucket=given.bucket,
        role=given.role,
        execution_role=execution_role,
        input_data_bucket=data_bucket,
        input_data_key=data_key,
        label_column=given.label_column,
        model_package_group=given.model_package_group,
        processing_instance_type=given.processing_instance_type,
        training_instance_type=given.training_instance_type,
        inference_instance_type=given.inference_instance_type,
        threshold=given.threshold,
        metric=given.metric,
    )
    return complete.build(settings, sdk.session(session, given.bucket))


def _let_the_sdk_be_imported(region: str) -> None:
    """Set the region that the SDK needs for a client which it makes as soon as it is imported, and never uses."""
    os.environ.setdefault("AWS_DEFAULT_REGION", region)


def _given_artifacts(given: Namespace) -> autogluon.Artifacts | None:
    """Return the artifacts where enough of them are given to look nothing up."""
    if not (given.training_image and given.training_script and given.inference_image):
        return None
    return autogluon.Artifacts(
        training_image=given.training_image,
        training_script=given.training_script,
        inference_image=given.inference_image,
        inference_script=given.inference_script or "",
    )


def _look_up(given: Namespace, session: boto3.Session) -> autogluon.Artifacts:
    _let_the_sdk_be_imported(session.region_name)
    return autogluon.look_up(session.region_name, given.training_instance_type, given.inference_instance_type)


def _example_artifacts(given: Namespace, region: str, missing: list[str]) -> autogluon.Artifacts:
    _let_the_sdk_be_imported(region)
    example = autogluon.example(region, given.training_instance_type, given.inference_instance_type)
    return _example(missing, "images and scripts", example)


def _override(given: Namespace, artifacts: autogluon.Artifacts) -> autogluon.Artifacts:
    """Put the artifacts that are given in the place of the others; an empty one is given too."""
    names = ("training_image", "training_script", "inference_image", "inference_script")
    values = {name: getattr(given, name) for name in names}
    return dataclasses.replace(artifacts, **{name: value for name, value in values.items() if value is not None})


def _watch(sagemaker: Any, execution_arn: str) -> int:
    status = progress.watch(sagemaker, execution_arn, lambda line: print(line, flush=True))
    return 0 if status == "Succeeded" else 1


def _latest(sagemaker: Any, name: str) -> str:
    executions = sagemaker.list_pipeline_executions(
        PipelineName=name, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["PipelineExecutionSummaries"]
    if not executions:
        raise CommandError(f"{name} has not been started yet")
    return executions[0]["PipelineExecutionArn"]


def _region(session: boto3.Session) -> None:
    if not session.region_name:
        raise CommandError("no AWS Region: name it with --region, or set AWS_DEFAULT_REGION")


def _text(source: str, session: boto3.Session) -> str:
    """Read a file, or an object of S3."""
    if not source.startswith("s3://"):
        return Path(source).read_text()
    bucket, _, key = source.removeprefix("s3://").partition("/")
    return session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def _example(missing: list[str], what: str, example: Any) -> Any:
    """Take an example for what is not given, and remember that."""
    missing.append(what)
    return example
