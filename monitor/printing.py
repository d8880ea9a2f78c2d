"""What commands write: results to standard output as JSON or tables, talk to standard error."""

import json
import sys
from collections.abc import Sequence

__all__ = ["say", "write_json", "write_line", "write_table"]


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
    Console(file=sys.stdout).print(table)
