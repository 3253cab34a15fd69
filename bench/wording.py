"""How figures are put into words. Pure."""

import textwrap
from typing import Any

_LINE = 120


def spread(figure: dict[str, Any]) -> str:
    """Return a median with its quartiles, to three digits."""
    return f"{digits(figure['median'])} [{digits(figure['low'])}–{digits(figure['high'])}]"


def times(figure: dict[str, Any]) -> str:
    """Return a ratio with its quartiles."""
    return f"**{digits(figure['median'])}×** [{digits(figure['low'])}–{digits(figure['high'])}]"


def digits(value: float) -> str:
    """Return a number to two or three digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def prose(text: str) -> str:
    """Return a paragraph in lines as long as the other documents'."""
    return textwrap.fill(text, _LINE, break_long_words=False, break_on_hyphens=False)


def mark(met: bool) -> str:
    """Return the word for a goal that is met, or is not."""
    return "met" if met else "missed"
