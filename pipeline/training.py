"""The steps from the data to the registered model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker.core import image_uris
from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, StoppingCondition
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, Step, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.model_trainer import ModelTrainer

from pipeline import autogluon, sdk, uploads

# A parameter of the pipeline, the output of a step, or a plain value.
Value = str | PipelineVariable

CSV = "text/csv"
EVALUATION_FILE = "evaluation.json"

# The version of scikit-learn's image that the data is prepared in.
_SKLEARN_VERSION = "1.2-1"

_PROCESSING = "/opt/ml/processing"

# Within a month the same data and the same script give the same parts, and those the same model.
_CACHE = CacheConfig(enable_caching=True, expire_after="P30D")

# The service was at fault, or busy: it is asked again soon.
_STEP_RETRIES = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=10,
    backoff_rate=2.0,
    max_attempts=5,
)
# The job died of the service's own error: once more is worth a try, many times are not.
_JOB_ERROR_RETRIES = SageMakerJobStepRetryPolicy(
    failure_reason_types=[SageMakerJobExceptionTypeEnum.INTERNAL_ERROR],
    interval_seconds=60,
    backoff_rate=2.0,
    max_attempts=2,
)
# No instances, or no quota that is free: that takes longer to pass.
_CAPACITY_RETRIES = SageMakerJobStepRetryPolicy(
    exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
    failure_reason_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR],
    interval_seconds=120,
    backoff_rate=2.0,
    max_attempts=5,
)
_JOB_RETRIES = [_STEP_RETRIES, _JOB_ERROR_RETRIES, _CAPACITY_RETRIES]

# How long AutoGluon may train.
_MAX_TRAINING_SECONDS = 4 * 60 * 60
_VOLUME_SIZE_GB = 30


@dataclass(frozen=True)
class Workshop:
    """What the steps share: where they run, as whom, and where their results go."""

    session: sdk.Session
    pipeline_name: str
    bucket: str
    role: str
    artifacts: autogluon.Artifacts
    processing_instance_type: Value
    training_instance_type: Value

    def results(self, step: str, output: str) -> Join:
        """Return a place in S3 that no other execution writes to."""
        here = f"s3://{self.bucket}/{self.pipeline_name}/executions"
        return Join(on="/", values=[here, ExecutionVariables.PIPELINE_EXECUTION_ID, step, output])

    def script_arguments(
        self,
        image_uri: str,
        script: Path,
        step: str,
        inputs: dict[str, Value],
        outputs: list[str],
        arguments: list | None = None,
    ) -> Any:
        """Return the arguments of a processing step that runs a script on inputs from S3."""
        processor = ScriptProcessor(
            image_uri=image_uri,
            command=["python3"],
            role=self.role,
            instance_type=self.processing_instance_type,
            instance_count=1,
            volume_size_in_gb=_VOLUME_SIZE_GB,
            sagemaker_session=self.session,
        )
        return processor.run(
            code=uploads.script_uri(self.bucket, self.pipeline_name, script),
            arguments=arguments,
            inputs=[_input(name, uri) for name, uri in inputs.items()],
            outputs=[_output(name, self.results(step, name)) for name in outputs],
        )


def prepare_data(workshop: Workshop, data_uri: Value, label_column: Value) -> ProcessingStep:
    """Return the step that splits a CSV of labelled rows into train, validation and test parts."""
    image_uri = image_uris.retrieve(
        "sklearn", workshop.session.boto_region_name, version=_SKLEARN_VERSION, instance_type="ml.m5.xlarge"
    )
    name = "PrepareData"
    return ProcessingStep(
        name=name,
        step_args=workshop.script_arguments(
            image_uri,
            uploads.PREPARE_DATA,
            name,
            inputs={"data": data_uri},
            outputs=["train", "validation", "test"],
            arguments=["--label-column", label_column],
        ),
        cache_config=_CACHE,
        retry_policies=_JOB_RETRIES,
    )


def train_model(workshop: Workshop, prepared: ProcessingStep) -> TrainingStep:
    """Return the step that trains with AutoGluon-Tabular."""
    artifacts = workshop.artifacts
    trainer = ModelTrainer(
        training_image=artifacts.training_image,
        role=workshop.role,
        sagemaker_session=workshop.session,
        base_job_name=workshop.pipeline_name,
        compute=Compute(
            instance_type=workshop.training_instance_type, instance_count=1, volume_size_in_gb=_VOLUME_SIZE_GB
        ),
        # The script by its place in S3, as the images have always taken it: a `SourceCode` would be uploaded each time
        # that the pipeline is compiled, under another name, and the step would never be found in the cache.
        hyperparameters={
            **artifacts.hyperparameters,
            "sagemaker_program": autogluon.TRAINING_PROGRAM,
            "sagemaker_submit_directory": artifacts.training_script,
        },
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{workshop.bucket}/{workshop.pipeline_name}/models"),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=_MAX_TRAINING_SECONDS),
    )
    channels = [
        InputData(channel_name="training", data_source=output_uri(prepared, "train"), content_type=CSV),
        InputData(channel_name="validation", data_source=output_uri(prepared, "validation"), content_type=CSV),
    ]
    if artifacts.training_model:
        channels.append(InputData(channel_name="model", data_source=artifacts.training_model))
    with sdk.unreported(workshop.session):
        arguments = trainer.train(input_data_config=channels)
    return TrainingStep(
        name="TrainModel",
        step_args=arguments,
        cache_config=_CACHE,
        retry_policies=_JOB_RETRIES,
    )


def evaluate_model(
    workshop: Workshop, prepared: ProcessingStep, trained: TrainingStep
) -> tuple[ProcessingStep, PropertyFile]:
    """Return the step that evaluates the model on the test part, and the file that it leaves.

    It runs in the training image, because nothing but AutoGluon can load what AutoGluon has trained.
    """
    report = PropertyFile(name="Evaluation", output_name="evaluation", path=EVALUATION_FILE)
    name = "EvaluateModel"
    step = ProcessingStep(
        name=name,
        step_args=workshop.script_arguments(
            workshop.artifacts.training_image,
            uploads.EVALUATE_MODEL,
            name,
            inputs={"model": model_uri(trained), "test": output_uri(prepared, "test")},
            outputs=["evaluation"],
        ),
        property_files=[report],
        retry_policies=_JOB_RETRIES,
    )
    return step, report


def package_model(workshop: Workshop, trained: TrainingStep) -> ProcessingStep | None:
    """Return the step that puts the serving script into the model's archive; none where it is there already."""
    if not workshop.artifacts.inference_script:
        return None
    name = "PackageModel"
    image_uri = workshop.artifacts.training_image
    return ProcessingStep(
        name=name,
        step_args=workshop.script_arguments(
            image_uri,
            uploads.PACKAGE_MODEL,
            name,
            inputs={"model": model_uri(trained), "source": workshop.artifacts.inference_script},
            outputs=["package"],
        ),
        retry_policies=_JOB_RETRIES,
    )


def register_model(
    workshop: Workshop,
    model_data: Value,
    evaluated: ProcessingStep,
    group: Value,
    approval_status: Value,
    inference_instance_types: list[str],
) -> ModelStep:
    """Return the step that registers the model, with its evaluation, as the next version of a group."""
    report = Join(on="/", values=[output_uri(evaluated, "evaluation"), EVALUATION_FILE])
    builder = ModelBuilder(
        image_uri=workshop.artifacts.inference_image,
        s3_model_data_url=model_data,
        env_vars={
            **workshop.artifacts.inference_environment,
            "SAGEMAKER_PROGRAM": autogluon.INFERENCE_PROGRAM,
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        },
        role_arn=workshop.role,
        instance_type=inference_instance_types[0],
        sagemaker_session=workshop.session,
    )
    with sdk.unreported(workshop.session):
        arguments = builder.register(
            model_package_group_name=group,
            approval_status=approval_status,
            content_types=[CSV],
            response_types=["application/json"],
            inference_instances=inference_instance_types,
            transform_instances=inference_instance_types,
            model_metrics=ModelMetrics(model_statistics=MetricsSource(content_type="application/json", s3_uri=report)),
        )
    return ModelStep(name="RegisterModel", step_args=arguments, retry_policies=[_STEP_RETRIES])


def output_uri(step: Step, output: str) -> PipelineVariable:
    """Return where a processing step has put one of its outputs: for a cached step, where it did so then."""
    return step.properties.ProcessingOutputConfig.Outputs[output].S3Output.S3Uri


def model_uri(step: TrainingStep) -> PipelineVariable:
    """Return where a training step has put the model's archive."""
    return step.properties.ModelArtifacts.S3ModelArtifacts


def _input(name: str, uri: Value) -> ProcessingInput:
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri, s3_data_type="S3Prefix", s3_input_mode="File", local_path=f"{_PROCESSING}/input/{name}"
        ),
    )


def _output(name: str, uri: Value) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(s3_uri=uri, s3_upload_mode="EndOfJob", local_path=f"{_PROCESSING}/{name}"),
    )
