"""What the functions log of a call."""

import re
from datetime import datetime

import pytest

from harness.emulator import Emulator, Record
from harness.local import LocalSageMaker
from harness.scene import ENDPOINT, event
from pipeline import contract


def with_message(log: list[Record], message: str) -> Record:
    [record] = [record for record in log if record["message"] == message]
    return record


def assert_is_one_call(called: Emulator, log: list[Record]) -> None:
    """Every line is JSON and says when, how grave and of which call it is."""
    assert len(called.last_lines()) == len(log)
    assert len({record["request_id"] for record in log}) == 1
    for record in log:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", record["request_id"])
        assert record["endpoint_name"] == ENDPOINT
        assert record["level"] in ("INFO", "WARN", "ERROR")
        assert datetime.fromisoformat(record["timestamp"]).tzinfo is not None


def test_a_check_logs_its_start_and_end(check: Emulator):
    check.invoke({"endpoint_name": ENDPOINT})
    log = check.last_log()
    assert_is_one_call(check, log)
    assert [record["message"] for record in log] == ["check started", "check finished"]
    assert with_message(log, "check finished")["duration_ms"] >= 0


def test_a_deployment_logs_every_status_change(deploy_existing: Emulator, next_package: str):
    answer = deploy_existing.invoke(event(next_package))
    log = deploy_existing.last_log()
    assert_is_one_call(deploy_existing, log)
    assert log[0]["message"] == "deployment started"
    assert log[-1]["message"] == "deployment finished"
    assert log[-1]["model_name"] == answer["model"]
    assert log[-1]["duration_ms"] == pytest.approx(answer["elapsed_seconds"] * 1000, abs=100)

    changes = [record for record in log if record["message"] == "endpoint status"]
    statuses = [record["status"] for record in changes]
    assert statuses[0] == statuses[-1] == "InService"
    elapsed = [record["elapsed_seconds"] for record in changes]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] <= answer["elapsed_seconds"]


def test_a_failure_is_logged_once(deploy_new: Emulator, sagemaker: LocalSageMaker, package: str):
    sagemaker.outcome(ENDPOINT, "create-fails", "No capacity.")
    answer = deploy_new.invoke(event(package))
    log = deploy_new.last_log()
    assert_is_one_call(deploy_new, log)
    [failure] = [record for record in log if record["level"] == "ERROR"]
    assert failure["message"] == "deployment failed"
    assert failure["error_type"] == answer["errorType"] == "EndpointCreationFailed"
    assert failure["error_message"] == answer["errorMessage"]
    assert failure["duration_ms"] > 0
    assert "Failed" in [record.get("status") for record in log]


def test_a_refused_request_is_logged_with_its_endpoint(deploy_new: Emulator):
    deploy_new.invoke({"endpoint_name": ENDPOINT})
    log = deploy_new.last_log()
    assert_is_one_call(deploy_new, log)
    assert [record["message"] for record in log] == ["deployment started", "deployment failed"]
    assert log[-1]["error_type"] == "InvalidRequest"


def ignored(log: list[Record]) -> list[tuple[str, str]]:
    """Level and text of the lines about keys that no function knows."""
    return [(record["level"], record["keys"]) for record in log if "keys" in record]


def test_keys_that_no_function_knows_are_warned_of_before_anything_is_done(
    deploy_existing: Emulator, next_package: str
):
    misspelt = event(next_package, trafic_routing="canary", Instance_Type="ml.c5.xlarge", comment="nightly")
    assert deploy_existing.invoke(misspelt).get("deployment_status") == "Deployed"
    log = deploy_existing.last_log()
    assert_is_one_call(deploy_existing, log)
    assert [record["message"] for record in log[:2]] == [
        "deployment started",
        "keys of the event that no function knows are ignored",
    ]
    named = "Instance_Type: did you mean instance_type?; comment; trafic_routing: did you mean traffic_routing?"
    assert ignored(log) == [("WARN", named)]


def test_a_misspelt_key_is_warned_of_where_the_request_is_refused(deploy_new: Emulator):
    deploy_new.invoke({"endpoint_name": ENDPOINT, "package": "an ARN"})
    log = deploy_new.last_log()
    assert ignored(log) == [("WARN", "package: did you mean package_arn?")]
    assert [record["level"] for record in log] == ["INFO", "WARN", "ERROR"]


def test_each_function_knows_the_keys_of_the_others(check: Emulator, deploy_new: Emulator, deploy_existing: Emulator):
    every_key = dict.fromkeys(("role", "endpoint_name", "package_arn", *contract.SETTINGS), "-")
    for called in (check, deploy_new, deploy_existing):
        called.invoke({**every_key, "dry_runs": "true"})
        assert ignored(called.last_log()) == [("WARN", "dry_runs")]
        called.invoke(every_key)
        assert ignored(called.last_log()) == []
