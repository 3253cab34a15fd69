"""A median and its spread, and the ratio of two. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, and the quartiles that half of them lie between."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the spread of at least one value."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        return cls(median, low, high, len(values))

    def as_json(self) -> dict[str, float]:
        """Return it as the results file has it, with no more digits than it is good for."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def ratio(of: Sequence[float], to: Sequence[float]) -> Spread:
    """Return how many times ``to`` goes into ``of``, run by run: what slows the machine for a while slows both."""
    return Spread.of([one / other for one, other in zip(of, to, strict=True)])


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if isinstance(value, float) else value
