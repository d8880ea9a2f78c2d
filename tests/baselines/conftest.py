"""A small hand-made baseline, and rows of every kind of column."""

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from baselines.baseline import Baseline
from baselines.checks import CHECK_OUTCOMES
from baselines.columns import Categories, Columns, Numbers
from baselines.layout import AxisNeed, TableNeed
from baselines.schema import Column, Dtype, Role, Schema

GOLDEN = Path(__file__).parent / "golden"

MakeRows = Callable[[int, int], Columns]


@pytest.fixture(scope="session")
def golden_baseline() -> Baseline:
    made: Baseline = runpy.run_path(str(GOLDEN / "write.py"))["golden_baseline"]()
    return made


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema(
        columns=(
            Column(name="income", role=Role.NUMERIC, unit="EUR"),
            Column(name="score", role=Role.SCORE),
            Column(name="sex", role=Role.GROUP),
            Column(name="topic", role=Role.CATEGORY),
            Column(name="approved", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
            Column(name="prompt", role=Role.TEXT),
        )
    )


@pytest.fixture(scope="session")
def needs() -> tuple[TableNeed, ...]:
    return (
        (AxisNeed("income"),),
        (AxisNeed("income", 4),),
        (AxisNeed("score", 8),),
        (AxisNeed("sex"),),
        (AxisNeed("topic"),),
        (AxisNeed("approved"),),
        (AxisNeed("check:output/toxicity/hate"),),
        (AxisNeed("sex"), AxisNeed("approved")),
        (AxisNeed("sex"), AxisNeed("income", 4), AxisNeed("topic")),
    )


@pytest.fixture(scope="session")
def make_rows() -> MakeRows:
    def make(seed: int, n_rows: int) -> Columns:
        random = np.random.default_rng(seed)
        income = np.round(np.exp(random.normal(7, 1, n_rows)), 1)
        income[random.random(n_rows) < 0.05] = np.nan
        topics = tuple(f"topic {number}" for number in range(12))
        verdicts = (CHECK_OUTCOMES[0], CHECK_OUTCOMES[7], "no such outcome")
        ids = np.empty(n_rows, dtype=object)
        ids[:] = [f"{seed}-{row}" for row in range(n_rows)]

        def category(levels: tuple[str, ...]) -> Categories:
            codes = random.integers(-1, len(levels), n_rows).astype(np.int32)
            return Categories(codes, levels)

        return Columns(
            n_rows=n_rows,
            time_us=random.integers(0, 10**9, n_rows),
            fields={
                "income": Numbers(income, random.random(n_rows) < 0.1),
                "score": Numbers(random.random(n_rows)),
                "sex": category(("m", "f")),
                "topic": category(topics),
                "approved": category(("true", "false")),
                "check:output/toxicity/hate": category(verdicts),
            },
            event_ids=ids,
        )

    return make
