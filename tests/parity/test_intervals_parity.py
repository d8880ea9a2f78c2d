"""Our intervals give the numbers of statsmodels and of the textbook formula."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from detectors.intervals import clopper_pearson, mover_ratio, newcombe_difference, wilson

RANDOM = np.random.default_rng(5)
TRIALS = RANDOM.integers(1, 500, (60, 2))
SAMPLES = [
    (int(RANDOM.integers(0, n1 + 1)), int(n1), int(RANDOM.integers(0, n2 + 1)), int(n2))
    for n1, n2 in TRIALS
]


@pytest.mark.parametrize(("method", "ours"), [("wilson", wilson), ("beta", clopper_pearson)])
def test_interval_of_a_rate_equals_statsmodels(method, ours) -> None:
    for x, n, _, _ in SAMPLES:
        theirs = proportion_confint(x, n, alpha=0.01, method=method)

        assert [float(b) for b in ours(x, n, 0.99)] == pytest.approx(theirs, abs=1e-9)


def test_interval_of_a_difference_equals_statsmodels() -> None:
    for sample in SAMPLES:
        theirs = confint_proportions_2indep(*sample, method="newcomb", compare="diff", alpha=0.01)

        ours = [float(bound) for bound in newcombe_difference(*sample, 0.99)]

        assert ours == pytest.approx(theirs, abs=1e-10)


def test_interval_of_a_ratio_equals_the_textbook_formula() -> None:
    for x1, n1, x2, n2 in SAMPLES:
        if x1 == 0 or x2 == 0:
            continue
        p1, p2 = x1 / n1, x2 / n2
        l1, u1 = proportion_confint(x1, n1, alpha=0.01, method="wilson")
        l2, u2 = proportion_confint(x2, n2, alpha=0.01, method="wilson")
        product = p1 * p2
        low = product - np.sqrt(product**2 - l1 * (2 * p1 - l1) * u2 * (2 * p2 - u2))
        high = product + np.sqrt(product**2 - u1 * (2 * p1 - u1) * l2 * (2 * p2 - l2))
        theirs = [low / (u2 * (2 * p2 - u2)), high / (l2 * (2 * p2 - l2))]

        ours = [float(bound) for bound in mover_ratio(x1, n1, x2, n2, 0.99)]

        assert ours == pytest.approx(theirs, rel=1e-6)


def test_interval_of_a_ratio_agrees_with_the_logarithmic_one_in_large_samples() -> None:
    sample = (4_000, 20_000, 5_000, 20_000)
    theirs = confint_proportions_2indep(*sample, method="log", compare="ratio", alpha=0.01)

    assert [float(b) for b in mover_ratio(*sample, 0.99)] == pytest.approx(theirs, rel=1e-3)
