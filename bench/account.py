"""What is in the local account before a function is measured, and the event that it is measured with.

The deploy functions are called for a deployment that is there already, which they answer with `Unchanged`: every cold
start costs the same reads, and waits for nothing.
"""

from typing import Any

from bench.sides import Side
from harness import scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker

Event = dict[str, Any]

_GROUP = "churn"


def prepare(local: LocalSageMaker, sides: list[Side], environment: dict[str, str]) -> dict[Side, Event]:
    """Bring every side's endpoint about, by itself, and return each side's event."""
    scene.register_group(local.client, _GROUP)
    by_hand, package = (scene.register_version(local.client, _GROUP) for _ in range(2))
    return {side: _prepare(local, side, by_hand, package, environment) for side in sides}


def _prepare(local: LocalSageMaker, side: Side, by_hand: str, package: str, environment: dict[str, str]) -> Event:
    name = side.name.replace(" ", "-")
    if side.kind == "empty":
        return {}
    if side.function != "deploy-new-endpoint":
        scene.serve(local.client, name, by_hand)
    if side.function == "check-endpoint-exists":
        return {"endpoint_name": name}
    event = scene.event(package, endpoint_name=name)
    with Emulator(side.binary, {**side.environment, **environment}) as function:
        answer = function.invoke(event)
        repeated = function.invoke(event)
    if repeated.get("deployment_status") != "Unchanged":
        raise ValueError(f"{side.name} answered {answer}, then {repeated}")
    return event
