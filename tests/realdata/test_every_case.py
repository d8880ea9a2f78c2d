"""No line of the expected verdicts is forgotten."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.realdata


def test_every_data_set_with_expected_verdicts_has_a_test_of_each_case(expected_cases) -> None:
    here = Path(__file__).parent
    datasets = {case.dataset for case in expected_cases}

    assert len(expected_cases) == 21
    for dataset in sorted(datasets):
        tests = (here / f"test_{dataset}.py").read_text(encoding="utf-8")
        assert "def test_each_case_has_its_verdict(case," in tests


def test_every_case_is_another_one(expected_cases) -> None:
    assert len({(case.dataset, case.case) for case in expected_cases}) == len(expected_cases)
