"""template.yaml: each deploy function has a queue that pipelines' callback steps reach it through, and may serve it."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from template import PARAMETERS, Stack, listed, logical_id

from harness import aws, queues, scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.poller import BATCH_SIZE, Poller
from harness.queues import Queues
from harness.scene import ENDPOINT, GROUP
from pipeline.stack import Stack as Outputs

DEPLOYING = ["deploy-new-endpoint", "deploy-existing-endpoint"]
STACK = Stack()
WITHOUT = Stack(CallbackQueues="false")

EXECUTION = f"{scene.ARN}:pipeline/churn/execution/abcdefghijkl"

# What the calls to SageMaker are that a step's answer takes.
ANSWERING = {"ListPipelineExecutionSteps", "SendPipelineExecutionStepSuccess", "SendPipelineExecutionStepFailure"}


def resource(name: str, kind: str) -> dict[str, Any]:
    """Return the properties of a function's queue, its dead-letter queue or its mapping."""
    return STACK.resources[logical_id(name).removesuffix("Function") + kind]["Properties"]


def arn(name: str, kind: str) -> str:
    return f"<{logical_id(name).removesuffix('Function')}{kind}.Arn>"


def of_queues(stack: Stack, name: str) -> list[dict[str, Any]]:
    """Return the statements of a function's role about queues."""
    return [each for each in stack.statements(name) if any(a.startswith("sqs:") for a in listed(each["Action"]))]


@pytest.mark.parametrize("name", DEPLOYING)
def test_a_queue_hands_what_comes_back_too_often_to_its_dead_letter_queue(name: str):
    queue, dead = resource(name, "Queue"), resource(name, "DeadLetterQueue")
    redrive = {"deadLetterTargetArn": arn(name, "DeadLetterQueue"), "maxReceiveCount": queues.MAX_RECEIVES}
    assert queue["RedrivePolicy"] == redrive
    # Lambda refuses a queue with less.
    assert queue["VisibilityTimeout"] == queues.VISIBILITY_TIMEOUT >= STACK.function(name)["Timeout"]
    # A message that the function never gets to comes back that often, and is still to be read as a dead letter then.
    assert queue["MessageRetentionPeriod"] > queues.MAX_RECEIVES * queues.VISIBILITY_TIMEOUT
    # Both count from when it was sent.
    assert dead["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"]
    assert queue["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True


def test_nobody_reaches_a_queue_without_tls():
    pipelines = {
        "DeployPipelineArn": f"{scene.ARN}:pipeline/model-deploy",
        "ModelPackageGroupName": GROUP,
    }
    for stack in (STACK, Stack(**pipelines)):
        refused = {
            queue
            for policy in stack.of_type("AWS::SQS::QueuePolicy").values()
            for queue in policy["Queues"]
            for statement in policy["PolicyDocument"]["Statement"]
            if (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
            if statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        }
        assert refused == {f"<{name}>" for name in stack.of_type("AWS::SQS::Queue")}


@pytest.mark.parametrize("name", DEPLOYING)
def test_lambda_takes_a_queues_messages_to_its_function_and_hears_which_failed(name: str):
    assert resource(name, "QueueMapping") == {
        "FunctionName": f"<{logical_id(name)}>",
        "EventSourceArn": arn(name, "Queue"),
        "BatchSize": BATCH_SIZE,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }


def test_each_queue_has_a_name_that_a_pipeline_may_send_to():
    """AWS's managed policy for pipelines covers only queues whose name contains one of three spellings."""
    longest = "sagemaker".ljust(PARAMETERS["FunctionNamePrefix"]["MaxLength"], "x")
    for prefix in ("sagemaker", "team-SageMaker", longest):
        made = Stack(FunctionNamePrefix=prefix).of_type("AWS::SQS::Queue")
        names = [queue["QueueName"] for queue in made.values()]
        assert len(set(names)) == len(names) == 4
        assert all(name.startswith(prefix) and re.fullmatch("[A-Za-z0-9_-]{1,80}", name) for name in names)


def test_a_pipeline_gets_the_queues_of_the_outputs():
    urls = {name: output["Value"] for name, output in STACK.outputs.items()}
    outputs = Outputs.from_outputs(urls)
    # Ref of a queue is its URL.
    assert outputs.deploy_new_queue == "<DeployNewEndpointQueue>"
    assert outputs.deploy_existing_queue == "<DeployExistingEndpointQueue>"
    assert urls["DeployNewEndpointDeadLetterQueueUrl"] == "<DeployNewEndpointDeadLetterQueue>"
    assert urls["DeployExistingEndpointDeadLetterQueueUrl"] == "<DeployExistingEndpointDeadLetterQueue>"
    example = Outputs.example(aws.REGION)
    for name, url in zip(DEPLOYING, (example.deploy_new_queue, example.deploy_existing_queue), strict=True):
        assert url is not None
        assert url.split("/")[-1] == resource(name, "Queue")["QueueName"]


def test_the_pipeline_may_send_to_the_two_queues():
    statements = STACK.resources["PipelinePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    [sending] = [each for each in statements if each["Action"] != "lambda:InvokeFunction"]
    assert (sending["Effect"], sending["Action"]) == ("Allow", "sqs:SendMessage")
    assert sending["Resource"] == [arn(name, "Queue") for name in DEPLOYING]


def test_queues_can_be_left_out():
    assert [WITHOUT.of_type(kind) for kind in ("AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping")] == [{}, {}]
    assert (
        Outputs.from_outputs({name: output["Value"] for name, output in WITHOUT.outputs.items()}).deploy_new_queue
        is None
    )
    assert set(STACK.outputs) - set(WITHOUT.outputs) == {
        f"{logical_id(name).removesuffix('Function')}{kind}QueueUrl"
        for name in DEPLOYING
        for kind in ("", "DeadLetter")
    }
    of_pipelines = WITHOUT.resources["PipelinePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [each["Action"] for each in of_pipelines] == ["lambda:InvokeFunction"]
    assert set(STACK.resources) - set(WITHOUT.resources) == {
        "DeadLettersAlarm",
        "OldestMessageAlarm",
        "QueuesPolicy",
        *STACK.of_type("AWS::SQS::Queue"),
        *STACK.of_type("AWS::Lambda::EventSourceMapping"),
    }


@pytest.fixture(scope="module")
def messages() -> Iterator[Queues]:
    """Queues whose messages come back within a tenth of a second."""
    with Queues(speed=200) as running:
        yield running


@pytest.mark.parametrize("name", DEPLOYING)
def test_a_function_may_make_the_calls_that_its_queue_takes_and_no_other(
    name: str, function: Callable[..., Emulator], sagemaker: LocalSageMaker, messages: Queues
):
    messages.reset()
    queue_url, _ = messages.create(resource(name, "Queue")["QueueName"])
    if name == "deploy-existing-endpoint":
        scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    event = scene.next_event(sagemaker.client)
    serving = sagemaker.start_callback_step(EXECUTION, "Deploy", queue_url)
    refused = sagemaker.start_callback_step(EXECUTION, "DeployBadly", queue_url)
    sagemaker.clear_calls()
    for token, arguments in ((serving, event), (refused, {})):
        body = scene.callback_message(token, EXECUTION, "Deploy", arguments)
        messages.client.send_message(QueueUrl=queue_url, MessageBody=body)
    taken = len(messages.calls())
    deploy = function(name, sagemaker.url, AWS_ENDPOINT_URL_SQS=messages.url)
    Poller(messages, queue_url, deploy.invoke).run()
    assert [sagemaker.callback_step(token)["status"] for token in (serving, refused)] == ["Succeeded", "Failed"]

    # Those of Lambda, which takes the messages in the function's name, and the function's own.
    queue_calls = {f"sqs:{call['operation']}" for call in messages.calls()[taken:]}
    assert {action for each in of_queues(STACK, name) for action in listed(each["Action"])} == queue_calls
    assert [each["Resource"] for each in of_queues(STACK, name)] == [arn(name, "Queue")]

    answering = {f"sagemaker:{call}" for call in ANSWERING}
    made = {f"sagemaker:{call['operation']}" for call in sagemaker.calls()}
    assert answering <= made <= STACK.actions(name)
    assert STACK.actions(name) - WITHOUT.actions(name) == queue_calls | answering
    [statement] = [each for each in STACK.statements(name) if answering & set(listed(each["Action"]))]
    assert fnmatchcase(EXECUTION, statement["Resource"])
    assert not fnmatchcase(EXECUTION.split("/execution")[0], statement["Resource"])
