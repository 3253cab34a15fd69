"""An account with many endpoints, and many deployments at once in an account that is short of calls."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from bench.held import HeldFunction
from bench.resident import peak_megabytes
from bench.sides import Side, ours, twin
from harness import aws, scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker

ENDPOINTS = 10_000
# One page of the service's listing, which a check's memory at full size is held against.
_PAGE = 100
DEPLOYMENTS = 200
# The limit of the account's calls, and how long an endpoint takes: all at once ask for several times as much.
CALLS_PER_SECOND = 60
CREATE_SECONDS = 20

_GROUP = "churn"


def many_endpoints() -> dict[str, Any]:
    """Check for an endpoint that is absent, so that every page is read, on both sides."""
    figures: dict[str, Any] = {"endpoints": ENDPOINTS}
    with LocalSageMaker(create_seconds=0) as local:
        scene.register_group(local.client, _GROUP)
        scene.serve(local.client, "endpoint", scene.register_version(local.client, _GROUP))
        config = local.client.describe_endpoint(EndpointName="endpoint")["EndpointConfigName"]
        sides = [kind("check-endpoint-exists") for kind in (ours, twin)]
        _fill(local.url, config, 1, _PAGE)
        few = {side.kind: _check(local, side) for side in sides}
        _fill(local.url, config, _PAGE, ENDPOINTS)
        for side in sides:
            many = _check(local, side)
            figures[side.kind] = {**many, "peak_mb_at_one_page": few[side.kind]["peak_mb"]}
    return figures


def _fill(url: str, config: str, have: int, want: int) -> None:
    """Make the account's endpoints as many as wanted, by plain requests: boto3 would take minutes."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"X-Amz-Target": "SageMaker.CreateEndpoint", "Content-Type": "application/x-amz-json-1.1"}
    for number in range(have, want):
        body = {"EndpointName": f"endpoint-{number}", "EndpointConfigName": config}
        connection.request("POST", "/", json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"CreateEndpoint: {response.status} {text.decode()}")
    connection.close()


def _check(local: LocalSageMaker, side: Side) -> dict[str, float]:
    with HeldFunction(side, aws.endpoint_urls(local.url)) as function:
        local.clear_calls()
        check = function.invoke({"endpoint_name": "absent"})
        calls = len(local.calls("ListEndpoints"))
        peak = peak_megabytes(function.process.pid)
    return {"calls": calls, "elapsed_ms": check.elapsed_ms, "cpu_ms": check.cpu_ms, "peak_mb": peak}


def many_deployments() -> dict[str, Any]:
    """Deploy so many endpoints at once, each by a function of its own, and return how it went."""
    with (
        LocalSageMaker(create_seconds=CREATE_SECONDS, calls_per_second=CALLS_PER_SECOND) as local,
        ExitStack() as functions,
        ThreadPoolExecutor(DEPLOYMENTS) as pool,
    ):
        scene.register_group(local.client, _GROUP)
        package = scene.register_version(local.client, _GROUP)
        side = ours("deploy-new-endpoint")
        started = [
            functions.enter_context(Emulator(side.binary, aws.endpoint_urls(local.url))) for _ in range(DEPLOYMENTS)
        ]
        local.clear_calls()
        events = [scene.event(package, endpoint_name=f"endpoint-{number}") for number in range(DEPLOYMENTS)]
        began = time.monotonic()
        answers = list(pool.map(lambda function, event: function.invoke(event), started, events))
        elapsed = time.monotonic() - began
        calls = local.calls()
    throttled = sum(call["error_code"] == "ThrottlingException" for call in calls)
    return {
        "deployments": DEPLOYMENTS,
        "calls_per_second": CALLS_PER_SECOND,
        "create_seconds": CREATE_SECONDS,
        "deployed": sum(answer.get("deployment_status") == "Deployed" for answer in answers),
        "elapsed_seconds": elapsed,
        "calls": len(calls),
        "throttled": throttled,
    }
