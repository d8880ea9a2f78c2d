import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.evidence.budget import (
    e_benjamini_hochberg,
    listed_series,
    log_thresholds,
    periods_between,
    strength_words,
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(100, 10**6), st.floats(0.1, 10)), min_size=1, max_size=20),
    st.floats(0.01, 5),
)
def test_the_expected_false_alarms_of_all_series_are_the_budget(series, budget) -> None:
    windows, weights = (np.array(one, dtype=float) for one in zip(*series, strict=True))

    thresholds = np.exp(log_thresholds(windows, budget, weights))

    per_series = windows / thresholds
    assert np.all(per_series <= windows)
    uncut = thresholds > 1
    assert np.allclose(per_series[uncut], (budget * weights / weights.sum())[uncut])


def test_a_heavier_series_has_a_lower_threshold() -> None:
    equal = log_thresholds([1000, 1000], 1.0)
    weighted = log_thresholds([1000, 1000], 1.0, [3, 1])

    assert np.allclose(equal, np.log(2000))
    assert weighted[0] < equal[0] < weighted[1]


@pytest.mark.parametrize(
    ("windows", "budget", "weights"),
    [([], 1.0, None), ([0], 1.0, None), ([10], 0.0, None), ([10], 1.0, [0.0])],
)
def test_impossible_budgets_are_refused(windows, budget, weights) -> None:
    with pytest.raises(ValueError, match="a budget needs at least one series"):
        log_thresholds(windows, budget, weights)


def test_series_that_lean_together_are_listed_earlier() -> None:
    thresholds = np.full(10, np.log(1000.0))
    leaning = np.where(np.arange(10) < 4, np.log(251.0), np.log(3.0))

    assert listed_series(leaning, thresholds).tolist() == [True] * 4 + [False] * 6
    assert not listed_series(leaning[3:], thresholds[3:]).any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=30), st.integers(0, 1000))
def test_lists_are_the_largest_that_the_rule_allows(fractions, seed) -> None:
    values = np.random.default_rng(seed).permutation(np.array(fractions))

    listed = listed_series(values, np.zeros(len(values)))

    k = int(listed.sum())
    assert np.all(values[listed] + np.log(max(k, 1)) >= -1e-9)
    for more in range(k + 1, len(values) + 1):
        assert np.sort(values)[::-1][more - 1] + np.log(more) < 1e-9
    assert np.all(listed[values >= 0])


def test_series_without_evidence_are_never_listed() -> None:
    listed = listed_series([-np.inf, 20.0], [14.0, 14.0])

    assert listed.tolist() == [False, True]
    assert not listed_series([-np.inf, -np.inf], [14.0, 14.0]).any()


def test_false_discoveries_are_controlled_for_dependent_e_values() -> None:
    rng = np.random.default_rng(0)
    false_share = []
    for _ in range(2000):
        common = rng.normal()
        z = 0.8 * common + 0.6 * rng.normal(size=40)
        z[:8] += 4
        rejected = e_benjamini_hochberg(2 * z - 2, 0.1)
        false_share.append(rejected[8:].sum() / max(rejected.sum(), 1))

    assert np.mean(false_share) <= 0.1
    assert rejected.shape == (40,)


def test_strength_is_said_in_time_between_alarms() -> None:
    month = 30.4375 * 86_400
    periods = periods_between(np.log([1000.0, 25_000.0, 1e300]), np.log([1000.0] * 3), 1.0)

    words = [strength_words(float(one), month) for one in periods]

    assert "once in a month " in words[0]
    assert "once in 2 years " in words[1]
    assert "once in 1000 years " in words[2]


def test_strength_is_rounded_down_at_every_length() -> None:
    said = [strength_words(1.0, seconds) for seconds in (59.9, 119.0, 3599.0, 7100.0, 7200.0)]

    spans = ("59 seconds", "a minute", "59 minutes", "an hour", "2 hours")
    for words, span in zip(said, spans, strict=True):
        assert f"once in {span} " in words


def test_alarms_are_as_rare_as_their_strength_says() -> None:
    rng = np.random.default_rng(1)
    r, strong = np.zeros(4000), np.zeros(3)
    levels = np.array([20.0, 60.0, 200.0])
    for _ in range(600):
        z = rng.normal(size=4000)
        r = (1 + r) * np.exp(z - 0.5)
        alarm = r >= 20
        strong += (r[alarm][:, None] >= levels).sum(axis=0)
        r[alarm] = 0

    allowed = 4000 * 600 / levels
    assert np.all(strong <= allowed + 3 * np.sqrt(allowed))
    assert np.all(strong > 0)
