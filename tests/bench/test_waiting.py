import itertools
import random

import pytest

from bench.waiting import Way, cost, fixed, neighbours, repeated_calls, table, waiter, ways

LOOKS = {"function": [1.0, 2.0, 3.0, 10.0, 535.0, 549.0], "queue": [15.0, 30.0, 4000.0]}


def test_the_first_look_at_or_after_the_end_notices_it():
    way = Way("", 128, [])
    assert cost(way, [0, 30, 60], 30).polls == 2
    found = cost(way, [0, 30, 60], 31)
    assert (found.polls, found.lag_seconds) == (3, 29)


def test_who_waits_in_the_call_is_billed_until_the_end_is_noticed():
    assert cost(Way("", 1024, []), [0, 30, 60], 45).gb_seconds == 60
    assert cost(Way("", 128, []), [0, 30, 60], 45).gb_seconds == pytest.approx(60 / 8)


def test_who_does_not_wait_is_billed_for_the_steps_alone():
    assert cost(Way("", 128, [], step_seconds=0.5), [15, 30, 3000], 2900).gb_seconds == pytest.approx(3 * 0.5 / 8)


def test_fixed_looks_begin_at_once_and_reach_past_the_horizon():
    assert fixed(30, 60) == [0, 30, 60, 90]


def test_a_wait_beyond_one_calls_budget_is_gone_on_with_by_the_next():
    looks = repeated_calls(LOOKS["function"], 600)
    # The first look is a pause after the deployment's beginning; the next call begins with one.
    assert looks[:6] == [1, 2, 3, 10, 535, 540]
    assert looks[6:11] == [540, 541, 542, 543, 550]
    assert looks == sorted(looks)


def test_a_waiter_pauses_for_30_s_first_and_for_at_most_twice_as_long_each_time():
    for seed in range(20):
        looks = waiter(random.Random(seed), 3000)
        pauses = [later - earlier for earlier, later in itertools.pairwise(looks)]
        assert pauses[0] == 30
        assert all(30 <= pause <= min(30 * 2**number, 3600) for number, pause in enumerate(pauses))
        assert looks[-1] > 3000


def test_a_length_stands_for_those_within_a_tenth_of_it():
    lengths = neighbours(100)
    assert (lengths[0], lengths[-1]) == (pytest.approx(90), pytest.approx(110))


def test_the_table_has_each_length_and_way_once_and_the_longest_lag_is_no_shorter_than_the_median():
    looks = {name: [float(second) for second in range(1, 4000)] for name in ("function", "queue")}
    rows = table(ways(looks, step_seconds=0.01))
    assert len({(row["seconds"], row["way"]) for row in rows}) == len(rows) == 20
    assert all(row["lag_seconds"] <= row["longest_lag_seconds"] for row in rows)
    # Looking every second, nobody is ever more than a second late.
    assert all(row["longest_lag_seconds"] <= 1 for row in rows if row["way"].startswith("this"))
