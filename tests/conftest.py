"""What every test shares: skips that count as failures where they are forbidden."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
