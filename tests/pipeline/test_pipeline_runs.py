"""The compiled deploy pipeline, run with the built functions against the local SageMaker."""

from collections.abc import Callable
from typing import Any

import pytest
from compiled import PRODUCTION, STAGING, Compile, given

from harness import aws, scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.pipeline import Runner, by_binary
from harness.pipeline_values import DefinitionError, UnsupportedError
from harness.scene import GROUP


@pytest.fixture
def runner(function: Callable[..., Emulator], sagemaker: LocalSageMaker) -> Runner:
    names = ("check-endpoint-exists", "deploy-new-endpoint", "deploy-existing-endpoint")
    return Runner(by_binary({name: function(name, sagemaker.url).invoke for name in names}))


@pytest.fixture
def package(sagemaker: LocalSageMaker) -> str:
    return scene.register_version(sagemaker.client, GROUP)


def serving(sagemaker: LocalSageMaker, endpoint_name: str) -> str:
    """Return the package that an endpoint in service serves, as the service says."""
    endpoint = sagemaker.client.describe_endpoint(EndpointName=endpoint_name)
    assert endpoint["EndpointStatus"] == "InService"
    config = sagemaker.client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.client.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    return (model.get("Containers") or [model["PrimaryContainer"]])[0]["ModelPackageName"]


def names(execution: Any) -> list[str]:
    return [step.name for step in execution.steps]


def test_where_nothing_is_there_both_endpoints_are_made(
    runner: Runner, sagemaker: LocalSageMaker, package: str, promotion_definition: dict[str, Any]
):
    execution = runner.run(promotion_definition, given(package))
    assert execution.status == "Succeeded", execution.steps[-1].failure_reason
    assert names(execution) == [
        "CheckIfEndpointExistsStaging",
        "EndpointExistsStaging",
        "DeployToNewEndpointStaging",
        "CheckIfEndpointExistsProductionAfterCreation",
        "EndpointExistsProductionAfterCreation",
        "DeployToNewEndpointProductionAfterCreation",
    ]
    assert execution.step("CheckIfEndpointExistsStaging").outputs == {
        "endpoint_exists": False,
        "endpoint_status": "NotFound",
    }
    deployed = execution.step("DeployToNewEndpointProductionAfterCreation")
    assert deployed.arguments == {"role": scene.ROLE, "endpoint_name": PRODUCTION, "package_arn": package}
    assert deployed.outputs["deployment_status"] == "Deployed"
    assert serving(sagemaker, STAGING) == serving(sagemaker, PRODUCTION) == package


def test_where_staging_serves_it_is_updated_before_production_is(
    runner: Runner, sagemaker: LocalSageMaker, package: str, promotion_definition: dict[str, Any]
):
    by_hand = {name: scene.serve(sagemaker.client, name, package) for name in (STAGING, PRODUCTION)}
    second = scene.register_version(sagemaker.client, GROUP)
    sagemaker.clear_calls()
    execution = runner.run(promotion_definition, given(second))
    assert execution.status == "Succeeded", execution.steps[-1].failure_reason
    assert names(execution) == [
        "CheckIfEndpointExistsStaging",
        "EndpointExistsStaging",
        "DeployToExistingEndpointStaging",
        "CheckIfEndpointExistsProductionAfterUpdate",
        "EndpointExistsProductionAfterUpdate",
        "DeployToExistingEndpointProductionAfterUpdate",
    ]
    deployed = execution.step("DeployToExistingEndpointProductionAfterUpdate").outputs
    assert deployed["previous_endpoint_config"] == by_hand[PRODUCTION]
    assert serving(sagemaker, STAGING) == serving(sagemaker, PRODUCTION) == second
    updated = [call["request"]["EndpointName"] for call in sagemaker.calls("UpdateEndpoint") if call["acted"]]
    assert updated == [STAGING, PRODUCTION]


def test_a_rolled_back_update_fails_its_step_and_production_is_left_alone(
    runner: Runner, sagemaker: LocalSageMaker, package: str, promotion_definition: dict[str, Any]
):
    for name in (STAGING, PRODUCTION):
        scene.serve(sagemaker.client, name, package)
    bad = scene.register_version(sagemaker.client, GROUP)
    sagemaker.outcome(STAGING, "update-rolls-back", "The container did not pass the ping health check.")
    sagemaker.clear_calls()
    execution = runner.run(promotion_definition, given(bad))
    assert execution.status == "Failed"
    assert names(execution) == [
        "CheckIfEndpointExistsStaging",
        "EndpointExistsStaging",
        "DeployToExistingEndpointStaging",
    ]
    failed = execution.steps[-1]
    assert failed.status == "Failed"
    assert failed.failure_reason.startswith("UpdateRolledBack: ")
    assert "ping health check" in failed.failure_reason
    assert serving(sagemaker, STAGING) == serving(sagemaker, PRODUCTION) == package
    assert PRODUCTION not in [call["request"].get("EndpointName") for call in sagemaker.calls("UpdateEndpoint")]


def test_the_same_model_again_changes_nothing(
    runner: Runner, sagemaker: LocalSageMaker, package: str, promotion_definition: dict[str, Any]
):
    runner.run(promotion_definition, given(package))
    sagemaker.clear_calls()
    execution = runner.run(promotion_definition, given(package))
    assert [step.outputs.get("deployment_status") for step in execution.steps if "DeployTo" in step.name] == [
        "Unchanged",
        "Unchanged",
    ]
    assert not sagemaker.calls("CreateEndpoint", "UpdateEndpoint", "CreateModel", "CreateEndpointConfig")


def test_a_setting_reaches_the_endpoint(
    runner: Runner, sagemaker: LocalSageMaker, package: str, compile_promotion: Compile
):
    definition = compile_promotion(
        stages=["staging"],
        settings={"instance_type": "ml.c5.xlarge", "initial_instance_count": 2, "tags": "team=growth"},
    )
    execution = runner.run(definition, given(package))
    assert execution.status == "Succeeded", execution.steps[-1].failure_reason
    config = execution.step("DeployToNewEndpointStaging").outputs["endpoint_config"]
    [variant] = sagemaker.client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.xlarge", 2)


def test_a_dry_run_plans_and_changes_nothing(
    runner: Runner, sagemaker: LocalSageMaker, package: str, compile_promotion: Compile
):
    execution = runner.run(compile_promotion(stages=["staging"], settings={"dry_run": True}), given(package))
    assert execution.steps[-1].outputs["deployment_status"] == "DryRun"
    assert not sagemaker.client.list_endpoints()["Endpoints"]


def test_what_it_cannot_run_is_refused_by_name_before_anything_runs(
    complete_definition: dict[str, Any], compile_promotion: Compile, package: str
):
    calls: list[str] = []
    runner = Runner(lambda function_arn, event: calls.append(function_arn))
    with pytest.raises(UnsupportedError, match="the step PrepareData: it is of the type Processing"):
        runner.run(complete_definition, {})
    with pytest.raises(UnsupportedError, match="the step DeployToExistingEndpointStaging: it is of the type Callback"):
        runner.run(compile_promotion(way="callback"), given(package))
    assert calls == []


def test_an_execution_without_the_package_is_refused(promotion_definition: dict[str, Any]):
    runner = Runner(lambda function_arn, event: pytest.fail("nothing should be called"))
    with pytest.raises(DefinitionError, match="ModelPackageArn has no default"):
        runner.run(promotion_definition, {"EndpointName": "churn"})


def lambda_step(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Lambda", "Arguments": {}, "FunctionArn": name, "OutputParameters": [], **more}


def definition(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"Parameters": [{"Name": "Limit", "Type": "Float", "DefaultValue": 0.5}], "Steps": list(steps)}


def test_steps_run_after_what_they_wait_for_in_whatever_order_they_are_written():
    output = [{"OutputName": "a", "OutputType": "Integer"}]
    steps = [
        lambda_step("Third", DependsOn=["Second"]),
        lambda_step("Second", Arguments={"a": {"Get": "Steps.First.OutputParameters['a']"}}),
        lambda_step("First", OutputParameters=output),
    ]
    sent: list[Any] = []

    def invoke(function_arn: str, event: dict[str, Any]) -> dict[str, Any]:
        sent.append((function_arn, event))
        return {"a": 7}

    assert Runner(invoke).run(definition(*steps), {}).status == "Succeeded"
    assert sent == [("First", {}), ("Second", {"a": 7}), ("Third", {})]


def test_a_fail_step_fails_with_its_message():
    message = {"Std:Join": {"On": " ", "Values": ["below", {"Get": "Parameters.Limit"}]}}
    fail = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    execution = Runner(lambda *_: {}).run(definition(fail), {"Limit": "0.75"})
    assert (execution.status, execution.steps[0].failure_reason) == ("Failed", "below 0.75")


def test_a_step_fails_whose_function_does_not_give_what_is_declared():
    step = lambda_step("First", OutputParameters=[{"OutputName": "a", "OutputType": "Boolean"}])
    for answer, words in [({"a": "true"}, "should be of the type Boolean"), ({}, "the answer has none"), ("x", "'x'")]:
        execution = Runner(lambda *_, answer=answer: answer).run(definition(step), {})
        assert execution.status == "Failed"
        assert words in execution.steps[0].failure_reason


def test_a_step_that_waits_for_a_branch_that_does_not_run_is_refused():
    condition = {
        "Name": "Condition",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
            "IfSteps": [],
            "ElseSteps": [lambda_step("Never")],
        },
    }
    with pytest.raises(UnsupportedError, match="After waits for a step that does not run"):
        Runner(lambda *_: {}).run(definition(condition, lambda_step("After", DependsOn=["Never"])), {})


def test_functions_are_found_by_the_arns_of_the_stack():
    invoke = by_binary({"deploy-new-endpoint": lambda event: ("new", event)})
    arn = f"arn:aws:lambda:{aws.REGION}:{aws.ACCOUNT}:function:sagemaker-deploy-new-endpoint"
    assert invoke(arn, {"a": 1}) == ("new", {"a": 1})
    with pytest.raises(ValueError, match="unpack"):
        invoke(arn.replace("new", "other"), {})
