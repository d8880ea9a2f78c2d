"""CSV files that people open with a spreadsheet program."""

import csv
from collections.abc import Iterable
from typing import TextIO

__all__ = ["TableWriter"]

_RUN = ("=", "+", "-", "@", "\t")
"""With one of these a cell begins a formula: CWE-1236, and OWASP on CSV injection."""


class TableWriter:
    """Writes rows of text and numbers as CSV.

    Values of the log reach some cells. Text that a spreadsheet program would run as a formula
    gets an apostrophe in front, which makes it text there; numbers stay as they are.

    Parameters
    ----------
    file
        Opened with ``newline=""``.
    columns
        The headings, written at once.
    """

    def __init__(self, file: TextIO, columns: Iterable[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, rows: Iterable[Iterable[object]]) -> None:
        """Write rows; None is an empty cell."""
        self._writer.writerows(map(_inert, row) for row in rows)


def _inert(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    # The writer does not quote a carriage return, and readers would take it for a new line.
    text = cell.replace("\r", "%0D")
    return f"'{text}" if text.startswith(_RUN) else text
