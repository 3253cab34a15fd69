"""What the documentation names is there: files, headings, make targets, keys, events. Its code can be read."""

import ast
import json
import os
import re
from collections import Counter
from functools import cache
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline import contract

ROOT = Path(__file__).parent.parent
README, COMPARISON, MIGRATING = ROOT / "README.md", ROOT / "docs/comparison.md", ROOT / "docs/migrating.md"

# What is built or installed may have pages of its own.
NOT_OURS = {"node_modules", "target"}

# What looks like an event's key on the page about migrating and is another tool's word.
OTHER_TOOLS_WORDS = {
    "aws_sagemaker_endpoint_configuration",
    "aws_sagemaker_model",
    "cache_config",
    "create_model_package_group",
    "deployment_config",
    "endpoint_config_name",
    "endpoint_instance_type",
    "model_name",
    "model_package_arn",
    "push_model_to_sagemaker",
    "read_timeout",
    "timeout_seconds",
    "update_deployment",
}


def pages() -> list[Path]:
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.startswith(".")]
        found += [Path(folder, name) for name in files if name.endswith(".md")]
    return sorted(found)


each_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def spans(page: Path, kind: str) -> list[Token]:
    return [span for token in tokens(page) for span in token.children or [] if span.type == kind]


def inline_code(page: Path) -> list[str]:
    return [span.content for span in spans(page, "code_inline")]


def blocks(page: Path, language: str) -> list[str]:
    return [token.content for token in tokens(page) if token.type == "fence" and token.info == language]


def prose(page: Path) -> str:
    """What is no code."""
    return "\n".join(re.sub("`[^`]*`", "", token.content) for token in tokens(page) if token.type == "inline")


@cache
def anchors(page: Path) -> set[str]:
    """What may follow the page's name and a `#`, as GitHub makes it of the headings."""
    seen: Counter[str] = Counter()
    found = set()
    for opening, heading in pairwise(tokens(page)):
        if opening.type != "heading_open":
            continue
        text = "".join(span.content for span in heading.children or [])
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def keys(page: Path, heading: str) -> set[str]:
    """What stands as code in the first column of the tables whose first heading this is."""
    found: set[str] = set()
    column = ""
    for row, cell, content in zip(tokens(page), tokens(page)[1:], tokens(page)[2:], strict=False):
        if row.type == "tr_open" and cell.type == "th_open":
            column = content.content
        elif row.type == "tr_open" and column == heading:
            found |= {span.content for span in content.children or [] if span.type == "code_inline"}
    return found


def event_keys() -> set[str]:
    return keys(README, "required key") | keys(README, "optional key")


def answered_keys() -> set[str]:
    return keys(README, "answered key") | set(contract.CHECK_OUTPUTS)


def test_the_pages_are_found_and_read():
    assert {README, COMPARISON, MIGRATING, ROOT / "shared/README.md"} <= set(pages())
    assert "the-functions" in anchors(README)
    assert {"role", "endpoint_name", "package_arn", "tags", "dry_run"} <= event_keys()
    assert {"statusCode", "body", "model", "endpoint_exists"} <= answered_keys()


@each_page
def test_every_link_within_the_repository_resolves(page):
    targets = [span.attrs["href"] for span in spans(page, "link_open")]
    targets += [span.attrs["src"] for span in spans(page, "image")]
    broken = []
    for target in targets:
        url = urlsplit(str(target))
        if url.scheme or url.netloc:
            continue
        linked = (page.parent / unquote(url.path)).resolve() if url.path else page
        within = linked.is_relative_to(ROOT.resolve()) and linked.exists()
        if not within or (url.fragment and linked.suffix == ".md" and url.fragment not in anchors(linked)):
            broken.append(target)
    assert not broken


@each_page
def test_every_note_is_there_and_referred_to(page):
    text = prose(page)
    notes = re.findall(r"^\[\^([\w-]+)\]:", text, re.MULTILINE)
    references = re.findall(r"\[\^([\w-]+)\](?!:)", text)
    assert set(notes) == set(references)
    assert len(notes) == len(set(notes))


@each_page
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for code in (*inline_code(page), *blocks(page, "sh")) for line in code.splitlines()]
    named = {target for line in lines for target in re.findall(r"^\s*make (?:[A-Z_]+=\S* )*([a-z][a-z-]*)", line)}
    assert not named - targets


@each_page
def test_every_event_that_is_named_exists(page):
    named = set(re.findall(r"\bevents/[\w/.-]+\.json\b", page.read_text()))
    assert not {name for name in named if not (ROOT / name).is_file()}


@each_page
def test_json_and_python_can_be_read(page):
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "python"):
        ast.parse(block)


@each_page
def test_examples_of_events_and_outputs_have_keys_that_exist(page):
    for block in blocks(page, "json"):
        example = json.loads(block)
        if "endpoint_name" in example:
            assert not set(example) - event_keys()
    for node in [node for block in blocks(page, "python") for node in ast.walk(ast.parse(block))]:
        if isinstance(node, ast.Dict):
            written = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            assert "endpoint_name" not in written or not written - event_keys()
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("LambdaOutput", "CallbackOutput"):
            assert ast.literal_eval(node.args[0]) in answered_keys()


def test_every_key_on_the_page_about_migrating_exists():
    assert keys(MIGRATING, "event key") == keys(README, "required key")
    assert keys(MIGRATING, "answered key") <= answered_keys()
    looks_like_a_key = {code for code in inline_code(MIGRATING) if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", code)}
    assert looks_like_a_key - event_keys() - answered_keys() == OTHER_TOOLS_WORDS


def test_every_row_of_the_comparison_says_something_of_each():
    """A reader pads a short row with empty cells, and drops what is too much."""
    rows = [line.split("|")[1:-1] for line in COMPARISON.read_text().splitlines() if line.startswith("|")]
    heading, _, *rest = rows
    assert {len(row) for row in rows} == {len(heading)}
    assert not [row for row in rest if not all(cell.strip() for cell in row)]


def test_every_source_of_the_comparison_has_a_version():
    notes = re.findall(r"^\[\^([\w-]+)\]: (.+?)(?=^\[\^|^$|\Z)", COMPARISON.read_text(), re.MULTILINE | re.DOTALL)
    assert len(notes) > 5
    pinned = re.compile(r"\b\d+\.\d+\.\d+\b|\b[0-9a-f]{12}\b|/issues/\d+")
    assert not [name for name, text in notes if not pinned.search(text)]


def arguments(path: str, package: str, *names: str) -> set[str]:
    """The arguments of a function in a file of an installed package, which is not imported."""
    node: ast.AST = ast.parse(Path(str(distribution(package).locate_file(path))).read_text())
    for name in names:
        [node] = [inner for inner in ast.iter_child_nodes(node) if getattr(inner, "name", None) == name]
    assert isinstance(node, ast.FunctionDef)
    return {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}


def test_the_sdk_is_as_the_comparison_says():
    step = "sagemaker/mlops/workflow/endpoint_step.py"
    session = "sagemaker/core/helper/session_helper.py"
    assert "retry_policies" in arguments(step, "sagemaker-mlops", "EndpointConfigStep", "__init__")
    assert "retry_policies" not in arguments(step, "sagemaker-mlops", "EndpointStep", "__init__")
    of_endpoint = arguments(session, "sagemaker-core", "Session", "create_endpoint")
    assert of_endpoint == {"self", "endpoint_name", "config_name", "tags", "wait", "live_logging"}
    of_update = arguments(session, "sagemaker-core", "Session", "update_endpoint")
    assert of_update == {"self", "endpoint_name", "endpoint_config_name", "wait"}
