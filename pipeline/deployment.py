"""The steps that deploy a model package: is the endpoint there, and then the function for the one case or the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.steps import Step

from pipeline import contract
from pipeline.stack import Stack, StackError

# How a deployment is called: by a LambdaStep, which ends after ten minutes, or by a CallbackStep, which waits for its
# answer as long as it takes.
LAMBDA, CALLBACK = WAYS = ("lambda", "callback")


@dataclass(frozen=True)
class Deployment:
    """What is deployed where. Each value may be a parameter of the pipeline or the output of a step."""

    role: str | PipelineVariable
    endpoint_name: str | PipelineVariable
    package_arn: str | PipelineVariable
    settings: Mapping[str, contract.Primitive | bool] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """Return the event of a deploy function."""
        return {
            "role": self.role,
            "endpoint_name": self.endpoint_name,
            "package_arn": self.package_arn,
            **contract.settings(self.settings),
        }


@dataclass(frozen=True)
class Stage:
    """One deployment in a chain, and what tells its steps' names from those of the other stages."""

    deployment: Deployment
    suffix: str = ""


def steps(stack: Stack, way: str, stages: Sequence[Stage]) -> list[Step]:
    """Return the steps that deploy stage after stage, each once the one before has succeeded.

    The branches of a condition cannot meet again in a pipeline: a step waits for all that it depends on, and one of
    the branches never runs. So what comes after a stage is there twice, and the names say which is which.
    """
    return _from(stack, way, stages, after="", depends_on=None)


def _from(stack: Stack, way: str, stages: Sequence[Stage], after: str, depends_on: Step | None) -> list[Step]:
    """Return the steps from the first of ``stages`` on; none where there is none."""
    if not stages:
        return []
    stage, *rest = stages
    suffix = f"{stage.suffix}{after}"
    event = stage.deployment.event()
    existing = _deploy(
        f"DeployToExistingEndpoint{suffix}",
        way,
        stack.deploy_existing,
        stack.deploy_existing_queue,
        event,
        contract.EXISTING_OUTPUTS,
    )
    new = _deploy(
        f"DeployToNewEndpoint{suffix}", way, stack.deploy_new, stack.deploy_new_queue, event, contract.NEW_OUTPUTS
    )
    check = _lambda_step(
        f"CheckIfEndpointExists{suffix}",
        stack.check,
        # The package makes the check wait for the registration; the function ignores it.
        {"endpoint_name": stage.deployment.endpoint_name, "package_arn": stage.deployment.package_arn},
        contract.CHECK_OUTPUTS,
        depends_on,
    )
    condition = ConditionStep(
        name=f"EndpointExists{suffix}",
        conditions=[ConditionEquals(left=check.properties.Outputs["endpoint_exists"], right=True)],
        if_steps=[existing, *_from(stack, way, rest, f"{after}AfterUpdate", existing)],
        else_steps=[new, *_from(stack, way, rest, f"{after}AfterCreation", new)],
    )
    return [check, condition]


def _deploy(
    name: str, way: str, function_arn: str, queue_url: str | None, event: dict[str, Any], outputs: Mapping[str, str]
) -> Step:
    if way == LAMBDA:
        return _lambda_step(name, function_arn, event, outputs)
    if queue_url is None:
        raise StackError(f"the step {name} needs a queue, and the stack has none: CallbackQueues=true makes them")
    return CallbackStep(
        name=name,
        sqs_queue_url=queue_url,
        inputs=event,
        # By index: called with a word, the SDK's enumerations give their first member.
        outputs=[CallbackOutput(key, CallbackOutputTypeEnum[kind]) for key, kind in outputs.items()],
    )


def _lambda_step(
    name: str,
    function_arn: str,
    event: dict[str, Any],
    outputs: Mapping[str, str],
    depends_on: Step | None = None,
) -> LambdaStep:
    """Return a step that invokes a function. It has no cache: yesterday's answer says nothing about the endpoint."""
    return LambdaStep(
        name=name,
        lambda_func=Lambda(function_arn=function_arn),
        inputs=event,
        outputs=[LambdaOutput(key, LambdaOutputTypeEnum[kind]) for key, kind in outputs.items()],
        depends_on=[depends_on] if depends_on else None,
    )
