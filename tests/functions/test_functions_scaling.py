"""The built functions, and what scales an endpoint or was replaced on it, against the local SageMaker."""

from typing import Any

import pytest
from seen import configs, models, operations

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT, GROUP, TARGET, next_event

SCALED = {
    "autoscaling_min_capacity": "2",
    "autoscaling_max_capacity": "6",
    "autoscaling_target_invocations_per_instance": "70",
}
SCALING_CALLS = (
    "DescribeScalableTargets",
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "PutScheduledAction",
)

# What the service makes up, and makes up anew where a thing is made anew.
_MADE_UP = {"CreationTime", "Alarms"}


@pytest.fixture
def scaled(deploy_new: Emulator, sagemaker: LocalSageMaker) -> dict[str, Any]:
    """The answer of a deployment to an endpoint that scales, to which a person has added a scheduled action."""
    answer = deploy_new.invoke(event(sagemaker, **SCALED))
    assert answer.get("deployment_status") == "Deployed", answer
    sagemaker.scaling.put_scheduled_action(
        **TARGET,
        ScheduledActionName="morning",
        Schedule="cron(0 6 * * ? *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 4},
    )
    return answer


def event(sagemaker: LocalSageMaker, **more: Any) -> dict[str, Any]:
    """Return an event for a fresh version of the model, and forget the calls so far."""
    deploying = next_event(sagemaker.client, **more)
    sagemaker.clear_calls()
    return deploying


def scaling(sagemaker: LocalSageMaker) -> list[dict[str, Any]]:
    """Return everything that scales endpoints, less what the service makes up."""
    of_endpoints = {"ServiceNamespace": "sagemaker"}
    found = [
        *sagemaker.scaling.describe_scalable_targets(**of_endpoints)["ScalableTargets"],
        *sagemaker.scaling.describe_scaling_policies(**of_endpoints)["ScalingPolicies"],
        *sagemaker.scaling.describe_scheduled_actions(**of_endpoints)["ScheduledActions"],
    ]
    return [
        {key: value for key, value in each.items() if key not in _MADE_UP and not key.endswith("ARN")} for each in found
    ]


# What scales an endpoint


def test_a_new_endpoint_scales_as_asked(deploy_new: Emulator, sagemaker: LocalSageMaker):
    asked = event(sagemaker, **SCALED)
    answer = deploy_new.invoke(asked)
    assert answer.get("deployment_status") == "Deployed", answer
    target, policy = scaling(sagemaker)
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (TARGET["ResourceId"], 2, 6)
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    assert deploy_new.invoke(asked)["deployment_status"] == "Unchanged"


def test_another_model_leaves_what_scales_alone(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, scaled: dict[str, Any]
):
    before = scaling(sagemaker)
    answer = deploy_existing.invoke(event(sagemaker))
    assert answer.get("deployment_status") == "Deployed", answer
    assert operations(sagemaker, *SCALING_CALLS) == []
    assert scaling(sagemaker) == before


def test_another_instance_type_puts_back_what_scales(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, scaled: dict[str, Any]
):
    before = scaling(sagemaker)
    answer = deploy_existing.invoke(event(sagemaker, instance_type="ml.c5.xlarge", tags="team=growth"))
    assert answer.get("deployment_status") == "Deployed", answer
    assert operations(sagemaker, "UpdateEndpoint", *SCALING_CALLS[1:]) == [
        "DeregisterScalableTarget",
        "UpdateEndpoint",
        "RegisterScalableTarget",
        "PutScalingPolicy",
        "PutScheduledAction",
    ]
    assert scaling(sagemaker) == before
    arn = sagemaker.client.describe_endpoint_config(EndpointConfigName=answer["endpoint_config"])["EndpointConfigArn"]
    assert {tag["Key"]: tag["Value"] for tag in sagemaker.client.list_tags(ResourceArn=arn)["Tags"]} == {
        "team": "growth",
        "sagemaker-deployments:endpoint": ENDPOINT,
        "sagemaker-deployments:replaces": scaled["endpoint_config"],
    }


def test_a_policy_that_could_not_be_put_back_is_left_alone(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, scaled: dict[str, Any]
):
    sagemaker.scaling.put_scaling_policy(
        **TARGET,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    before = scaling(sagemaker)
    answer = deploy_existing.invoke(event(sagemaker, instance_type="ml.c5.xlarge"))
    assert answer.get("errorType") == "InvalidRequest", answer
    assert "instance_type" in answer["errorMessage"]
    assert "steps" in answer["errorMessage"]
    assert {call["operation"][:8] for call in sagemaker.calls()} <= {"Describe", "ListTags"}
    assert scaling(sagemaker) == before


def test_an_endpoint_that_could_not_be_scaled_serves_and_says_so(deploy_new: Emulator, sagemaker: LocalSageMaker):
    sagemaker.inject("RegisterScalableTarget", "deny")
    asked = event(sagemaker, **SCALED)
    answer = deploy_new.invoke(asked)
    assert answer.get("errorType") == "AccessDenied", answer
    assert answer["errorMessage"].startswith(f"The endpoint {ENDPOINT} serves the model model-")
    assert "application-autoscaling:RegisterScalableTarget" in answer["errorMessage"]
    assert len(answer["errorMessage"]) <= 1024
    assert scene.status(sagemaker.client, ENDPOINT) == "InService"
    sagemaker.clear_calls()
    assert deploy_new.invoke(asked)["deployment_status"] == "Deployed"
    changes = [name for name in operations(sagemaker) if not name.startswith(("Describe", "List"))]
    assert changes == ["RegisterScalableTarget", "PutScalingPolicy"]


# The previous model and endpoint config


def test_the_previous_model_and_config_are_deleted_if_that_is_asked_for(
    deploy_existing: Emulator, sagemaker: LocalSageMaker, scaled: dict[str, Any]
):
    answer = deploy_existing.invoke(event(sagemaker, delete_superseded=True))
    assert answer.get("deployment_status") == "Deployed", answer
    assert answer["previous_endpoint_config"] == scaled["endpoint_config"]
    assert configs(sagemaker) == {answer["endpoint_config"]}
    assert models(sagemaker) == {answer["model"]}
    deleted = {line["message"] for line in deploy_existing.last_log() if line["message"].startswith("deleted")}
    assert deleted == {"deleted the endpoint config", "deleted the model"}


def test_what_somebody_else_made_or_uses_stays(deploy_existing: Emulator, sagemaker: LocalSageMaker):
    by_hand = scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    first = deploy_existing.invoke(event(sagemaker, delete_superseded=True))
    assert first.get("deployment_status") == "Deployed", first
    assert kept(deploy_existing) == (by_hand, "this product did not make it for this endpoint")
    sagemaker.client.create_endpoint(EndpointName="shop", EndpointConfigName=first["endpoint_config"])
    scene.wait_for_status(sagemaker.client, "shop", "InService")
    second = deploy_existing.invoke(event(sagemaker, delete_superseded=True))
    assert second.get("deployment_status") == "Deployed", second
    assert kept(deploy_existing) == (first["endpoint_config"], "an endpoint uses it")
    assert operations(sagemaker, "DeleteModel", "DeleteEndpointConfig") == []


def kept(function: Emulator) -> tuple[str, str]:
    """Return what the last call says that it kept, and why."""
    [line] = [line for line in function.last_log() if line["message"] == "kept a previous resource"]
    assert line["level"] == "WARN"
    return line["resource"], line["reason"]
