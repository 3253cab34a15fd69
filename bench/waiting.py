"""What waiting costs, by the length of a deployment: looks at the endpoint, lag, and what Lambda bills. Pure.

A look happens at a time after the deployment's beginning; the first look at or after its end is the one that notices
it. A deployment longer than one call may wait is waited for by several, one after the other, as a pipeline would.
"""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# The lengths of deployments, in seconds: a local one, serverless, a small and a large instance, a large model.
LENGTHS = (20, 120, 300, 900, 2700)

# A length stands for its neighbourhood: how a look falls on exactly 300 s is luck.
_NEIGHBOURHOOD = 0.1
_NEIGHBOURS = 41

# The contract's budget for one call's wait.
_CALL_SECONDS = 540

# What one would write without thinking of it, and the memory one would give it.
_FIXED_SECONDS = 30
_FIXED_MB = 1024

# The SDK for Rust's waiter for endpoints: from the shortest pause, doubling up to the longest, any length between them.
_WAITER_SHORTEST, _WAITER_LONGEST = 30, 3600
# The waiter is random: it stands for so many waits.
_WAITERS = 25

_OWN_MB = 128


@dataclass(frozen=True)
class Way:
    """One way to wait: when it looks, what it is given, and what is billed."""

    name: str
    memory_mb: int
    # One or, where there is chance in it, several courses of looks.
    courses: Sequence[Sequence[float]]
    # How long a look keeps the function busy where nothing is billed between two; nothing where waiting itself is.
    step_seconds: float | None = None


@dataclass(frozen=True)
class Cost:
    """What one way makes of one deployment."""

    polls: int
    lag_seconds: float
    gb_seconds: float


def ways(looks: dict[str, Sequence[float]], step_seconds: float) -> list[Way]:
    """Return the ways to wait. ``looks`` has the functions' own, for one call and for a queue's messages."""
    horizon = LENGTHS[-1] * (1 + _NEIGHBOURHOOD)
    return [
        Way("this, in a LambdaStep", _OWN_MB, [repeated_calls(looks["function"], horizon)]),
        Way("this, through the queue", _OWN_MB, [looks["queue"]], step_seconds),
        Way(f"every {_FIXED_SECONDS} s at {_FIXED_MB} MB", _FIXED_MB, [fixed(_FIXED_SECONDS, horizon)]),
        Way("the SDK's waiter", _OWN_MB, [waiter(random.Random(seed), horizon) for seed in range(_WAITERS)]),
    ]


def repeated_calls(looks: Sequence[float], horizon: float) -> list[float]:
    """Return the looks of calls that follow each other, each of which gives up at the end of its budget."""
    within = [0.0, *(look for look in looks if look < _CALL_SECONDS), float(_CALL_SECONDS)]
    calls = range(int(horizon // _CALL_SECONDS) + 2)
    return [call * _CALL_SECONDS + look for call in calls for look in within[1 if call == 0 else 0 :]]


def fixed(seconds: float, horizon: float) -> list[float]:
    """Return looks at equal distances, the first at once."""
    return [number * seconds for number in range(int(horizon / seconds) + 2)]


def waiter(chance: random.Random, horizon: float) -> list[float]:
    """Return the looks of an SDK's waiter, the first at once."""
    looks, ceiling = [0.0], _WAITER_SHORTEST
    while looks[-1] <= horizon:
        looks.append(looks[-1] + chance.randint(_WAITER_SHORTEST, ceiling))
        ceiling = min(2 * ceiling, _WAITER_LONGEST)
    return looks


def cost(way: Way, course: Sequence[float], seconds: float) -> Cost:
    """Return what a deployment of this length costs on one course."""
    polls = next(number for number, look in enumerate(course, start=1) if look >= seconds)
    noticed = course[polls - 1]
    busy = noticed if way.step_seconds is None else polls * way.step_seconds
    return Cost(polls, noticed - seconds, busy * way.memory_mb / 1024)


def table(ways: Sequence[Way]) -> list[dict[str, object]]:
    """Return one row for each length and way: the medians over the neighbourhood, and the longest lag in it."""
    rows = []
    for seconds in LENGTHS:
        for way in ways:
            costs = [cost(way, course, length) for course in way.courses for length in neighbours(seconds)]

            def median(of: Callable[[Cost], float], costs: list[Cost] = costs) -> float:
                return statistics.median(map(of, costs))

            rows.append(
                {
                    "seconds": seconds,
                    "way": way.name,
                    "polls": median(lambda cost: cost.polls),
                    "lag_seconds": median(lambda cost: cost.lag_seconds),
                    "longest_lag_seconds": max(cost.lag_seconds for cost in costs),
                    "gb_seconds": median(lambda cost: cost.gb_seconds),
                }
            )
    return rows


def neighbours(seconds: float) -> list[float]:
    """Return lengths spread evenly around this one."""
    start, width = seconds * (1 - _NEIGHBOURHOOD), 2 * seconds * _NEIGHBOURHOOD
    return [start + width * number / (_NEIGHBOURS - 1) for number in range(_NEIGHBOURS)]
