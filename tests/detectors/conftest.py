"""Made-up outputs with a column of every role, and everything that is built from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from baselines.checks import (
    CHECK_OUTCOMES,
    CheckAction,
    CheckFlag,
    CheckStatus,
    check_column,
    check_outcome,
)
from baselines.columns import Categories, Columns, Field, Numbers
from baselines.counting import count
from baselines.fitting import fit_layout
from baselines.layout import Axis, AxisNeed, CategoryAxis, Layout, Table, TableNeed
from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey, WindowSummary

HOUR_US = 3_600_000_000
START_US = 1_700_000_400 * 1_000_000 // HOUR_US * HOUR_US
N_HOURS = 48

SCHEMA = Schema(
    name="synthetic",
    columns=(
        Column(name="time", role=Role.TIMESTAMP),
        Column(name="event_id", role=Role.EVENT_ID),
        Column(name="subject", role=Role.SUBJECT),
        Column(name="length", role=Role.NUMERIC, unit="tokens"),
        Column(name="score", role=Role.SCORE),
        Column(name="topic", role=Role.CATEGORY),
        Column(name="refused", role=Role.CATEGORY, dtype=Dtype.BOOLEAN),
        Column(name="approved", role=Role.PREDICTION, dtype=Dtype.BOOLEAN),
        Column(name="repaid", role=Role.LABEL, dtype=Dtype.BOOLEAN),
        Column(name="intent", role=Role.PREDICTION),
        Column(name="true_intent", role=Role.LABEL),
        Column(name="estimate", role=Role.PREDICTION, dtype=Dtype.FLOAT64, unit="EUR"),
        Column(name="amount", role=Role.LABEL, dtype=Dtype.FLOAT64, unit="EUR"),
        Column(name="error", role=Role.NUMERIC, unit="EUR"),
        Column(name="sex", role=Role.GROUP),
        Column(name="age_band", role=Role.GROUP),
        Column(name="language", role=Role.GROUP),
        Column(name="model", role=Role.SLICE),
        Column(name="prompt", role=Role.TEXT),
        Column(name="safety", role=Role.SAFETY_CHECK),
    ),
)

CHECKS = tuple(
    check_column("output", "azure.content_filter", category)
    for category in ("hate", "self-harm/intent", "violence")
)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Makes rows, layouts, references and windows; all from seeds."""

    schema: Schema = SCHEMA
    checks: tuple[str, ...] = CHECKS

    def rows(self, n_rows: int, seed: int, *, shift: float = 0.0) -> Columns:
        """Return rows of two days; `shift` (0 to 1) moves every column, groups stay equal."""
        random = np.random.default_rng(seed)
        fields = _fields(random, n_rows, shift)
        for column in CHECKS:
            fields[column] = _verdicts(random, n_rows, shift)
        times = START_US + np.sort(random.integers(0, N_HOURS * HOUR_US, n_rows))
        return Columns(n_rows=n_rows, time_us=times.astype(np.int64), fields=fields)

    def layout(self, sample: Columns, needs: Iterable[TableNeed] = ()) -> Layout:
        """Return a layout with the tables of `needs` and one of every column and check."""
        counted = [c.name for c in SCHEMA if c.is_numeric or c.is_category]
        ones = [(AxisNeed(name),) for name in (*counted, *CHECKS)]
        return fit_layout(sample, SCHEMA, [*needs, *ones])

    def reference(self, rows: Columns, layout: Layout) -> Reference:
        """Return the reference of `rows` with one window an hour as its history."""
        hour = (rows.time_us - START_US) // HOUR_US
        history = tuple(
            Window(
                WindowKey(START_US + k * HOUR_US, START_US + (k + 1) * HOUR_US),
                count(rows.take(hour == k), layout),
            )
            for k in range(N_HOURS)
        )
        return Reference(schema=SCHEMA, summary=count(rows, layout), history=history)

    def window(self, rows: Columns, layout: Layout, *, hours: int = 1) -> Window:
        """Return `rows` as one window of `hours`, whatever their times."""
        end = START_US + (N_HOURS + hours) * HOUR_US
        return Window(WindowKey(end - hours * HOUR_US, end), count(rows, layout))


@pytest.fixture(scope="session")
def outputs() -> Outputs:
    return Outputs()


def _fields(random: np.random.Generator, n_rows: int, shift: float) -> dict[str, Field]:
    score = random.beta(2 + 3 * shift, 3, n_rows)
    repaid = random.random(n_rows) < score
    intents = np.array(["buy", "cancel", "complain", "other"])
    true_intent = random.choice(intents, n_rows, p=[0.4, 0.3, 0.2, 0.1])
    wrong = random.random(n_rows) < 0.1 + 0.5 * shift
    intent = np.where(wrong, random.permutation(intents[:1].repeat(n_rows)), true_intent)
    amount = np.exp(random.normal(5 + shift, 0.7, n_rows))
    error = random.normal(20 * shift, 10, n_rows)
    length = np.round(np.exp(random.normal(5 + shift, 0.5, n_rows)))
    length[random.random(n_rows) < 0.02] = np.nan
    topic = random.choice(["travel", "tax", "health", "code"], n_rows, p=[0.5, 0.3, 0.15, 0.05])
    topic[random.random(n_rows) < 0.5 * shift] = "astro"
    return {
        "length": Numbers(length),
        "score": Numbers(score, random.random(n_rows) < 0.01 + 0.4 * shift),
        "topic": _levels(topic),
        "refused": _levels(_boolean(random.random(n_rows) < 0.05 + 0.4 * shift)),
        "approved": _levels(_boolean(score > 0.4 + 0.3 * shift)),
        "repaid": _levels(_boolean(repaid), random.random(n_rows) < 0.1),
        "intent": _levels(intent),
        "true_intent": _levels(true_intent),
        "estimate": Numbers(amount + error),
        "amount": Numbers(amount, random.random(n_rows) < 0.1),
        "error": Numbers(error),
        "sex": _levels(random.choice(["f", "m"], n_rows), random.random(n_rows) < 0.03),
        "age_band": _levels(random.choice(["18-39", "40-64", "65+"], n_rows, p=[0.4, 0.4, 0.2])),
        "language": _levels(random.choice(["de", "en", "tr"], n_rows, p=[0.3, 0.6, 0.1])),
        "model": _levels(random.choice(["a", "b"], n_rows)),
    }


def _boolean(values: np.ndarray) -> np.ndarray:
    return np.where(values, "true", "false")


def _levels(values: np.ndarray, missing: np.ndarray | None = None) -> Categories:
    levels, codes = np.unique(values, return_inverse=True)
    codes = codes.astype(np.int32)
    if missing is not None:
        codes = np.where(missing, np.int32(-1), codes)
    return Categories(codes, tuple(str(level) for level in levels))


def _verdicts(random: np.random.Generator, n_rows: int, shift: float) -> Categories:
    """Return 96 % working checks of which 5 % flag; `shift` breaks and lets through."""
    ok = random.random(n_rows) < 0.96 - 0.5 * shift
    flagged = random.random(n_rows) < 0.05 * (1 - shift)
    blocked = random.random(n_rows) < 0.9 - 0.6 * shift
    absent = random.random(n_rows) < 0.02
    code = {outcome: position for position, outcome in enumerate(CHECK_OUTCOMES)}

    def outcome(status: CheckStatus, flag: CheckFlag, action: CheckAction) -> int:
        return code[check_outcome(status, flag, action)]

    error = outcome(CheckStatus.ERROR, CheckFlag.UNKNOWN, CheckAction.NONE)
    clean = outcome(CheckStatus.OK, CheckFlag.CLEAN, CheckAction.ALLOW)
    block = outcome(CheckStatus.OK, CheckFlag.FLAGGED, CheckAction.BLOCK)
    none = outcome(CheckStatus.OK, CheckFlag.FLAGGED, CheckAction.NONE)
    codes = np.where(ok, np.where(flagged, np.where(blocked, block, none), clean), error)
    return Categories(np.where(absent, -1, codes).astype(np.int32), CHECK_OUTCOMES)


@dataclass(frozen=True, slots=True)
class ByHand:
    """Makes references and windows from counts written down in a test."""

    def tables(self, *axes: tuple[Axis, ...]) -> Layout:
        """Return a layout of one table for each tuple of axes."""
        return Layout(tuple(Table(one) for one in axes))

    def summary(
        self, layout: Layout, counts: Mapping[str, Any], n_rows: int | None = None
    ) -> WindowSummary:
        """Return a summary; each table is filled as named, the others with missing rows."""
        vector = np.zeros(layout.n_cells, dtype=np.int64)
        filled = {name: np.asarray(cells, dtype=np.int64) for name, cells in counts.items()}
        vector[0] = n_rows if n_rows is not None else next(iter(filled.values())).sum()
        for table in layout.tables:
            start = layout.offset(table.name)
            cells = filled.get(table.name)
            if cells is None:
                cells = np.zeros(table.shape, dtype=np.int64)
                cells[tuple(axis.missing for axis in table.axes)] = vector[0]
            vector[start : start + table.size] = cells.ravel()
        return WindowSummary(layout, vector)

    def window(self, summary: WindowSummary, *, hour: int = 0) -> Window:
        """Return the summary as the window of an hour after 1970-01-01T00:00Z, a Thursday."""
        return Window(WindowKey(hour * HOUR_US, (hour + 1) * HOUR_US), summary)

    def verdicts(self, counts: Mapping[str, int], missing: int = 0) -> np.ndarray:
        """Return the cells of a check's table from counts by outcome (``ok/clean/allow``)."""
        cells = np.zeros(len(CHECK_OUTCOMES) + 2, dtype=np.int64)
        for outcome, rows in counts.items():
            cells[CHECK_OUTCOMES.index(outcome)] = rows
        cells[-1] = missing
        return cells

    def check(self, column: str) -> tuple[Axis, ...]:
        """Return the axes of a check's table."""
        return (CategoryAxis(AxisNeed(column), CHECK_OUTCOMES),)


@pytest.fixture(scope="session")
def by_hand() -> ByHand:
    return ByHand()
