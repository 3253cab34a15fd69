"""ratios.svg out of results.json: how many times less each thing costs than on boto3. Pure."""

import math
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from bench.wording import digits

_WIDTH, _LABELS, _BAR, _GAP, _MARGIN = 760, 330, 22, 12, 16
_HEAD = 34
# Room for a bar's figure after it.
_FIGURE = 90

# Of the reader's theme: a README is read on light and on dark ground.
_STYLE = """
text { font: 14px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.figure { font-weight: 600; }
rect { fill: #b7410e; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } rect { fill: #e8743b; } }
"""

_TITLE = "How many times less than the same functions on boto3"

# A deployment of so many seconds stands for the wait's price.
_DEPLOYMENT_SECONDS = 300


@dataclass(frozen=True)
class Bar:
    """One ratio."""

    label: str
    times: float


def bars(results: dict[str, Any]) -> list[Bar]:
    """Return the main ratios, each the worst of the three functions'."""
    startup = results["startup"]
    shown = [
        Bar("init", _worst(startup["figures"]["tls_init_ms"])),
        Bar("cold answer, over TLS", _worst(startup["figures"]["tls_cold_ms"])),
        Bar("CPU time of init", _worst(startup["figures"]["init_cpu_ms"])),
        Bar("memory", _worst(startup["figures"]["tls_peak_mb"])),
    ]
    if startup["quota"]["by"] is not None:
        shown.append(Bar("first answer with the CPU of 128 MB", _worst(startup["quota"]["figures"]["first_ms"])))
    ours, fixed = (_gb_seconds(results, way) for way in ("through the queue", "every 30 s"))
    shown.append(Bar("a wait of 5 min, through the queue*", fixed / ours))
    return shown


def _worst(of: dict[str, Any]) -> float:
    return min(figure["twin_to_ours"]["median"] for function, figure in of.items() if function != "empty")


def _gb_seconds(results: dict[str, Any], way: str) -> float:
    return next(
        row["gb_seconds"]
        for row in results["waiting"]["table"]
        if row["seconds"] == _DEPLOYMENT_SECONDS and way in row["way"]
    )


def draw(shown: list[Bar]) -> str:
    """Return the chart. Its scale is logarithmic, because the ratios lie orders of magnitude apart."""
    height = _HEAD + len(shown) * (_BAR + _GAP) + _BAR + _MARGIN
    svg = ElementTree.Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {_WIDTH} {height}", "role": "img"},
    )
    ElementTree.SubElement(svg, "title").text = _TITLE
    ElementTree.SubElement(svg, "style").text = _STYLE
    _text(svg, _MARGIN, 22, _TITLE, "title")
    room = _WIDTH - _LABELS - _FIGURE
    longest = max(_length(bar) for bar in shown)
    for number, bar in enumerate(shown):
        top = _HEAD + number * (_BAR + _GAP)
        width = room * _length(bar) / longest
        _text(svg, _MARGIN, top + 16, bar.label, "label")
        place = {"x": str(_LABELS), "y": str(top), "width": f"{width:.1f}", "height": str(_BAR), "rx": "3"}
        ElementTree.SubElement(svg, "rect", place)
        _text(svg, _LABELS + width + 8, top + 16, f"{digits(bar.times)}×", "figure")
    note = "* GB-seconds, to a poll every 30 s at 1024 MB. Logarithmic scale; the worst of the three functions each."
    _text(svg, _MARGIN, height - _MARGIN, note, "note")
    ElementTree.indent(svg)
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def _length(bar: Bar) -> float:
    """Return a bar's length in no unit: nothing for what costs the same."""
    return math.log10(max(bar.times, 1))


def _text(svg: ElementTree.Element, x: float, y: float, text: str, kind: str) -> None:
    ElementTree.SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": kind}).text = text
