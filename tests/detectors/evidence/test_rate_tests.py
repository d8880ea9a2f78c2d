"""The test of one batch's rate: as rarely small as it says where the rate is tolerated."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from detectors.evidence.questions import RateQuestion, Watched
from detectors.evidence.rate_tests import rate_p_value

N_TRIALS = 1_500


def question(window, reference, **terms: Any) -> RateQuestion:
    return RateQuestion(
        hits=window[0],
        total=window[1],
        reference_hits=reference[0],
        reference_total=reference[1],
        **terms,
    )


def test_without_tolerance_it_is_pearsons_test() -> None:
    asked = question((130, 1_000), (1_000, 10_000), tolerance_difference=1e-12)

    pearson = stats.chi2_contingency([[130, 870], [1_000, 9_000]], correction=False).pvalue
    ratio = stats.chi2_contingency(
        [[130, 870], [1_000, 9_000]], correction=False, lambda_="log-likelihood"
    ).pvalue
    assert rate_p_value(asked) == pytest.approx(max(pearson, ratio), rel=1e-6)


@pytest.mark.parametrize("sizes", [(1_000, 10_000), (100, 500)])
@pytest.mark.parametrize(
    ("terms", "normal", "edge"),
    [
        ({"tolerance_ratio": 1.5}, 0.02, 0.03),
        ({"tolerance_ratio": 1.5}, 0.03, 0.02),
        ({"tolerance_difference": 0.05}, 0.3, 0.35),
        ({"tolerance_difference": 0.05}, 0.3, 0.25),
        ({"tolerance_difference": 0.02, "watched": Watched.UP}, 0.01, 0.03),
        ({"tolerance_difference": 1e-9}, 0.3, 0.3),
        ({"tolerance_difference": 0.05, "tolerance_ratio": 1.1}, 0.3, 0.35),
    ],
)
def test_rates_at_their_tolerance_have_small_p_values_as_rarely_as_they_say(
    sizes, terms, normal, edge
) -> None:
    rng = np.random.default_rng(6)
    windows, references = (
        rng.binomial(sizes[0], edge, N_TRIALS),
        rng.binomial(sizes[1], normal, N_TRIALS),
    )

    p_values = np.array(
        [
            rate_p_value(question((int(x), sizes[0]), (int(y), sizes[1]), **terms))
            for x, y in zip(windows, references, strict=True)
        ]
    )

    for level in (0.05, 0.01):
        assert (p_values <= level).sum() <= stats.binom.ppf(0.9995, N_TRIALS, 1.15 * level)


def test_a_rate_that_moved_the_way_nobody_watches_has_no_small_p_value() -> None:
    asked = question((10, 1_000), (1_000, 10_000), tolerance_ratio=1.1, watched=Watched.UP)

    assert rate_p_value(asked) == 1


def test_two_tolerances_must_both_be_left() -> None:
    both = question((60, 1_000), (200, 10_000), tolerance_ratio=1.1, tolerance_difference=0.05)

    assert rate_p_value(both) == 1
    assert rate_p_value(question((60, 1_000), (200, 10_000), tolerance_ratio=1.1)) < 1e-6
