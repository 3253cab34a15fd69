"""The services and functions that the tests share: each is started once and kept for the whole run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.moto import Moto
from harness.scene import GROUP

StartFunction = Callable[..., Emulator]


@pytest.fixture(scope="session")
def running() -> Iterator[ExitStack]:
    """What has been started for the whole run."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def quick_service(running: ExitStack) -> LocalSageMaker:
    """A local SageMaker whose every change takes tenths of a second."""
    return running.enter_context(LocalSageMaker(0.3, 0.3, 0.2, 0.2))


@pytest.fixture(scope="session")
def watched_service(running: ExitStack) -> LocalSageMaker:
    """A local SageMaker whose every status lasts long enough to be seen for certain."""
    return running.enter_context(LocalSageMaker(1, 1, 0.7, 0.7))


@pytest.fixture(scope="session")
def slow_service(running: ExitStack) -> LocalSageMaker:
    """A local SageMaker whose changes take longer than the budgets that the timeout tests give."""
    return running.enter_context(LocalSageMaker(create_seconds=2.5, update_seconds=2.5))


@pytest.fixture(scope="session")
def moto_service(running: ExitStack) -> Moto:
    """A moto server."""
    return running.enter_context(Moto())


@pytest.fixture
def sagemaker(quick_service: LocalSageMaker) -> LocalSageMaker:
    """The quick local SageMaker, empty, with the model package group in it."""
    return _emptied(quick_service)


@pytest.fixture
def watched_sagemaker(watched_service: LocalSageMaker) -> LocalSageMaker:
    """The watched local SageMaker, empty, with the model package group in it."""
    return _emptied(watched_service)


@pytest.fixture
def slow_sagemaker(slow_service: LocalSageMaker) -> LocalSageMaker:
    """The slow local SageMaker, empty, with the model package group in it."""
    return _emptied(slow_service)


def _emptied(service: LocalSageMaker) -> LocalSageMaker:
    """Forget what the last test left, and register the model package group."""
    service.reset()
    scene.register_group(service.client, GROUP)
    service.clear_calls()
    return service


@pytest.fixture
def moto(moto_service: Moto) -> Moto:
    """Moto's SageMaker, empty, with the model package group in it."""
    moto_service.reset()
    scene.register_group(moto_service.client, GROUP)
    return moto_service


@pytest.fixture(scope="session")
def emulators(running: ExitStack) -> Callable[..., Emulator]:
    """Start a function under the emulator, or return the one that was started with the same environment."""
    started: dict[tuple, Emulator] = {}

    def start(name: str, url: str, timeout_seconds: int = 900, **environment: str) -> Emulator:
        key = (name, url, timeout_seconds, *sorted(environment.items()))
        if key not in started:
            function = Emulator(binary(name), {**aws.endpoint_urls(url), **environment}, timeout_seconds)
            started[key] = running.enter_context(function)
        return started[key]

    return start


@pytest.fixture
def function(emulators: StartFunction) -> Iterator[StartFunction]:
    """``function(name, url, …)`` is a running function; its output is shown where the test fails."""
    used: dict[Emulator, tuple[int, int]] = {}

    def start(*arguments: Any, **environment: Any) -> Emulator:
        emulator = emulators(*arguments, **environment)
        used.setdefault(emulator, emulator.mark())
        return emulator

    yield start
    for emulator, mark in used.items():
        print(f"--- {emulator.binary.name}\n{emulator.output_since(mark)}")
