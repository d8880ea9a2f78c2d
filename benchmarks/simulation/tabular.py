"""The scenario of twenty columns: panels of 1,000 rows beside a reference of 10,000."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.columns import Categories, Columns, Numbers, concatenate
from baselines.counting import Counter
from baselines.fitting import fit_layout
from baselines.layout import Layout
from baselines.reference import Reference
from baselines.schema import Column, Role, Schema
from baselines.summary import Window, WindowKey, WindowSummary
from detectors.base import Detector
from detectors.panels.model import History
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.state import SeriesKey
from monitor.decision.surveillance import Surveillance, Watched

__all__ = ["CATEGORIES", "HOUR_US", "NUMERIC", "SCHEMA", "WINDOW_ROWS", "Panels", "drawn"]

NUMERIC = tuple(f"n{number}" for number in range(15))
CATEGORIES = tuple(f"c{number}" for number in range(5))
WINDOW_ROWS = 1_000
HOUR_US = 3_600_000_000
_LEVELS = (2, 3, 5, 8, 12)

SCHEMA = Schema(
    columns=(
        Column(name="ts", role=Role.TIMESTAMP),
        *[Column(name=name, role=Role.NUMERIC) for name in NUMERIC],
        *[Column(name=name, role=Role.CATEGORY) for name in CATEGORIES],
        Column(name="refused", role=Role.CATEGORY),
    )
)


def drawn(
    n_rows: int,
    rng: np.random.Generator,
    *,
    drift: bool = False,
    missing: str | None = None,
    refusals: float = 0.1,
) -> Columns:
    """Return rows; with mild drift n0 and n1 move by 0.1 sd and c2 by 3 points of share."""
    fields: dict[str, Numbers | Categories] = {}
    for name in NUMERIC:
        moved = 0.1 if drift and name in ("n0", "n1") else 0.0
        fields[name] = Numbers(rng.normal(moved, 1.0, n_rows))
    for name, n_levels in zip(CATEGORIES, _LEVELS, strict=True):
        shares = 1 / np.arange(1.0, n_levels + 1)
        shares /= shares.sum()
        if drift and name == "c2":
            shares[0] -= 0.03
            shares[-1] += 0.03
        codes = rng.choice(n_levels, n_rows, p=shares).astype(np.int32)
        fields[name] = Categories(codes, tuple(f"{name}_{level}" for level in range(n_levels)))
    refused = (rng.random(n_rows) < refusals).astype(np.int32)
    fields["refused"] = Categories(refused, ("false", "true"))
    fields.pop(missing or "", None)
    return Columns(n_rows=n_rows, time_us=np.zeros(n_rows, np.int64), fields=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """A reference, and how its windows are counted."""

    reference: Reference
    layout: Layout
    counter: Counter

    @classmethod
    def fitted(
        cls, detectors: Sequence[Detector], n_rows: int, rng: np.random.Generator
    ) -> "Panels":
        """Return the panels with a reference of so many rows, in windows of 1,000."""
        pieces = [drawn(WINDOW_ROWS, rng) for _ in range(n_rows // WINDOW_ROWS)]
        needs = [need for detector in detectors for need in detector.tables(SCHEMA)]
        layout = fit_layout(concatenate(pieces[:100]), SCHEMA, needs)
        counter = Counter(layout)
        history = tuple(_window(counter.count(piece), hour) for hour, piece in enumerate(pieces))
        total = WindowSummary(layout, sum(one.summary.counts for one in history))
        reference = Reference(schema=SCHEMA, summary=total, history=history)
        return cls(reference=reference, layout=layout, counter=counter)

    def window(self, rows: Columns, hour: int) -> Window:
        """Return rows as the closed window of an hour."""
        return _window(self.counter.count(rows), hour)

    def monitor(self, detectors: Sequence[Detector], budget: FalseAlarmBudget) -> Surveillance:
        """Return a monitor of hourly windows, with the smallest number of windows as shipped."""
        everything = Window(WindowKey(0, 1), self.reference.summary)
        past = self.reference.history
        monitor = Surveillance(budget=budget, window_seconds=3_600.0)
        monitor.add(
            [
                Watched(
                    key=SeriesKey(detector.series),
                    reference=question,
                    history=History(
                        start_us=tuple(one.key.start_us for one in past),
                        questions=tuple(detector.question(self.reference, one) for one in past),
                    ),
                    min_windows=1 if question.kind == "mix" or "missing" in detector.name else 2,
                )
                for detector in detectors
                if (question := detector.question(self.reference, everything)) is not None
            ]
        )
        return monitor


def _window(summary: WindowSummary, hour: int) -> Window:
    return Window(WindowKey(hour * HOUR_US, (hour + 1) * HOUR_US), summary)
