"""The definitions that the pinned SDK compiles, step by step."""

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.validate
import pytest
from compiled import BUCKET, STACK, Compile

from harness import aws, scene
from harness.binaries import REPOSITORY
from harness.pipeline_values import Step, depends_on, every_step
from pipeline import contract, training
from pipeline.autogluon import Artifacts
from pipeline.stack import Stack, StackError

DEPLOYING = {"DeployToExistingEndpoint": "deploy_existing", "DeployToNewEndpoint": "deploy_new"}


def tree(steps: list[Step]) -> list[Any]:
    """Return the steps' names; a condition as its name with what is done where it holds, and where not."""
    return [
        (step["Name"], tree(step["Arguments"]["IfSteps"]), tree(step["Arguments"]["ElseSteps"]))
        if step["Type"] == "Condition"
        else step["Name"]
        for step in steps
    ]


def named(definition: dict[str, Any]) -> dict[str, Step]:
    return {step["Name"]: step for step in every_step(definition["Steps"])}


def defaults(definition: dict[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each.get("DefaultValue") for each in definition["Parameters"]}


def references(value: Any) -> Iterator[str]:
    return iter(re.findall(r'"Get": "([^"]+)"', json.dumps(value)))


@pytest.fixture(scope="module", params=["complete", "deploy", "deploy by callback", "complete by callback"])
def definition(request: Any, compile_complete: Compile, compile_promotion: Compile) -> dict[str, Any]:
    way = "callback" if request.param.endswith("callback") else "lambda"
    return (compile_complete if request.param.startswith("complete") else compile_promotion)(way=way)


def test_the_complete_pipeline_goes_from_the_data_to_the_endpoint(complete_definition: dict[str, Any]):
    assert tree(complete_definition["Steps"]) == [
        "PrepareData",
        "TrainModel",
        "EvaluateModel",
        (
            "ModelIsGoodEnough",
            [
                "PackageModel",
                "RegisterModel",
                "CheckIfEndpointExists",
                ("EndpointExists", ["DeployToExistingEndpoint"], ["DeployToNewEndpoint"]),
            ],
            ["ModelNotGoodEnough"],
        ),
    ]
    order = ["PrepareData", "TrainModel", "EvaluateModel", "ModelIsGoodEnough"]
    steps = named(complete_definition)
    assert [depends_on(steps[name]) for name in order] == [
        set(),
        {"PrepareData"},
        {"PrepareData", "TrainModel"},
        {"EvaluateModel"},
    ]
    assert depends_on(steps["RegisterModel"]) == {"PackageModel", "EvaluateModel"}
    assert depends_on(steps["CheckIfEndpointExists"]) == {"RegisterModel"}
    assert depends_on(steps["EndpointExists"]) == {"CheckIfEndpointExists"}


def test_the_deploy_pipeline_reaches_production_only_through_staging(promotion_definition: dict[str, Any]):
    def production(after: str) -> list[Any]:
        suffix = f"Production{after}"
        return [
            f"CheckIfEndpointExists{suffix}",
            (f"EndpointExists{suffix}", [f"DeployToExistingEndpoint{suffix}"], [f"DeployToNewEndpoint{suffix}"]),
        ]

    assert tree(promotion_definition["Steps"]) == [
        "CheckIfEndpointExistsStaging",
        (
            "EndpointExistsStaging",
            ["DeployToExistingEndpointStaging", *production("AfterUpdate")],
            ["DeployToNewEndpointStaging", *production("AfterCreation")],
        ),
    ]
    steps = named(promotion_definition)
    for after, deployed in [("AfterUpdate", "Existing"), ("AfterCreation", "New")]:
        check = steps[f"CheckIfEndpointExistsProduction{after}"]
        assert depends_on(check) == {f"DeployTo{deployed}EndpointStaging"}
        for name in ("CheckIfEndpointExists", "DeployToExistingEndpoint", "DeployToNewEndpoint"):
            arguments = steps[f"{name}Production{after}"]["Arguments"]
            assert arguments["endpoint_name"]["Std:Join"]["Values"][1] == "production"


def test_stages_are_as_many_as_are_asked_for(compile_promotion: Compile):
    assert len(named(compile_promotion(stages=["production"]))) == 4
    three = compile_promotion(stages=["test", "staging", "production"])
    assert {name for name in named(three) if name.startswith("DeployToNewEndpointProduction")} == {
        f"DeployToNewEndpointProduction{first}{second}"
        for first in ("AfterUpdate", "AfterCreation")
        for second in ("AfterUpdate", "AfterCreation")
    }


def test_the_parameters_have_defaults_but_for_the_package(
    complete_definition: dict[str, Any], promotion_definition: dict[str, Any]
):
    assert defaults(complete_definition) == {
        "InputDataBucket": BUCKET,
        "InputDataKey": "data/data.csv",
        "LabelColumn": "label",
        "ProcessingInstanceType": "ml.m5.xlarge",
        "TrainingInstanceType": "ml.m5.2xlarge",
        "AccuracyThreshold": 0.8,
        "ModelPackageGroupName": "model",
        "ModelApprovalStatus": "Approved",
        "EndpointName": "model",
        "ExecutionRoleArn": scene.ROLE,
    }
    assert defaults(promotion_definition) == {
        "ModelPackageArn": None,
        "EndpointName": "model",
        "ExecutionRoleArn": scene.ROLE,
    }


def test_every_parameter_is_of_use_and_every_reference_leads_somewhere(definition: dict[str, Any]):
    used = {each.removeprefix("Parameters.") for each in references(definition) if each.startswith("Parameters.")}
    assert used == set(defaults(definition))
    outputs = {
        step["Name"]: {output["OutputName"] for output in step.get("OutputParameters", [])}
        for step in every_step(definition["Steps"])
    }
    for step, name in re.findall(r"Steps\.(\w+)\.OutputParameters\['(\w+)'\]", json.dumps(definition)):
        assert name in outputs[step]


def test_a_step_waits_only_for_what_runs_when_it_does(definition: dict[str, Any]):
    def check(steps: list[Step], before: set[str]) -> None:
        here = before | {step["Name"] for step in steps}
        for step in steps:
            assert depends_on(step) <= here, step["Name"]
            if step["Type"] == "Condition":
                for branch in ("IfSteps", "ElseSteps"):
                    check(step["Arguments"][branch], here)

    check(definition["Steps"], set())


def test_names_are_unique_and_as_the_service_takes_them(definition: dict[str, Any]):
    names = [step["Name"] for step in every_step(definition["Steps"])]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z0-9\-_]{1,64}", name) for name in names)


def test_the_functions_get_flat_arguments_of_primitives(definition: dict[str, Any]):
    calls = [step for step in every_step(definition["Steps"]) if step["Type"] in ("Lambda", "Callback")]
    assert calls
    for step in calls:
        for value in step["Arguments"].values():
            match value:
                case {"Get": str(), **rest} | {"Std:Join": dict(), **rest}:
                    assert not rest
                case _:
                    # No booleans: a step takes none.
                    assert type(value) in (str, int, float), step["Name"]


def test_a_deployment_gets_role_endpoint_package_and_the_settings(
    compile_complete: Compile, promotion_definition: dict[str, Any]
):
    given = {"instance_type": "ml.c5.xlarge", "initial_instance_count": 2, "dry_run": True}
    steps = named(compile_complete(settings=given))
    for name in DEPLOYING:
        assert steps[name]["Arguments"] == {
            "role": {"Get": "Parameters.ExecutionRoleArn"},
            "endpoint_name": {"Get": "Parameters.EndpointName"},
            "package_arn": {"Get": "Steps.RegisterModel.ModelPackageArn"},
            "instance_type": "ml.c5.xlarge",
            "initial_instance_count": 2,
            "dry_run": "true",
        }
    assert named(promotion_definition)["DeployToNewEndpointStaging"]["Arguments"] == {
        "role": {"Get": "Parameters.ExecutionRoleArn"},
        "endpoint_name": {"Std:Join": {"On": "-", "Values": [{"Get": "Parameters.EndpointName"}, "staging"]}},
        "package_arn": {"Get": "Parameters.ModelPackageArn"},
    }
    with pytest.raises(contract.UnknownSettingError, match="instance_typ"):
        compile_complete(settings={"instance_typ": "ml.c5.xlarge"})


def test_every_answer_is_declared_by_its_type(definition: dict[str, Any]):
    wanted = {
        "CheckIfEndpointExists": contract.CHECK_OUTPUTS,
        "DeployToNewEndpoint": contract.NEW_OUTPUTS,
        "DeployToExistingEndpoint": contract.EXISTING_OUTPUTS,
    }
    for step in every_step(definition["Steps"]):
        if step["Type"] in ("Lambda", "Callback"):
            [outputs] = [outputs for name, outputs in wanted.items() if step["Name"].startswith(name)]
            declared = {each["OutputName"]: each["OutputType"] for each in step["OutputParameters"]}
            assert declared == outputs


def test_the_steps_call_the_function_that_they_are_named_for(definition: dict[str, Any]):
    functions = {"CheckIfEndpointExists": STACK.check, **{name: getattr(STACK, f) for name, f in DEPLOYING.items()}}
    for step in every_step(definition["Steps"]):
        if step["Type"] == "Lambda":
            [name] = [name for name in functions if step["Name"].startswith(name)]
            assert step["FunctionArn"] == functions[name]


def test_by_callback_the_deployments_go_through_queues_and_the_check_does_not(compile_promotion: Compile):
    steps = named(compile_promotion(way="callback"))
    by_lambda = named(compile_promotion(way="lambda"))
    assert set(steps) == set(by_lambda)
    for name, step in steps.items():
        if not name.startswith("DeployTo"):
            assert step["Type"] == by_lambda[name]["Type"]
            continue
        assert step["Type"] == "Callback"
        queue = STACK.deploy_new_queue if "New" in name else STACK.deploy_existing_queue
        assert step["SqsQueueUrl"] == queue
        assert "FunctionArn" not in step
        for key in ("Arguments", "OutputParameters"):
            assert step[key] == by_lambda[name][key]


def test_a_callback_needs_a_stack_with_queues(compile_promotion: Compile):
    without = Stack(STACK.check, STACK.deploy_new, STACK.deploy_existing)
    assert compile_promotion(stack=without)
    with pytest.raises(StackError, match="DeployToExistingEndpointStaging needs a queue"):
        compile_promotion(stack=without, way="callback")


def test_only_the_data_and_the_training_are_cached(definition: dict[str, Any]):
    cached = {step["Name"] for step in every_step(definition["Steps"]) if "CacheConfig" in step}
    assert cached == {"PrepareData", "TrainModel"} & set(named(definition))
    for name in cached:
        assert named(definition)[name]["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}


def test_nothing_that_is_cached_is_called_otherwise_the_next_time(compile_complete: Compile):
    first, second = (named(compile_complete()) for _ in range(2))
    for name in ("PrepareData", "TrainModel"):
        assert first[name] == second[name]


def test_every_step_that_can_be_retried_is(definition: dict[str, Any]):
    retried = {
        step["Name"]: {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
        for step in every_step(definition["Steps"])
        if "RetryPolicies" in step
    }
    service = {"Step.SERVICE_FAULT", "Step.THROTTLING"}
    job = service | {"SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"}
    wanted = {
        "PrepareData": job,
        "TrainModel": job,
        "EvaluateModel": job,
        "PackageModel": job,
        "RegisterModel": service,
    }
    assert retried == {name: kinds for name, kinds in wanted.items() if name in named(definition)}


@pytest.mark.parametrize(
    ("metric", "parameter", "path"),
    [
        ("accuracy", "AccuracyThreshold", "multiclass_classification_metrics.accuracy.value"),
        ("f1", "F1Threshold", "multiclass_classification_metrics.weighted_f1.value"),
    ],
)
def test_a_model_below_the_threshold_fails_the_execution_and_says_so(
    compile_complete: Compile, metric: str, parameter: str, path: str
):
    definition = compile_complete(metric=metric, threshold=0.93)
    steps = named(definition)
    assert defaults(definition)[parameter] == 0.93
    assert steps["EvaluateModel"]["PropertyFiles"] == [
        {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": training.EVALUATION_FILE}
    ]
    assert steps["ModelIsGoodEnough"]["Arguments"]["Conditions"] == [
        {
            "Type": "GreaterThanOrEqualTo",
            "LeftValue": {
                "Std:JsonGet": {
                    "PropertyFile": {"Get": "Steps.EvaluateModel.PropertyFiles.Evaluation"},
                    "Path": path,
                }
            },
            "RightValue": {"Get": f"Parameters.{parameter}"},
        }
    ]
    message = steps["ModelNotGoodEnough"]["Arguments"]["ErrorMessage"]["Std:Join"]
    assert [value for value in message["Values"] if isinstance(value, dict)] == [
        {"Get": f"Parameters.{parameter}"},
        {"Get": "Steps.EvaluateModel.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"},
    ]
    text = message["On"].join(value for value in message["Values"] if isinstance(value, str))
    assert f"its {metric} on the test data is below {parameter} =" in text


def test_a_model_that_has_its_serving_code_is_registered_as_it_was_trained(
    compile_complete: Compile, complete_definition: dict[str, Any]
):
    def model_data(definition: dict[str, Any]) -> Any:
        specification = named(definition)["RegisterModel"]["Arguments"]["InferenceSpecification"]
        return specification["Containers"][0]["ModelDataUrl"]

    assert "Steps.PackageModel." in json.dumps(model_data(complete_definition))
    definition = compile_complete(artifacts=Artifacts("training:1", "s3://scripts/train.tar.gz", "inference:1"))
    assert "PackageModel" not in named(definition)
    assert model_data(definition) == {"Get": "Steps.TrainModel.ModelArtifacts.S3ModelArtifacts"}


def test_the_requests_are_requests_of_the_service(complete_definition: dict[str, Any]):
    model = boto3.client("sagemaker").meta.service_model
    operations = {
        "Processing": ("CreateProcessingJob", {"ProcessingJobName": "given-by-the-service"}),
        "Training": ("CreateTrainingJob", {"TrainingJobName": "given-by-the-service"}),
        "RegisterModel": ("CreateModelPackage", {}),
    }
    checked = []
    for step in every_step(complete_definition["Steps"]):
        if step["Type"] not in operations:
            continue
        operation, given = operations[step["Type"]]
        report = botocore.validate.ParamValidator().validate(
            {**with_text(step["Arguments"]), **given}, model.operation_model(operation).input_shape
        )
        assert not report.has_errors(), f"{step['Name']}: {report.generate_report()}"
        checked.append(step["Name"])
    assert checked == ["PrepareData", "TrainModel", "EvaluateModel", "PackageModel", "RegisterModel"]


def with_text(value: Any) -> Any:
    """Return a request with some text for each reference and join, which are text in all of these."""
    match value:
        case {"Get": str()} | {"Std:Join": dict()}:
            return "s3://some/text"
        case dict():
            return {key: with_text(each) for key, each in value.items()}
        case list():
            return [with_text(each) for each in value]
    return value


def test_the_region_of_the_session_decides_where_the_images_are(complete_definition: dict[str, Any]):
    image = named(complete_definition)["PrepareData"]["Arguments"]["AppSpecification"]["ImageUri"]
    assert f".dkr.ecr.{aws.REGION}." in image


def test_the_stacks_rules_give_parameters_that_the_pipelines_have(
    complete_definition: dict[str, Any], promotion_definition: dict[str, Any]
):
    template = (REPOSITORY / "template.yaml").read_text()
    given = set(re.findall(r"\{Name: (\w+), Value: \$\.", template))
    assert given == {"ModelPackageArn", "InputDataBucket", "InputDataKey"}
    assert {"InputDataBucket", "InputDataKey"} <= set(defaults(complete_definition))
    assert "ModelPackageArn" in defaults(promotion_definition)
