"""``outputwatch baseline list``: the versions in the store."""

import argparse
import dataclasses
from typing import TYPE_CHECKING

from monitor.commands.baseline import add_configuration_argument, opened_store
from monitor.printing import say, time_text, write_json, write_table

if TYPE_CHECKING:
    from baselines.store import StoredBaseline

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "list"
HELP = "list the stored baselines, oldest first"
_HEADINGS = ("version", "in force", "made", "from", "to", "rows", "rejected", "windows")
_SHOWN_DIGITS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration."""
    add_configuration_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write one row for each version."""
    with opened_store(arguments.configuration) as store:
        stored = store.list()
    if arguments.json:
        write_json([dataclasses.asdict(one) for one in stored])
    elif not stored:
        say(f"no baseline in {str(store.directory)!r} yet; fit one")
    else:
        write_table(_HEADINGS, [_row(one) for one in stored])
    return 0


def _row(stored: "StoredBaseline") -> tuple[str, ...]:
    provenance = stored.provenance
    return (
        stored.id[:_SHOWN_DIGITS],
        "yes" if stored.is_promoted else "",
        time_text(provenance.created_at_us),
        time_text(provenance.first_us),
        time_text(provenance.last_us),
        str(provenance.n_rows),
        str(provenance.n_rejected),
        str(provenance.n_windows),
    )
