"""Start-up, answers, memory and CPU time of every side, over HTTP and over TLS."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from bench.account import Event, prepare
from bench.emulated import EmulatedFunction
from bench.held import HeldFunction
from bench.quota import Quota, QuotaUnavailableError
from bench.sides import WORKSHOP, Side, empty, pairs
from bench.spread import Spread, ratio
from harness import aws
from harness.local import LocalSageMaker
from harness.tls import TlsFront

# A warm answer is the last of so many: the ones before it warm the code up, as traffic does.
_WARM_ANSWERS = 10

# Series of measurements by what was measured and on which side, in the order of the runs.
Series = dict[str, dict[Side, list[float]]]

Say = Callable[[str], None]


def measure(runs: int, quota_runs: int, say: Say) -> dict[str, Any]:
    """Measure every side in turns: what disturbs the machine for a while disturbs all of them."""
    sides = [empty(), *(side for pair in pairs() for side in pair)]
    # Nothing is waited for here.
    with LocalSageMaker(create_seconds=0, update_seconds=0) as local, TlsFront(local.url, WORKSHOP) as front:
        events = prepare(local, sides, aws.endpoint_urls(local.url))

        def over_http(side: Side) -> dict[str, str]:
            return _secured(side, front, local.url)

        def over_tls(side: Side) -> dict[str, str]:
            return _secured(side, front, front.url)

        times: Series = defaultdict(lambda: defaultdict(list))
        for run in range(runs):
            say(f"start-up: run {run + 1} of {runs}")
            for side in sides:
                for name, environment in (("http", over_http(side)), ("tls", over_tls(side))):
                    for what, value in _emulated(side, environment, events[side]):
                        times[f"{name}_{what}"][side].append(value)
                for what, value in _held(side, over_tls(side), events[side]):
                    times[what][side].append(value)
        limited = _under_quota(quota_runs, sides, over_tls, events, say)
    return {"runs": runs, "quota_runs": quota_runs, "figures": _figures(times), "quota": limited}


def _secured(side: Side, front: TlsFront, url: str) -> dict[str, str]:
    """Return the environment in which a side calls ``url``: with the roots to read, whether it needs them or not."""
    return {**aws.endpoint_urls(url), side.roots: str(front.bundle)}


def _emulated(side: Side, environment: dict[str, str], event: Event) -> Iterator[tuple[str, float]]:
    """Start a side under the emulator and return what one cold and some warm answers give."""
    with EmulatedFunction(side, environment) as function:
        first = function.answer(event)
        warm = [function.answer(event) for _ in range(_WARM_ANSWERS)]
        init = function.init_ms()
        yield "init_ms", init
        yield "first_ms", first
        yield "cold_ms", init + first
        yield "warm_ms", warm[-1]
        yield "peak_mb", function.peak_megabytes()


def _held(side: Side, environment: dict[str, str], event: Event) -> Iterator[tuple[str, float]]:
    """Start a side and return the CPU time of its phases."""
    with HeldFunction(side, environment) as function:
        yield "init_cpu_ms", function.init.cpu_ms
        yield "first_cpu_ms", function.invoke(event).cpu_ms
        warm = [function.invoke(event).cpu_ms for _ in range(_WARM_ANSWERS)]
        yield "warm_cpu_ms", warm[-1]


def _under_quota(
    runs: int, sides: list[Side], environment: Callable[[Side], dict[str, str]], events: dict[Side, Event], say: Say
) -> dict[str, Any]:
    """Measure the cold path with the CPU of 128 MB: all of it, and from the first event on, as Lambda has it."""
    times: Series = defaultdict(lambda: defaultdict(list))
    try:
        with Quota() as quota:
            for run in range(runs):
                say(f"with the CPU of 128 MB: run {run + 1} of {runs}")
                for side in sides:
                    with HeldFunction(side, environment(side)) as function:
                        quota.add(function.process.pid)
                        times["first_ms"][side].append(function.invoke(events[side]).elapsed_ms)
                        times["warm_ms"][side].append(function.invoke(events[side]).elapsed_ms)
                    with HeldFunction(side, environment(side), quota) as function:
                        first = function.invoke(events[side]).elapsed_ms
                        times["whole_ms"][side].append(function.init.elapsed_ms + first)
            return {"by": quota.version, "figures": _figures(times)}
    except QuotaUnavailableError as error:
        say(str(error))
        return {"by": None, "figures": {}}


def _figures(times: Series) -> dict[str, Any]:
    """Return each measurement's spreads by function and kind, and the ratios of twin to ours and of ours to nothing."""
    figures: dict[str, Any] = {}
    for what, series in times.items():
        floor = next(values for side, values in series.items() if side.kind == "empty")
        figures[what] = {"empty": Spread.of(floor).as_json()}
        for own, other in pairs():
            figures[what][own.function] = {
                "ours": Spread.of(series[own]).as_json(),
                "twin": Spread.of(series[other]).as_json(),
                "twin_to_ours": ratio(series[other], series[own]).as_json(),
                "ours_to_empty": ratio(series[own], floor).as_json(),
            }
    return figures
