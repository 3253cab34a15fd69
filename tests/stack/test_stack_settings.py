"""template.yaml: each key that an event may leave out is a parameter of the stack, or has a reason not to be."""

import re
from collections.abc import Callable

import pytest
from template import PARAMETERS, RefusedError, Stack

from harness import scene
from harness.binaries import FUNCTIONS, REPOSITORY
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import GROUP

DEPLOYING = ["deploy-new-endpoint", "deploy-existing-endpoint"]

# Keys that say what one deployment is, and not how a stack deploys.
ONLY_IN_AN_EVENT = {"deployment_id", "variant_name", "dry_run"}

# Keys whose default depends on another one, or would ask for what is not there otherwise: the functions alone know it.
WITHOUT_DEFAULT = {"traffic_step_percent", "traffic_wait_seconds", "autoscaling_min_capacity"}

# Variables of the functions that are no settings.
NO_SETTINGS = {
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
    "AWS_ENDPOINT_URL_SQS",
    "FUNCTION_LOG_LEVEL",
}

# A value for each parameter, other than its default.
SAMPLE = {
    "InstanceType": "ml.c5.xlarge",
    "InitialInstanceCount": "2",
    "VolumeSizeGb": "64",
    "ModelDataDownloadTimeoutSeconds": "1200",
    "ContainerStartupHealthCheckTimeoutSeconds": "600",
    "AutoscalingMinCapacity": "0",
    "AutoscalingMaxCapacity": "6",
    "AutoscalingTargetInvocationsPerInstance": "70.5",
    "AutoscalingScaleInCooldownSeconds": "600",
    "AutoscalingScaleOutCooldownSeconds": "30",
    "DataCaptureS3Uri": "s3://captured/churn",
    "DataCaptureSamplingPercentage": "25",
    "KmsKeyId": "alias/churn",
    "Subnets": "subnet-0a,subnet-0b",
    "SecurityGroupIds": "sg-0a",
    "EnableNetworkIsolation": "true",
    "Tags": "team=growth,stage=prod",
    "InferenceOption": "async",
    "AsyncS3OutputPath": "s3://answers/churn",
    "AsyncS3FailurePath": "s3://failures/churn",
    "AsyncSuccessTopic": "arn:aws:sns:eu-west-1:123456789012:answers",
    "AsyncErrorTopic": "arn:aws:sns:eu-west-1:123456789012:failures",
    "AsyncMaxConcurrentInvocationsPerInstance": "4",
    "ServerlessMemorySizeMb": "4096",
    "ServerlessMaxConcurrency": "20",
    "ServerlessProvisionedConcurrency": "10",
    "TrafficRouting": "canary",
    "TrafficStepPercent": "25",
    "TrafficWaitSeconds": "60",
    "TerminationWaitSeconds": "30",
    "MaximumExecutionTimeoutSeconds": "900",
    "AutoRollbackAlarms": "churn-5xx,churn-latency",
    "RetainAllVariantProperties": "false",
    "RequireApprovedPackage": "false",
    "ReplaceFailedEndpoint": "true",
    "DeleteSuperseded": "true",
    "OnFailure": "keep",
    "MaxWaitSeconds": "300",
    "OnTimeout": "return",
}


# The least that scales an endpoint.
SCALED = {"AutoscalingMaxCapacity": "6", "AutoscalingTargetInvocationsPerInstance": "70"}


def documented_keys() -> dict[str, str]:
    """Return the optional keys of README.md with their defaults, "" where there is none or the service has one."""
    table = (REPOSITORY / "README.md").read_text().split("| optional key | default | meaning |")[1].split("\n\n")[0]
    keys: dict[str, str] = {}
    for line in table.splitlines()[2:]:
        first, second = line.split("|")[1:3]
        names = re.findall(r"`(\w+)`", first)
        defaults = [each.strip(" `") for each in second.split(",")]
        if len(defaults) != len(names):
            defaults = defaults[:1] * len(names)
        for name, default in zip(names, defaults, strict=True):
            without = default in ("none", "off", "service's") or name in WITHOUT_DEFAULT
            keys[name] = "" if without else default
    return keys


KEYS = documented_keys()


def parameter_of(key: str) -> str:
    """Return the name of the parameter for a key: ``instance_type`` is ``InstanceType``."""
    return "".join(word.capitalize() for word in key.split("_"))


SETTINGS = {parameter_of(key): key for key in KEYS if key not in ONLY_IN_AN_EVENT}


def variables(stack: Stack, name: str = "deploy-new-endpoint") -> dict[str, str]:
    """Return the variables of a function that are settings."""
    return {name: value for name, value in stack.environment(name).items() if name not in NO_SETTINGS}


@pytest.mark.parametrize(
    ("parameter", "least", "most"),
    [
        ("VolumeSizeGb", 1, 512),
        ("ModelDataDownloadTimeoutSeconds", 60, 3600),
        ("ContainerStartupHealthCheckTimeoutSeconds", 60, 3600),
        ("ServerlessProvisionedConcurrency", 1, 200),
        ("AsyncMaxConcurrentInvocationsPerInstance", 1, 1000),
        ("TrafficStepPercent", 1, 50),
        ("TrafficWaitSeconds", 0, 3600),
        ("TerminationWaitSeconds", 0, 3600),
        ("MaximumExecutionTimeoutSeconds", 600, 28800),
    ],
)
def test_a_number_that_the_service_would_refuse_is_refused_with_the_stack(parameter: str, least: int, most: int):
    pattern = re.compile(PARAMETERS[parameter]["AllowedPattern"])
    taken = [number for number in range(100_000) if pattern.fullmatch(str(number))]
    assert taken == list(range(least, most + 1))
    assert pattern.fullmatch("")


def test_the_table_of_keys_was_found():
    assert {"instance_type", "tags", "kms_key_id", "dry_run"} <= set(KEYS)
    assert set(KEYS) >= ONLY_IN_AN_EVENT


def test_each_key_has_a_parameter_with_its_default():
    assert {name: str(PARAMETERS[name]["Default"]) for name in SETTINGS} == {
        name: KEYS[key] for name, key in SETTINGS.items()
    }


def test_a_setting_becomes_the_variable_of_its_key_and_an_empty_one_none():
    defaults = {key.upper(): KEYS[key] for key in SETTINGS.values()}
    assert variables(Stack()) == {name: value for name, value in defaults.items() if value != ""}
    assert set(SAMPLE) == set(SETTINGS)
    stack = Stack(**SAMPLE, AllowReplacingFailedEndpoints="true")
    assert variables(stack) == {SETTINGS[name].upper(): value for name, value in SAMPLE.items()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_the_same_settings(name: str):
    assert variables(Stack(), name) == variables(Stack())


def test_the_variables_leave_room_in_what_lambda_allows():
    environment = Stack(**SAMPLE, AllowReplacingFailedEndpoints="true").environment("deploy-new-endpoint")
    # Of 4 KB; the rest is for longer ARNs, paths and tags.
    assert sum(len(name) + len(value) for name, value in environment.items()) < 2048


@pytest.mark.parametrize(
    "parameters",
    [
        {"ReplaceFailedEndpoint": "true"},
        {"DeleteSuperseded": "true", "AllowDeletingSuperseded": "false"},
        {"AutoscalingMaxCapacity": "6"},
        {"AutoscalingTargetInvocationsPerInstance": "70"},
        {"AutoscalingMinCapacity": "2"},
        {"AutoscalingScaleInCooldownSeconds": "60"},
        {"AutoscalingScaleOutCooldownSeconds": "60"},
        {**SCALED, "AutoscalingMinCapacity": "0"},
        {**SCALED, "AutoscalingMaxCapacity": "0"},
        {**SCALED, "AutoscalingTargetInvocationsPerInstance": "0.0"},
        {**SCALED, "AutoscalingTargetInvocationsPerInstance": "many"},
        {**SCALED, "AutoscalingScaleInCooldownSeconds": "-1"},
        {"InferenceOption": "async"},
        {"Subnets": "subnet-0a"},
        {"SecurityGroupIds": "sg-0a"},
        {"InstanceType": "m5.xlarge"},
        {"InitialInstanceCount": "0"},
        {"VolumeSizeGb": "0"},
        {"MaxWaitSeconds": "-1"},
        {"ServerlessMemorySizeMb": "1000"},
        {"ServerlessMaxConcurrency": "201"},
        {"DataCaptureSamplingPercentage": "101"},
        {"DataCaptureS3Uri": "captured/churn"},
        {"Tags": "growth"},
        {"Tags": ",".join(f"key{number}=value" for number in range(31))},
        {"TrafficRouting": "blue-green"},
        {"TrafficStepPercent": "51"},
        {"AutoRollbackAlarms": "a,"},
        {"OnTimeout": "wait"},
        {"RequireApprovedPackage": "yes"},
    ],
)
def test_settings_that_would_fail_every_deployment_are_refused_with_the_stack(parameters: dict[str, str]):
    with pytest.raises(RefusedError):
        Stack(**parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        SCALED,
        {**SCALED, "AutoscalingTargetInvocationsPerInstance": "0.5"},
        {**SCALED, "AutoscalingMinCapacity": "0", "InferenceOption": "async", "AsyncS3OutputPath": "s3://answers/a"},
        {**SCALED, "InferenceOption": "serverless"},
        {"AllowDeletingSuperseded": "false"},
        {"Tags": ",".join(f"key{number}=value" for number in range(30))},
    ],
)
def test_settings_that_go_together_are_taken(parameters: dict[str, str]):
    environment = variables(Stack(**parameters))
    settings = {SETTINGS[name].upper(): value for name, value in parameters.items() if name in SETTINGS}
    assert {name: environment[name] for name in settings} == settings


@pytest.mark.parametrize("name", DEPLOYING)
def test_the_functions_read_each_variable(name: str, function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    """Spoil every variable that the stack sets; the function names each one that it would have used."""
    stack = Stack(**SAMPLE, AllowReplacingFailedEndpoints="true")
    names = sorted(variables(stack, name))
    # Few at a time: an error message holds no more than 1024 characters.
    for part in (names[start::5] for start in range(5)):
        spoilt = dict.fromkeys(part, ",")
        answer = function(name, sagemaker.url, **spoilt).invoke(scene.next_event(sagemaker.client))
        assert answer["errorType"] == "InvalidRequest"
        named = re.findall(r"environment variable (\w+)", answer["errorMessage"])
        assert sorted(named) == part


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("deploy-new-endpoint", {}),
        ("deploy-new-endpoint", {"inference_option": "serverless"}),
        ("deploy-new-endpoint", {"inference_option": "async", "async_s3_output_path": "s3://answers/churn"}),
        ("deploy-existing-endpoint", {}),
    ],
)
def test_a_stack_that_sets_nothing_changes_nothing(
    name: str, shape: dict[str, str], function: Callable[..., Emulator], sagemaker: LocalSageMaker
):
    if name == "deploy-existing-endpoint":
        scene.serve(sagemaker.client, "churn", scene.register_version(sagemaker.client, GROUP))
    deploying = {**scene.next_event(sagemaker.client), **shape}
    sagemaker.clear_calls()
    first = function(name, sagemaker.url, **variables(Stack())).invoke(deploying)
    assert first["deployment_status"] == "Deployed"
    assert not any("DeploymentConfig" in call["request"] for call in sagemaker.calls())
    # Names are derived from everything that is asked of the service.
    again = function(name, sagemaker.url).invoke(deploying)
    assert again["deployment_status"] == "Unchanged"
    assert again["endpoint_config"] == first["endpoint_config"]


def test_an_endpoint_is_what_the_stack_asks_for(function: Callable[..., Emulator], sagemaker: LocalSageMaker):
    stack = Stack(**SAMPLE, AllowReplacingFailedEndpoints="true")
    deploy = function("deploy-new-endpoint", sagemaker.url, **variables(stack))
    answer = deploy.invoke(scene.next_event(sagemaker.client))
    assert answer["deployment_status"] == "Deployed", answer
    config = sagemaker.client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])
    [variant] = config["ProductionVariants"]
    assert variant["InstanceType"] == "ml.c5.xlarge"
    assert variant["InitialInstanceCount"] == 2
    assert variant["VolumeSizeInGB"] == 64
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 1200
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 600
    assert config["KmsKeyId"] == "alias/churn"
    assert config["DataCaptureConfig"]["DestinationS3Uri"] == "s3://captured/churn"
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 25
    asynchronous = config["AsyncInferenceConfig"]
    assert asynchronous["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 4}
    assert asynchronous["OutputConfig"] == {
        "S3OutputPath": "s3://answers/churn",
        "S3FailurePath": "s3://failures/churn",
        "NotificationConfig": {
            "SuccessTopic": "arn:aws:sns:eu-west-1:123456789012:answers",
            "ErrorTopic": "arn:aws:sns:eu-west-1:123456789012:failures",
        },
    }
    model = sagemaker.client.describe_model(ModelName=answer["model"])
    assert model["VpcConfig"] == {"Subnets": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"]}
    assert model["EnableNetworkIsolation"] is True
    tags = sagemaker.client.list_tags(ResourceArn=answer["endpoint_arn"])["Tags"]
    assert {"Key": "team", "Value": "growth"} in tags
    [target] = sagemaker.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 6)
    [policy] = sagemaker.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (tracking["TargetValue"], tracking["ScaleInCooldown"], tracking["ScaleOutCooldown"]) == (70.5, 600, 30)
