"""What holds of the release build on any machine, however busy. `make bench` runs it."""

import pytest

from bench.goals import ZIP_MB
from bench.packages import own_megabytes
from bench.sides import ours
from harness.binaries import FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_package_stays_small(function):
    assert own_megabytes(ours(function)) <= ZIP_MB
