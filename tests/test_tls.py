"""The way to the service as in earnest: over TLS, by certificates that the system's bundle trusts, and by a proxy."""

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.tls import Proxy, TlsFront

CHECK = {"endpoint_name": scene.ENDPOINT}


@pytest.fixture
def front(sagemaker: LocalSageMaker, tmp_path: Path) -> Iterator[TlsFront]:
    """TLS before the quick local SageMaker."""
    with TlsFront(sagemaker.url, tmp_path) as front:
        yield front


def trusting(front: TlsFront, **more: str) -> dict[str, str]:
    return {**aws.endpoint_urls(front.url), "SSL_CERT_FILE": str(front.bundle), **more}


def test_a_model_is_deployed_over_tls(sagemaker: LocalSageMaker, front: TlsFront):
    event = scene.next_event(
        sagemaker.client, autoscaling_max_capacity=4, autoscaling_target_invocations_per_instance=70
    )
    with Emulator(binary("deploy-new-endpoint"), trusting(front)) as deploy:
        answer = deploy.invoke(event)
    assert answer.get("deployment_status") == "Deployed", answer
    with Emulator(binary("check-endpoint-exists"), trusting(front)) as check:
        assert check.invoke(CHECK) == {"endpoint_exists": True, "endpoint_status": "InService"}


def test_a_service_that_no_root_vouches_for_is_not_called(sagemaker: LocalSageMaker, front: TlsFront):
    with Emulator(binary("check-endpoint-exists"), trusting(front, SSL_CERT_FILE=certifi.where())) as check:
        answer = check.invoke(CHECK)
    assert answer.get("errorType") == "SageMakerError", answer
    assert "UnknownIssuer" in answer["errorMessage"]
    assert sagemaker.calls("ListEndpoints") == []


def test_a_certificate_for_another_name_is_refused(sagemaker: LocalSageMaker, tmp_path: Path):
    with (
        TlsFront(sagemaker.url, tmp_path, certified_name="sagemaker.example.com") as front,
        Emulator(binary("check-endpoint-exists"), trusting(front)) as check,
    ):
        answer = check.invoke(CHECK)
    assert answer.get("errorType") == "SageMakerError", answer
    assert "sagemaker.example.com" in answer["errorMessage"]
    assert sagemaker.calls("ListEndpoints") == []


def test_a_proxy_that_the_environment_names_is_gone_through(front: TlsFront):
    with Proxy() as proxy, Emulator(binary("check-endpoint-exists"), trusting(front, HTTPS_PROXY=proxy.url)) as check:
        assert check.invoke(CHECK) == {"endpoint_exists": False, "endpoint_status": "NotFound"}
        assert proxy.tunnels == [front.url.removeprefix("https://")]


def test_a_host_that_the_environment_excepts_is_called_without_the_proxy(front: TlsFront):
    with (
        Proxy() as proxy,
        Emulator(
            binary("check-endpoint-exists"), trusting(front, HTTPS_PROXY=proxy.url, NO_PROXY="localhost")
        ) as check,
    ):
        assert check.invoke(CHECK) == {"endpoint_exists": False, "endpoint_status": "NotFound"}
        assert proxy.tunnels == []
