"""What commands write: results to standard output as JSON or tables, talk to standard error."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

__all__ = ["say", "span_text", "time_text", "write_json", "write_line", "write_table"]

_WIDTH_OF_A_PIPE = 240


def write_line(text: str) -> None:
    """Write one line of result."""
    sys.stdout.write(f"{text}\n")


def write_json(value: object) -> None:
    """Write `value` as indented JSON; keys keep their order."""
    sys.stdout.write(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n")


def say(text: str) -> None:
    """Write one line for people, apart from the result."""
    sys.stderr.write(f"{text}\n")


def write_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows of text under headings; markup in them is shown as it is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    # A pipe has no width; lines that a program reads are not to be folded at 80 characters.
    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    Console(file=sys.stdout, width=width).print(table)


def span_text(first_us: int | None, last_us: int | None, *, before: str = "") -> str:
    """Return ``first to last`` after `before`; nothing at all where events have no times."""
    if first_us is None or last_us is None:
        return ""
    return f"{before}{time_text(first_us)} to {time_text(last_us)}"


def time_text(us: int | None) -> str:
    """Return a time as RFC 3339 writes it, in UTC to the second; ``unknown`` for None.

    Examples
    --------
    >>> time_text(1_767_225_600_000_000)
    '2026-01-01T00:00:00Z'
    """
    if us is None:
        return "unknown"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
