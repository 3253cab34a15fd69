"""The options of the command line."""

import argparse

from pipeline import contract, stack

# The pipelines, and what can be done with each.
COMPLETE, DEPLOY = PIPELINES = ("complete", "deploy")
DEFINITION, UPSERT, START, DESCRIBE = ("definition", "upsert", "start", "describe")
TEST = "test"

# The metrics that `complete` can judge a model by, and the ways of calling a deployment: the words alone, because the
# modules that know more of them import the SDK, which takes seconds.
METRICS = ("accuracy", "f1")
WAYS = ("lambda", "callback")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="python -m pipeline", description="Pipelines that deploy models through the stack's functions."
    )
    subjects = whole.add_subparsers(dest="subject", required=True, metavar="{complete,deploy,test}")
    helps = {
        COMPLETE: "from the data to the endpoint",
        DEPLOY: "take a registered model to staging, then to production",
    }
    for name in PIPELINES:
        subject = subjects.add_parser(name, help=helps[name])
        _add_actions(subject, name)
    _add_test(subjects.add_parser(TEST, help="send the test rows to an endpoint, and report how it does"))
    return whole


def _add_actions(subject: argparse.ArgumentParser, pipeline: str) -> None:
    actions = subject.add_subparsers(dest="action", required=True)

    definition = actions.add_parser(
        DEFINITION, help="print the pipeline's JSON; what is not given is an example, and nobody is asked"
    )
    definition.add_argument("--stack-name", help="read the functions from this stack")
    definition.add_argument("--role", help="ARN of the pipeline's role")
    upsert = actions.add_parser(UPSERT, help="create the pipeline, or update it")
    upsert.add_argument("--stack-name", default=stack.DEFAULT_NAME, help="the stack of the functions (%(default)s)")
    upsert.add_argument("--role", required=True, help="ARN of the pipeline's role")
    for action in (definition, upsert):
        _add_common(action)
        _add_building(action)
        if pipeline == COMPLETE:
            _add_training(action)
        else:
            action.add_argument(
                "--stages",
                type=_list,
                default=["staging", "production"],
                help="one after the other (staging,production)",
            )

    start = actions.add_parser(START, help="start an execution")
    start.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=VALUE",
        dest="parameters",
        help="a parameter of the pipeline; again for another one",
    )
    start.add_argument("--wait", action="store_true", help="show each step until the execution has ended")
    describe = actions.add_parser(DESCRIBE, help="show an execution and its steps")
    describe.add_argument("--execution", metavar="ARN", help="which one (the latest)")
    describe.add_argument("--wait", action="store_true", help="go on until it has ended")
    for action in (start, describe):
        _add_common(action)


def _add_common(action: argparse.ArgumentParser) -> None:
    action.add_argument("--region", help="the AWS Region (that of the environment or the profile)")
    action.add_argument("--name", help="the pipeline's name (model-complete, model-deploy)")


def _add_building(action: argparse.ArgumentParser) -> None:
    action.add_argument("--execution-role", help="ARN of the role that the models run under (the pipeline's role)")
    action.add_argument("--endpoint-name", default="model", help="default of the parameter EndpointName (%(default)s)")
    action.add_argument("--deploy-by", choices=WAYS, default=WAYS[0], help="the steps that deploy (%(default)s)")
    action.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="KEY=VALUE",
        dest="settings",
        help="an optional key of the deployment's event; again for another one",
    )


def _add_training(action: argparse.ArgumentParser) -> None:
    defaults = action.add_argument_group("defaults of the pipeline's parameters")
    defaults.add_argument("--input-data", metavar="S3-URI", type=_s3_uri, help="the CSV, or a prefix of several")
    defaults.add_argument("--label-column", default="label", help="(%(default)s)")
    defaults.add_argument("--model-package-group", default="model", help="(%(default)s)")
    defaults.add_argument("--processing-instance-type", default="ml.m5.xlarge", help="(%(default)s)")
    defaults.add_argument("--training-instance-type", default="ml.m5.2xlarge", help="(%(default)s)")
    defaults.add_argument("--threshold", type=float, default=0.8, help="what the metric must reach (%(default)s)")
    fixed = action.add_argument_group("fixed in the pipeline")
    fixed.add_argument("--bucket", help="where scripts and results go (sagemaker-REGION-ACCOUNT)")
    fixed.add_argument("--metric", choices=METRICS, default=METRICS[0], help="(%(default)s)")
    fixed.add_argument("--inference-instance-type", default="ml.m5.xlarge", help="(%(default)s)")
    given = action.add_argument_group("AutoGluon's artifacts, which are looked up where they are not given")
    for name in ("training-image", "training-script", "inference-image", "inference-script"):
        given.add_argument(f"--{name}", metavar="URI")


def _add_test(test: argparse.ArgumentParser) -> None:
    test.add_argument("endpoint_name")
    test.add_argument("--data", required=True, help="a file or an S3 URI: the test part that PrepareData has made")
    test.add_argument("--classes", type=_list, default=[], help="the model's labels in its order, comma-separated")
    test.add_argument("--at-least", type=float, default=0.0, metavar="ACCURACY", help="fail below this accuracy")
    test.add_argument("--delete", action="store_true", help="then delete the endpoint, its config and its models")
    test.add_argument("--region", help="the AWS Region (that of the environment or the profile)")


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def _setting(text: str) -> tuple[str, str]:
    name, value = _pair(text)
    try:
        contract.settings({name: value})
    except contract.UnknownSettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name, value


def _s3_uri(text: str) -> tuple[str, str]:
    """Return bucket and key."""
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not (text.startswith("s3://") and bucket and key):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form s3://BUCKET/KEY")
    return bucket, key


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]
