"""Rates and gaps since the start of an audit, valid at all times."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.summary import WindowKey
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion, RateQuestion
from monitor.cli import run_command_line
from monitor.engine.since_start_file import SinceStart

DAY = 86_400_000_000
FOUR_FIFTHS = ToleratedGap(kind=GapTolerance.RATIO, limit=0.8)
FIVE_POINTS = ToleratedGap(kind=GapTolerance.DIFFERENCE, limit=0.05)


def key(day: int) -> WindowKey:
    return WindowKey(day * DAY, (day + 1) * DAY)


def gap(
    rates: list[float], generator: np.random.Generator, tolerated: ToleratedGap
) -> GapQuestion:
    totals = np.full((1, len(rates)), 400, dtype=np.int64)
    return GapQuestion(
        hits=generator.binomial(totals, np.array([rates])),
        totals=totals,
        reference_hits=totals,
        reference_totals=totals,
        tolerated=tolerated,
        groups=tuple("abc"[: len(rates)]),
    )


def line(since: SinceStart) -> tuple[Any, ...]:
    (found,) = since.lines("series")
    return found


def followed(rates: list[float], tolerated: ToleratedGap, *, seed: int = 1) -> tuple[Any, ...]:
    generator = np.random.default_rng(seed)
    since = SinceStart(key(0), key(0))
    for day in range(30):
        since.add(key(day), gap(rates, generator, tolerated))
    return line(since)


def test_a_gap_that_is_there_is_shown_and_never_overstated() -> None:
    *_, outputs, what, low, high, tolerance, beyond = followed([0.5, 0.3], FIVE_POINTS)

    assert outputs == 30 * 800
    assert what == "highest minus lowest rate, at least"
    assert 0.1 <= low <= 0.2
    assert (high, tolerance, beyond) == (None, 0.05, "yes")


def test_a_ratio_is_bounded_from_above() -> None:
    *_, what, low, high, tolerance, beyond = followed([0.5, 0.25, 0.4], FOUR_FIFTHS)

    assert what == "lowest over highest rate, at most"
    assert low is None
    assert 0.5 <= high <= 0.7
    assert (tolerance, beyond) == (0.8, "yes")


@pytest.mark.parametrize("tolerated", [FOUR_FIFTHS, FIVE_POINTS])
def test_equal_groups_are_not_shown_to_be_apart(tolerated: ToleratedGap) -> None:
    found = [followed([0.4, 0.4, 0.4], tolerated, seed=seed)[-1] for seed in range(10)]

    assert found == ["not shown"] * 10


def test_a_rate_is_bounded_over_all_windows() -> None:
    generator = np.random.default_rng(2)
    since = SinceStart(key(0), key(0))
    for day in range(30):
        hits = int(generator.binomial(1_000, 0.1))
        since.add(
            key(day),
            RateQuestion(
                hits=hits,
                total=1_000,
                reference_hits=1,
                reference_total=10,
                tolerance_difference=0.1,
            ),
        )

    *_, start, end, outputs, what, low, high, _, _ = line(since)

    assert (start, end) == ("1970-01-01T00:00:00Z", "1970-01-31T00:00:00Z")
    assert (outputs, what) == (30_000, "rate")
    assert 0.09 < low < 0.1 < high < 0.11


def test_the_report_has_a_line_for_each_gap_and_rate(tmp_path: Path) -> None:
    made = run_command_line(["demo", "--directory", str(tmp_path), "--events", "20000", "--json"])
    configuration = str(tmp_path / "loan-scorer.yaml")
    report = tmp_path / "report"

    run_command_line(["audit", configuration, "--report", str(report)])

    with (report / "since_start.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    series = {row["series"].partition("(")[0] for row in rows}
    assert made in (0, 3)
    assert {"selection_rate_gap", "rate_change", "missing_rate"} <= series
    assert {row["slice"] for row in rows} >= {"all", "channel=broker"}
