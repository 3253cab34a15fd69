"""Results as the benchmarks write them, with few figures in them."""

from typing import Any

from harness.binaries import FUNCTIONS


def figure(median: float) -> dict[str, float]:
    return {"median": median, "low": median * 0.9, "high": median * 1.2, "runs": 5}


def phase(ours: float, twin: float, empty: float) -> dict[str, Any]:
    sides = {
        "ours": figure(ours),
        "twin": figure(twin),
        "twin_to_ours": figure(twin / ours),
        "ours_to_empty": figure(ours / empty),
    }
    return {"empty": figure(empty), **{function: dict(sides) for function in FUNCTIONS}}


def results() -> dict[str, Any]:
    started = ("init", "first", "cold", "warm")
    figures = {f"{transport}_{what}_ms": phase(5, 250, 2.5) for transport in ("tls", "http") for what in started}
    figures |= {f"{what}_cpu_ms": phase(4, 200, 2) for what in ("init", "first", "warm")}
    figures["tls_peak_mb"] = phase(8, 64, 2)
    quota = {name: phase(50, 1000, 10) for name in ("first_ms", "warm_ms", "whole_ms")}
    rows = [
        {"seconds": 300, "way": way, "polls": 9, "lag_seconds": 4.2, "longest_lag_seconds": 9.6, "gb_seconds": price}
        for way, price in (("this, through the queue", 0.02), ("every 30 s at 1024 MB", 300.0))
    ]
    many = {"calls": 100, "elapsed_ms": 900.0, "cpu_ms": 30.0, "peak_mb": 7.2, "peak_mb_at_one_page": 6.9}
    return {
        "machine": {"CPU": "a processor, 2 cores"},
        "roots": 117,
        "startup": {"runs": 5, "quota_runs": 3, "figures": figures, "quota": {"by": "cgroup v2", "figures": quota}},
        "packages": {"ours": dict.fromkeys(FUNCTIONS, 2.05), "twin_without_sdk": 0.006, "twin_with_sdk": 14.2},
        "waiting": {
            "table": rows,
            "real": {"ours": {"polls": 12, "lag_seconds": 0.6, "billed_seconds": 20.7}},
            "step_seconds": 0.02,
        },
        "scale": {
            "endpoints": {"endpoints": 10_000, "ours": many, "twin": many},
            "deployments": {
                "deployments": 200,
                "calls_per_second": 40,
                "create_seconds": 20,
                "deployed": 200,
                "elapsed_seconds": 63.4,
                "calls": 2345,
                "throttled": 456,
            },
        },
    }
