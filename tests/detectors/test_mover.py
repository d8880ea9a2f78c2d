"""Estimates combined by the method of variance estimates recovery."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Estimate
from detectors.intervals import RATIO_LIMIT, difference_estimate, rate_estimate
from detectors.mover import combined_rates, difference_of, linear_combination, ratio_of

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
@settings(max_examples=50, deadline=None)
def test_the_difference_of_two_rates_has_newcombes_bounds(first, second) -> None:
    ours = difference_of(rate_estimate(*first, 0.95), rate_estimate(*second, 0.95))
    newcombe = difference_estimate(first, second, 0.95)

    assert ours.value == pytest.approx(newcombe.value, abs=1e-12)
    assert max(ours.low, -1) == pytest.approx(newcombe.low, abs=1e-12)
    assert min(ours.high, 1) == pytest.approx(newcombe.high, abs=1e-12)


@given(st.lists(counts, min_size=1, max_size=5), st.data())
@settings(max_examples=50, deadline=None)
def test_rates_combine_like_any_estimates(rates, data) -> None:
    weights = [data.draw(st.floats(-2, 2)) for _ in rates]
    x, n = zip(*rates, strict=True)

    ours = combined_rates(x, n, weights, 0.9)

    other = linear_combination([rate_estimate(*rate, 0.9) for rate in rates], weights)
    assert (ours.value, ours.low, ours.high) == pytest.approx(
        (other.value, other.low, other.high), abs=1e-12
    )
    assert ours.low <= ours.value <= ours.high


def test_the_ratio_of_nothing_stays_finite() -> None:
    ratio = ratio_of(Estimate(0.0, 0.0, 0.1), Estimate(0.5, 0.4, 0.6))

    assert np.isfinite([ratio.low, ratio.value, ratio.high]).all()
    assert ratio.value == pytest.approx(1 / RATIO_LIMIT / 0.5)
