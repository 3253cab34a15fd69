"""The release profile beside others: package, init, first answer and memory of one function, built with each.

`python -m bench.profiles`, or with the names of some profiles. Each is a build of everything, the SDK too, so that all
of them take an hour or more; what has been measured before stays in results.json.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from bench.__main__ import keep, load, say, write
from bench.account import prepare
from bench.emulated import EmulatedFunction
from bench.held import HeldFunction
from bench.packages import own_megabytes
from bench.sides import WORKSHOP, Side
from bench.source import copy_source, tools_on_path
from bench.spread import Spread
from bench.tls import TlsFront
from harness import aws
from harness.local import LocalSageMaker

FUNCTION = "deploy-new-endpoint"

_RUNS = 20
_DIRECTORY = WORKSHOP / "profiles"
_SOURCE = _DIRECTORY / "source"
# All in one: cargo keeps the profiles apart, and shares what they share.
_TARGET = _DIRECTORY / "target"

_ALLOCATOR = "mimalloc"
_ALLOCATOR_CODE = f"#[global_allocator]\nstatic ALLOCATOR: {_ALLOCATOR}::MiMalloc = {_ALLOCATOR}::MiMalloc;\n"


@dataclass(frozen=True)
class Profile:
    """One profile: what differs from the repository's own."""

    name: str
    settings: dict[str, str] = field(default_factory=dict, hash=False)
    allocator: bool = False


PROFILES = (
    Profile("as it is: opt-level z, fat LTO, unwind, glibc's allocator"),
    Profile("opt-level s", {"OPT_LEVEL": "s"}),
    Profile("opt-level 3", {"OPT_LEVEL": "3"}),
    Profile("thin LTO", {"LTO": "thin"}),
    Profile("panic abort", {"PANIC": "abort"}),
    Profile("mimalloc", allocator=True),
)


def main() -> None:
    """Build and measure the profiles that are named, or all."""
    chosen = [profile for profile in PROFILES if not sys.argv[1:] or profile.name in sys.argv[1:]]
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    copy_source(_SOURCE)
    sides = {profile: _build(profile) for profile in chosen}
    rows = {row["profile"]: row for row in load().get("profiles", [])}
    rows |= {row["profile"]: row for row in _measure(sides)}
    keep({"profiles": [rows[profile.name] for profile in PROFILES if profile.name in rows]})
    write(load())


def _build(profile: Profile) -> Side:
    say(f"building: {profile.name}")
    main_file = _SOURCE / FUNCTION / "src" / "main.rs"
    kept = {file: file.read_text() for file in (main_file, main_file.parents[1] / "Cargo.toml", _SOURCE / "Cargo.lock")}
    environment = {**os.environ, **tools_on_path(), "CARGO_TARGET_DIR": str(_TARGET)}
    environment |= {f"CARGO_PROFILE_RELEASE_{name}": value for name, value in profile.settings.items()}
    try:
        if profile.allocator:
            subprocess.run(["cargo", "add", "--quiet", "--package", FUNCTION, _ALLOCATOR], cwd=_SOURCE, check=True)
            main_file.write_text(main_file.read_text() + _ALLOCATOR_CODE)
        command = ["cargo", "lambda", "build", "--release", "--package", FUNCTION]
        subprocess.run(command, cwd=_SOURCE, env=environment, check=True)
    finally:
        for file, text in kept.items():
            file.write_text(text)
    built = _DIRECTORY / "built" / profile.name.split(":")[0].replace(" ", "-")
    built.parent.mkdir(exist_ok=True)
    shutil.copy2(_TARGET / "lambda" / FUNCTION / "bootstrap", built)
    # The kind tells the profiles apart, and with it the endpoints that they are measured on.
    return Side(built.name, FUNCTION, built)


def _measure(sides: dict[Profile, Side]) -> list[dict[str, Any]]:
    """Measure the profiles in turns, over TLS."""
    with LocalSageMaker(create_seconds=0) as local, TlsFront(local.url, WORKSHOP) as front:
        events = prepare(local, list(sides.values()), aws.endpoint_urls(local.url))
        init: dict[Side, list[float]] = {side: [] for side in sides.values()}
        first: dict[Side, list[float]] = {side: [] for side in sides.values()}
        peak: dict[Side, float] = {}
        for _ in range(_RUNS):
            for side in sides.values():
                environment = {**aws.endpoint_urls(front.url), side.roots: str(front.bundle)}
                with HeldFunction(side, environment) as function:
                    init[side].append(function.init.cpu_ms)
                    first[side].append(function.invoke(events[side]).cpu_ms)
        for side in sides.values():
            with EmulatedFunction(side, {**aws.endpoint_urls(front.url), side.roots: str(front.bundle)}) as function:
                function.answer(events[side])
                peak[side] = function.peak_megabytes()
    return [
        {
            "profile": profile.name,
            "zip_mb": round(own_megabytes(side), 3),
            "init_cpu_ms": Spread.of(init[side]).as_json(),
            "first_cpu_ms": Spread.of(first[side]).as_json(),
            "peak_mb": round(peak[side], 1),
        }
        for profile, side in sides.items()
    ]


if __name__ == "__main__":
    main()
