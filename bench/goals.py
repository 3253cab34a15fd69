"""What the figures should be, and whether they are. Pure."""

from dataclasses import dataclass
from typing import Any

from bench.wording import digits

# What is wanted of each: see each goal's words.
_INIT_TO_EMPTY = 2
_TWIN_INIT = 40
_TWIN_COLD = 15
_TWIN_MEMORY = 7
ZIP_MB = 2.2


@dataclass(frozen=True)
class Goal:
    """One goal: what of, what is wanted, and the worst of what was found among the functions."""

    what: str
    wanted: str
    found: str
    met: bool


def goals(results: dict[str, Any]) -> list[Goal]:
    """Return the goals, by the worst of the three functions' medians."""
    figures = results["startup"]["figures"]
    return [
        _at_most("init, to the empty function's", figures["tls_init_ms"], "ours_to_empty", _INIT_TO_EMPTY),
        _at_least("init, the twin's to ours", figures["tls_init_ms"], _TWIN_INIT),
        _at_least("cold answer over TLS, the twin's to ours", figures["tls_cold_ms"], _TWIN_COLD),
        _at_least("memory, the twin's to ours", figures["tls_peak_mb"], _TWIN_MEMORY),
        _zip(results["packages"]["ours"]),
    ]


def _medians(of: dict[str, Any], ratio: str) -> list[float]:
    return [figure[ratio]["median"] for function, figure in of.items() if function != "empty"]


def _at_most(what: str, of: dict[str, Any], ratio: str, wanted: float) -> Goal:
    worst = max(_medians(of, ratio))
    return Goal(what, f"at most {wanted}×", f"{digits(worst)}×", worst <= wanted)


def _at_least(what: str, of: dict[str, Any], wanted: float) -> Goal:
    worst = min(_medians(of, "twin_to_ours"))
    return Goal(what, f"at least {wanted}×", f"{digits(worst)}×", worst >= wanted)


def _zip(sizes: dict[str, float]) -> Goal:
    worst = max(sizes.values())
    return Goal("zip of each function", f"at most {ZIP_MB} MB", f"{worst:.2f} MB", worst <= ZIP_MB)
