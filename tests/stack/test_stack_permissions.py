"""template.yaml: each function may make the calls that it makes, on what the stack is for, and no other."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from scenarios import (
    Scenario,
    calls_of_check,
    calls_of_deleting,
    calls_of_deploy_existing,
    calls_of_deploy_new,
    calls_of_replacing,
)
from template import RefusedError, Stack, listed

from harness import aws, scene
from harness.binaries import FUNCTIONS
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ARN, ENDPOINT, GROUP

DEPLOYING = ["deploy-new-endpoint", "deploy-existing-endpoint"]
STACK = Stack()

# The actions that know no resource, and may therefore be allowed on "*".
WITHOUT_RESOURCE = {
    # They list; there is no resource to be restricted to.
    "sagemaker:ListEndpoints",
    "sagemaker:ListEndpointConfigs",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    # Traces are the account's; X-Ray has no resource for them.
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}

# What every function may do for its operator's sake, whatever it calls.
WATCHING = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}

# What AWS asks for beside the permission to make a call: it is used in the caller's name, or as another action.
BESIDES = {
    "CreateModel": {"iam:PassRole"},
    "RegisterScalableTarget": {"iam:CreateServiceLinkedRole", "sagemaker:UpdateEndpointWeightsAndCapacities"},
    "PutScalingPolicy": {"cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"},
}

# The calls to Application Auto Scaling; the others are to SageMaker.
SCALING = {
    "DescribeScalableTargets",
    "DescribeScalingPolicies",
    "DescribeScheduledActions",
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "PutScheduledAction",
}

# The kinds of resources that SageMaker authorises an action against; another kind in a statement is a mistake.
KINDS = {
    "DescribeModelPackage": {"model-package"},
    "DescribeModel": {"model"},
    "CreateModel": {"model", "model-package"},
    "DeleteModel": {"model"},
    "DescribeEndpointConfig": {"endpoint-config"},
    "CreateEndpointConfig": {"endpoint-config"},
    "DeleteEndpointConfig": {"endpoint-config"},
    "DescribeEndpoint": {"endpoint"},
    "CreateEndpoint": {"endpoint", "endpoint-config"},
    "UpdateEndpoint": {"endpoint", "endpoint-config"},
    "UpdateEndpointWeightsAndCapacities": {"endpoint"},
    "DeleteEndpoint": {"endpoint"},
    # Of its executions, that is.
    "ListPipelineExecutionSteps": {"pipeline"},
    "SendPipelineExecutionStepSuccess": {"pipeline"},
    "SendPipelineExecutionStepFailure": {"pipeline"},
}

# The kinds that an action on the tags of one resource may be about.
TAGGED = {action: {"model", "endpoint-config", "endpoint"} for action in ("AddTags", "ListTags", "DeleteTags")}

# Which members of a request name the resources that the call is authorised against.
_RESOURCES = {"ModelName": "model", "EndpointConfigName": "endpoint-config", "EndpointName": "endpoint"}


def is_allowed(name: str, action: str, resource: str, stack: Stack = STACK) -> bool:
    return any(
        action in listed(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in stack.statements(name)
    )


def action_of(call: dict[str, Any]) -> str:
    """Return the action that a call is authorised as."""
    service = "application-autoscaling" if call["operation"] in SCALING else "sagemaker"
    return f"{service}:{call['operation']}"


def resources(call: dict[str, Any]) -> list[str]:
    """Return the ARNs that a call may be authorised against: SageMaker has kept the case of a name, and lowered it."""
    request = call["request"]
    if call["operation"] in SCALING:
        # A target's id has nothing of the endpoint's name.
        target = f"arn:aws:application-autoscaling:{aws.REGION}:{aws.ACCOUNT}:scalable-target/0ec5c8f1a2b3"
        return ["*" if call["operation"].startswith("Describe") else target]
    for key in ("ModelPackageName", "ResourceArn"):
        if key in request:
            return in_either_spelling(request[key])
    arns = [f"{ARN}:{kind}/{request[key]}" for key, kind in _RESOURCES.items() if key in request]
    return [spelled for arn in arns for spelled in in_either_spelling(arn)] or ["*"]


def in_either_spelling(arn: str) -> list[str]:
    return [arn, arn.lower()]


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("check-endpoint-exists", calls_of_check),
        ("deploy-new-endpoint", calls_of_deploy_new),
        ("deploy-existing-endpoint", calls_of_deploy_existing),
    ],
)
def test_a_function_may_make_the_calls_that_it_makes_and_no_other(
    name: str,
    scenario: Scenario,
    function: Callable[..., Emulator],
    sagemaker: LocalSageMaker,
):
    scenario(lambda binary: function(binary, sagemaker.url), sagemaker)
    calls = sagemaker.calls()
    assert_allowed(name, calls, STACK)
    # A stack for just this endpoint and this group is enough, and one for others is not.
    assert_allowed(name, calls, Stack(EndpointNamePattern=f"{ENDPOINT}*", ModelPackageGroupPattern=GROUP))
    made = set(map(action_of, calls))
    # A create with tags is authorised as AddTags besides.
    made |= {"sagemaker:AddTags" for call in calls if call["request"].get("Tags")}
    made = made.union(*(BESIDES.get(call["operation"], set()) for call in calls))
    # What a queue takes besides is held against its own calls.
    assert Stack(CallbackQueues="false").actions(name) - WATCHING == made


def test_replacing_a_failed_endpoint_needs_its_parameter(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    calls_of_replacing(lambda binary: function(binary, sagemaker.url), sagemaker)
    calls = sagemaker.calls()
    assert {"DeleteEndpoint", "CreateEndpoint", "RegisterScalableTarget"} <= {call["operation"] for call in calls}
    allowing = Stack(AllowReplacingFailedEndpoints="true")
    assert_allowed("deploy-existing-endpoint", calls, allowing)
    # SageMaker deregisters the autoscaling of an endpoint that is deleted, with the permissions of the function.
    assert "application-autoscaling:DeregisterScalableTarget" in allowing.actions("deploy-existing-endpoint")
    assert not {"sagemaker:DeleteEndpoint", "sagemaker:CreateEndpoint"} & STACK.actions("deploy-existing-endpoint")


def test_deleting_what_is_superseded_needs_its_parameter(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    calls_of_deleting(lambda binary: function(binary, sagemaker.url), sagemaker)
    calls = sagemaker.calls()
    # Of this stack's endpoints and of others, of its own models and of those beside them.
    looked_at = {call["request"]["EndpointName"] for call in sagemaker.calls("DescribeEndpoint")}
    assert looked_at == {ENDPOINT, "fraud"}
    read = [call["request"]["ResourceArn"] for call in sagemaker.calls("ListTags")]
    assert f"{ARN}:model/challenger-by-hand" in read
    assert_allowed("deploy-existing-endpoint", calls, Stack(EndpointNamePattern=ENDPOINT))

    kept = Stack(AllowDeletingSuperseded="false")
    gone = STACK.actions("deploy-existing-endpoint") - kept.actions("deploy-existing-endpoint")
    assert gone == {"sagemaker:ListEndpoints", "sagemaker:ListEndpointConfigs"}
    # What is live may be anybody's: its tags are read in every stack, and never changed.
    for resource in ("model/challenger-by-hand", "endpoint-config/churn-by-hand"):
        for stack in (STACK, kept):
            assert is_allowed("deploy-existing-endpoint", "sagemaker:ListTags", f"{ARN}:{resource}", stack)
            assert not is_allowed("deploy-existing-endpoint", "sagemaker:AddTags", f"{ARN}:{resource}", stack)


def assert_allowed(name: str, calls: list[dict[str, Any]], stack: Stack) -> None:
    assert calls != []
    for call in calls:
        for resource in resources(call):
            assert is_allowed(name, action_of(call), resource, stack), (call, resource)


def test_a_stack_may_be_kept_to_some_endpoints():
    def allowed(name: str, endpoint: str, **more: str) -> set[str]:
        stack = Stack(EndpointNamePattern="growth-*", AllowReplacingFailedEndpoints="true", **more)
        return {each for each in stack.actions(name) if is_allowed(name, each, f"{ARN}:endpoint/{endpoint}", stack)}

    for name in DEPLOYING:
        everything = {f"sagemaker:{action}" for action, kinds in KINDS.items() if "endpoint" in kinds}
        everything &= Stack(AllowReplacingFailedEndpoints="true").actions(name)
        assert everything <= allowed(name, "growth-churn")
        alone = allowed(name, "fraud", AllowDeletingSuperseded="false") - WITHOUT_RESOURCE
        assert alone == set()
    # Another endpoint may use what is superseded; it is looked at, and no more.
    assert allowed("deploy-existing-endpoint", "fraud") - WITHOUT_RESOURCE == {"sagemaker:DescribeEndpoint"}


def test_a_stack_may_be_kept_to_some_model_package_groups():
    stack = Stack(ModelPackageGroupPattern="growth-*")
    for name in DEPLOYING:
        assert is_allowed(name, "sagemaker:DescribeModelPackage", f"{ARN}:model-package/growth-churn/7", stack)
        assert not is_allowed(name, "sagemaker:DescribeModelPackage", f"{ARN}:model-package/fraud/7", stack)


@pytest.mark.parametrize("name", DEPLOYING)
def test_a_package_of_another_account_may_be_deployed(name: str):
    """CreateModel is authorised against the package too, which the other account shares."""
    theirs = f"arn:aws:sagemaker:{aws.REGION}:210987654321:model-package/growth-churn/7"
    stack = Stack(ModelPackageGroupPattern="growth-*")
    for action in ("DescribeModelPackage", "CreateModel"):
        assert is_allowed(name, f"sagemaker:{action}", theirs, stack)
        assert not is_allowed(name, f"sagemaker:{action}", theirs.replace("growth", "fraud"), stack)
    assert not is_allowed(name, "sagemaker:DeleteModel", theirs, stack)


def test_a_pattern_covers_names_with_capitals_in_either_spelling():
    stack = Stack(EndpointNamePattern="?rowth-*", ModelPackageGroupPattern="?rowth-?hurn")
    for name in DEPLOYING:
        for arn in in_either_spelling(f"{ARN}:endpoint/Growth-EU"):
            for action in ("DescribeEndpoint", "AddTags", "UpdateEndpointWeightsAndCapacities"):
                assert is_allowed(name, f"sagemaker:{action}", arn, stack), (name, action, arn)
        for arn in in_either_spelling(f"{ARN}:model-package/Growth-Churn/7"):
            assert is_allowed(name, "sagemaker:DescribeModelPackage", arn, stack), (name, arn)
    kept = Stack(EndpointNamePattern="Growth-*")
    assert is_allowed("deploy-new-endpoint", "sagemaker:CreateEndpoint", f"{ARN}:endpoint/Growth-EU", kept)
    assert not is_allowed("deploy-new-endpoint", "sagemaker:CreateEndpoint", f"{ARN}:endpoint/growth-eu", kept)


@pytest.mark.parametrize("parameter", ["EndpointNamePattern", "ModelPackageGroupPattern"])
def test_a_pattern_that_would_match_no_arn_is_refused(parameter: str):
    for bad in ("", "a/b", "a b", "a_b", "[Cc]hurn"):
        with pytest.raises(RefusedError):
            Stack(**{parameter: bad})


@pytest.mark.parametrize("name", DEPLOYING)
def test_the_execution_role_goes_to_sagemaker_alone(name: str):
    def passing(stack: Stack) -> dict[str, Any]:
        [statement] = [each for each in stack.statements(name) if "iam:PassRole" in listed(each["Action"])]
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        return statement

    assert passing(STACK)["Resource"] == f"arn:aws:iam::{aws.ACCOUNT}:role/*"
    assert passing(Stack(ExecutionRoleArn=scene.ROLE))["Resource"] == scene.ROLE


@pytest.mark.parametrize("name", DEPLOYING)
def test_only_endpoints_are_scaled(name: str):
    conditions = {
        each: statement.get("Condition")
        for statement in STACK.statements(name)
        for each in listed(statement["Action"])
        if each.partition(":")[2] in SCALING or each == "iam:CreateServiceLinkedRole"
        if each not in WITHOUT_RESOURCE
    }
    making = conditions.pop("iam:CreateServiceLinkedRole")
    assert making == {"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}}
    assert conditions != {}
    of_endpoints = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
    assert all(condition == of_endpoints for condition in conditions.values()), conditions


@pytest.mark.parametrize("name", DEPLOYING)
def test_a_policy_that_tracks_a_target_may_have_its_alarms_and_no_other(name: str):
    alarm = f"arn:aws:cloudwatch:{aws.REGION}:{aws.ACCOUNT}:alarm"
    for change in ("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"):
        # Alarms keep the case of the endpoint's name, which is the caller's.
        own = f"{alarm}:TargetTracking-endpoint/Growth-Churn/variant/AllTraffic-AlarmHigh-5d3f"
        assert is_allowed(name, change, own, Stack(EndpointNamePattern="growth-*"))
        assert not is_allowed(name, change, f"{alarm}:churn-5xx")
        assert not is_allowed(name, change, f"{alarm}:TargetTracking-table/orders-AlarmHigh-5d3f")


def test_an_execution_role_is_an_arn():
    for bad in ("SageMakerRole", "*", "arn:aws:iam::123456789012:user/me"):
        with pytest.raises(RefusedError):
            Stack(ExecutionRoleArn=bad)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_of_someone_else_may_be_deleted_but_an_endpoint(name: str):
    assert not is_allowed(name, "sagemaker:DeleteModel", f"{ARN}:model/churn-by-hand")
    assert not is_allowed(name, "sagemaker:DeleteEndpointConfig", f"{ARN}:endpoint-config/churn-by-hand")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tags_of_another_products_resources_may_not_be_changed(name: str):
    for action in ("sagemaker:AddTags", "sagemaker:DeleteTags"):
        for resource in ("model/churn-by-hand", "endpoint-config/churn-by-hand"):
            assert not is_allowed(name, action, f"{ARN}:{resource}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_write_its_own_log_and_no_other(name: str):
    [statement] = [each for each in STACK.statements(name) if "logs:PutLogEvents" in listed(each["Action"])]
    group = STACK.function(name)["LoggingConfig"]["LogGroup"]
    assert statement["Resource"] == group.replace(">", ".Arn>")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_traces_may_be_sent_where_the_stack_asks_for_them(name: str):
    assert STACK.actions(name) - Stack(Tracing="PassThrough").actions(name) == {
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }


def test_the_pipeline_may_invoke_the_three_functions_and_do_nothing_else():
    policy = Stack(CallbackQueues="false").resources["PipelinePolicy"]
    # A change of it would replace the policy, which CloudFormation cannot while a role has it.
    assert "Description" not in policy["Properties"]
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == "lambda:InvokeFunction"
    functions = STACK.of_type("AWS::Serverless::Function")
    assert sorted(statement["Resource"]) == sorted(f"<{name}.Arn>" for name in functions)


BOUNDARY = f"arn:aws:iam::{aws.ACCOUNT}:policy/platform/boundary"

# With rules that start pipelines, which have roles of their own.
TRIGGERS = {
    "DeployPipelineArn": f"{ARN}:pipeline/model-deploy",
    "ModelPackageGroupName": GROUP,
    "CompletePipelineArn": f"{ARN}:pipeline/model-complete",
    "DataBucketName": "incoming",
}


def test_every_role_may_have_a_boundary_and_a_path_and_is_an_output():
    bounded = Stack(PermissionsBoundaryArn=BOUNDARY, RolePath="/ml/deployments/", **TRIGGERS)
    roles = bounded.of_type("AWS::IAM::Role")
    assert len(roles) == len(FUNCTIONS) + 2
    assert all(role["PermissionsBoundary"] == BOUNDARY for role in roles.values())
    named = {**roles, **bounded.of_type("AWS::IAM::ManagedPolicy")}
    assert {each["Path"] for each in named.values()} == {"/ml/deployments/"}
    assert {f"<{name}.Arn>" for name in roles} <= {output["Value"] for output in bounded.outputs.values()}

    plain = Stack(**TRIGGERS).of_type("AWS::IAM::Role").values()
    assert all("PermissionsBoundary" not in role and role["Path"] == "/" for role in plain)
    for bad in ({"RolePath": "ml"}, {"RolePath": "/ml"}, {"RolePath": ""}, {"PermissionsBoundaryArn": "boundary"}):
        with pytest.raises(RefusedError):
            Stack(**bad)


# Rules that every policy keeps, whatever the parameters.

STACKS = [
    STACK,
    Stack(AllowReplacingFailedEndpoints="true", EndpointNamePattern="a-*", ExecutionRoleArn=scene.ROLE),
    Stack(AllowDeletingSuperseded="false", CallbackQueues="false"),
]


def every_statement(stack: Stack) -> list[dict[str, Any]]:
    of_functions = [statement for name in FUNCTIONS for statement in stack.statements(name)]
    of_pipelines = [
        statement
        for policy in stack.of_type("AWS::IAM::ManagedPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    return of_functions + of_pipelines


@pytest.mark.parametrize("stack", STACKS)
def test_no_statement_is_wider_than_it_must_be(stack: Stack):
    for statement in every_statement(stack):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & set(statement), statement
        named = listed(statement["Action"])
        assert not any("*" in action or "?" in action for action in named), statement
        if "*" in listed(statement["Resource"]):
            assert set(named) <= WITHOUT_RESOURCE, statement


@pytest.mark.parametrize("stack", STACKS)
def test_each_resource_of_a_statement_is_of_a_kind_that_its_actions_know(stack: Stack):
    for statement in every_statement(stack):
        for action in listed(statement["Action"]):
            service, _, call = action.partition(":")
            if service == "sagemaker" and action not in WITHOUT_RESOURCE:
                kinds = {resource.split(":")[5].split("/")[0] for resource in listed(statement["Resource"])}
                wanted = set().union(
                    *((KINDS | TAGGED)[each.partition(":")[2]] for each in listed(statement["Action"]))
                )
                assert KINDS.get(call, set()) <= kinds <= wanted, statement


@pytest.mark.parametrize("stack", STACKS)
def test_a_role_is_lambdas_alone_and_has_no_policy_of_aws(stack: Stack):
    roles = stack.of_type("AWS::IAM::Role")
    assert len(roles) == len(FUNCTIONS)
    for role in roles.values():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
        # AWS's own policies allow every log group and more.
        assert "ManagedPolicyArns" not in role
    for function in stack.of_type("AWS::Serverless::Function").values():
        # Beside a role of its own SAM would not mind them.
        assert "Policies" not in function
