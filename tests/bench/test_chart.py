from xml.etree import ElementTree

import pytest
from sample import figure, results

from bench.chart import Bar, bars, draw

SVG = "{http://www.w3.org/2000/svg}"


def widths(shown):
    return [float(bar.get("width")) for bar in ElementTree.fromstring(draw(shown)).iter(f"{SVG}rect")]


def test_a_bar_shows_the_worst_of_the_functions():
    sample = results()
    sample["startup"]["figures"]["tls_init_ms"]["check-endpoint-exists"]["twin_to_ours"] = figure(41)
    assert bars(sample)[0] == Bar("init", 41)


def test_the_wait_is_the_queues_against_the_fixed_poll():
    assert bars(results())[-1].times == 300 / 0.02


def test_a_machine_without_quotas_has_no_bar_for_them():
    sample = results()
    sample["startup"]["quota"] = {"by": None, "figures": {}}
    assert len(bars(sample)) == len(bars(results())) - 1


def test_bars_grow_with_the_logarithm():
    ten, hundred, thousand = widths([Bar("a", 10), Bar("b", 100), Bar("c", 1000)])
    assert hundred - ten == pytest.approx(thousand - hundred, abs=0.2)
    assert hundred > ten


def test_what_costs_the_same_or_more_has_no_bar_but_its_figure():
    assert widths([Bar("a", 0.5), Bar("b", 10)])[0] == 0
    assert "0.50×" in draw([Bar("a", 0.5), Bar("b", 10)])


def test_no_bar_and_no_text_leaves_the_picture():
    root = ElementTree.fromstring(draw(bars(results())))
    _, _, width, height = map(float, root.get("viewBox").split())
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x")) + float(bar.get("width")) < width
    assert all(float(text.get("y")) < height for text in root.iter(f"{SVG}text"))
