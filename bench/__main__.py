"""Measures what takes minutes, and writes results.json, RESULTS.md and ratios.svg."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi

from bench import chart, machine, packages, real_wait, report, scale, startup, waiting
from bench.sides import lay_out_twins, ours
from harness.binaries import FUNCTIONS, REPOSITORY, binary

BENCH = REPOSITORY / "bench"
RESULTS = BENCH / "results.json"

# So that all of it stays under ten minutes.
_RUNS = 15
_QUOTA_RUNS = 4


def main() -> None:
    """Measure, and write the results."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--runs", type=int, default=_RUNS, help="cold starts of each side (default: %(default)s)")
    arguments.add_argument("--quota-runs", type=int, default=_QUOTA_RUNS, help="likewise, with the CPU of 128 MB")
    arguments.add_argument("--draw", action="store_true", help="measure nothing: write the page and the chart anew")
    given = arguments.parse_args()
    if not given.draw:
        keep(measure(given.runs, given.quota_runs))
    write(load())


def measure(runs: int, quota_runs: int) -> dict[str, Any]:
    """Return everything that this command measures."""
    lay_out_twins()
    started = startup.measure(runs, quota_runs, say)
    say("one real wait on each side: half a minute")
    real = real_wait.measure()
    step = _step_seconds(started)
    say(f"a check among {scale.ENDPOINTS:,} endpoints")
    many = scale.many_endpoints()
    say(f"{scale.DEPLOYMENTS} deployments at once: about a minute")
    return {
        "machine": machine.describe(),
        "roots": Path(certifi.where()).read_text().count("BEGIN CERTIFICATE"),
        "startup": started,
        "packages": {
            "ours": {function: packages.own_megabytes(ours(function)) for function in FUNCTIONS},
            "twin_without_sdk": packages.twin_megabytes(BENCH / "twin", with_sdk=False),
            "twin_with_sdk": packages.twin_megabytes(BENCH / "twin", with_sdk=True),
        },
        "waiting": {"table": waiting.table(waiting.ways(_looks(), step)), "real": real, "step_seconds": step},
        "scale": {"endpoints": many, "deployments": scale.many_deployments()},
    }


def _step_seconds(started: dict[str, Any]) -> float:
    """Return how long one step of the queue keeps a function busy: a warm answer, with the CPU of 128 MB if it can."""
    quota = started["quota"]
    warm = quota["figures"]["warm_ms"] if quota["by"] is not None else started["figures"]["tls_warm_ms"]
    return warm["deploy-existing-endpoint"]["ours"]["median"] / 1000


def _looks() -> dict[str, list[float]]:
    """Return when the functions look at an endpoint, by their own rule."""
    horizon = str(round(2 * waiting.LENGTHS[-1]))
    printed = subprocess.run([binary("pauses"), horizon], check=True, capture_output=True, text=True).stdout
    return json.loads(printed)


def load() -> dict[str, Any]:
    """Return the results so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


def keep(figures: dict[str, Any]) -> None:
    """Put new figures into the results, beside those that other commands have measured."""
    RESULTS.write_text(json.dumps({**load(), **figures}, indent=2, ensure_ascii=False) + "\n")


def write(results: dict[str, Any]) -> None:
    """Write the page and the chart, which begin with what this command measures."""
    if "startup" not in results:
        say("run `make bench` for the page: there are no figures of it yet")
        return
    (BENCH / "RESULTS.md").write_text(report.render(results))
    (BENCH / "ratios.svg").write_text(chart.draw(chart.bars(results)))


def say(text: str) -> None:
    """Tell whoever watches what is under way."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
