"""What every test shares: findings on rows, and skips that fail where they are forbidden."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from baselines.columns import Categories, Columns, Field, Numbers
from baselines.counting import count
from baselines.fitting import fit_layout
from baselines.reference import Reference
from baselines.schema import Column, Schema
from baselines.summary import Window, WindowKey
from detectors.base import Detector, Finding

Rows = Mapping[str, Sequence[str | None] | np.ndarray]

pytest_plugins = ["tests.brokers.fixtures"]

FORBID_SKIPS = os.environ.get("OUTPUTWATCH_FORBID_SKIPS") == "1"
REPOSITORY = Path(__file__).resolve().parent.parent


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if FORBID_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped although skips are forbidden here: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real model outputs, or skip."""
    folder = Path(os.environ.get("OUTPUTWATCH_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "expected_verdicts.csv").is_file():
        pytest.skip(f"no real model outputs at {folder}; set OUTPUTWATCH_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def judge() -> Callable[..., Finding]:
    """Return a function that gives a detector's finding on rows, and on reference rows.

    Rows are sequences of levels (None: missing) or float arrays by column name; without
    reference rows the window is compared with itself.
    """

    def finding(
        detector: Detector, columns: Sequence[Column], window: Rows, reference: Rows | None = None
    ) -> Finding:
        schema = Schema(columns=tuple(columns))
        sample = _columns(window if reference is None else reference)
        layout = fit_layout(sample, schema, detector.tables(schema))
        assert list(detector.problems(schema)) == []
        return detector.compare(
            Reference(schema=schema, summary=count(sample, layout)),
            Window(WindowKey(0, 1), count(_columns(window), layout)),
        )

    return finding


def _columns(rows: Rows) -> Columns:
    fields: dict[str, Field] = {
        name: Numbers(values) if isinstance(values, np.ndarray) else Categories.from_values(values)
        for name, values in rows.items()
    }
    n_rows = len(next(iter(fields.values())))
    return Columns(n_rows=n_rows, time_us=np.zeros(n_rows, dtype=np.int64), fields=fields)
