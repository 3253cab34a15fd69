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

_ROOTS = (
    "most of what an init takes beyond the empty function's is the reading of the system's root certificates, which "
    "[stay the system's](../docs/decisions/configured-by-the-environment.md)."
)
_CODE = (
    "it is code, the SDK's for three services and that of TLS, and "
    "[what would make it smaller](../docs/decisions/release-build.md) costs more than it gives."
)


@dataclass(frozen=True)
class Goal:
    """One goal: what of, what is wanted, and the worst of what was found among the functions."""

    what: str
    wanted: str
    found: str
    met: bool
    # What stands in the way where it is missed, and why it stays.
    otherwise: str = ""


def goals(results: dict[str, Any]) -> list[Goal]:
    """Return the goals, by the worst of the three functions' medians."""
    figures = results["startup"]["figures"]
    return [
        _at_most("init, to the empty function's", figures["tls_init_ms"], "ours_to_empty", _INIT_TO_EMPTY, _ROOTS),
        _at_least("init, the twin's to ours", figures["tls_init_ms"], _TWIN_INIT),
        _at_least("cold answer over TLS, the twin's to ours", figures["tls_cold_ms"], _TWIN_COLD),
        _at_least("memory, the twin's to ours", figures["tls_peak_mb"], _TWIN_MEMORY, _CODE),
        _zip(results["packages"]["ours"]),
    ]


def _medians(of: dict[str, Any], ratio: str) -> list[float]:
    return [figure[ratio]["median"] for function, figure in of.items() if function != "empty"]


def _at_most(what: str, of: dict[str, Any], ratio: str, wanted: float, otherwise: str) -> Goal:
    worst = max(_medians(of, ratio))
    return Goal(what, f"at most {wanted}×", f"{digits(worst)}×", worst <= wanted, otherwise)


def _at_least(what: str, of: dict[str, Any], wanted: float, otherwise: str = "") -> Goal:
    worst = min(_medians(of, "twin_to_ours"))
    return Goal(what, f"at least {wanted}×", f"{digits(worst)}×", worst >= wanted, otherwise)


def _zip(sizes: dict[str, float]) -> Goal:
    worst = max(sizes.values())
    return Goal("zip of each function", f"at most {ZIP_MB} MB", f"{worst:.2f} MB", worst <= ZIP_MB, _CODE)
