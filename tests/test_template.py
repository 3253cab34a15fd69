"""template.yaml: the stack builds the right binaries, and gives each function the permissions that it uses."""

import re
import tomllib
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from harness import aws, scene
from harness.binaries import FUNCTIONS, REPOSITORY
from harness.emulator import Emulator
from harness.local import LocalSageMaker

ENDPOINT = "churn"
GROUP = "churn-model"

TEMPLATE = yaml_parse((REPOSITORY / "template.yaml").read_text())
STACK_FUNCTIONS = {
    resource["Metadata"]["BuildProperties"]["Binary"]: resource
    for resource in TEMPLATE["Resources"].values()
    if resource["Type"] == "AWS::Serverless::Function"
}


def test_the_stack_has_the_three_functions():
    assert set(STACK_FUNCTIONS) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_built_from_the_package_of_its_name(name: str):
    members = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["members"]
    function = STACK_FUNCTIONS[name]
    folder = function["Properties"]["CodeUri"].rstrip("/")
    assert folder in members
    package = tomllib.loads((REPOSITORY / folder / "Cargo.toml").read_text())["package"]
    assert package["name"] == name
    assert function["Metadata"]["BuildMethod"] == "rust-cargolambda"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_small_and_long_enough(name: str):
    properties = {**TEMPLATE["Globals"]["Function"], **STACK_FUNCTIONS[name]["Properties"]}
    assert properties["Runtime"] == "provided.al2023"
    assert properties["MemorySize"] == 128
    assert properties["Timeout"] == (30 if name == "check-endpoint-exists" else 900)
    assert properties["Architectures"] == [{"Ref": "Architecture"}]
    assert TEMPLATE["Parameters"]["Architecture"]["Default"] == "x86_64"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_pipeline_may_invoke_a_function_by_its_name(name: str):
    prefix = TEMPLATE["Parameters"]["FunctionNamePrefix"]
    template = STACK_FUNCTIONS[name]["Properties"]["FunctionName"]["Fn::Sub"]
    assert template == f"${{FunctionNamePrefix}}-{name}"
    longest = "x" * prefix["MaxLength"]
    assert len(template.replace("${FunctionNamePrefix}", longest)) <= 64
    for good in (prefix["Default"], "team-sagemaker", "SageMaker-prod", "my_sageMaker"):
        assert re.fullmatch(prefix["AllowedPattern"], good)
    for bad in ("", "deploy", "SAGEMAKER", "sage maker"):
        assert not re.fullmatch(prefix["AllowedPattern"], bad)


def test_no_endpoint_url_is_no_variable_rather_than_an_empty_one():
    url = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL_SAGEMAKER"]
    condition, given, otherwise = url["Fn::If"]
    assert given == {"Ref": "SageMakerEndpointUrl"}
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SageMakerEndpointUrl"}, ""]}]}
    assert TEMPLATE["Parameters"]["SageMakerEndpointUrl"]["Default"] == ""


def test_the_outputs_are_the_functions():
    arns = {output["Value"]["Fn::GetAtt"][0] for output in TEMPLATE["Outputs"].values()}
    assert arns == set(TEMPLATE["Resources"])


# Permissions, held against the calls that the functions make.

# Which members of a request name the resources that the call is authorised against.
_RESOURCES = {"ModelName": "model", "EndpointConfigName": "endpoint-config", "EndpointName": "endpoint"}


def statements(name: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Return the statements of a function's policies, with the pseudo parameters filled in."""

    def filled(value: Any) -> Any:
        match value:
            case {"Fn::Sub": str(text)}:
                for key, replacement in {
                    "AWS::Partition": "aws",
                    "AWS::Region": aws.REGION,
                    "AWS::AccountId": aws.ACCOUNT,
                }.items():
                    text = text.replace(f"${{{key}}}", replacement)
                return text
            case {"Fn::If": [condition, yes, no]}:
                [reference, wanted] = TEMPLATE["Conditions"][condition]["Fn::Equals"]
                given = parameters.get(reference["Ref"], TEMPLATE["Parameters"][reference["Ref"]]["Default"])
                return filled(yes if given == wanted else no)
            case {"Ref": "AWS::NoValue"}:
                return None
            case dict():
                return {key: filled(item) for key, item in value.items()}
            case list():
                return [item for item in map(filled, value) if item is not None]
        return value

    policies = filled(STACK_FUNCTIONS[name]["Properties"]["Policies"])
    return [statement for policy in policies for statement in policy["Statement"]]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions(name: str, **parameters: str) -> set[str]:
    return {action for statement in statements(name, parameters) for action in listed(statement["Action"])}


def is_allowed(name: str, action: str, resource: str, **parameters: str) -> bool:
    return any(
        action in listed(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in statements(name, parameters)
    )


def resources(call: dict[str, Any]) -> list[str]:
    """Return the ARNs that a call is authorised against, in lower case as IAM sees them."""
    request = call["request"]
    for key in ("ModelPackageName", "ResourceArn"):
        if key in request:
            return [request[key]]
    base = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}"
    arns = [f"{base}:{kind}/{request[key].lower()}" for key, kind in _RESOURCES.items() if key in request]
    return arns or ["*"]


Scenario = Callable[[Callable[[str], Emulator], LocalSageMaker], None]


def calls_of_check(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    start("check-endpoint-exists").invoke({"endpoint_name": ENDPOINT})


def event(sagemaker: LocalSageMaker, **more: Any) -> dict[str, Any]:
    """Return an event for a fresh version of the model, registered past the recording."""
    package = scene.register_version(sagemaker.client, GROUP)
    return {"role": scene.ROLE, "endpoint_name": ENDPOINT, "package_arn": package, **more}


def calls_of_deploy_new(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Deploy once with an undo, once without, and once behind another endpoint that is not seen yet."""
    sagemaker.outcome(ENDPOINT, "create-fails")
    failing, good, late = event(sagemaker), event(sagemaker), event(sagemaker)
    sagemaker.clear_calls()
    assert start("deploy-new-endpoint").invoke(failing)["errorType"] == "EndpointCreationFailed"
    assert start("deploy-new-endpoint").invoke({**good, "tags": "team=growth"})["deployment_status"] == "Deployed"
    sagemaker.inject("DescribeEndpoint", "stale")
    assert start("deploy-new-endpoint").invoke(late)["errorType"] == "EndpointAlreadyExists"


def calls_of_deploy_existing(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Update an endpoint that a person made, once with an undo, and once without."""
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    sagemaker.outcome(ENDPOINT, "update-rolls-back")
    failing, good = event(sagemaker), event(sagemaker)
    sagemaker.clear_calls()
    assert start("deploy-existing-endpoint").invoke(failing)["errorType"] == "UpdateRolledBack"
    tagged = start("deploy-existing-endpoint").invoke({**good, "tags": "team=growth"})
    assert tagged["deployment_status"] == "Deployed"


def calls_of_replacing(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Replace an endpoint that failed."""
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    sagemaker.force_status(ENDPOINT, "Failed")
    replacing = event(sagemaker, replace_failed_endpoint=True)
    sagemaker.clear_calls()
    assert start("deploy-existing-endpoint").invoke(replacing)["deployment_status"] == "Deployed"


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
    assert_allowed(name, calls)
    made = {f"sagemaker:{call['operation']}" for call in calls}
    # A create with tags is authorised as AddTags besides.
    made |= {"sagemaker:AddTags" for call in calls if call["request"].get("Tags")}
    # Handing the execution role over is a permission without a call.
    assert actions(name) == made | ({"iam:PassRole"} if "sagemaker:CreateModel" in made else set())


def test_replacing_a_failed_endpoint_needs_its_parameter(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    calls_of_replacing(lambda binary: function(binary, sagemaker.url), sagemaker)
    calls = sagemaker.calls()
    assert {"DeleteEndpoint", "CreateEndpoint"} <= {call["operation"] for call in calls}
    assert_allowed("deploy-existing-endpoint", calls, AllowReplacingFailedEndpoints="true")
    assert not {"sagemaker:DeleteEndpoint", "sagemaker:CreateEndpoint"} & actions("deploy-existing-endpoint")


def assert_allowed(name: str, calls: list[dict[str, Any]], **parameters: str) -> None:
    assert calls != []
    for call in calls:
        for resource in resources(call):
            assert is_allowed(name, f"sagemaker:{call['operation']}", resource, **parameters), (call, resource)


@pytest.mark.parametrize("name", ["deploy-new-endpoint", "deploy-existing-endpoint"])
def test_the_execution_role_goes_to_sagemaker_alone(name: str):
    [statement] = [each for each in statements(name, {}) if "iam:PassRole" in listed(each["Action"])]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_of_someone_else_may_be_deleted_but_an_endpoint(name: str):
    base = f"arn:aws:sagemaker:{aws.REGION}:{aws.ACCOUNT}"
    assert not is_allowed(name, "sagemaker:DeleteModel", f"{base}:model/churn-by-hand")
    assert not is_allowed(name, "sagemaker:DeleteEndpointConfig", f"{base}:endpoint-config/churn-by-hand")
    assert not any("*" in action for action in actions(name))
