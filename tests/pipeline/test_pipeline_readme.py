"""The steps that the README gives to be pasted: the SDK compiles them as they stand."""

import ast
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compiled import STACK
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline

from harness import scene
from pipeline import sdk

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
OUTPUTS = {
    "CheckEndpointExistsFunctionArn": STACK.check,
    "DeployNewEndpointFunctionArn": STACK.deploy_new,
    "DeployExistingEndpointFunctionArn": STACK.deploy_existing,
    "DeployExistingEndpointQueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/existing",
}


PACKAGE_ARN = ParameterString("ModelPackageArn")
# Stands for the step that registers the model.
REGISTERED = SimpleNamespace(properties=SimpleNamespace(ModelPackageArn=PACKAGE_ARN))


def pasted(block: str) -> dict[str, Any]:
    """Run a block with the names that the README says are the pipeline's own."""
    names: dict[str, Any] = {"stack_outputs": OUTPUTS, "role": scene.ROLE, "register": REGISTERED}
    exec(block, names)
    return names


def compiled(steps: list[Any], session: sdk.Session) -> list[dict[str, Any]]:
    pipeline = Pipeline(name="pasted", parameters=[PACKAGE_ARN], steps=steps, sagemaker_session=session)
    return json.loads(pipeline.definition())["Steps"]


@pytest.fixture(scope="module")
def lambda_steps(session: sdk.Session) -> list[dict[str, Any]]:
    [block] = [block for block in BLOCKS if "LambdaStep(" in block]
    return compiled(pasted(block)["steps"], session)


def test_the_pasted_steps_ask_first_and_then_call_the_function_for_the_case(lambda_steps: list[dict[str, Any]]):
    check, condition = lambda_steps
    assert (check["Type"], check["FunctionArn"]) == ("Lambda", STACK.check)
    assert check["OutputParameters"] == [{"OutputName": "endpoint_exists", "OutputType": "Boolean"}]
    assert "CacheConfig" not in check
    arguments = condition["Arguments"]
    assert arguments["Conditions"][0]["LeftValue"] == {
        "Get": "Steps.CheckIfEndpointExists.OutputParameters['endpoint_exists']"
    }
    [existing], [new] = arguments["IfSteps"], arguments["ElseSteps"]
    assert (existing["FunctionArn"], new["FunctionArn"]) == (STACK.deploy_existing, STACK.deploy_new)
    for step in (existing, new):
        assert set(step["Arguments"]) == {"role", "endpoint_name", "package_arn"}


def test_the_pasted_callback_step_goes_to_the_queue(session: sdk.Session):
    [block] = [block for block in BLOCKS if "CallbackStep(" in block]
    [step] = compiled([pasted(block)["deploy"]], session)
    assert (step["Type"], step["SqsQueueUrl"]) == ("Callback", OUTPUTS["DeployExistingEndpointQueueUrl"])
    assert step["Arguments"]["traffic_wait_seconds"] == 1200


def imported(block: str) -> set[str]:
    """Return the names that a block imports from the SDK."""
    imports = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    return {name.name for node in imports if (node.module or "").startswith("sagemaker") for name in node.names}


def test_the_imports_for_release_2_are_of_all_that_the_pasted_steps_use():
    [for_release_2] = [block for block in BLOCKS if "from sagemaker.workflow." in block]
    pasted_steps = [imported(block) for block in BLOCKS if block != for_release_2]
    assert imported(for_release_2) == set().union(*pasted_steps)
