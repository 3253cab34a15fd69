"""template.yaml: what starts the pipelines, and that nothing does unless it is asked for."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from template import RefusedError, Stack

from harness import aws
from harness.scene import ARN

PIPELINES = f"{ARN}:pipeline"
DEPLOY = {"DeployPipelineArn": f"{PIPELINES}/model-deploy", "ModelPackageGroupName": "Churn-Model"}
COMPLETE = {"CompletePipelineArn": f"{PIPELINES}/model-complete", "DataBucketName": "incoming"}
BOTH = Stack(**DEPLOY, **COMPLETE, DataPrefix="churn/rows/")

APPROVED = {
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Model Package State Change",
    "detail": {
        "ModelPackageGroupName": "Churn-Model",
        "ModelPackageArn": f"{ARN}:model-package/churn-model/3",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "UpdatedModelPackageFields": ["ModelApprovalStatus", "ApprovalDescription"],
    },
}
ARRIVED = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "incoming"}, "object": {"key": "churn/rows/2026.csv", "size": 1024}},
}


def changed(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return an event with another value at a path of its detail."""
    first, _, rest = path.partition("/")
    return {**event, first: changed(event[first], rest, value) if rest else value}


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether EventBridge would send an event on: of each member that the pattern names, one value must fit.

    A list in an event fits if one of its items does. A list without items is to EventBridge like no member.
    """

    def holds(name: str, wanted: Any) -> bool:
        value = event.get(name)
        if isinstance(wanted, dict):
            return isinstance(value, dict) and matches(wanted, value)
        values = value if isinstance(value, list) else [value] if name in event else []
        if not values:
            return {"exists": False} in wanted
        return any(fits(each, item) for each in wanted for item in values)

    return all(holds(name, wanted) for name, wanted in pattern.items())


def fits(wanted: Any, value: Any) -> bool:
    match wanted:
        case {"prefix": str(prefix)}:
            return value.startswith(prefix)
        case {"numeric": [">", int(least)]}:
            return value > least
        case {"exists": False}:
            return False
        case str():
            return value == wanted
    raise NotImplementedError(wanted)


def at(path: str, event: dict[str, Any]) -> Any:
    """Return what a path of EventBridge's leads to."""
    assert path.startswith("$.")
    value: Any = event
    for name in path.removeprefix("$.").split("."):
        value = value[name]
    return value


def target(stack: Stack, rule: str) -> dict[str, Any]:
    [only] = stack.resources[rule]["Properties"]["Targets"]
    return only


def parameters(rule: str, event: dict[str, Any]) -> dict[str, Any]:
    listed = target(BOTH, rule)["SageMakerPipelineParameters"]["PipelineParameterList"]
    return {each["Name"]: at(each["Value"], event) for each in listed}


def test_nothing_is_started_unless_it_is_asked_for():
    assert not Stack().of_type("AWS::Events::Rule")
    assert set(Stack(**DEPLOY).of_type("AWS::Events::Rule")) == {"DeployOnApproval"}
    assert set(Stack(**COMPLETE).of_type("AWS::Events::Rule")) == {"CompleteOnData"}
    plain = set(Stack().of_type("AWS::IAM::Role"))
    assert set(Stack(**DEPLOY).of_type("AWS::IAM::Role")) - plain == {"DeployOnApprovalRole"}
    assert set(Stack(**COMPLETE).of_type("AWS::IAM::Role")) - plain == {"CompleteOnDataRole"}


def test_an_approved_package_reaches_the_deploy_pipeline():
    pattern = BOTH.resources["DeployOnApproval"]["Properties"]["EventPattern"]
    assert matches(pattern, APPROVED)
    assert target(BOTH, "DeployOnApproval")["Arn"] == f"{PIPELINES}/model-deploy"
    assert parameters("DeployOnApproval", APPROVED) == {"ModelPackageArn": APPROVED["detail"]["ModelPackageArn"]}


def test_a_package_that_is_registered_as_approved_reaches_the_deploy_pipeline():
    pattern = BOTH.resources["DeployOnApproval"]["Properties"]["EventPattern"]
    detail = {name: value for name, value in APPROVED["detail"].items() if name != "UpdatedModelPackageFields"}
    assert matches(pattern, {**APPROVED, "detail": detail})
    assert matches(pattern, {**APPROVED, "detail": {**detail, "UpdatedModelPackageFields": []}})


@pytest.mark.parametrize(
    "edited",
    [
        ["CustomerMetadataProperties"],
        ["ModelLifeCycle"],
        ["ApprovalDescription", "sourceUri"],
        ["InferenceSpecification"],
    ],
)
def test_an_edit_of_an_approved_package_starts_nothing(edited: list[str]):
    """SageMaker sends the whole package on every update, its approval among it."""
    pattern = BOTH.resources["DeployOnApproval"]["Properties"]["EventPattern"]
    assert not matches(pattern, changed(APPROVED, "detail/UpdatedModelPackageFields", edited))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("detail/ModelApprovalStatus", "PendingManualApproval"),
        ("detail/ModelApprovalStatus", "Rejected"),
        ("detail/ModelPackageStatus", "InProgress"),
        ("detail/ModelPackageGroupName", "Churn-Model-2"),
        ("detail-type", "SageMaker Model State Change"),
        ("source", "aws.s3"),
    ],
)
def test_no_other_package_starts_anything(path: str, value: str):
    pattern = BOTH.resources["DeployOnApproval"]["Properties"]["EventPattern"]
    assert not matches(pattern, changed(APPROVED, path, value))


def test_a_data_file_reaches_the_complete_pipeline():
    pattern = BOTH.resources["CompleteOnData"]["Properties"]["EventPattern"]
    assert matches(pattern, ARRIVED)
    assert target(BOTH, "CompleteOnData")["Arn"] == f"{PIPELINES}/model-complete"
    assert parameters("CompleteOnData", ARRIVED) == {
        "InputDataBucket": "incoming",
        "InputDataKey": "churn/rows/2026.csv",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("detail/bucket/name", "incoming-2"),
        ("detail/object/key", "churn/2026.csv"),
        # What the pipeline writes itself.
        ("detail/object/key", "model-complete/executions/abc/PrepareData/train/train.csv"),
        ("detail/object/size", 0),
        ("detail-type", "Object Deleted"),
    ],
)
def test_no_other_object_starts_anything(path: str, value: Any):
    pattern = BOTH.resources["CompleteOnData"]["Properties"]["EventPattern"]
    assert not matches(pattern, changed(ARRIVED, path, value))


@pytest.mark.parametrize("rule", ["DeployOnApproval", "CompleteOnData"])
def test_an_event_that_cannot_be_delivered_within_an_hour_is_a_dead_letter(rule: str):
    retries = target(BOTH, rule)["RetryPolicy"]
    assert retries["MaximumEventAgeInSeconds"] == 3600
    assert 0 < retries["MaximumRetryAttempts"] <= 185
    assert target(BOTH, rule)["DeadLetterConfig"] == {"Arn": "<TriggersDeadLetterQueue.Arn>"}
    queue = BOTH.resources["TriggersDeadLetterQueue"]["Properties"]
    assert queue["MessageRetentionPeriod"] == 1209600
    assert queue["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize(
    ("stack", "rules"),
    [
        (BOTH, ["DeployOnApproval", "CompleteOnData"]),
        (Stack(**DEPLOY), ["DeployOnApproval"]),
        (Stack(**COMPLETE), ["CompleteOnData"]),
    ],
)
def test_the_rules_may_send_their_dead_letters_and_nobody_else_may(stack: Stack, rules: list[str]):
    policy = stack.resources["TriggersDeadLetterQueuePolicy"]["Properties"]
    assert policy["Queues"] == ["<TriggersDeadLetterQueue>"]
    [statement] = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert statement == {
        "Sid": "TakeUndeliveredEvents",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "<TriggersDeadLetterQueue.Arn>",
        "Condition": {"ArnEquals": {"aws:SourceArn": [f"<{rule}.Arn>" for rule in rules]}},
    }
    assert "TriggersDeadLetterQueuePolicy" not in Stack().resources


@pytest.mark.parametrize(
    ("rule", "parameter"), [("DeployOnApproval", "DeployPipelineArn"), ("CompleteOnData", "CompletePipelineArn")]
)
@pytest.mark.parametrize("name", ["Model-Deploy", "model-deploy"])
def test_a_rule_starts_the_pipeline_that_its_arn_names_in_either_spelling(rule: str, parameter: str, name: str):
    arn = f"{PIPELINES}/{name}"
    stack = Stack(**{**DEPLOY, **COMPLETE, parameter: arn})
    assert target(stack, rule)["Arn"] == arn
    [policy] = stack.resources[f"{rule}Role"]["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"][0]["Resource"] == arn


@pytest.mark.parametrize(
    ("rule", "pipeline"), [("DeployOnApproval", "model-deploy"), ("CompleteOnData", "model-complete")]
)
def test_a_rule_may_start_its_pipeline_and_nothing_else(rule: str, pipeline: str):
    role = target(BOTH, rule)["RoleArn"]
    assert role == f"<{rule}Role.Arn>"
    properties = BOTH.resources[f"{rule}Role"]["Properties"]
    [policy] = properties["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sagemaker:StartPipelineExecution"
    assert statement["Resource"] == f"{PIPELINES}/{pipeline}"
    # It is an ARN and no pattern.
    assert not fnmatchcase(f"{PIPELINES}/{pipeline}-2", statement["Resource"])
    [trust] = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": aws.ACCOUNT}}


@pytest.mark.parametrize(
    "parameters",
    [
        {"DeployPipelineArn": f"{PIPELINES}/model-deploy"},
        {"CompletePipelineArn": f"{PIPELINES}/model-complete"},
        # The stack does not know how SageMaker spells a name in an ARN.
        {**DEPLOY, "DeployPipelineArn": "model-deploy"},
        {**COMPLETE, "CompletePipelineArn": "model-complete"},
        {**DEPLOY, "DeployPipelineArn": f"{PIPELINES}/model-*"},
        {**DEPLOY, "DeployPipelineArn": f"{PIPELINES}/model-deploy/execution/abc"},
        # It would start itself with everything that it writes.
        {**COMPLETE, "DataPrefix": ""},
        {**COMPLETE, "DataPrefix": "/"},
        {**COMPLETE, "DataPrefix": "data"},
        {**COMPLETE, "DataBucketName": "s3://incoming"},
    ],
)
def test_what_would_start_nothing_or_too_much_is_refused(parameters: dict[str, str]):
    with pytest.raises(RefusedError):
        Stack(**parameters)
