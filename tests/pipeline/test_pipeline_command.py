"""The command line, against moto where it calls, and against nobody where it should not."""

import dataclasses
import inspect
import json
import re
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from harness import aws, scene
from harness.binaries import FUNCTIONS, REPOSITORY
from harness.moto import Moto
from pipeline import autogluon, command, complete, contract, deployment, options, promotion, uploads
from pipeline import stack as stacks

STACK_NAME = "deployment"
BUCKET = "models"

# A template with nothing in it but the outputs: moto does not know of SAM.
OUTPUTS = {
    "CheckEndpointExistsFunctionArn": stacks.Stack.example(aws.REGION).check,
    "DeployNewEndpointFunctionArn": stacks.Stack.example(aws.REGION).deploy_new,
    "DeployExistingEndpointFunctionArn": stacks.Stack.example(aws.REGION).deploy_existing,
}


@pytest.fixture
def account(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """Moto's account, with the stack's outputs and a bucket; every client of this process goes there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    make_stack(STACK_NAME, OUTPUTS)
    location = {"LocationConstraint": aws.REGION}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    return moto


def make_stack(name: str, outputs: dict[str, str]) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """No connection to anywhere: each one that is tried is noted, and refused."""
    tried: list[Any] = []

    def refuse(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise OSError(f"no connection to {address}")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


def run(*arguments: str) -> int:
    return command.main(list(arguments))


def upsert(pipeline: str, *more: str) -> int:
    bucket = ("--bucket", BUCKET) if pipeline == options.COMPLETE else ()
    return run(pipeline, "upsert", "--stack-name", STACK_NAME, "--role", scene.ROLE, *bucket, *more)


ARTIFACTS = ("--training-image=training:1", "--training-script=s3://scripts/t.tar.gz", "--inference-image=inference:1")


def definition(name: str) -> dict[str, Any]:
    return json.loads(boto3.client("sagemaker").describe_pipeline(PipelineName=name)["PipelineDefinition"])


@pytest.mark.parametrize("pipeline", options.PIPELINES)
def test_a_definition_is_printed_without_an_account_and_without_a_call(
    pipeline: str, unreachable: list[Any], capsys: Any
):
    assert run(pipeline, "definition") == 0
    output = capsys.readouterr()
    printed = json.loads(output.out)
    assert printed["Version"] == "2020-12-01"
    assert "111122223333" in output.out
    assert output.err.startswith("Examples, because not given: functions, role")
    assert unreachable == []


def test_a_definition_has_what_is_given(unreachable: list[Any], capsys: Any):
    given = ["--role", scene.ROLE, "--bucket", BUCKET, "--input-data", "s3://incoming/churn/rows.csv", *ARTIFACTS]
    given += ["--label-column", "left", "--metric", "f1", "--threshold", "0.7", "--set", "instance_type=ml.c5.large"]
    assert run("complete", "definition", *given) == 0
    output = capsys.readouterr()
    assert output.err == "Examples, because not given: functions.\n"
    defaults = {each["Name"]: each.get("DefaultValue") for each in json.loads(output.out)["Parameters"]}
    assert defaults["InputDataBucket"] == "incoming"
    assert defaults["InputDataKey"] == "churn/rows.csv"
    assert defaults["LabelColumn"] == "left"
    assert defaults["F1Threshold"] == 0.7
    assert output.out.count('"instance_type": "ml.c5.large"') == 2
    assert '"ImageUri": "training:1"' in output.out
    # Nothing says that the model needs another serving script.
    assert "PackageModel" not in output.out


def test_a_definition_has_the_functions_of_a_stack_that_is_named(account: Moto, capsys: Any):
    functions = {key: value.replace("sagemaker-", "team-sagemaker-") for key, value in OUTPUTS.items()}
    make_stack("team", functions)
    assert run("deploy", "definition", "--stack-name", "team", "--role", scene.ROLE) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert all(arn in output.out for arn in functions.values())


def test_the_stages_are_those_that_are_given(unreachable: list[Any], capsys: Any):
    assert run("deploy", "definition", "--stages", "live", "--deploy-by", "callback") == 0
    steps = json.loads(capsys.readouterr().out)["Steps"]
    assert [step["Name"] for step in steps] == ["CheckIfEndpointExistsLive", "EndpointExistsLive"]
    assert [step["Type"] for step in steps[1]["Arguments"]["IfSteps"]] == ["Callback"]


def test_the_deploy_pipeline_is_created_then_updated(account: Moto, capsys: Any):
    assert upsert("deploy", "--endpoint-name", "churn") == 0
    arn = capsys.readouterr().out.strip()
    assert arn.endswith(":pipeline/model-deploy")
    first = definition("model-deploy")
    assert OUTPUTS["CheckEndpointExistsFunctionArn"] in json.dumps(first)
    assert upsert("deploy", "--endpoint-name", "shop") == 0
    assert capsys.readouterr().out.strip() == arn
    second = definition("model-deploy")
    names = [parameter.get("DefaultValue") for parameter in (first["Parameters"][1], second["Parameters"][1])]
    assert names == ["churn", "shop"]
    # Its name is the beginning of another one's.
    assert upsert("deploy", "--name", "model-dep") == 0
    assert capsys.readouterr().out.strip() == arn.removesuffix("loy")


def test_the_complete_pipeline_is_created_with_its_scripts(account: Moto, capsys: Any):
    assert upsert("complete", "--name", "churn", *ARTIFACTS, "--inference-script=s3://scripts/i.tar.gz") == 0
    text = json.dumps(definition("churn"))
    s3 = boto3.client("s3")
    for script in (uploads.PREPARE_DATA, uploads.EVALUATE_MODEL, uploads.PACKAGE_MODEL):
        [uri] = re.findall(rf'"(s3://{BUCKET}/churn/scripts/[0-9a-f]{{16}}/{script.name})"', text)
        key = uri.removeprefix(f"s3://{BUCKET}/")
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == script.read_bytes()


def test_what_is_not_given_is_looked_up(account: Moto, monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []

    def look_up(*arguments: str) -> autogluon.Artifacts:
        asked.append(arguments)
        return autogluon.Artifacts("training:2", "s3://scripts/2.tar.gz", "inference:2", "s3://scripts/i2.tar.gz")

    monkeypatch.setattr(autogluon, "look_up", look_up)
    more = ("--training-image=training:9", "--training-instance-type=ml.c5.xlarge", "--inference-script=")
    assert upsert("complete", *more) == 0
    assert asked == [(aws.REGION, "ml.c5.xlarge", "ml.m5.xlarge")]
    text = json.dumps(definition("model-complete"))
    assert "training:9" in text
    assert "inference:2" in text
    # Given, though empty.
    assert "i2.tar.gz" not in text


def test_a_bucket_that_is_not_given_is_the_accounts_own(account: Moto):
    assert run("complete", "upsert", "--stack-name", STACK_NAME, "--role", scene.ROLE, *ARTIFACTS) == 1
    own = f"sagemaker-{aws.REGION}-{aws.ACCOUNT}"
    boto3.client("s3").create_bucket(Bucket=own, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
    assert run("complete", "upsert", "--stack-name", STACK_NAME, "--role", scene.ROLE, *ARTIFACTS) == 0
    assert f"s3://{own}/model-complete/scripts/" in json.dumps(definition("model-complete"))


def test_an_execution_is_started_with_its_parameters_and_described(account: Moto, capsys: Any):
    upsert("deploy")
    capsys.readouterr()
    assert run("deploy", "describe") == 1
    assert "model-deploy has not been started yet" in capsys.readouterr().err
    package = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1"
    assert run("deploy", "start", "--parameter", f"ModelPackageArn={package}", "--parameter", "EndpointName=a=b") == 0
    arn = capsys.readouterr().out.strip()
    given = boto3.client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert {each["Name"]: each["Value"] for each in given["PipelineParameters"]} == {
        "ModelPackageArn": package,
        # Only the first sign of equality is one.
        "EndpointName": "a=b",
    }


def test_what_aws_refuses_is_one_line_and_no_traceback(account: Moto, capsys: Any):
    assert run("deploy", "start") == 1
    assert run("deploy", "upsert", "--stack-name", "other", "--role", scene.ROLE) == 1
    make_stack("half", {"CheckEndpointExistsFunctionArn": "arn"})
    assert run("deploy", "upsert", "--stack-name", "half", "--role", scene.ROLE) == 1
    start, other, half = capsys.readouterr().err.strip().splitlines()
    assert "model-deploy" in start
    assert "the stack other cannot be read" in other
    assert half == (
        "half: the stack has no output DeployNewEndpointFunctionArn, DeployExistingEndpointFunctionArn; "
        "is it the stack of template.yaml?"
    )


def test_callbacks_need_a_stack_with_queues(account: Moto, capsys: Any):
    assert upsert("deploy", "--deploy-by", "callback") == 1
    assert "needs a queue, and the stack has none" in capsys.readouterr().err
    queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/queue"
    make_stack("queues", {**OUTPUTS, "DeployNewEndpointQueueUrl": queue, "DeployExistingEndpointQueueUrl": queue})
    given = ("--stack-name", "queues", "--role", scene.ROLE, "--deploy-by", "callback")
    assert run("deploy", "upsert", *given) == 0
    assert queue in json.dumps(definition("model-deploy"))


def test_without_a_region_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: Any):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    assert run("deploy", "start") == 1
    assert "--region" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["deploy", "definition", "--set", "instance_typ=x"], "no such setting of a deployment: instance_typ"),
        (["deploy", "definition", "--set", "instance_type"], "not of the form NAME=VALUE"),
        (["deploy", "start", "--parameter", "=x"], "not of the form NAME=VALUE"),
        (["complete", "definition", "--input-data", "rows.csv"], "not of the form s3://BUCKET/KEY"),
        (["complete", "definition", "--input-data", "s3://rows"], "not of the form s3://BUCKET/KEY"),
        (["deploy", "upsert"], "--role"),
        (["deploy"], "action"),
    ],
)
def test_a_bad_command_line_is_refused(arguments: list[str], words: str, capsys: Any):
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)
    assert exit_.value.code == 2
    assert words in capsys.readouterr().err


# What the pipelines know of the functions and the stack


def documented(heading: str) -> set[str]:
    """Return the keys in the first column of a table of README.md."""
    table = (REPOSITORY / "README.md").read_text().split(heading)[1].split("\n\n")[0]
    return {key for line in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", line.split("|")[1])}


def test_the_settings_are_the_optional_keys_of_an_event():
    keys = documented("| optional key | default | meaning |")
    assert keys == contract.SETTINGS


def test_the_declared_outputs_are_what_the_functions_answer():
    answered = documented("| answered key | |")
    assert set(contract.EXISTING_OUTPUTS) == answered - {"body"}
    assert set(contract.NEW_OUTPUTS) == answered - {"body", "previous_endpoint_config"}


def test_settings_become_arguments():
    given = {"instance_type": "ml.m5.large", "initial_instance_count": 2, "dry_run": True, "on_failure": "keep"}
    assert contract.settings(given) == {**given, "dry_run": "true"}


def test_all_that_a_pipeline_needs_is_among_the_stacks_outputs():
    template = (REPOSITORY / "template.yaml").read_text().split("\nOutputs:\n")[1]
    names = re.findall(r"^  (\w+):$", template, re.MULTILINE)
    stack = stacks.Stack.from_outputs({name: f"output {name}" for name in names})
    assert dataclasses.asdict(stack) == {
        "check": "output CheckEndpointExistsFunctionArn",
        "deploy_new": "output DeployNewEndpointFunctionArn",
        "deploy_existing": "output DeployExistingEndpointFunctionArn",
        "deploy_new_queue": "output DeployNewEndpointQueueUrl",
        "deploy_existing_queue": "output DeployExistingEndpointQueueUrl",
    }


def test_the_example_is_what_a_stack_with_its_defaults_is():
    example = stacks.Stack.example("eu-west-1")
    functions = [example.check, example.deploy_new, example.deploy_existing]
    assert [arn.rsplit(":", 1)[1] for arn in functions] == [f"sagemaker-{name}" for name in FUNCTIONS]


def test_the_options_know_what_the_pipelines_know():
    assert options.WAYS == deployment.WAYS
    assert tuple(complete.METRICS) == options.METRICS
    assert list(command.DEFAULT_NAMES.values()) == [complete.DEFAULT_NAME, promotion.DEFAULT_NAME]


def test_the_look_up_asks_jumpstart_for_the_newest_of_everything(monkeypatch: pytest.MonkeyPatch):
    from sagemaker.core import environment_variables, hyperparameters, image_uris, model_uris, script_uris

    asked: list[dict[str, Any]] = []

    def answer(module: Any, function: str, value: Callable[[dict[str, Any]], Any]) -> None:
        def called(**given: Any) -> Any:
            # What the SDK's function would not take, this one does not either.
            inspect.signature(getattr(original, function)).bind(**given)
            asked.append(given)
            return value(given)

        original = SimpleNamespace(**{function: getattr(module, function)})
        monkeypatch.setattr(module, function, called)

    answer(image_uris, "retrieve", lambda given: f"{given['image_scope']} image for {given['instance_type']}")
    answer(script_uris, "retrieve", lambda given: f"{given['script_scope']} script")
    answer(model_uris, "retrieve", lambda given: f"{given['model_scope']} model")
    answer(hyperparameters, "retrieve_default", lambda given: {"presets": "medium_quality"})
    answer(environment_variables, "retrieve_default", lambda given: {"MODEL_CACHE_ROOT": "/opt/ml/model"})
    assert autogluon.look_up("eu-west-1", "ml.c5.xlarge", "ml.m5.large") == autogluon.Artifacts(
        training_image="training image for ml.c5.xlarge",
        training_script="training script",
        training_model="training model",
        inference_image="inference image for ml.m5.large",
        inference_script="inference script",
        hyperparameters={"presets": "medium_quality"},
        inference_environment={"MODEL_CACHE_ROOT": "/opt/ml/model"},
    )
    for given in asked:
        assert (given["model_id"], given["model_version"]) == ("autogluon-classification-ensemble", "*")
        assert given["region"] == "eu-west-1"
