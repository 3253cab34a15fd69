"""sagemaker-local against moto: two imitations of the service, made by different people from different sources.

Where they agree, that is some evidence. Where they differ, the service's own behaviour decides, as its documentation,
its model and public reports of its answers tell it: ``expected`` is that, and sagemaker-local must give it. What moto
gives instead stands beside it with the reason, and is asserted too, so that the table cannot go stale.
"""

import re

import pytest
from behaviours import (
    SAME,
    Behaviour,
    create_config,
    create_endpoint,
    create_model,
    described,
    gone_at_last,
    pages,
    refusal,
    serving,
    three_endpoints,
)

from harness import scene
from harness.local import LocalSageMaker
from harness.moto import Moto
from harness.scene import ARN, GROUP

_OVERWRITES = "moto keeps a dictionary by name, and a second create overwrites the first"
_QUOTES = "moto quotes some ARNs with single quotes; public reports show both, the double ones more recently"
_CASE = "moto takes names as they are; the service ignores their case"
_UNCHECKED = "moto does not look at what a name looks like, or at what it refers to"

BEHAVIOURS = [
    # Model packages.
    Behaviour(
        "the versions of a group count from 1",
        lambda c: [scene.register_version(c, GROUP) for _ in range(2)],
        [f"{ARN}:model-package/churn-model/1", f"{ARN}:model-package/churn-model/2"],
    ),
    Behaviour(
        "a package is described with its approval",
        lambda c: described(
            c.describe_model_package(ModelPackageName=scene.register_version(c, GROUP, "Rejected")),
            "ModelPackageGroupName",
            "ModelPackageVersion",
            "ModelPackageStatus",
            "ModelApprovalStatus",
        ),
        {
            "ModelPackageGroupName": GROUP,
            "ModelPackageVersion": 1,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": "Rejected",
        },
    ),
    Behaviour(
        "a package may be approved later",
        lambda c: c.describe_model_package(
            ModelPackageName=c.update_model_package(
                ModelPackageArn=scene.register_version(c, GROUP, "PendingManualApproval"),
                ModelApprovalStatus="Approved",
            )["ModelPackageArn"]
        )["ModelApprovalStatus"],
        "Approved",
    ),
    Behaviour(
        "a missing package is not described",
        lambda c: refusal(c.describe_model_package, ModelPackageName=f"{ARN}:model-package/churn-model/9"),
        f"ValidationException: ModelPackage {ARN}:model-package/churn-model/9 does not exist",
        moto=f"ValidationException: Model package {ARN}:model-package/churn-model/9 not found",
        why_moto_differs="moto has words of its own",
    ),
    # Models.
    Behaviour("a model is made from a package", create_model, f"{ARN}:model/model-a"),
    Behaviour(
        "a model is described with its package and role",
        lambda c: (
            create_model(c),
            described(c.describe_model(ModelName="model-a"), "ModelName", "ExecutionRoleArn", "PrimaryContainer"),
        )[1],
        {
            "ModelName": "model-a",
            "ExecutionRoleArn": scene.ROLE,
            "PrimaryContainer": {"ModelPackageName": f"{ARN}:model-package/churn-model/1"},
        },
    ),
    Behaviour(
        "ARNs keep the case of a name",
        lambda c: create_model(c, "Model-A"),
        f"{ARN}:model/Model-A",
    ),
    Behaviour(
        "a model's name is taken once",
        lambda c: [create_model(c), create_model(c)][1],
        f'ValidationException: Cannot create already existing model "{ARN}:model/model-a"',
        moto=f"{ARN}:model/model-a",
        why_moto_differs=_OVERWRITES,
    ),
    Behaviour(
        "a model needs a package that is there",
        lambda c: create_model(c, package=f"{ARN}:model-package/churn-model/9"),
        f"ValidationException: ModelPackage {ARN}:model-package/churn-model/9 does not exist",
        moto=f"{ARN}:model/model-a",
        why_moto_differs=_UNCHECKED,
    ),
    Behaviour(
        "a model's name is checked",
        lambda c: create_model(c, "model_a").partition(" failed")[0],
        "ValidationException: 1 validation error detected: Value 'model_a' at 'modelName'",
        moto=f"{ARN}:model/model_a",
        why_moto_differs=_UNCHECKED,
    ),
    Behaviour(
        "a missing model is not described",
        lambda c: refusal(c.describe_model, ModelName="model-a"),
        f'ValidationException: Could not find model "{ARN}:model/model-a"',
        moto=f"ValidationException: Could not find model '{ARN}:model/model-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a missing model is not deleted",
        lambda c: refusal(c.delete_model, ModelName="model-a"),
        f'ValidationException: Could not find model "{ARN}:model/model-a"',
        moto='ValidationException: Could not find model "model-a"',
        why_moto_differs="moto names the model, the service its ARN",
    ),
    Behaviour(
        "a deleted model is gone",
        lambda c: (create_model(c), c.delete_model(ModelName="model-a"), c.list_models()["Models"])[2],
        [],
    ),
    # Endpoint configs.
    Behaviour(
        "a config is made",
        lambda c: [create_model(c), create_config(c)][1],
        f"{ARN}:endpoint-config/config-a",
    ),
    Behaviour(
        "a config is described as it was made",
        lambda c: [
            create_model(c),
            create_config(c),
            c.describe_endpoint_config(EndpointConfigName="config-a")["ProductionVariants"],
        ][2],
        [scene.variant("model-a")],
    ),
    Behaviour(
        "a config's name is taken once",
        lambda c: [create_model(c), create_config(c), create_config(c)][2],
        f'ValidationException: Cannot create already existing endpoint configuration "{ARN}:endpoint-config/config-a"',
        moto=f"{ARN}:endpoint-config/config-a",
        why_moto_differs=_OVERWRITES,
    ),
    Behaviour(
        "a config needs its model",
        create_config,
        f'ValidationException: Could not find model "{ARN}:model/model-a"',
        moto=f"ValidationException: Could not find model '{ARN}:model/model-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a missing config is not described",
        lambda c: refusal(c.describe_endpoint_config, EndpointConfigName="config-a"),
        f'ValidationException: Could not find endpoint configuration "{ARN}:endpoint-config/config-a"',
        moto=f"ValidationException: Could not find endpoint configuration '{ARN}:endpoint-config/config-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a missing config is not deleted",
        lambda c: refusal(c.delete_endpoint_config, EndpointConfigName="config-a"),
        f'ValidationException: Could not find endpoint configuration "{ARN}:endpoint-config/config-a"',
        moto=f"ValidationException: Could not find endpoint configuration '{ARN}:endpoint-config/config-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a config in use may be deleted all the same",
        lambda c: refusal(serving(c).delete_endpoint_config, EndpointConfigName="config-a"),
        "accepted",
    ),
    Behaviour(
        "a model in use may be deleted all the same",
        lambda c: refusal(serving(c).delete_model, ModelName="model-a"),
        "accepted",
    ),
    # Endpoints.
    Behaviour(
        "an endpoint is made",
        lambda c: [create_model(c), create_config(c), create_endpoint(c)][2],
        f"{ARN}:endpoint/endpoint-a",
    ),
    Behaviour(
        "an endpoint is being created at first",
        lambda c: [create_model(c), create_config(c), create_endpoint(c), scene.status(c, "endpoint-a")][3],
        "Creating",
        moto="InService",
        why_moto_differs="moto's endpoints are in service at once",
    ),
    Behaviour(
        "an endpoint comes into service on its config",
        lambda c: described(
            serving(c).describe_endpoint(EndpointName="endpoint-a"),
            "EndpointName",
            "EndpointArn",
            "EndpointStatus",
            "EndpointConfigName",
        ),
        {
            "EndpointName": "endpoint-a",
            "EndpointArn": f"{ARN}:endpoint/endpoint-a",
            "EndpointStatus": "InService",
            "EndpointConfigName": "config-a",
        },
    ),
    Behaviour(
        "a serving variant has its weight and instances",
        lambda c: described(
            serving(c).describe_endpoint(EndpointName="endpoint-a")["ProductionVariants"][0],
            "VariantName",
            "CurrentWeight",
            "DesiredWeight",
            "CurrentInstanceCount",
            "DesiredInstanceCount",
        ),
        {
            "VariantName": "AllTraffic",
            "CurrentWeight": 1.0,
            "DesiredWeight": 1.0,
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
        },
    ),
    Behaviour(
        "an endpoint's name is taken once",
        lambda c: create_endpoint(serving(c)),
        f'ValidationException: Cannot create already existing endpoint "{ARN}:endpoint/endpoint-a"',
        moto=f"{ARN}:endpoint/endpoint-a",
        why_moto_differs=_OVERWRITES,
    ),
    Behaviour(
        "an endpoint's name is taken in every case",
        lambda c: create_endpoint(serving(c), "Endpoint-A"),
        f'ValidationException: Cannot create already existing endpoint "{ARN}:endpoint/Endpoint-A"',
        moto=f"{ARN}:endpoint/Endpoint-A",
        why_moto_differs=_CASE,
    ),
    Behaviour(
        "an endpoint is found in every case",
        lambda c: refusal(serving(c).describe_endpoint, EndpointName="ENDPOINT-A"),
        f"{ARN}:endpoint/endpoint-a",
        moto=f"ValidationException: Could not find endpoint '{ARN}:endpoint/ENDPOINT-A'",
        why_moto_differs=_CASE,
    ),
    Behaviour(
        "an endpoint needs its config",
        create_endpoint,
        f'ValidationException: Could not find endpoint configuration "{ARN}:endpoint-config/config-a"',
        moto=f"ValidationException: Could not find endpoint configuration '{ARN}:endpoint-config/config-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a missing endpoint is not described",
        lambda c: refusal(c.describe_endpoint, EndpointName="endpoint-a"),
        f'ValidationException: Could not find endpoint "{ARN}:endpoint/endpoint-a"',
        moto=f"ValidationException: Could not find endpoint '{ARN}:endpoint/endpoint-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a missing endpoint is not deleted",
        lambda c: refusal(c.delete_endpoint, EndpointName="endpoint-a"),
        f'ValidationException: Could not find endpoint "{ARN}:endpoint/endpoint-a"',
        moto=f"ValidationException: Could not find endpoint '{ARN}:endpoint/endpoint-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "a deleted endpoint is gone",
        gone_at_last,
        f'ValidationException: Could not find endpoint "{ARN}:endpoint/endpoint-a"',
        moto=f"ValidationException: Could not find endpoint '{ARN}:endpoint/endpoint-a'",
        why_moto_differs=_QUOTES,
    ),
    Behaviour(
        "an endpoint is updated",
        lambda c: [
            serving(c),
            create_model(c, "model-b"),
            create_config(c, "config-b", "model-b"),
            re.sub(
                r"(?s): .*",
                "",
                refusal(c.update_endpoint, EndpointName="endpoint-a", EndpointConfigName="config-b"),
            ),
        ][3],
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/endpoint-a",
        moto="500",
        why_moto_differs="moto has no UpdateEndpoint",
    ),
    # Lists.
    Behaviour("no endpoints are one empty page", pages, [[]]),
    Behaviour(
        "the newest endpoint is listed first",
        lambda c: pages(three_endpoints(c)),
        [["churn-2", "other", "churn"]],
        moto=[["churn", "other", "churn-2"]],
        why_moto_differs="moto lists in the order of creation; the service's default is CreationTime, Descending",
    ),
    Behaviour(
        "NameContains finds parts of names",
        lambda c: sorted(name for page in pages(three_endpoints(c), NameContains="churn") for name in page),
        ["churn", "churn-2"],
    ),
    Behaviour(
        "pages are cut before NameContains, so that some are empty",
        lambda c: pages(three_endpoints(c), NameContains="churn", PaginationConfig={"PageSize": 1}),
        [["churn-2"], [], ["churn"]],
        moto=[["churn"], ["churn-2"]],
        why_moto_differs="moto filters first",
    ),
    Behaviour(
        "a page has at most 100 items",
        lambda c: refusal(c.list_endpoints, MaxResults=101).partition(" failed")[0],
        "ValidationException: 1 validation error detected: Value '101' at 'maxResults'",
        moto="accepted",
        why_moto_differs=_UNCHECKED,
    ),
    # Tags.
    Behaviour(
        "tags are listed and taken off",
        lambda c: [
            arn := create_model(c),
            c.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "retention"}, {"Key": "tier", "Value": "1"}]),
            c.delete_tags(ResourceArn=arn, TagKeys=["tier"]),
            c.list_tags(ResourceArn=arn)["Tags"],
        ][3],
        [{"Key": "team", "Value": "retention"}],
    ),
]


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_sagemaker_local_behaves_as_the_service(behaviour: Behaviour, sagemaker: LocalSageMaker):
    assert behaviour.run(sagemaker.client) == behaviour.expected


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_moto_agrees_or_differs_as_known(behaviour: Behaviour, moto: Moto):
    known = behaviour.expected if behaviour.moto is SAME else behaviour.moto
    assert behaviour.run(moto.client) == known
