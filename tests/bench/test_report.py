import re

import pytest
from sample import figure, results

from bench.goals import goals
from bench.report import render
from bench.wording import digits


def test_every_goal_is_met_or_missed_by_its_worst_function():
    sample = results()
    assert [goal.met for goal in goals(sample)] == [True] * 5
    sample["startup"]["figures"]["tls_init_ms"]["deploy-new-endpoint"]["twin_to_ours"] = figure(39)
    sample["packages"]["ours"]["deploy-existing-endpoint"] = 2.21
    assert [goal.met for goal in goals(sample)] == [True, False, True, True, False]
    page = render(sample)
    assert "| missed |" in page
    assert "The goal of *zip of each function* is missed: it is code" in page
    assert "The goal of *init" not in page


def test_the_page_has_each_function_with_its_ratios():
    page = render(results())
    assert "| deploy-new-endpoint | 5.00 [4.50–6.00] | 250 [225–300] | **50.0×** [45.0–60.0] | **2.00×**" in page
    assert "200 deployed after 63 s, with 2,345 calls, 456 of them throttled" in page.replace("\n", " ")
    assert "| 5 min | every 30 s at 1024 MB | 9 | 4.2 | 9.6 | 300 |" in page


def test_no_line_of_prose_is_longer_than_the_documents_are():
    prose = [line for line in render(results()).splitlines() if not line.startswith("|")]
    assert max(map(len, prose)) <= 120


@pytest.mark.parametrize(
    ("value", "text"),
    [(2700.4, "2,700"), (300, "300"), (48.87, "48.9"), (2.531, "2.53"), (0.127, "0.13"), (0.01412, "0.014")],
)
def test_a_figure_has_two_or_three_digits(value, text):
    assert digits(value) == text


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    for block in re.findall(r"(?:^\|.*\n)+", render(results()), re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_a_machine_without_quotas_has_no_figures_for_them():
    sample = results()
    sample["startup"]["quota"] = {"by": None, "figures": {}}
    assert "Not measured: this machine let nobody set a CPU quota." in render(sample)


def test_what_other_commands_measured_is_on_the_page_where_it_is_there():
    sample = results()
    assert "Release profiles" not in render(sample)
    row = {"profile": "opt-level z", "zip_mb": 2.1, "peak_mb": 7.0}
    sample["profiles"] = [{**row, "init_cpu_ms": figure(4), "first_cpu_ms": figure(6)}]
    sample["builds"] = [{"what": "from clean", "elapsed_seconds": 480.2, "cpu_seconds": 900.4}]
    page = render(sample)
    assert "| opt-level z | 2.10 | 4.00 [3.60–4.80] |" in page
    assert "| from clean | 480 | 900 |" in page
