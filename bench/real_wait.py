"""One real deployment of 20 s on each side, which the reckoned waits are held against."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.sides import Side, ours, twin
from harness import aws, scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker

SECONDS = 20

_FUNCTION = "deploy-new-endpoint"
_GROUP = "churn"


def measure() -> dict[str, Any]:
    """Deploy on both sides at once, and return each one's looks and lag."""
    with LocalSageMaker(create_seconds=SECONDS) as local, ThreadPoolExecutor() as pool:
        scene.register_group(local.client, _GROUP)
        package = scene.register_version(local.client, _GROUP)
        sides = (ours(_FUNCTION), twin(_FUNCTION))
        deployments = {side.kind: pool.submit(_deploy, local, side, package) for side in sides}
        return {kind: deployment.result() for kind, deployment in deployments.items()}


def _deploy(local: LocalSageMaker, side: Side, package: str) -> dict[str, float]:
    event = scene.event(package, endpoint_name=side.kind)
    with Emulator(side.binary, {**side.environment, **aws.endpoint_urls(local.url)}) as function:
        started = time.monotonic()
        answer = function.invoke(event)
        elapsed = time.monotonic() - started
    if answer.get("deployment_status") != "Deployed":
        raise ValueError(f"{side.name} answered {answer}")
    calls = [call for call in local.calls() if call["request"].get("EndpointName") == side.kind]
    created = next(call["at_seconds"] for call in calls if call["operation"] == "CreateEndpoint")
    looks = [call for call in calls if call["operation"] == "DescribeEndpoint" and call["at_seconds"] > created]
    noticed = next(call["at_seconds"] for call in looks if call["at_seconds"] >= created + SECONDS)
    return {"polls": len(looks), "lag_seconds": noticed - created - SECONDS, "billed_seconds": elapsed}
