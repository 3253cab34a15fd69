"""The release build beside others: package, init, first answer and memory of one function, built in each way.

`python -m bench.profiles`, or with the names of some profiles. Each is a build of everything, the SDK too, so that all
of them take an hour or more; what has been measured before stays in results.json.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.__main__ import keep, load, say, write
from bench.account import prepare
from bench.emulated import EmulatedFunction
from bench.held import HeldFunction
from bench.packages import own_megabytes
from bench.sides import WORKSHOP, Side
from bench.source import copy_source, tools_on_path
from bench.spread import Spread
from harness import aws
from harness.local import LocalSageMaker
from harness.tls import TlsFront

FUNCTION = "deploy-new-endpoint"

_RUNS = 20
_DIRECTORY = WORKSHOP / "profiles"
_SOURCE = _DIRECTORY / "source"
# All in one: cargo keeps the profiles apart, and shares what they share.
_TARGET = _DIRECTORY / "target"

# What is replaced in the source: a file, what stands there, what takes its place. A file that is not there is empty.
Change = tuple[str, str, str]

_MANIFEST, _MAIN = f"{FUNCTION}/Cargo.toml", f"{FUNCTION}/src/main.rs"

_MIMALLOC: tuple[Change, ...] = (
    (_MANIFEST, "[dependencies]\n", '[dependencies]\nmimalloc = "0.1"\n'),
    (
        _MAIN,
        "#[tokio::main",
        "#[global_allocator]\nstatic ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;\n\n#[tokio::main",
    ),
)
_RING: tuple[Change, ...] = (
    # The SDK's own client brings AWS-LC.
    ("Cargo.toml", '"default-https-client", ', ""),
    (
        "Cargo.toml",
        'aws-smithy-http-client = "1.5"',
        'aws-smithy-http-client = { version = "1.5", features = ["rustls-ring"] }',
    ),
    ("shared/Cargo.toml", "[dependencies]\n", "[dependencies]\naws-smithy-http-client.workspace = true\n"),
    (
        "shared/src/runtime/clients.rs",
        ".behavior_version(BehaviorVersion::latest())",
        ".behavior_version(BehaviorVersion::latest())\n"
        ".http_client(aws_smithy_http_client::Builder::new().tls_provider(aws_smithy_http_client::tls::Provider::Rustls("
        "aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring)).build_https())",
    ),
)
_FIXED_ADDRESS: tuple[Change, ...] = (
    (f"{FUNCTION}/build.rs", "", 'fn main() {\n    println!("cargo::rustc-link-arg-bins=-no-pie");\n}\n'),
)


@dataclass(frozen=True)
class Profile:
    """One way to build: what differs from the repository's own, in cargo's profile and in the source."""

    name: str
    settings: dict[str, str] = field(default_factory=dict, hash=False)
    changes: tuple[Change, ...] = ()


PROFILES = (
    Profile("as it is: opt-level z, fat LTO, unwind, glibc's allocator, AWS-LC"),
    Profile("opt-level s", {"OPT_LEVEL": "s"}),
    Profile("opt-level 3", {"OPT_LEVEL": "3"}),
    Profile("thin LTO", {"LTO": "thin"}),
    Profile("panic abort", {"PANIC": "abort"}),
    Profile("mimalloc", changes=_MIMALLOC),
    Profile("ring", changes=_RING),
    Profile("at a fixed address", changes=_FIXED_ADDRESS),
)


def main() -> None:
    """Build and measure the profiles that are named, or all."""
    chosen = [profile for profile in PROFILES if not sys.argv[1:] or profile.name in sys.argv[1:]]
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    sides = {profile: _build(profile) for profile in chosen}
    rows = {row["profile"]: row for row in load().get("profiles", [])}
    rows |= {row["profile"]: row for row in _measure(sides)}
    keep({"profiles": [rows[profile.name] for profile in PROFILES if profile.name in rows]})
    write(load())


def _build(profile: Profile) -> Side:
    say(f"building: {profile.name}")
    environment = {**os.environ, **tools_on_path(), "CARGO_TARGET_DIR": str(_TARGET)}
    environment |= {f"CARGO_PROFILE_RELEASE_{name}": value for name, value in profile.settings.items()}
    copy_source(_SOURCE)
    for name, old, new in profile.changes:
        _replace(_SOURCE / name, old, new)
    command = ["cargo", "lambda", "build", "--release", "--package", FUNCTION]
    subprocess.run(command, cwd=_SOURCE, env=environment, check=True)
    built = _DIRECTORY / "built" / profile.name.split(":")[0].replace(" ", "-")
    built.parent.mkdir(exist_ok=True)
    shutil.copy2(_TARGET / "lambda" / FUNCTION / "bootstrap", built)
    # The kind tells them apart, and with it the endpoints that they are measured on.
    return Side(built.name, FUNCTION, built)


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text() if file.exists() else ""
    if old not in text:
        raise ValueError(f"{file} has no {old!r}")
    file.write_text(text.replace(old, new) if text else new)


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
