"""The twins do what the functions do: a comparison with something else would compare nothing."""

import pytest

from bench.sides import lay_out_twins, ours, twin
from harness import aws, scene
from harness.emulator import Emulator
from harness.local import LocalSageMaker

SAME = ("statusCode", "body", "endpoint_name", "endpoint_arn", "endpoint_status", "deployment_status")


@pytest.fixture(scope="module", autouse=True)
def twins():
    lay_out_twins()


@pytest.fixture(params=[ours, twin], ids=["ours", "twin"])
def side(request):
    return request.param


@pytest.fixture
def local():
    with LocalSageMaker(create_seconds=0, update_seconds=0, rollback_seconds=0) as local:
        scene.register_group(local.client, "churn")
        yield local


def invoke(local, side, event):
    """Invoke a function, and return its answer with the operations that it called."""
    local.clear_calls()
    with Emulator(side.binary, {**side.environment, **aws.endpoint_urls(local.url)}) as function:
        answer = function.invoke(event)
    return answer, [call["operation"] for call in local.calls()]


def deploy(local, side, function, package):
    event = scene.event(package, endpoint_name="churn")
    return invoke(local, side(function), event)


def test_a_check(local, side):
    check = side("check-endpoint-exists")
    assert invoke(local, check, {"endpoint_name": "churn"})[0] == {
        "endpoint_exists": False,
        "endpoint_status": "NotFound",
    }
    scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
    assert invoke(local, check, {"endpoint_name": "Churn"})[0] == {
        "endpoint_exists": True,
        "endpoint_status": "InService",
    }


def test_a_new_endpoint(local, side):
    package = scene.register_version(local.client, "churn")
    answer, _ = deploy(local, side, "deploy-new-endpoint", package)
    assert answer["deployment_status"] == "Deployed"
    assert scene.status(local.client, "churn") == "InService"


def test_a_repeated_deployment_costs_both_the_same_calls(local):
    for function in ("deploy-new-endpoint", "deploy-existing-endpoint"):
        made = []
        for side in (ours, twin):
            local.reset()
            scene.register_group(local.client, "churn")
            package = scene.register_version(local.client, "churn")
            if function == "deploy-existing-endpoint":
                scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
            deploy(local, side, function, package)
            answer, calls = deploy(local, side, function, package)
            made.append(({key: answer[key] for key in SAME}, calls))
        assert made[0] == made[1]
        assert made[0][0]["deployment_status"] == "Unchanged"


def test_a_rolled_back_update(local, side):
    scene.serve(local.client, "churn", scene.register_version(local.client, "churn"))
    local.outcome("churn", "update-rolls-back", "the container does not answer")
    answer, _ = deploy(local, side, "deploy-existing-endpoint", scene.register_version(local.client, "churn"))
    assert answer["errorType"] == "UpdateRolledBack"
    assert "the container does not answer" in answer["errorMessage"]
    # What the failed deployment made is gone.
    assert len(local.client.list_models()["Models"]) == 1


def test_a_package_that_is_not_approved(local, side):
    package = scene.register_version(local.client, "churn", approval="PendingManualApproval")
    answer, calls = deploy(local, side, "deploy-new-endpoint", package)
    assert answer["errorType"] == "ModelPackageNotApproved"
    assert "CreateModel" not in calls
