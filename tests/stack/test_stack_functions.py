"""template.yaml: the stack builds the right binaries, and gives them names, roles and logs of their own."""

import re
import tomllib

import pytest
from template import PARAMETERS, TEMPLATE, RefusedError, Stack, logical_id

from harness.binaries import FUNCTIONS, REPOSITORY

STACK = Stack()


def test_the_stack_has_the_three_functions():
    assert set(STACK.of_type("AWS::Serverless::Function")) == {logical_id(name) for name in FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_built_from_the_package_of_its_name(name: str):
    members = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["members"]
    folder = STACK.function(name)["CodeUri"].rstrip("/")
    assert folder in members
    package = tomllib.loads((REPOSITORY / folder / "Cargo.toml").read_text())["package"]
    assert package["name"] == name
    assert STACK.resources[logical_id(name)]["Metadata"]["BuildMethod"] == "rust-cargolambda"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_small_and_long_enough(name: str):
    properties = STACK.function(name)
    assert properties["Runtime"] == "provided.al2023"
    assert properties["MemorySize"] == 128
    assert properties["Timeout"] == (30 if name == "check-endpoint-exists" else 900)
    assert properties["Architectures"] == ["x86_64"]
    assert Stack(Architecture="arm64").function(name)["Architectures"] == ["arm64"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_pipeline_may_invoke_a_function_by_its_name(name: str):
    assert STACK.function(name)["FunctionName"] == f"sagemaker-{name}"
    longest = "sagemaker".ljust(PARAMETERS["FunctionNamePrefix"]["MaxLength"], "x")
    assert len(Stack(FunctionNamePrefix=longest).function(name)["FunctionName"]) <= 64
    for good in ("team-sagemaker", "SageMaker-prod", "my_sageMaker"):
        assert Stack(FunctionNamePrefix=good).function(name)["FunctionName"] == f"{good}-{name}"
    for bad in ("", "deploy", "SAGEMAKER", "sage maker", f"{longest}x"):
        with pytest.raises(RefusedError):
            Stack(FunctionNamePrefix=bad)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("variable", "parameter", "own"),
    [
        ("AWS_ENDPOINT_URL_SAGEMAKER", "SageMakerEndpointUrl", "https://api.sagemaker.eu-west-1.amazonaws.com"),
        (
            "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
            "AutoScalingEndpointUrl",
            "https://application-autoscaling.eu-west-1.amazonaws.com",
        ),
        ("AWS_ENDPOINT_URL_SQS", "SqsEndpointUrl", "https://sqs.eu-west-1.amazonaws.com"),
    ],
)
def test_the_url_of_a_service_is_never_empty(name: str, variable: str, parameter: str, own: str):
    assert STACK.environment(name)[variable] == own
    assert Stack(**{parameter: "http://127.0.0.1:9100"}).environment(name)[variable] == "http://127.0.0.1:9100"


def test_a_function_that_runs_locally_calls_nothing_of_aws():
    settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())["local"]
    urls = {name for name in PARAMETERS if name.endswith("EndpointUrl")}
    assert len(urls) == 3
    for command in ("local_invoke", "local_start_lambda"):
        overrides = settings[command]["parameters"]["parameter_overrides"].split()
        assert dict(each.split("=") for each in overrides) == dict.fromkeys(urls, "http://host.docker.internal:9100")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_json_into_a_group_that_is_kept_for_a_while(name: str):
    stack = Stack(LogRetentionDays=30)
    logging = stack.function(name)["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = stack.resources[re.fullmatch("<(.+)>", logging["LogGroup"])[1]]
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"] == {"RetentionInDays": "30"}
    # The group of a stack whose creation fails would be nobody's.
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("level", PARAMETERS["LogLevel"]["AllowedValues"])
def test_no_level_of_the_log_silences_the_metrics(name: str, level: str):
    stack = Stack(LogLevel=level)
    assert stack.environment(name)["FUNCTION_LOG_LEVEL"] == level
    # Lambda drops what is below this, and takes a line without a level, as of a metric, for INFO.
    assert stack.function(name)["LoggingConfig"]["ApplicationLogLevel"] == "TRACE"


def test_each_function_has_a_role_and_a_log_group_of_its_own():
    functions = [STACK.function(name) for name in FUNCTIONS]
    assert len({function["Role"] for function in functions}) == len(FUNCTIONS)
    assert len({function["LoggingConfig"]["LogGroup"] for function in functions}) == len(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_traced_unless_that_is_turned_off(name: str):
    assert STACK.function(name)["Tracing"] == "Active"
    assert Stack(Tracing="PassThrough").function(name)["Tracing"] == "PassThrough"


def test_the_outputs_are_the_functions_their_roles_and_the_policy_of_the_pipeline():
    arns = {name: output["Value"] for name, output in Stack(CallbackQueues="false").outputs.items()}
    assert arns == {
        **{f"{logical_id(name)}Arn": f"<{logical_id(name)}.Arn>" for name in FUNCTIONS},
        **{f"{logical_id(name).removesuffix('Function')}RoleArn": STACK.function(name)["Role"] for name in FUNCTIONS},
        # Ref of a managed policy is its ARN.
        "PipelinePolicyArn": "<PipelinePolicy>",
    }


def test_the_console_shows_each_parameter_once():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(PARAMETERS)


def test_the_template_keeps_to_what_cloudformation_takes():
    assert len(PARAMETERS) <= 200
    # YAML's anchors and aliases are not CloudFormation's.
    text = (REPOSITORY / "template.yaml").read_text()
    assert not re.search(r"^\s*(- |[\w:]+: )[&*][a-z]", text, re.MULTILINE)
