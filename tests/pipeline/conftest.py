"""The compiled definitions, which the tests of the pipelines share: the SDK takes seconds for them."""

from typing import Any

import boto3
import pytest
from compiled import BUCKET, STACK, Compile

from harness import aws, scene
from pipeline import autogluon, complete, promotion, sdk


@pytest.fixture(scope="session")
def session() -> sdk.Session:
    """A session that has a region, and no credentials that anyone would take."""
    return sdk.session(boto3.Session(region_name=aws.REGION), BUCKET)


@pytest.fixture(scope="session")
def compile_complete(session: sdk.Session) -> Compile:
    """Compile the complete pipeline, with other settings than the defaults where given."""

    def compiled(**settings: Any) -> dict[str, Any]:
        values = {
            "stack": STACK,
            "artifacts": autogluon.example(aws.REGION, "ml.m5.2xlarge", "ml.m5.xlarge"),
            "bucket": BUCKET,
            "role": scene.ROLE,
            **settings,
        }
        return sdk.definition(complete.build(complete.Complete(**values), session))

    return compiled


@pytest.fixture(scope="session")
def compile_promotion(session: sdk.Session) -> Compile:
    """Compile the deploy pipeline, with other settings than the defaults where given."""

    def compiled(**settings: Any) -> dict[str, Any]:
        values = {"stack": STACK, "role": scene.ROLE, **settings}
        return sdk.definition(promotion.build(promotion.Promotion(**values), session))

    return compiled


@pytest.fixture(scope="session")
def complete_definition(compile_complete: Compile) -> dict[str, Any]:
    """The complete pipeline with its defaults."""
    return compile_complete()


@pytest.fixture(scope="session")
def promotion_definition(compile_promotion: Compile) -> dict[str, Any]:
    """The deploy pipeline with its defaults."""
    return compile_promotion()
