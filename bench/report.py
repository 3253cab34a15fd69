"""RESULTS.md out of results.json. Pure, but for the files that ``write`` reads and writes."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.goals import goals
from bench.wording import digits, mark, prose, spread, times

Results = dict[str, Any]

_INTRODUCTION = (
    "# Results",
    "What the functions cost, beside the same functions on boto3 (*the twin*, `bench/twin/`) and beside a Rust "
    "function that does nothing (*empty*). `make bench` measures and writes this page; the figures are in "
    "`results.json`. All of it runs on one machine, against a local SageMaker: it is the ratios that carry over to "
    "Lambda, not the milliseconds.",
    "A figure is the median of its runs, with the quartiles in brackets. A ratio is taken run by run, and the sides "
    "take turns: what slows the machine for a while slows all of them. Nothing here is a test.",
)

_STARTUP = (
    "Under Lambda's runtime interface emulator, whose own log gives init and answers. *Cold* is init and the first "
    "answer together; over TLS it has the handshake in it, with an RSA chain and the {roots} roots of a real bundle. "
    "The deploy functions answer for a deployment that is there already, the same reads on both sides, each of which "
    "takes the local service a millisecond or three. Python's code is compiled beforehand."
)

_PHASES = (
    ("tls_init_ms", "init, ms"),
    ("tls_first_ms", "first answer over TLS, ms"),
    ("tls_cold_ms", "cold answer over TLS, ms"),
    ("tls_warm_ms", "warm answer over TLS, ms"),
    ("http_init_ms", "init without TLS, ms"),
    ("http_first_ms", "first answer over HTTP, ms"),
    ("http_cold_ms", "cold answer over HTTP, ms"),
    ("http_warm_ms", "warm answer over HTTP, ms"),
    ("tls_peak_mb", "most memory resident, MB"),
)

_CPU_PHASES = (
    ("init_cpu_ms", "CPU time of init, ms"),
    ("first_cpu_ms", "CPU time of the first answer over TLS, ms"),
    ("warm_cpu_ms", "CPU time of a warm answer over TLS, ms"),
)

_QUOTA_PHASES = (
    ("first_ms", "first answer, ms"),
    ("warm_ms", "warm answer, ms"),
    ("whole_ms", "init and first answer, both under the quota, ms"),
)


def render(results: Results) -> str:
    """Return the page."""
    parts = [*_INTRODUCTION, *_goals(results), *_startup(results), *_packages(results), *_quota(results)]
    parts += [*_waiting(results), *_scale(results), *_kept(results), *_taken_on(results)]
    return "\n\n".join(part if part.startswith(("|", "#")) else prose(part) for part in parts) + "\n"


def rows(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _goals(results: Results) -> list[str]:
    all_goals = goals(results)
    body = [(goal.what, goal.wanted, goal.found, mark(goal.met)) for goal in all_goals]
    missed = [goal for goal in all_goals if not goal.met and goal.otherwise]
    reasons = [f"The goal of *{goal.what}* is missed: {goal.otherwise}" for goal in missed]
    return ["## Goals", rows(("", "goal", "found", ""), body), *reasons]


def _startup(results: Results) -> list[str]:
    startup = results["startup"]
    return [
        "## Start-up",
        _STARTUP.format(roots=results["roots"]),
        _sides(startup["figures"], _PHASES),
        f"CPU time of the function's own process, over TLS ({startup['runs']} runs each, as above):",
        _sides(startup["figures"], _CPU_PHASES),
    ]


def _sides(figures: dict[str, Any], phases: Sequence[tuple[str, str]]) -> str:
    body = []
    for key, what in phases:
        of = figures[key]
        for function, figure in of.items():
            if function == "empty":
                body.append((f"**{what}**", "empty", spread(figure), "", "", ""))
                continue
            ratios = (times(figure["twin_to_ours"]), times(figure["ours_to_empty"]))
            body.append(("", function, spread(figure["ours"]), spread(figure["twin"]), *ratios))
    return rows(("", "", "ours", "twin", "twin ÷ ours", "ours ÷ empty"), body)


def _packages(results: Results) -> list[str]:
    packages = results["packages"]
    body = [(function, f"{size:.2f}") for function, size in packages["ours"].items()]
    body += [
        ("twin, its code alone", f"{packages['twin_without_sdk']:.3f}"),
        ("twin, with boto3 and what it needs", f"{packages['twin_with_sdk']:.2f}"),
    ]
    return [
        "## Packages",
        "Zip files of what is uploaded, in megabytes of a million bytes, compressed as the SAM CLI does. Lambda's "
        "Python brings a boto3 of its own; a function that pins it uploads it, as a layer or in its package.",
        rows(("", "MB"), body),
    ]


def _quota(results: Results) -> list[str]:
    quota = results["startup"]["quota"]
    heading = "## With the CPU of 128 MB"
    if quota["by"] is None:
        return [heading, "Not measured: this machine let nobody set a CPU quota."]
    explained = (
        f"A function of 128 MB gets 128/1769 of a core, 7.2 %, here by {quota['by']} with a period of 20 ms, over TLS. "
        "Lambda runs init at full speed, so that the quota begins with the first event; the last rows are what it "
        "would be without that."
    )
    return [heading, explained, _sides(quota["figures"], _QUOTA_PHASES)]


def _waiting(results: Results) -> list[str]:
    waiting = results["waiting"]
    body = [
        (
            _length(row["seconds"]),
            row["way"],
            f"{row['polls']:.0f}",
            f"{row['lag_seconds']:.1f}",
            f"{row['longest_lag_seconds']:.1f}",
            digits(row["gb_seconds"]),
        )
        for row in waiting["table"]
    ]
    real = [
        (kind, f"{figure['polls']:.0f}", f"{figure['lag_seconds']:.1f}", f"{figure['billed_seconds']:.1f}")
        for kind, figure in waiting["real"].items()
    ]
    return [
        "## Waiting",
        "Reckoned from the functions' own rule, which `bench/pauses` prints. Each length stands for all within 10 % of "
        "it: median polls, median and longest lag from the end to the answer, and what Lambda bills at the memory "
        "named, 128 MB where none is. A wait that is longer than one call's budget of 540 s is gone on with by the "
        f"next call. A step of the queue is reckoned with {waiting['step_seconds'] * 1000:.0f} ms, a warm answer with "
        "the CPU of 128 MB; between two nothing is billed.",
        rows(("deployment", "way", "polls", "lag, s", "longest lag, s", "GB-seconds"), body),
        "A real deployment of 20 s against the local SageMaker, for comparison:",
        rows(("", "polls", "lag, s", "billed, s"), real),
    ]


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _scale(results: Results) -> list[str]:
    many, storm = results["scale"]["endpoints"], results["scale"]["deployments"]
    body = [
        (
            kind,
            f"{many[kind]['calls']:.0f}",
            f"{many[kind]['elapsed_ms']:,.0f}",
            f"{many[kind]['cpu_ms']:,.0f}",
            f"{many[kind]['peak_mb_at_one_page']:.1f}",
            f"{many[kind]['peak_mb']:.1f}",
        )
        for kind in ("ours", "twin")
    ]
    return [
        "## Scale",
        f"A check for an absent endpoint in an account with {many['endpoints']:,} of them, which reads every page; "
        "most of the time is the local service's own, the CPU time is the function's:",
        rows(("", "calls", "ms", "CPU ms", "MB with one page", "MB with all"), body),
        f"{storm['deployments']} deployments at once, by as many functions, of endpoints that take "
        f"{storm['create_seconds']} s, in an account that allows {storm['calls_per_second']} calls a second: "
        f"{storm['deployed']} deployed after {storm['elapsed_seconds']:.0f} s, with {storm['calls']:,} calls, "
        f"{storm['throttled']:,} of them throttled.",
    ]


def _kept(results: Results) -> list[str]:
    """Return what is measured by commands of their own, where it has been."""
    parts = []
    if builds := results.get("builds"):
        body = [(row["what"], f"{row['elapsed_seconds']:.0f}", f"{row['cpu_seconds']:.0f}") for row in builds]
        parts += [
            "## Builds",
            "`python -m bench.builds`. CPU time is what others on the machine change least.",
            rows(("", "s", "CPU s"), body),
            "What keeps them short: one selection of packages and features for demo, tests and lints, so that the SDK "
            "is compiled once; no debug information of dependencies, and line tables alone of our own code; one "
            "program for all integration tests, because each would link the SDK; few features of each dependency. "
            "After a change, a build for Lambda is the linking of three programs, with the SDK optimized anew in each.",
        ]
    if profiles := results.get("profiles"):
        body = [
            (
                row["profile"],
                f"{row['zip_mb']:.2f}",
                spread(row["init_cpu_ms"]),
                spread(row["first_cpu_ms"]),
                f"{row['peak_mb']:.1f}",
            )
            for row in profiles
        ]
        parts += [
            "## Release profiles",
            "`python -m bench.profiles`: `deploy-new-endpoint`, each profile a build of everything. CPU times in ms, "
            "over TLS.",
            rows(("profile", "zip, MB", "init", "first answer", "MB"), body),
        ]
    return parts


def _taken_on(results: Results) -> list[str]:
    body = list(results["machine"].items())
    return [
        "## Taken on",
        rows(("", ""), body),
        "`make bench`; `python -m bench --runs N` for more runs than by default.",
    ]
