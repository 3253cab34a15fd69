from bench.spread import Spread, ratio


def test_a_spread_is_the_median_and_the_quartiles():
    assert Spread.of([4, 1, 3, 2, 5]) == Spread(median=3, low=2, high=4, runs=5)


def test_one_value_has_no_spread():
    assert Spread.of([7.0]) == Spread(median=7, low=7, high=7, runs=1)


def test_an_outlier_moves_neither_median_nor_quartiles():
    assert Spread.of([1, 2, 3, 4, 500]) == Spread.of([1, 2, 3, 4, 5])


def test_a_ratio_is_taken_run_by_run():
    # The machine was ten times slower in one run: on both sides, so that the ratio does not know.
    assert ratio([30, 300, 33], [10, 100, 11]) == Spread(median=3, low=3, high=3, runs=3)


def test_the_results_file_has_four_digits():
    assert Spread(1.23456, 0.000123456, 98765.4, 3).as_json() == {
        "median": 1.235,
        "low": 0.0001235,
        "high": 98770.0,
        "runs": 3,
    }
