"""``outputwatch baseline diff``: what changes if another version is put in force."""

import argparse
import dataclasses
from typing import TYPE_CHECKING

from monitor.commands.baseline import add_configuration_argument, opened_store
from monitor.printing import write_json, write_line, write_table

if TYPE_CHECKING:
    from baselines.comparison import BaselineComparison, DistributionChange

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "diff"
HELP = "show what changed between two baselines, the largest changes first"
_SHOWN_DIGITS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration and the two versions."""
    add_configuration_argument(parser)
    versions = "'promoted', an id or its beginning"
    parser.add_argument("old", metavar="OLD", help=versions)
    parser.add_argument("new", metavar="NEW", help=versions)


def run(arguments: argparse.Namespace) -> int:
    """Compare all traffic of two versions, column by column."""
    from baselines.comparison import compare_baselines

    with opened_store(arguments.configuration) as store:
        comparison = compare_baselines(store.load(arguments.old), store.load(arguments.new))
    if arguments.json:
        write_json(dataclasses.asdict(comparison))
    else:
        _write(comparison)
    return 0


def _write(comparison: "BaselineComparison") -> None:
    old, new = comparison.old_id[:_SHOWN_DIGITS], comparison.new_id[:_SHOWN_DIGITS]
    write_line(f"{old} ({comparison.old_rows} rows) -> {new} ({comparison.new_rows} rows)")
    for word, columns in (
        ("only in the new one", comparison.columns_added),
        ("only in the old one", comparison.columns_removed),
    ):
        if columns:
            write_line(f"columns {word}: {', '.join(columns)}")
    for levels in comparison.levels:
        changes = [f"+{level}" for level in levels.added]
        changes += [f"-{level}" for level in levels.removed]
        write_line(f"levels of {levels.column}: {', '.join(changes)}")
    write_line("")
    headings = ("column", "values that moved", "missing before", "missing after")
    write_table(headings, [_row(change) for change in comparison.distributions])
    if comparison.rates:
        write_line("")
        rates = [
            (each.column, each.rate, _share(each.old), _share(each.new))
            for each in comparison.rates
        ]
        write_table(("column", "rate", "before", "after"), rates)


def _row(change: "DistributionChange") -> tuple[str, ...]:
    moved = _share(change.total_variation)
    if change.total_variation is not None and change.uncertainty > 0:
        moved += f" (within {_share(change.uncertainty)})"
    return change.column, moved, _share(change.old_missing), _share(change.new_missing)


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"
