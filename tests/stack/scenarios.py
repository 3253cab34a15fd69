"""Deployments that together make every call that a function can make."""

from collections.abc import Callable
from typing import Any

from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT, GROUP, TARGET, next_event

# It gets what starts a function by its name, and leaves its calls in the local SageMaker's record.
Scenario = Callable[[Callable[[str], Emulator], LocalSageMaker], None]

SCALED = {
    "autoscaling_max_capacity": 4,
    "autoscaling_target_invocations_per_instance": 70,
}


def assert_deployed(answer: Any) -> None:
    assert answer.get("deployment_status") == "Deployed", answer


def calls_of_check(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    start("check-endpoint-exists").invoke({"endpoint_name": ENDPOINT})


def calls_of_deploy_new(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Deploy with an undo, over a lost reply, once more, and behind another endpoint that is not seen yet."""
    sagemaker.outcome(ENDPOINT, "create-fails")
    client = sagemaker.client
    failing, good, late = next_event(client), next_event(client, tags="team=growth", **SCALED), next_event(client)
    sagemaker.clear_calls()
    deploy = start("deploy-new-endpoint")
    assert deploy.invoke(failing)["errorType"] == "EndpointCreationFailed"
    sagemaker.inject("CreateEndpointConfig", "drop-after")
    assert_deployed(deploy.invoke(good))
    assert deploy.invoke(good)["deployment_status"] == "Unchanged"
    sagemaker.inject("DescribeEndpoint", "stale")
    assert deploy.invoke(late)["errorType"] == "EndpointAlreadyExists"


def calls_of_deploy_existing(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Update an endpoint that a person made and has scaled: with an undo, keys, other instances and another number."""
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    sagemaker.scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    sagemaker.scaling.put_scheduled_action(
        **TARGET,
        ScheduledActionName="morning",
        Schedule="cron(0 6 * * ? *)",
        ScalableTargetAction={"MinCapacity": 2},
    )
    sagemaker.outcome(ENDPOINT, "update-rolls-back")
    failing, scaled = next_event(sagemaker.client), next_event(sagemaker.client, tags="team=growth", **SCALED)
    resized = next_event(sagemaker.client, instance_type="ml.c5.xlarge", delete_superseded=True)
    sagemaker.clear_calls()
    deploy = start("deploy-existing-endpoint")
    assert deploy.invoke(failing)["errorType"] == "UpdateRolledBack"
    assert_deployed(deploy.invoke(scaled))
    assert_deployed(deploy.invoke(resized))
    # The endpoint config has this number already, so that the number of the variant is all that there is to set.
    changed_by_hand = {"VariantName": "AllTraffic", "DesiredInstanceCount": 2}
    sagemaker.client.update_endpoint_weights_and_capacities(
        EndpointName=ENDPOINT, DesiredWeightsAndCapacities=[changed_by_hand]
    )
    scene.wait_for_status(sagemaker.client, ENDPOINT, "InService")
    assert_deployed(deploy.invoke({**resized, "initial_instance_count": 1}))
    assert sagemaker.calls("UpdateEndpointWeightsAndCapacities")[1:] != []


def calls_of_replacing(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Replace an endpoint that failed and was scaled."""
    scene.serve(sagemaker.client, ENDPOINT, scene.register_version(sagemaker.client, GROUP))
    sagemaker.scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    sagemaker.force_status(ENDPOINT, "Failed")
    replacing = next_event(sagemaker.client, replace_failed_endpoint=True)
    sagemaker.clear_calls()
    assert_deployed(start("deploy-existing-endpoint").invoke(replacing))


def calls_of_deleting(start: Callable[[str], Emulator], sagemaker: LocalSageMaker) -> None:
    """Delete the previous model and config of an endpoint that has another variant, next to another endpoint."""
    client = sagemaker.client
    package = scene.register_version(client, GROUP)
    challenger = "challenger-by-hand"
    client.create_model(
        ModelName=challenger, ExecutionRoleArn=scene.ROLE, PrimaryContainer={"ModelPackageName": package}
    )
    variants = [scene.variant(f"{ENDPOINT}-by-hand"), scene.variant(challenger, VariantName="Challenger")]
    scene.serve(client, ENDPOINT, package, ProductionVariants=variants)
    deploy = start("deploy-existing-endpoint")
    replaced = deploy.invoke(next_event(client, variant_name="AllTraffic"))
    assert_deployed(replaced)
    scene.serve(client, "fraud", package)
    replacing = next_event(client, variant_name="AllTraffic", delete_superseded=True)
    sagemaker.clear_calls()
    answer = deploy.invoke(replacing)
    assert_deployed(answer)
    assert [call["request"] for call in sagemaker.calls("DeleteModel")] == [{"ModelName": replaced["model"]}]

    def endpoint_configs(operation: str) -> list[str]:
        return [call["request"]["EndpointConfigName"] for call in sagemaker.calls(operation)]

    # One endpoint config holds the checkpoint and is deleted with the end of the deployment.
    [anchor] = set(endpoint_configs("CreateEndpointConfig")) - {answer["endpoint_config"]}
    assert endpoint_configs("DeleteEndpointConfig") == [replaced["endpoint_config"], anchor]
