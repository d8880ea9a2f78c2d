"""The tables that the series of a test are counted on, each series on its own."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from baselines.checks import CHECK_PREFIX
from baselines.columns import Categories, Columns, Field, Numbers
from baselines.counting import Counter
from baselines.fitting import fit_layout
from baselines.layout import AxisNeed, Layout, TableNeed, table_name
from baselines.schema import Schema
from baselines.summary import WindowSummary
from detectors.base import Detector
from monitor.config.model import BaselineSettings
from monitor.policy_tests.shorthand import Outputs, Value

__all__ = ["Grids"]

Made = tuple[Outputs, ...]


class Grids:
    """Counts the outputs of several series into windows that they share.

    The outputs of one series say nothing about the columns of another, so each series fills
    its own tables; a window holds all of them.

    Parameters
    ----------
    schema
        The columns, with those of features.
    settings
        How the configuration's baselines are fitted.
    """

    def __init__(self, schema: Schema, settings: BaselineSettings) -> None:
        self._schema = schema
        self._settings = settings
        self._counters: dict[str, Counter] = {}
        self._owners: dict[str, str] = {}

    def owner(self, detector: Detector) -> tuple[str, str] | None:
        """Return a table that the detector reads and the series that writes it already."""
        for need in detector.tables(self._schema):
            name = table_name(need)
            if name in self._owners:
                return name, self._owners[name]
        return None

    def lacking(self, detector: Detector) -> tuple[str, ...]:
        """Return the tables that the detector reads and no series writes."""
        names = (table_name(need) for need in detector.tables(self._schema))
        return tuple(name for name in names if name not in self._owners)

    def add(self, series: str, detector: Detector, baseline: Iterable[Made]) -> None:
        """Fit the tables of one series on the outputs of its baseline."""
        known = [
            Outputs(values=each.values, number=max(each.number, 1))
            for outputs in baseline
            for each in outputs
            if each.known
        ]
        layout = fit_layout(
            self._columns(known),
            self._schema,
            self._needs(detector, known),
            max_bins=self._settings.max_bins,
            max_levels=self._settings.max_levels,
        )
        self._counters[series] = Counter(layout)
        self._owners |= {table.name: series for table in layout.tables}

    def layout(self) -> Layout:
        """Return the tables of all series."""
        return Layout(
            tuple(table for each in self._counters.values() for table in each.layout.tables)
        )

    def count(self, layout: Layout, made: Mapping[str, Made]) -> WindowSummary:
        """Return one window.

        Parameters
        ----------
        layout
            The tables of all series.
        made
            The outputs of the window as each series has them, alike in number.
        """
        counts = np.zeros(layout.n_cells, dtype=np.int64)
        for series, outputs in made.items():
            counter = self._counters[series]
            summary = counter.count(self._columns(outputs))
            counts[0] = summary.n_rows
            for table in counter.layout.tables:
                start = layout.offset(table.name)
                counts[start : start + table.size] = summary.table(table.name).ravel()
        return WindowSummary(layout, counts)

    def _needs(self, detector: Detector, outputs: Iterable[Outputs]) -> list[TableNeed]:
        """Return the tables that a layout of these outputs has for the detector."""
        named = {name for each in outputs for name in each.values}
        checks = sorted(name for name in named if name.startswith(CHECK_PREFIX))
        return [*detector.tables(self._schema), *((AxisNeed(name),) for name in checks)]

    def _columns(self, outputs: Sequence[Outputs]) -> Columns:
        names = dict.fromkeys(name for each in outputs for name in each.values)
        return Columns(
            n_rows=len(outputs),
            time_us=np.zeros(len(outputs), dtype=np.int64),
            fields={
                name: self._field(name, [each.values.get(name) for each in outputs])
                for name in names
            },
            weights=np.array([each.number for each in outputs], dtype=np.int64),
        )

    def _field(self, name: str, values: Sequence[Value]) -> Field:
        if name in self._schema and self._schema[name].is_numeric:
            missing = np.array([value is None for value in values], dtype=np.bool_)
            numbers = [0.0 if value is None else float(value) for value in values]
            return Numbers(np.array(numbers, dtype=np.float64), missing)
        return Categories.from_values([None if each is None else str(each) for each in values])
