"""Requests that the functions refuse before any call."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from seen import error_type

from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.scene import ARN, ENDPOINT, event


@pytest.mark.parametrize("name", ["check-endpoint-exists", "deploy-new-endpoint", "deploy-existing-endpoint"])
@pytest.mark.parametrize("value", [[], "text", 7, None, True], ids=repr)
def test_an_event_that_is_no_object_is_refused_and_the_function_lives_on(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker, name: str, value: Any
):
    called = function(name, sagemaker.url)
    assert error_type(called.invoke(value)) == "InvalidRequest"
    assert sagemaker.calls() == []
    # The same process answers the next event.
    assert error_type(called.invoke({"endpoint_name": ENDPOINT})) in (None, "InvalidRequest")


@pytest.mark.parametrize("bad", [{}, {"endpoint_name": ""}, {"endpoint_name": None}, {"endpoint_name": "my_endpoint"}])
def test_check_names_its_bad_key(check: Emulator, sagemaker: LocalSageMaker, bad: dict[str, Any]):
    answer = check.invoke(bad)
    assert error_type(answer) == "InvalidRequest"
    assert "endpoint_name" in answer["errorMessage"]
    assert sagemaker.calls() == []


@pytest.mark.parametrize("name", ["deploy-new-endpoint", "deploy-existing-endpoint"])
@pytest.mark.parametrize(
    ("event_", "bad_keys"),
    [
        ({}, {"role", "endpoint_name", "package_arn"}),
        ({"role": "", "endpoint_name": None, "package_arn": ""}, {"role", "endpoint_name", "package_arn"}),
        (event("churn-model/1"), {"package_arn"}),
        (event(f"{ARN}:model-package/churn-model/1", role="churn-model"), {"role"}),
        (
            event(
                f"{ARN}:model-package/churn-model/1",
                endpoint_name="x" * 64,
                instance_type="m5.large",
                initial_instance_count="many",
                max_wait_seconds=-1,
                on_timeout="explode",
                dry_run="perhaps",
            ),
            {
                "endpoint_name",
                "instance_type",
                "initial_instance_count",
                "max_wait_seconds",
                "on_timeout",
                "dry_run",
            },
        ),
    ],
    ids=["empty", "unset", "package", "role", "many"],
)
def test_a_deployment_names_every_bad_key_and_calls_nothing(
    function: Callable[..., Emulator],
    sagemaker: LocalSageMaker,
    name: str,
    event_: dict[str, Any],
    bad_keys: set[str],
):
    answer = function(name, sagemaker.url).invoke(event_)
    assert error_type(answer) == "InvalidRequest"
    known = {*event(""), *event_, "role", "deployment_id", "on_failure"}
    named = {key for key in known if re.search(rf"\b{key}\b", answer["errorMessage"])}
    assert named == bad_keys
    assert sagemaker.calls() == []
