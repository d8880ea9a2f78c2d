"""Gaps of label coverage: whose labels stay away, however those that came look."""

import numpy as np
import pytest

from baselines.schema import Column, Dtype, Role, Schema
from detectors.base import Verdict
from detectors.label_coverage_gap import LabelCoverageGap

COLUMNS = (
    Column(name="sex", role=Role.GROUP),
    Column(name="repaid", role=Role.LABEL, dtype=Dtype.BOOLEAN),
    Column(name="paid", role=Role.LABEL, dtype=Dtype.FLOAT64),
)


def outputs(**groups: tuple[int, int]) -> dict[str, object]:
    """Return rows of groups given as (labelled, all)."""
    sex: list[str] = []
    repaid: list[str | None] = []
    for name, (n_labelled, n_rows) in groups.items():
        sex += [name] * n_rows
        known = ["true" if row % 3 else "false" for row in range(n_labelled)]
        repaid += [*known, *[None] * (n_rows - n_labelled)]
    paid = np.array([np.nan if each is None else 1.0 for each in repaid])
    return {"sex": sex, "repaid": repaid, "paid": paid}


EVEN = outputs(F=(900, 1_000), M=(900, 1_000))


@pytest.mark.parametrize("label", ["repaid", "paid"])
def test_a_group_whose_labels_stay_away_is_named_and_others_are_not(judge, label) -> None:
    detector = LabelCoverageGap(label=label, group="sex")

    fewer = judge(detector, COLUMNS, outputs(F=(500, 1_000), M=(900, 1_000)), EVEN)
    even = judge(detector, COLUMNS, outputs(F=(500, 1_000), M=(500, 1_000)), EVEN)

    assert fewer.verdict is Verdict.BEYOND
    assert fewer.worse_off == ("F",)
    assert fewer.effect is not None
    assert fewer.effect.value == pytest.approx(0.4)
    assert "known repaid" in fewer.sentence or label == "paid"
    assert even.verdict is Verdict.WITHIN


def test_no_label_at_all_is_no_gap(judge) -> None:
    detector = LabelCoverageGap(label="repaid", group="sex")

    finding = judge(detector, COLUMNS, outputs(F=(0, 1_000), M=(0, 1_000)), EVEN)

    assert finding.verdict is Verdict.WITHIN
    assert finding.effect is not None
    assert finding.effect.value == 0


def test_held_against_the_baseline_a_gap_that_was_always_there_is_within(judge) -> None:
    unequal = outputs(F=(500, 1_000), M=(900, 1_000))

    absolute, relative = (
        judge(
            LabelCoverageGap(label="repaid", group="sex", comparison=comparison),
            COLUMNS,
            unequal,
            unequal,
        )
        for comparison in ("absolute", "baseline")
    )

    assert absolute.verdict is Verdict.BEYOND
    assert relative.verdict is Verdict.WITHIN


def test_the_label_must_not_be_a_group_too() -> None:
    detector = LabelCoverageGap(label="sex", group="sex")

    options = {option for option, _ in detector.problems(Schema(columns=COLUMNS))}

    assert "label" in options
