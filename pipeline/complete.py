"""The pipeline `complete`: from the data to the endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, Step, TrainingStep

from pipeline import deployment, sdk, training
from pipeline.autogluon import Artifacts
from pipeline.contract import Primitive
from pipeline.deployment import Deployment, Stage
from pipeline.stack import Stack
from pipeline.training import Workshop

DEFAULT_NAME = "model-complete"

# What a model is judged by, and where the evaluation says it: the model registry shows files of this form.
METRICS = {
    "accuracy": "multiclass_classification_metrics.accuracy.value",
    "f1": "multiclass_classification_metrics.weighted_f1.value",
}

APPROVAL_STATUSES = ["Approved", "PendingManualApproval", "Rejected"]


@dataclass(frozen=True)
class Complete:
    """What the pipeline is made of. From ``endpoint_name`` to ``threshold`` they are defaults of its parameters."""

    stack: Stack
    artifacts: Artifacts
    bucket: str
    role: str
    endpoint_name: str = "model"
    execution_role: str = ""
    input_data_bucket: str = ""
    input_data_key: str = "data/data.csv"
    label_column: str = "label"
    model_package_group: str = "model"
    processing_instance_type: str = "ml.m5.xlarge"
    training_instance_type: str = "ml.m5.2xlarge"
    threshold: float = 0.8
    metric: str = "accuracy"
    inference_instance_type: str = "ml.m5.xlarge"
    name: str = DEFAULT_NAME
    way: str = deployment.LAMBDA
    settings: Mapping[str, Primitive | bool] = field(default_factory=dict)


class _Parameters:
    """The pipeline's parameters. All have defaults: an execution may be started with none."""

    def __init__(self, complete: Complete) -> None:
        # Bucket and key apart, so that an event of S3, which has no URI, can give them.
        self.bucket = ParameterString("InputDataBucket", default_value=complete.input_data_bucket or complete.bucket)
        self.key = ParameterString("InputDataKey", default_value=complete.input_data_key)
        self.label_column = ParameterString("LabelColumn", default_value=complete.label_column)
        self.processing = ParameterString("ProcessingInstanceType", default_value=complete.processing_instance_type)
        self.training = ParameterString("TrainingInstanceType", default_value=complete.training_instance_type)
        # Each metric has a name of its own, so that a threshold is never taken for the other one's.
        self.threshold = ParameterFloat(f"{complete.metric.capitalize()}Threshold", default_value=complete.threshold)
        self.group = ParameterString("ModelPackageGroupName", default_value=complete.model_package_group)
        self.approval_status = ParameterString(
            "ModelApprovalStatus", default_value=APPROVAL_STATUSES[0], enum_values=APPROVAL_STATUSES
        )
        self.endpoint_name = ParameterString("EndpointName", default_value=complete.endpoint_name)
        self.role = ParameterString("ExecutionRoleArn", default_value=complete.execution_role or complete.role)

    def data_uri(self) -> Join:
        return Join(on="/", values=["s3:/", self.bucket, self.key])


def build(complete: Complete, session: sdk.Session) -> Pipeline:
    """Return the pipeline."""
    parameters = _Parameters(complete)
    workshop = Workshop(
        session=session,
        pipeline_name=complete.name,
        bucket=complete.bucket,
        role=complete.role,
        artifacts=complete.artifacts,
        processing_instance_type=parameters.processing,
        training_instance_type=parameters.training,
    )
    with sdk.offline():
        prepared = training.prepare_data(workshop, parameters.data_uri(), parameters.label_column)
        trained = training.train_model(workshop, prepared)
        evaluated, report = training.evaluate_model(workshop, prepared, trained)
        good_enough = ConditionStep(
            name="ModelIsGoodEnough",
            conditions=[
                ConditionGreaterThanOrEqualTo(
                    left=JsonGet(step_name=evaluated.name, property_file=report, json_path=METRICS[complete.metric]),
                    right=parameters.threshold,
                )
            ],
            if_steps=_from_registration(complete, workshop, parameters, trained, evaluated),
            else_steps=[_refusal(complete, parameters, evaluated)],
        )
        return Pipeline(
            name=complete.name,
            parameters=list(vars(parameters).values()),
            steps=[prepared, trained, evaluated, good_enough],
            sagemaker_session=session,
            # An experiment of its own for each execution would take permissions that nothing else here needs.
            pipeline_experiment_config=None,
        )


def _from_registration(
    complete: Complete,
    workshop: Workshop,
    parameters: _Parameters,
    trained: TrainingStep,
    evaluated: ProcessingStep,
) -> list[Step]:
    """Return the steps of a model that is good enough."""
    packaged = training.package_model(workshop, trained)
    registered = training.register_model(
        workshop,
        Join(on="/", values=[training.output_uri(packaged, "package"), "model.tar.gz"])
        if packaged
        else training.model_uri(trained),
        evaluated,
        parameters.group,
        parameters.approval_status,
        [complete.inference_instance_type],
    )
    deployed = Deployment(
        parameters.role, parameters.endpoint_name, registered.properties.ModelPackageArn, complete.settings
    )
    deploying = deployment.steps(complete.stack, complete.way, [Stage(deployed)])
    return [*([packaged] if packaged else []), registered, *deploying]


def _refusal(complete: Complete, parameters: _Parameters, evaluated: ProcessingStep) -> FailStep:
    """Return the step that ends an execution whose model is not good enough."""
    return FailStep(
        name="ModelNotGoodEnough",
        error_message=Join(
            on=" ",
            values=[
                f"The model was not registered: its {complete.metric} on the test data is below",
                f"{parameters.threshold.name} =",
                parameters.threshold,
                f"and stands in {training.EVALUATION_FILE} under",
                training.output_uri(evaluated, "evaluation"),
            ],
        ),
    )
