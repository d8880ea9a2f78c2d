"""``outputwatch baseline show``: what one version holds."""

import argparse
from typing import TYPE_CHECKING

from monitor.commands.baseline import add_configuration_argument, opened_store
from monitor.printing import span_text, time_text, write_json, write_line, write_table

if TYPE_CHECKING:
    from baselines.baseline import Baseline

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "show"
HELP = "show where a baseline comes from and what it counts"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration and the version."""
    add_configuration_argument(parser)
    parser.add_argument("version", metavar="VERSION", help="'promoted', an id or its beginning")


def run(arguments: argparse.Namespace) -> int:
    """Write provenance, slices and tables."""
    from monitor.windows.wording import windows_in_words

    with opened_store(arguments.configuration) as store:
        baseline = store.load(arguments.version)
    if arguments.json:
        write_json(_description(baseline))
        return 0
    provenance = baseline.provenance
    facts = {
        "id": baseline.id,
        "made": f"{time_text(provenance.created_at_us)} by {provenance.outputwatch_version}",
        "source": provenance.source,
        "events": span_text(provenance.first_us, provenance.last_us) or "without times",
        "wanted": _wanted(provenance.from_us, provenance.to_us),
        "rows": f"{provenance.n_rows:,}, and {provenance.n_rejected} records rejected",
        "history": f"{provenance.n_windows:,} {windows_in_words(provenance.windows)}",
        "schema": baseline.schema.name,
    }
    for name, text in facts.items():
        if text:
            write_line(f"{name + ':':9}{text}")
    write_line("")
    slices = sorted(baseline.references.items())
    write_table(("slice", "rows"), [(name, str(each.n_rows)) for name, each in slices])
    write_line("")
    tables = [(table.name, str(table.size)) for table in baseline.layout.tables]
    write_table(("table", "cells"), tables)
    return 0


def _wanted(from_us: int | None, to_us: int | None) -> str:
    """Return the range that was asked for, nothing if none was."""
    first = "" if from_us is None else f"from {time_text(from_us)}"
    last = "" if to_us is None else f"before {time_text(to_us)}"
    return f"{first} {last}".strip()


def _description(baseline: "Baseline") -> dict[str, object]:
    from baselines.description import describe_provenance

    slices = sorted(baseline.references.items())
    return {
        "id": baseline.id,
        "provenance": describe_provenance(baseline.provenance),
        "schema": baseline.schema.name,
        "columns": [column.name for column in baseline.schema],
        "layout": baseline.layout.id,
        "n_history": len(baseline.history),
        "slices": {name: summary.n_rows for name, summary in slices},
        "tables": {table.name: table.size for table in baseline.layout.tables},
    }
