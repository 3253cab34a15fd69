"""Images and scripts of the built-in algorithm AutoGluon-Tabular, as SageMaker JumpStart publishes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline import remarks

MODEL_ID = "autogluon-classification-ensemble"

# The entry points in JumpStart's script archives.
TRAINING_PROGRAM = "transfer_learning.py"
INFERENCE_PROGRAM = "inference.py"

# The version of AutoGluon's images in the examples. What a pipeline runs on is looked up.
_EXAMPLE_VERSION = "1.5.0"


@dataclass(frozen=True)
class Artifacts:
    """What the steps run: images, and script archives in S3."""

    training_image: str
    training_script: str
    inference_image: str
    # "": the trained model already has the code that serves it.
    inference_script: str = ""
    # "": the algorithm starts from nothing. JumpStart's archive for it is a formality.
    training_model: str = ""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    inference_environment: Mapping[str, str] = field(default_factory=dict)


def look_up(region: str, training_instance_type: str, inference_instance_type: str) -> Artifacts:
    """Ask JumpStart for the newest version. Needs the network, and credentials to read JumpStart's bucket."""
    from sagemaker.core import (
        environment_variables,
        hyperparameters,
        image_uris,
        model_uris,
        script_uris,
    )

    model = {"region": region, "model_id": MODEL_ID, "model_version": "*"}
    training = {**model, "framework": None, "image_scope": "training", "instance_type": training_instance_type}
    inference = {**model, "framework": None, "image_scope": "inference", "instance_type": inference_instance_type}
    return Artifacts(
        training_image=image_uris.retrieve(**training),
        training_script=script_uris.retrieve(**model, script_scope="training"),
        training_model=model_uris.retrieve(**model, model_scope="training"),
        inference_image=image_uris.retrieve(**inference),
        inference_script=script_uris.retrieve(**model, script_scope="inference"),
        hyperparameters=hyperparameters.retrieve_default(**model),
        inference_environment=environment_variables.retrieve_default(**model),
    )


def example(region: str, training_instance_type: str, inference_instance_type: str) -> Artifacts:
    """Return artifacts in the form of the real ones, out of what the SDK carries: neither network nor account."""
    from sagemaker.core import image_uris

    image = {"framework": "autogluon", "region": region, "version": _EXAMPLE_VERSION}
    scripts = f"s3://jumpstart-cache-prod-{region}/source-directory-tarballs/autogluon"
    with remarks.hidden():
        return Artifacts(
            training_image=image_uris.retrieve(**image, image_scope="training", instance_type=training_instance_type),
            training_script=f"{scripts}/transfer_learning/classification/v1.0.0/sourcedir.tar.gz",
            inference_image=image_uris.retrieve(
                **image, image_scope="inference", instance_type=inference_instance_type
            ),
            inference_script=f"{scripts}/inference/classification/v1.0.0/sourcedir.tar.gz",
        )
