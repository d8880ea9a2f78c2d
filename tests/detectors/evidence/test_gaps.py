import numpy as np
import pytest

from detectors.evidence.beta_binomial import Array
from detectors.evidence.group_gaps import (
    GapTolerance,
    LearnedRates,
    ToleratedGap,
    closest_tolerated,
    guesses,
    learn_rates,
    log_group_evidence,
)
from detectors.evidence.two_group_gaps import (
    GapLimit,
    gap_alternatives,
    log_gap_evidence,
    project,
    two_sided_gap_evidence,
)

LIMITS = [
    GapLimit.difference(0.05),
    GapLimit(most=0.0),
    GapLimit.ratio(0.8),
    GapLimit(first=1.0, second=2.0, most=0.1),
]
SETS = [
    ToleratedGap(kind=GapTolerance.EQUALITY),
    ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.05),
    ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.3),
    ToleratedGap(kind=GapTolerance.RATIO, limit=0.8),
    ToleratedGap(kind=GapTolerance.RATIO, limit=0.3),
]


def log_mean(rates: Array, guess: Array, null: Array) -> Array:
    """Return the log mean of one event's likelihood ratio at true `rates`."""
    return np.log(rates * guess / null + (1 - rates) * (1 - guess) / (1 - null))


def tolerated_points(rng: np.random.Generator, tolerated: ToleratedGap, n_groups: int) -> Array:
    base = rng.random((3000, 1))
    inner = rng.random((3000, n_groups))
    corner = np.where(rng.random((3000, 1)) < 0.5, inner, inner.round())
    if tolerated.kind is GapTolerance.EQUALITY:
        return np.repeat(base, n_groups, axis=1)
    if tolerated.kind is GapTolerance.DIFFERENCE:
        return base * (1 - tolerated.limit) + tolerated.limit * corner
    return base * (tolerated.limit + (1 - tolerated.limit) * corner)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_two_group_ratio_has_mean_at_most_one_on_the_half_plane(limit) -> None:
    rng = np.random.default_rng(0)
    q1, q2 = rng.uniform(1e-4, 1 - 1e-4, (2, 500, 1))
    n1, n2 = rng.integers(1, 3000, (2, 500, 1)).astype(float)
    first = rng.random((500, 2000))
    second = np.where(
        rng.random(first.shape) < 0.5,
        np.clip((limit.first * first - limit.most) / limit.second, 0, 1),
        rng.random(first.shape),
    )

    p1, p2 = project(q1, q2, n1, n2, limit)

    tolerated = limit.first * first - limit.second * second <= limit.most
    means = n1 * log_mean(first, q1, p1) + n2 * log_mean(second, q2, p2)
    assert tolerated.any(axis=1).all()
    assert np.where(tolerated, means, -1).max() <= 1e-9


@pytest.mark.parametrize("tolerated", SETS)
@pytest.mark.parametrize("n_groups", [2, 3, 6])
def test_a_group_ratio_has_mean_at_most_one_on_the_tolerated_set(tolerated, n_groups) -> None:
    rng = np.random.default_rng(n_groups)
    for _ in range(30):
        guess = rng.uniform(1e-4, 1 - 1e-4, n_groups)
        sizes = rng.integers(0, 400, n_groups) + (np.arange(n_groups) == 0)
        null = closest_tolerated(guess, sizes.astype(float), tolerated)
        points = tolerated_points(rng, tolerated, n_groups)
        near = null + rng.random((3000, 1)) ** 4 * (points - null)
        true = np.where(sizes > 0, near, points)

        means = np.where(sizes > 0, sizes * log_mean(true, guess, null), 0).sum(axis=1)

        assert means.max() <= 1e-9


@pytest.mark.parametrize("tolerated", SETS)
def test_the_closest_rates_are_tolerated_and_closest(tolerated) -> None:
    rng = np.random.default_rng(1)
    guess = rng.uniform(0.001, 0.999, (200, 4))
    sizes = rng.integers(1, 500, (200, 4)).astype(float)

    closest = closest_tolerated(guess, sizes, tolerated)

    highest, lowest = closest.max(axis=1), closest.min(axis=1)
    if tolerated.kind is GapTolerance.EQUALITY:
        assert np.allclose(highest, lowest)
    elif tolerated.kind is GapTolerance.DIFFERENCE:
        assert np.all(highest - lowest <= tolerated.limit + 1e-9)
    else:
        assert np.all(lowest >= tolerated.limit * highest - 1e-9)
    again = closest_tolerated(closest, sizes, tolerated)
    assert np.allclose(again, closest, atol=1e-6)


def test_two_groups_are_a_special_case_of_many() -> None:
    rng = np.random.default_rng(2)
    guess = rng.uniform(0.01, 0.99, (300, 2))
    guess = np.sort(guess, axis=1)[:, ::-1]
    sizes = rng.integers(1, 500, (300, 2)).astype(float)

    many = closest_tolerated(guess, sizes, ToleratedGap(kind=GapTolerance.RATIO, limit=0.8))
    two = project(guess[:, 0], guess[:, 1], sizes[:, 0], sizes[:, 1], GapLimit.ratio(0.8))

    assert np.allclose(many, np.stack(two, axis=1), atol=1e-9)


def test_alternatives_keep_the_pooled_rate_and_exceed_the_limit() -> None:
    for limit in LIMITS:
        first, second = gap_alternatives([0.4, 0.3], [0.3, 0.6], limit, [0.01, 0.05])

        gap = limit.first * first - limit.second * second
        pooled = np.array([[0.3], [0.6]]) * first + np.array([[0.7], [0.4]]) * second
        assert np.allclose(gap, limit.most + np.array([0.01, 0.05]))
        assert np.allclose(pooled, [[0.4, 0.4], [0.3, 0.3]])


@pytest.mark.parametrize("pooled", [0.005, 0.02, 0.3])
def test_a_ratio_of_rare_events_is_bet_on(pooled) -> None:
    limit = GapLimit.ratio(0.8)
    sizes = np.array([200_000.0]), np.array([200_000.0])
    counts = pooled * 4 / 3 * sizes[0], pooled * 2 / 3 * sizes[1]

    evidence = two_sided_gap_evidence(counts, sizes, [pooled], limit)

    assert evidence.shape == (1, 6)
    assert evidence[0, :3].min() > 5
    assert evidence[0, 3:].max() < 0


def test_a_tolerated_alternative_bets_nothing() -> None:
    one = np.array([[0.5]])

    evidence = log_gap_evidence(
        ([90], [10]), ([100], [100]), (one, one), GapLimit.difference(0.05)
    )

    assert np.allclose(evidence, 0, atol=1e-9)


def test_evidence_points_to_the_group_that_is_ahead() -> None:
    ahead = two_sided_gap_evidence(
        ([300], [200]), ([500], [500]), [0.5], GapLimit.difference(0.05), [0.03, 0.08]
    )
    behind = two_sided_gap_evidence(
        ([200], [300]), ([500], [500]), [0.5], GapLimit.difference(0.05), [0.03, 0.08]
    )

    assert ahead[0, :2].min() > 3
    assert ahead[0, 2:].max() < 0
    assert np.allclose(behind[0, 2:], ahead[0, :2])


def test_windows_without_one_of_the_groups_say_nothing() -> None:
    two = two_sided_gap_evidence(
        ([30, 0], [0, 0]), ([50, 0], [0, 0]), [0.5, 0.5], GapLimit.ratio(0.8), [0.05]
    )
    learned = LearnedRates.nothing(1, 3)
    many = log_group_evidence([[0, 0, 0]], [[0, 0, 0]], guesses(learned), SETS[3])

    assert np.array_equal(two, np.zeros((2, 2)))
    assert np.array_equal(many, np.zeros((1, 2)))


def test_evidence_falls_as_the_correlation_rises() -> None:
    evidence = [
        two_sided_gap_evidence(
            ([300], [200]), ([500], [500]), [0.5], GapLimit.difference(0.05), [0.08], [rho]
        ).max()
        for rho in (0.0, 0.001, 0.01, 0.1)
    ]

    assert evidence == sorted(evidence, reverse=True)


def test_tempered_and_capped_evidence_is_nearly_valid_for_correlated_groups() -> None:
    rng = np.random.default_rng(5)
    worst, cap = -np.inf, (np.log(2000) + np.log(6)) / 2
    for _ in range(20):
        size, rho = rng.integers(50, 1500, 2), rng.choice([0.0005, 0.002, 0.01])
        top = rng.uniform(0.1, 0.95)
        s = 1 / rho - 1
        rates = rng.beta(*_shape(np.array([top, top - 0.05]), s), (10_000, 2))
        x = rng.binomial(size, rates)

        evidence = two_sided_gap_evidence(
            (x[:, 0], x[:, 1]),
            (np.full(10_000, size[0]), np.full(10_000, size[1])),
            np.full(10_000, top - 0.025),
            GapLimit.difference(0.05),
            [0.03, 0.08, 0.2],
            np.full(10_000, rho),
        )

        worst = max(worst, np.exp(np.minimum(evidence, cap)).mean(axis=0).max())
    assert worst <= 1.1


def _shape(mean: Array, s: float) -> tuple[Array, Array]:
    return mean * s, (1 - mean) * s


def test_guesses_come_from_earlier_windows_only() -> None:
    learned = learn_rates(LearnedRates.nothing(1, 3), [[5, 1, 0]], [[10, 10, 0]])
    before = guesses(learned).copy()

    log_group_evidence([[0, 9, 9]], [[10, 10, 10]], guesses(learned), SETS[3])
    learn_rates(learned, [[0, 9, 9]], [[10, 10, 10]])

    assert np.array_equal(guesses(learned), before)
    assert np.allclose(before[0, 0], [5.3 / 11, 1.3 / 11, 0.3])


def test_evidence_of_strata_is_multiplied() -> None:
    rng = np.random.default_rng(7)
    totals = rng.integers(10, 60, (4, 3, 2))
    counts = rng.binomial(totals, 0.4)
    learned = learn_rates(LearnedRates.nothing(4, 3, 2), counts, totals)

    joint = log_group_evidence(counts, totals, guesses(learned), SETS[3], 0.001)

    apart = [
        log_group_evidence(counts[:, k], totals[:, k], guesses(learned)[:, :, k], SETS[3], 0.001)
        for k in range(3)
    ]
    assert np.allclose(joint, np.sum(apart, axis=0))


def follow(
    rng: np.random.Generator, rates: Array, tolerated: ToleratedGap, n_streams: int, n_windows: int
) -> Array:
    """Return when each stream of windows of 200 is rejected at 5 %, in windows (0: never)."""
    shares = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    learned = LearnedRates.nothing(n_streams, 5, n_experts=1)
    log_e, when = np.zeros(n_streams), np.zeros(n_streams)
    for window in range(n_windows):
        totals = rng.multinomial(200, shares, n_streams)
        counts = rng.binomial(totals, np.broadcast_to(rates, (n_windows, 5))[window])
        log_e += log_group_evidence(counts, totals, guesses(learned), tolerated)[:, 0]
        learned = learn_rates(learned, counts, totals, (1.0,))
        when = np.where((when == 0) & (log_e >= np.log(20)), window + 1, when)
    return when


FOUR_FIFTHS = ToleratedGap(kind=GapTolerance.RATIO, limit=0.8)
TENTH = ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.1)
EQUAL = ToleratedGap(kind=GapTolerance.EQUALITY)


@pytest.mark.parametrize(
    ("rates", "tolerated"),
    [
        ([0.3, 0.3, 0.3, 0.3, 0.3], FOUR_FIFTHS),
        ([0.3, 0.3, 0.3, 0.3, 0.24], FOUR_FIFTHS),
        ([0.3, 0.3, 0.3, 0.3, 0.2], TENTH),
        ([0.3, 0.3, 0.3, 0.3, 0.3], EQUAL),
    ],
)
def test_tolerated_gaps_are_rarely_rejected_however_often_one_looks(rates, tolerated) -> None:
    when = follow(np.random.default_rng(11), np.array(rates), tolerated, 300, 100)

    assert (when > 0).mean() <= 0.05


def test_a_common_rate_may_drift() -> None:
    base = 0.3 + 0.2 * np.sin(np.arange(100) / 10)
    rates = base[:, None] * np.array([1, 1, 1, 1, 0.82])

    when = follow(np.random.default_rng(12), rates, FOUR_FIFTHS, 300, 100)

    assert (when > 0).mean() <= 0.05


@pytest.mark.parametrize(
    ("rates", "tolerated", "published_outputs"),
    [
        ([0.3, 0.3, 0.3, 0.3, 0.18], FOUR_FIFTHS, 14_000),
        ([0.3, 0.18, 0.3, 0.3, 0.3], FOUR_FIFTHS, 4_200),
        ([0.3, 0.3, 0.3, 0.3, 0.5], TENTH, 14_000),
    ],
)
def test_gaps_beyond_tolerance_are_found(rates, tolerated, published_outputs) -> None:
    when = follow(np.random.default_rng(13), np.array(rates), tolerated, 100, 200)

    assert (when > 0).mean() >= 0.9
    assert np.median(when[when > 0]) * 200 <= 1.3 * published_outputs


def test_impossible_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="limit must be strictly between 0 and 1"):
        ToleratedGap(kind=GapTolerance.RATIO, limit=1.0)
    with pytest.raises(ValueError, match="must leave rates on either side"):
        GapLimit(most=1.0)


def test_learned_rates_survive_a_restart_to_the_last_bit() -> None:
    learned = learn_rates(LearnedRates.nothing(2, 3), [[5, 1, 0]] * 2, [[10, 10, 0]] * 2)
    learned = learn_rates(learned, [[5, 1, 0]] * 2, [[10, 10, 0]] * 2)

    assert LearnedRates.from_json(learned.to_json()) == learned
