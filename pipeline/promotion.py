"""The pipeline `deploy`: a registered model goes to staging and, once it serves there, to production."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline

from pipeline import deployment, sdk
from pipeline.contract import Primitive
from pipeline.deployment import Deployment, Stage
from pipeline.stack import Stack

DEFAULT_NAME = "model-deploy"

# What the endpoint's name gets at its end, in the order in which a model gets there.
STAGES = ("staging", "production")


@dataclass(frozen=True)
class Promotion:
    """What the pipeline is made of. The first four are defaults of its parameters, or of no use to an execution."""

    stack: Stack
    role: str
    endpoint_name: str = "model"
    name: str = DEFAULT_NAME
    stages: Sequence[str] = STAGES
    way: str = deployment.LAMBDA
    settings: Mapping[str, Primitive | bool] = field(default_factory=dict)


def build(promotion: Promotion, session: sdk.Session) -> Pipeline:
    """Return the pipeline. Its parameter `ModelPackageArn` has no default: an execution says what it deploys."""
    package_arn = ParameterString("ModelPackageArn")
    endpoint_name = ParameterString("EndpointName", default_value=promotion.endpoint_name)
    role = ParameterString("ExecutionRoleArn", default_value=promotion.role)
    stages = [
        Stage(
            Deployment(role, Join(on="-", values=[endpoint_name, stage]), package_arn, promotion.settings),
            suffix=stage.capitalize(),
        )
        for stage in promotion.stages
    ]
    with sdk.offline():
        return Pipeline(
            name=promotion.name,
            parameters=[package_arn, endpoint_name, role],
            steps=deployment.steps(promotion.stack, promotion.way, stages),
            sagemaker_session=session,
            # There is nothing to experiment with.
            pipeline_experiment_config=None,
        )
