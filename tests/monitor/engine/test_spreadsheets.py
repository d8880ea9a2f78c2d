"""CSV files in which no value of the log is a formula."""

import csv
import io

import pytest

from monitor.engine.spreadsheets import TableWriter


def written(*cells: object) -> list[str]:
    file = io.StringIO(newline="")
    TableWriter(file, [f"c{number}" for number in range(len(cells))]).write([cells])
    return list(csv.reader(io.StringIO(file.getvalue(), newline="")))[1]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_text_that_would_be_run_has_an_apostrophe_in_front(text: str) -> None:
    assert written(text) == [f"'{text}"]


def test_numbers_and_other_text_stay_as_they_are() -> None:
    cells = written(-1, -0.5, float("-inf"), None, "a=1", "", 'two\nlines, "quoted"')

    assert cells == ["-1", "-0.5", "-inf", "", "a=1", "", 'two\nlines, "quoted"']


def test_a_carriage_return_does_not_break_a_line() -> None:
    assert written("a\r=1", "\r") == ["a%0D=1", "%0D"]
